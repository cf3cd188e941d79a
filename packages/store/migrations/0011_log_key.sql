-- Which keys sign a ledger's checkpoints, so that a process whose data directory has another one notices. Proves
-- nothing: what is trusted is the verifier key that an auditor keeps.
create table log_key (
  ledger text not null,
  -- Name, key id and public key, as signed-note tools read them.
  verifier_key text not null,
  added_at timestamptz not null,
  primary key (ledger, verifier_key)
);
