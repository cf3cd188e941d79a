-- Which process is the sequencer of a ledger, so that others know where to send their operations. It follows from
-- nothing, guards nothing, and may be lost: whoever writes is held by the compare-and-swap on the head.

create table sequencer (
  ledger text primary key,
  -- Chosen anew by every process that becomes the sequencer; null once it has left.
  holder text,
  -- Where the holder takes operations, and, where that address is good on one machine only, on which.
  url text,
  machine text,
  -- Which connection holds the lock, so that it can be ended where the holder hangs.
  backend integer,
  since timestamptz,
  -- By the database's clock. One that has grown old is a holder that hangs.
  heartbeat timestamptz
);

-- What the processes of a ledger know each other by. Whoever reads it can have operations recorded in the name of
-- anybody, as whoever writes to this schema can: give it to nobody else.
create table peer_secret (
  ledger text primary key,
  secret bytea not null check (length(secret) = 32)
);
