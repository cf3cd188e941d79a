-- Who may not act for now. Follows from the records of suspensions; verification holds it against them.
create table agent_suspension (
  ledger text not null,
  -- An agent's id, or `*` for every agent.
  agent text not null,
  -- The record that said so last.
  index bigint not null,
  state text not null check (state in ('suspended', 'active')),
  primary key (ledger, agent)
);
