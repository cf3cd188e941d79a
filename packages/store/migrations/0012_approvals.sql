-- Approvals that are withdrawn, and votes that say that somebody has looked.
alter table approval drop constraint approval_status_check;
alter table approval add constraint approval_status_check
  check (status in ('pending', 'approved', 'rejected', 'expired', 'cancelled', 'consumed'));
-- The record that withdrew it.
alter table approval add column cancelled_by bigint;
alter table vote drop constraint vote_vote_check;
alter table vote add constraint vote_vote_check check (vote in ('approve', 'reject', 'acknowledge'));

-- When people are to be told again of one that waits, as its last record says; null where never.
alter table approval add column next_prompt_at timestamptz;
create index approval_prompts on approval (ledger, next_prompt_at)
  where status = 'pending' and next_prompt_at is not null;

-- In whose stead a vote was cast. Follows from its record.
alter table vote add column principal text;

-- Who votes in whose stead, by the index of the record that granted it. Follows from the records of delegations;
-- verification holds it against them.
create table delegation (
  ledger text not null,
  index bigint not null,
  delegator text not null,
  delegate text not null,
  starts_at timestamptz not null,
  ends_at timestamptz not null,
  -- The record that revoked it.
  revoked_by bigint,
  primary key (ledger, index)
);
create index delegation_people on delegation (ledger, delegate, delegator);

-- Who stands behind an agent: they may not vote on what it asks for. Set like keys and people.
create table agent_owner (
  agent text not null,
  person text not null,
  primary key (agent, person)
);

-- Terms are kept as the record has them, word for word, so that comparing the two needs to know nothing of them.
update approval set terms = format('{"approvers":%s,"deadlineMs":%s,"quorum":%s,"routes":%s}',
  terms::json -> 'approvers', terms::json -> 'deadlineMs', terms::json -> 'quorum', terms::json -> 'routes');
