-- The log, its payloads, and what is folded from it. The tables `call`, `outcome`, `approval` and `vote` follow
-- from the records. Deciding reads terms, deadline and votes in the records; that an approval was used, that a
-- vote exists and what a call id stands for is believed from these rows until verification, which holds every
-- one of them against the records, has found a change.

-- One row per ledger. Whoever advances it has seen every record before: appends are gated by a
-- compare-and-swap on `size` and `frontier`.
create table ledger_head (
  ledger text primary key,
  size bigint not null check (size >= 0),
  -- The Merkle tree's compact range: 32 bytes for each perfect subtree, the largest first.
  frontier bytea not null
);

-- One row for each batch that was committed: its records and, apart from them, their payloads, one line each;
-- canonical JSON contains no line break. A row of its own for each record costs PostgreSQL three times as much
-- work and eight times as much write-ahead log. Where one batch ends and the next begins means nothing.
--
-- Parted by time, so that what has been archived leaves with its whole partition. The service makes partitions ahead;
-- what falls into none lies in the default one, so that no append fails for want of a partition.
create table log_batch (
  ledger text not null,
  -- The index of its first record; the others follow.
  first bigint not null,
  -- The instant of all its records; repeats what they say, and verification compares it.
  at timestamptz not null,
  -- 32 bytes for each record.
  leaf_hashes bytea not null,
  -- Canonical JSON (RFC 8785) as it was hashed; never rewritten.
  records text not null,
  -- Payloads are kept apart, so that they can be erased: a record commits to SHA-256(salt || body). 32 bytes of
  -- salt for each record, and a line of text, empty where there is no payload or it was erased.
  salts bytea not null,
  bodies text not null,
  -- The indices of records whose payload was erased.
  erased bigint[] not null default '{}',
  primary key (ledger, first, at)
) partition by range (at);
create table log_batch_default partition of log_batch default;
-- Hashes and salts do not compress, and are not tried. Text does: lz4 takes a fraction of the time of the
-- default, where this PostgreSQL was built with it. Partitions that are made later take both over from the table.
alter table log_batch alter leaf_hashes set storage external, alter salts set storage external;
alter table log_batch_default alter leaf_hashes set storage external, alter salts set storage external;
do $$
begin
  alter table log_batch alter records set compression lz4, alter bodies set compression lz4;
  alter table log_batch_default alter records set compression lz4, alter bodies set compression lz4;
exception when feature_not_supported or invalid_parameter_value then
  null;
end
$$;

-- In which batches something stands: `agent=` and `action=` of decisions, `effect=` of those that did not allow,
-- `kind=` of records that are neither decision nor outcome. Verification compares it with the records.
create table log_term (
  ledger text not null,
  term text not null,
  first bigint not null,
  -- Its batch's: it lies in the partition of the same time.
  at timestamptz not null,
  primary key (ledger, term, first, at)
) partition by range (at);
create table log_term_default partition of log_term default;

-- In which partitions to look for an index: batches from `first` on lie at or after `lower`, and those before it
-- at or before `until`. Saves asking every partition; clocks of services that differ by more than an hour make it
-- wrong, so what is not found there is looked for everywhere. Losing these rows costs time and nothing else.
create table log_span (
  ledger text not null,
  first bigint not null,
  lower timestamptz not null,
  until timestamptz not null,
  primary key (ledger, first)
);

-- The log record by record, for people and reports; it reads every batch.
create view log_entry as
  select b.ledger, b.first + t.n - 1 as index, b.at,
    split_part(split_part(t.record, '"kind":"', 2), '"', 1) as kind,
    nullif(split_part(split_part(t.record, '"effect":"', 2), '"', 1), '') as effect,
    t.record, substring(b.leaf_hashes from (t.n::int - 1) * 32 + 1 for 32) as leaf_hash,
    case when t.body <> '' then substring(b.salts from (t.n::int - 1) * 32 + 1 for 32) end as salt,
    nullif(t.body, '') as body, b.first + t.n - 1 = any(b.erased) as erased
  from log_batch b,
    unnest(string_to_array(b.records, E'\n'), string_to_array(b.bodies, E'\n')) with ordinality as t (record, body, n);

-- The decision that stands for a caller's own id.
create table call (
  ledger text not null,
  agent text not null,
  call_id text not null,
  index bigint not null,
  primary key (ledger, agent, call_id)
);

create table outcome (
  ledger text not null,
  decision bigint not null,
  index bigint not null,
  status text not null check (status in ('succeeded', 'failed', 'unknown')),
  primary key (ledger, decision)
);

-- `decision` is the index of the decision that opened the approval. The status is what its
-- last record left it at; a deadline that has passed since counts before the sweep has written it down.
create table approval (
  ledger text not null,
  decision bigint not null,
  agent text not null,
  action text not null,
  policy_sha256 text not null,
  terms text not null,
  opened_at timestamptz not null,
  expires_at timestamptz not null,
  consumed_by bigint,
  status text not null check (status in ('pending', 'approved', 'rejected', 'expired', 'consumed')),
  primary key (ledger, decision)
);
create index approval_open on approval (ledger, expires_at) where status in ('pending', 'approved');

create table vote (
  ledger text not null,
  approval bigint not null,
  person text not null,
  vote text not null check (vote in ('approve', 'reject')),
  at timestamptz not null,
  index bigint not null,
  primary key (ledger, approval, person)
);
