-- What has left for cold storage, and what keeps it from leaving.

-- One row for each archived segment: the records from `first` to before `stop`. Follows from the records of kind
-- `archive`, whose manifest it holds; only `payloads` changes later, when personal data is erased in cold storage.
create table archive_segment (
  ledger text not null,
  first bigint not null,
  stop bigint not null check (stop > first),
  -- The record that says so.
  index bigint not null,
  store text not null,
  -- Canonical JSON; the record holds its SHA-256.
  manifest text not null,
  -- Where the payloads lie: JSON with length, hash, version and blocks of the object.
  payloads text not null,
  primary key (ledger, first)
);

-- The leaf hashes of archived records, 32 bytes each, some thousands in a row: without them nobody could prove that the
-- log of today continues the one that was published before they left.
create table archive_leaf (
  ledger text not null,
  first bigint not null,
  hashes bytea not null,
  primary key (ledger, first)
);
alter table archive_leaf alter hashes set storage external;

-- The segment that is being exported: whoever goes on after a crash makes the same one.
create table archive_intent (
  ledger text primary key,
  first bigint not null,
  stop bigint not null
);

-- Legal holds that stand. Follows from the records of kind `hold`; while there is a row, nothing is archived away,
-- erased or deleted.
create table hold (
  ledger text not null,
  name text not null,
  -- The record that placed it.
  index bigint not null,
  primary key (ledger, name)
);
