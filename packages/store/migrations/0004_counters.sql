-- What allowed calls have used of budgets and rates, and what sessions have been through. Both follow from the
-- records of decisions and outcomes; verification holds them against those.

-- The use of a counter. What a failed run gives back has a row for each decision; what it does not has one row for each
-- batch and key, for all of the batch's decisions: the sum is all that anybody asks for.
create table counter_entry (
  ledger text not null,
  -- The index of the decision that used it; of the first one, where the row stands for several.
  decision bigint not null,
  -- SHA-256 of the counter's key, which may hold personal data.
  key bytea not null,
  -- The id of the rule.
  counter text not null,
  at timestamptz not null,
  -- Added up without rounding.
  amount numeric not null check (amount > 0 and amount < 'infinity'),
  -- For how long it can count, at the longest; the row may be deleted afterwards.
  window_ms bigint not null,
  releasable boolean not null,
  primary key (ledger, decision, key)
);
create index counter_window on counter_entry (ledger, key, at);

-- What the allowed calls of a session have left behind.
create table session_mark (
  ledger text not null,
  session text not null,
  kind text not null check (kind in ('action', 'label')),
  value text not null,
  -- The index of the first decision that left it.
  index bigint not null,
  primary key (ledger, session, kind, value)
);
