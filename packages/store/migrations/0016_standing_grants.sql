-- Standing grants: so many more calls like an approved one, before an instant. Both tables follow from the records of votes,
-- revocations and decisions; verification holds them against those.
create table standing_grant (
  ledger text not null,
  -- The index of the decision that opened the approval which the grant came of.
  approval bigint not null,
  -- The record of the vote that made it.
  index bigint not null,
  uses integer not null,
  until_at timestamptz not null,
  -- The record that revoked it.
  revoked_by bigint,
  primary key (ledger, approval)
);
create index standing_grant_live on standing_grant (ledger, until_at) where revoked_by is null;

-- Which decision was which of its uses.
create table standing_use (
  ledger text not null,
  approval bigint not null,
  -- 1 for the first.
  use integer not null,
  decision bigint not null,
  primary key (ledger, approval, use)
);
