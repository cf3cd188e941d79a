-- Who may use the service, continued: keys that end, sessions that are listed and ended one by one, local accounts.
-- What is here follows from no record: secrets have no place in the log. Every change of it is recorded, though, in the
-- transaction that makes it.

alter table api_key
  add column expires_at timestamptz,
  -- To the hour: enough to see which keys nobody uses.
  add column last_used_at timestamptz,
  -- The key that this one took the place of.
  add column replaces text;

alter table person
  -- `provider`: an identity provider says at each sign-in which roles the person has.
  add column roles_from text not null default 'local',
  -- Issuer and subject at the identity provider that first vouched for this address.
  add column provider_subject text;

-- People sign in anew: sessions of before bear no id.
delete from session;
alter table session
  add column id text not null,
  add column method text not null,
  add column seen_at timestamptz not null,
  add column client text not null,
  add unique (id);
create index session_person on session (person);

-- How often all sessions of a person have been ended. A sign-in that began before the last time comes to nothing.
create table sign_out (
  person text primary key,
  epoch bigint not null
);

-- What a person proves to be himself with. No foreign key: a row that refers to nobody must not fail a batch of the log.
create table credential (
  person text not null,
  kind text not null check (kind in ('password', 'totp', 'recovery')),
  -- The hash of a recovery code; empty for what a person has one of.
  id text not null,
  -- A password's hash, a sealed TOTP secret; empty for recovery codes.
  value text not null,
  set_at timestamptz not null,
  -- TOTP: not in use until a first code has confirmed it. Recovery codes: until they are used.
  is_usable boolean not null,
  -- TOTP: the time step of the code that was used last.
  last_step bigint,
  primary key (person, kind, id)
);

-- A sign-in whose first factor is proven and whose second is not.
create table sign_in_step (
  token_sha256 bytea primary key,
  person text not null,
  method text not null,
  epoch bigint not null,
  tries integer not null,
  expires_at timestamptz not null
);

-- Failed tries to sign in, by a hash of the account or of the address that they came from.
create table sign_in_attempt (
  subject bytea primary key,
  failures integer not null,
  blocked_until timestamptz not null,
  last_at timestamptz not null
);
create index sign_in_attempt_last on sign_in_attempt (last_at);
