-- The record that last made the person one, by its ledger and index: what was delegated to or by somebody of the same address
-- before it counts no longer, however much of it there is, and whether or not anybody ended it.
alter table person add column since_ledger text, add column since bigint not null default 0;
