-- What it takes to find, and so to erase, all that the log keeps of one person.

-- An outcome that was `unknown` and was settled since has two records, each with a payload of its own.
alter table outcome add column earlier bigint;

-- 32 random bytes for each purpose. What is looked up by a keyed digest cannot be guessed from the digests alone.
create table ledger_secret (
  ledger text not null,
  name text not null check (name in ('counter', 'subject')),
  secret bytea not null check (octet_length(secret) = 32),
  primary key (ledger, name)
);

-- Whose data the payload of a decision holds, by the policy that decided: a row for each person and decision, for as
-- long as the payload is there. Follows from payloads and recorded policies; verification holds it against those.
create table payload_subject (
  ledger text not null,
  -- HMAC-SHA-256 of the subject's canonical JSON, under the ledger's secret.
  subject bytea not null,
  -- The index of the decision.
  index bigint not null,
  primary key (ledger, subject, index)
);
create index payload_subject_of on payload_subject (ledger, index);
