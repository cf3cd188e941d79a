-- The log's tree above its leaves, so that tiles and proofs need not read the log. Follows from `log_batch`: a row that
-- is missing is worked out again, verification holds all of them against the frontier, and the table may be emptied.

-- A hash of a tile of level 1 or above: the root over the records `index` * 256^level up to 256^level later. Written
-- once, when those records are there, and never changed.
create table log_tile_hash (
  ledger text not null,
  level smallint not null check (level between 1 and 6),
  index bigint not null check (index >= 0),
  hash bytea not null check (length(hash) = 32),
  primary key (ledger, level, index)
);
