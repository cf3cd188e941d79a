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

-- `record` is canonical JSON (RFC 8785) as it was hashed, and is never rewritten. The columns behind
-- it repeat parts of the record for lookups; verification compares them.
create table log_entry (
  ledger text not null,
  index bigint not null,
  leaf_hash bytea not null,
  record text not null,
  kind text not null,
  at timestamptz not null,
  agent text,
  action text,
  effect text,
  primary key (ledger, index)
);
-- By a number and not by name: the names repeat in every entry, and comparing them costs each insert.
create index log_entry_agent on log_entry (hashtext(agent), index);
create index log_entry_note on log_entry (ledger, index) where agent is null;
create index log_entry_attention on log_entry (ledger, effect, index) where effect <> 'allow';

-- Parameters and comments apart from the log, so that they can be erased. A record commits to
-- SHA-256(salt || body). An erased payload keeps its row, with both columns null.
create table payload (
  ledger text not null,
  index bigint not null,
  salt bytea,
  body text,
  erased_at timestamptz,
  primary key (ledger, index)
);

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
