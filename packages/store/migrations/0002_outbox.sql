-- What the outside is told: a cursor over the log, and the messages that wait for delivery. Both follow from
-- the log, so losing them loses no evidence.

-- Up to where a reader has read the log. Advancing it and enqueueing what was read is one transaction.
create table notice_cursor (
  ledger text not null,
  name text not null,
  next_index bigint not null check (next_index >= 0),
  primary key (ledger, name)
);

-- One row for each message and target. The unique key makes enqueueing harmless to repeat.
create table outbox (
  -- The same for every attempt: receivers tell a repetition by it.
  id text primary key,
  ledger text not null,
  record_index bigint not null,
  kind text not null,
  target text not null,
  -- JSON text, sent as it is. It holds no parameters, context or comments.
  body text not null,
  -- Deliveries begun, also those whose sender died; the number of the last claim fences off earlier ones.
  attempts integer not null default 0,
  enqueued_at timestamptz not null default now(),
  -- The beginning of time: due at once, whatever the clocks say.
  next_attempt_at timestamptz not null default '-infinity',
  -- Whoever claimed it has until then; null: nobody has.
  leased_until timestamptz,
  delivered_at timestamptz,
  -- Given up: kept for people, never sent again.
  dead_at timestamptz,
  last_error text,
  unique (ledger, record_index, kind, target),
  check (delivered_at is null or dead_at is null)
);
create index outbox_due on outbox (ledger, target, next_attempt_at, record_index)
  where delivered_at is null and dead_at is null;
