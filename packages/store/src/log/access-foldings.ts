import type { AccessChange } from './rows.ts'

/**
 * What a batch may change of who may use the service, as common table expressions of the statement that appends it.
 * `$n` stands for the rows as JSON. Nothing here can fail a batch: what refers to a person who is not there any more
 * writes nothing.
 */
export const accessFoldings = {
  keysMade: `keys_made as (
    insert into api_key (id, agent, secret_sha256, created_at, expires_at, replaces)
    select r.id, r.agent, decode(r.secret_sha256, 'hex'), $6, r.expires_at, r.replaces
    from head, json_to_recordset($n::json) as r (id text, agent text, secret_sha256 text, expires_at timestamptz, replaces text)
  )`,
  // One row at most is written by one statement: a key that ends and is revoked in one batch is revoked.
  keysRevoked: `keys_revoked as (
    update api_key set revoked_at = coalesce(revoked_at, $6)
    from head, json_to_recordset($n::json) as r (id text) where api_key.id = r.id
  )`,
  keysEnding: `keys_ending as (
    update api_key set expires_at = least(api_key.expires_at, r.expires_at)
    from head, json_to_recordset($n::json) as r (id text, expires_at timestamptz) where api_key.id = r.id
  )`,
  ownersAdded: `owners_added as (
    insert into agent_owner (agent, person)
    select r.agent, r.person from head, json_to_recordset($n::json) as r (agent text, person text)
    on conflict do nothing
  )`,
  ownersRemoved: `owners_removed as (
    delete from agent_owner using head, json_to_recordset($n::json) as r (agent text, person text)
    where agent_owner.agent = r.agent and agent_owner.person = r.person
  )`,
  peopleSet: `people_set as (
    insert into person (id, roles, created_at, roles_from, provider_subject, since_ledger, since)
    select r.id, r.roles, $6, r.roles_from, r.provider_subject, $1, r.since
    from head, json_to_recordset($n::json) as r (id text, roles text[], roles_from text, provider_subject text, since bigint)
    on conflict (id) do update set roles = excluded.roles, roles_from = excluded.roles_from,
      since_ledger = case when excluded.since > 0 then excluded.since_ledger else person.since_ledger end,
      since = case when excluded.since > 0 then excluded.since else person.since end,
      provider_subject = coalesce(excluded.provider_subject, person.provider_subject)
  )`,
  peopleRemoved: `sessions_of_removed as (
    delete from session using head, json_to_recordset($n::json) as r (id text) where session.person = r.id
  ), links_of_removed as (
    delete from sign_in_link using head, json_to_recordset($n::json) as r (id text) where sign_in_link.person = r.id
  ), credentials_of_removed as (
    delete from credential using head, json_to_recordset($n::json) as r (id text) where credential.person = r.id
  ), mail_links_of_removed as (
    delete from mail_link using head, json_to_recordset($n::json) as r (id text) where mail_link.person = r.id
  ), accounts_of_removed as (
    delete from channel_identity using head, json_to_recordset($n::json) as r (id text)
    where channel_identity.person = r.id
  ), confirmations_of_removed as (
    delete from channel_confirmation using head, json_to_recordset($n::json) as r (id text)
    where channel_confirmation.person = r.id
  ), people_removed as (
    delete from person using head, json_to_recordset($n::json) as r (id text) where person.id = r.id
  )`,
  signedOut: `sessions_ended_all as (
    delete from session using head, json_to_recordset($n::json) as r (id text) where session.person = r.id
  ), links_ended as (
    delete from sign_in_link using head, json_to_recordset($n::json) as r (id text, links boolean)
    where sign_in_link.person = r.id and r.links
  ), mail_links_ended as (
    delete from mail_link using head, json_to_recordset($n::json) as r (id text, links boolean)
    where mail_link.person = r.id and r.links
  ), epochs as (
    insert into sign_out (person, epoch, ended_at)
    select r.id, count(*), clock_timestamp() from head, json_to_recordset($n::json) as r (id text) group by r.id
    on conflict (person) do update set epoch = sign_out.epoch + excluded.epoch, ended_at = excluded.ended_at
  )`,
  linksMade: `links_made as (
    insert into sign_in_link (token_sha256, person, expires_at)
    select decode(r.token_sha256, 'hex'), p.id, r.expires_at
    from head, json_to_recordset($n::json) as r (token_sha256 text, person text, expires_at timestamptz)
    join person p on p.id = r.person
  )`,
  sessionsOpened: `sessions_opened as (
    insert into session (token_sha256, id, person, method, client, created_at, seen_at, expires_at)
    select decode(r.token_sha256, 'hex'), r.id, p.id, r.method, r.client, coalesce(r.created_at, $6::timestamptz), $6, r.expires_at
    from head, json_to_recordset($n::json) as r (id text, token_sha256 text, person text, method text, epoch bigint,
      client text, created_at timestamptz, expires_at timestamptz)
    join person p on p.id = r.person
    where r.epoch = coalesce((select epoch from sign_out where sign_out.person = r.person), 0)
  )`,
  accountsConfirmed: `accounts_confirmed as (
    insert into channel_confirmation (ledger, channel, account, person, confirmed_at)
    select $1, r.channel, r.account, p.id, $6
    from head, json_to_recordset($n::json) as r (channel text, account text, person text)
    join person p on p.id = r.person
    on conflict (ledger, channel, account) do update set person = excluded.person, confirmed_at = excluded.confirmed_at
  )`,
  sessionsEnded: `sessions_ended as (
    delete from session using head, json_to_recordset($n::json) as r (id text) where session.id = r.id
  )`,
  credentialsSet: `credentials_set as (
    insert into credential (person, kind, id, value, set_at, is_usable)
    select p.id, r.kind, r.id, r.value, $6, r.is_usable
    from head, json_to_recordset($n::json) as r (person text, kind text, id text, value text, is_usable boolean)
    join person p on p.id = r.person
    on conflict (person, kind, id) do update set value = excluded.value, set_at = excluded.set_at,
      is_usable = excluded.is_usable
  )`,
  credentialsRemoved: `credentials_removed as (
    delete from credential using head, json_to_recordset($n::json) as r (person text, kind text)
    where credential.person = r.person and credential.kind = r.kind
  )`,
} as const satisfies { readonly [Change in keyof AccessChange]-?: string }

/** Their names, in the order in which they are sent. */
export const accessFolded = Object.keys(accessFoldings) as readonly (keyof AccessChange)[]
