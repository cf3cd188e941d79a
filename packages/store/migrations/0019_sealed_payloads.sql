-- Payloads that hold data of people can be sealed with keys of theirs, which are kept apart and can be destroyed.

-- Whether payloads are sealed from here on. Follows from the `sealing` records; verification holds it against them.
create table payload_sealing (
  ledger text not null primary key,
  -- The record that said so last.
  index bigint not null,
  -- The id of the master key that the keys of people are wrapped under; null: nothing is sealed any more.
  key text
);

-- A person's keys: one under each master key that was ever in use, and mostly one. A key that is erased leaves no row.
create table subject_key (
  ledger text not null,
  -- Random; sealed payloads name it.
  id text not null check (id ~ '^[0-9a-f]{32}$'),
  -- As in `payload_subject`.
  subject bytea not null check (octet_length(subject) = 32),
  -- The id of the master key.
  master text not null,
  -- Nonce, key and tag, by AES-256-GCM under the master key, with ledger, subject and id.
  wrapped bytea not null check (octet_length(wrapped) = 60),
  primary key (ledger, id)
);
create index subject_key_of on subject_key (ledger, subject);
