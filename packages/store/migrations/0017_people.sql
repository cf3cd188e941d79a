-- People, continued: a passkey is also asked for after a password.

alter table passkey_challenge drop constraint passkey_challenge_purpose_check;
alter table passkey_challenge add constraint passkey_challenge_purpose
  check (purpose in ('register', 'sign_in', 'second_factor'));

-- When all sessions of a person were last ended, by the database's clock: who began to sign in by a provider before that
-- begins anew.
alter table sign_out add column ended_at timestamptz not null default to_timestamp(0);

-- Which accounts of a channel their people have confirmed in a session of their own, as the log's records of kind `access`
-- say. An account that the operator gives to somebody else has to be confirmed anew.
create table channel_confirmation (
  ledger text not null,
  channel text not null,
  account text not null,
  person text not null,
  confirmed_at timestamptz not null,
  primary key (ledger, channel, account)
);
