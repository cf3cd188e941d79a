-- Passkeys that people registered, also those that were removed. Follows from the records of kind `access`, apart from
-- name, transports and the times; verification holds id, person, record and removal against those.
create table passkey (
  ledger text not null,
  -- The credential's id, base64url.
  id text not null,
  person text not null,
  -- What the authenticator calls the person: random, the same for all passkeys of one person.
  user_handle bytea not null,
  name text not null,
  -- How the browser reaches the authenticator; a hint, and nothing else.
  transports text[] not null,
  -- The index of the record that registered it, and its text: votes are verified by it also when it has been archived.
  registered bigint not null,
  record text not null,
  -- The index of the record that removed it, or its person.
  removed bigint,
  -- The highest counter that it has signed with, to vote or to sign in.
  sign_count bigint not null,
  created_at timestamptz not null,
  used_at timestamptz,
  primary key (ledger, id)
);
create index passkey_of_person on passkey (ledger, person);

-- What authenticators are asked to sign, until they do: each once, and soon. Follows from nothing, and may be emptied.
create table passkey_challenge (
  -- SHA-256 of what the browser that asked keeps in a cookie.
  token_sha256 bytea primary key,
  ledger text not null,
  purpose text not null check (purpose in ('register', 'sign_in')),
  challenge text not null,
  -- Who registers; null where who signs in is not known yet.
  person text,
  user_handle bytea,
  expires_at timestamptz not null
);
create index passkey_challenge_expiry on passkey_challenge (expires_at);
