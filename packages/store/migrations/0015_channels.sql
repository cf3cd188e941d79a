-- How approvals reach people, and their answers come back. Nothing here decides anything: who may vote, and what a vote
-- counts, is judged in the log's own transaction.

-- Whom of a target a message is for, such as an e-mail address; empty where a target is one place.
alter table outbox add column recipient text not null default '';
alter table outbox drop constraint outbox_ledger_record_index_kind_target_key;
alter table outbox add constraint outbox_once unique (ledger, record_index, kind, target, recipient);
create index outbox_dead on outbox (ledger, record_index) where dead_at is not null;

-- Where a message about an approval stands, so that it can be changed when the approval is decided. Follows from
-- deliveries: without a row a message stays as it was sent.
create table channel_post (
  ledger text not null,
  -- The index of the decision that opened the approval.
  approval bigint not null,
  channel text not null,
  -- What the channel calls the place, as JSON text.
  place text not null,
  posted_at timestamptz not null,
  primary key (ledger, approval, channel, place)
);

-- What a link in an e-mail stands for. It signs nobody in: it is good for one vote of one person on one approval.
create table mail_link (
  ledger text not null,
  token_sha256 bytea not null,
  approval bigint not null,
  -- Of the approval as it was when the link was made; another one takes no vote.
  digest text not null,
  person text not null,
  expires_at timestamptz not null,
  used_at timestamptz,
  primary key (ledger, token_sha256)
);
create index mail_link_expired on mail_link (ledger, expires_at);

-- Signed requests that were taken. Each is taken once; rows older than the time for which a signature holds mean nothing.
create table taken_request (
  ledger text not null,
  channel text not null,
  signature_sha256 bytea not null,
  taken_at timestamptz not null,
  primary key (ledger, channel, signature_sha256)
);

-- Who somebody of a channel is, as the log's records of kind `access` say.
create table channel_identity (
  ledger text not null,
  channel text not null,
  -- The channel's own id of the person.
  account text not null,
  person text not null,
  primary key (ledger, channel, account)
);
