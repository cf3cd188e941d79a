// The tables that are folded from records, as SQL: what the records say that they hold, and what they do.

// PostgreSQL reads no JSON with the escape for NUL in it, which reasons may contain. Of what is compared,
// only the terms might: both sides are replaced alike.
const members = `replace(record, '\\u0000', '\\ufffd')::json`

// Canonical JSON escapes every quotation mark inside a text, so a search for a member's name and quotation marks
// matches the member and nothing else. Reading every record as JSON takes five times as long.
const opens = `kind = 'decision' and effect = 'escalate'`
const consumes = `kind = 'decision' and strpos(record, '"consumed":true') > 0`

// Whether a decision or an approval, by its id, is of a record that is not archived. What is no id is compared.
function isHot(id: string): string {
  return `(case when ${id} ~ '^(dec|apr|grt)_[0-9]{1,15}$' then substr(${id}, 5)::bigint >= $2::bigint else true end)`
}

/** SQL: every record that touches an approval, with the status in which it leaves it. */
export const touching = `
  select index, 'apr_' || index as approval, 'pending' as status, null::bigint as consumed_by, null::bigint as cancelled_by
    from log_entry where ledger = $1 and index >= $2::bigint and ${opens}
  union all
  select index, r.approval, case kind when 'vote' then r.status when 'expiry' then 'expired' else 'cancelled' end, null,
      case kind when 'cancellation' then index end
    from log_entry, json_to_record(${members}) as r (approval text, status text)
    where ledger = $1 and index >= $2::bigint and kind in ('vote', 'expiry', 'cancellation') and ${isHot('r.approval')}
  union all
  select index, ${members} -> 'claims' ->> 'id', 'consumed', index, null from log_entry
    where ledger = $1 and index >= $2::bigint and ${consumes} and ${isHot(`${members} -> 'claims' ->> 'id'`)}`

/**
 * A folded table: what its rows have to be, and what they are. Of the queries, `$1` is the ledger, and `$2` the index of the
 * first record that is not archived.
 */
export interface FoldedTable {
  /** What to call the row with this key. */
  readonly nameOf: (key: string) => string
  /** By the records: `key`, one row for each; `index`, the record to name; and the columns. */
  readonly said: string
  /** As stored: the same, and `copy`, which is above 1 for further rows with a key. */
  readonly stored: string
  readonly columns: readonly string[]
}

// Nothing touches an approval after it was used up, so its last record tells both its status and by whom.
// Times are compared as texts: a record's text that is no time must be found and not fail.
const approvals: FoldedTable = {
  nameOf: (key) => `approval apr_${key}`,
  columns: [
    'agent',
    'action',
    'policy_sha256',
    'terms',
    'opened_at',
    'expires_at',
    'consumed_by',
    'cancelled_by',
    'next_prompt_at',
    'status',
  ],
  said: `select o.index::text as key, o.index, agent, action, policy_sha256, terms, opened_at, expires_at, consumed_by, cancelled_by,
      replace(case when told.approval is null then first_prompt else told.next end, 'Z', '000Z AD') as next_prompt_at, status
    from (
      select index, r.agent, r.action, at as opened_at, r.policy ->> 'sha256' as policy_sha256,
        (r.opens -> 'terms')::text as terms, r.opens -> 'promptsAt' ->> 0 as first_prompt,
        replace(r.opens ->> 'deadline', 'Z', '000Z AD') as expires_at
      from log_entry, json_to_record(${members}) as r (agent text, action text, opens json, policy json)
      where ledger = $1 and index >= $2::bigint and ${opens}
    ) as o
    left join (
      select distinct on (approval) approval, status, consumed_by, cancelled_by from (${touching}) as touching
      order by approval, index desc
    ) as last on last.approval = 'apr_' || o.index
    left join (
      select distinct on (r.approval) r.approval, r.next from log_entry, json_to_record(${members}) as r (approval text, next text)
      where ledger = $1 and kind = 'reminder' order by r.approval, log_entry.index desc
    ) as told on told.approval = 'apr_' || o.index`,
  stored: `select decision::text as key, decision as index, agent, action, policy_sha256,
      replace(terms, '\\u0000', '\\ufffd') as terms, opened_at, to_char(expires_at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z" BC') as expires_at, consumed_by, cancelled_by, to_char(next_prompt_at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z" BC') as next_prompt_at, status,
      row_number() over (partition by decision) as copy
    from approval where ledger = $1 and decision >= $2::bigint`,
}

const votes: FoldedTable = {
  nameOf: (key) => `the vote ${key}`,
  columns: ['vote', 'at', 'index', 'principal'],
  said: `select concat_ws(' ', r.approval, r.person) as key, index, r.vote, at, r."for" as principal
    from log_entry, json_to_record(${members}) as r (approval text, person text, vote text, "for" text)
    where ledger = $1 and index >= $2::bigint and kind = 'vote' and ${isHot('r.approval')}`,
  stored: `select concat('apr_', approval, ' ', person) as key, index, vote, at, principal,
      row_number() over (partition by approval, person) as copy
    from vote where ledger = $1 and approval >= $2::bigint`,
}

// The first decision under a call id stands until another one does not deny: a denied attempt to use an approval
// leaves the answer as it was. Agents and call ids are compared as they are written in JSON.
const calls: FoldedTable = {
  nameOf: (key) => `the call id ${key}`,
  columns: ['index'],
  said: `select key, coalesce(max(index) filter (where effect <> 'deny'), min(index)) as index
    from (
      select index, effect,
        concat(split_part(split_part(record, '"agent":', 2), ',"at":', 1), ' ',
          split_part(split_part(record, '"callId":', 2), ',"claims":', 1)) collate "C" as key
      from log_entry
      where ledger = $1 and index >= $2::bigint and kind = 'decision' and strpos(record, '"callId":null') = 0
    ) as called
    where not exists (select from call c
      where c.ledger = $1 and c.index < $2::bigint and concat(to_json(c.agent), ' ', to_json(c.call_id)) collate "C" = called.key)
    group by key`,
  stored: `select concat(to_json(agent), ' ', to_json(call_id)) collate "C" as key, index,
      row_number() over (partition by agent, call_id) as copy
    from call where ledger = $1 and index >= $2::bigint`,
}

// Only an unknown outcome is ever followed by another one.
const outcomes: FoldedTable = {
  nameOf: (key) => `the outcome of ${key}`,
  columns: ['index', 'status', 'earlier'],
  said: `select distinct on (key) key, index, status, lag(index) over (partition by key order by index) as earlier
    from (
      select index, split_part(split_part(record, '"decision":"', 2), '"', 1) collate "C" as key,
        split_part(split_part(record, '"status":"', 2), '"', 1) as status
      from log_entry where ledger = $1 and index >= $2::bigint and kind = 'outcome'
    ) as reported where ${isHot('key')} order by key, index desc`,
  stored: `select concat('dec_', decision) collate "C" as key, index, status, earlier,
      row_number() over (partition by decision) as copy
    from outcome where ledger = $1 and decision >= $2::bigint`,
}

// An allowed call leaves its action in its session, and the labels that its record names.
const marks: FoldedTable = {
  nameOf: (key) => `the session mark ${key}`,
  columns: ['index'],
  said: `select json_build_array(session, kind, value)::text collate "C" as key, min(index) as index
    from (
      select index, r.session, m.kind, m.value
      from log_entry, json_to_record(${members}) as r (session text, action text, labels json),
        lateral (select 'action' as kind, r.action as value
          union all select 'label', l.value from json_array_elements_text(coalesce(r.labels, '[]')) as l (value)) as m
      where ledger = $1 and log_entry.index >= $2::bigint and log_entry.kind = 'decision' and effect = 'allow'
        and strpos(record, '"session":"') > 0
    ) as left_behind
    where not exists (select from session_mark m where m.ledger = $1 and m.index < $2::bigint
      and m.session = left_behind.session and m.kind = left_behind.kind and m.value = left_behind.value)
    group by 1`,
  stored: `select json_build_array(session, kind, value)::text collate "C" as key, index,
      row_number() over (partition by session, kind, value) as copy
    from session_mark where ledger = $1 and index >= $2::bigint`,
}

/** One row for each agent that was ever suspended: few, however long the log is. */
export const suspensions: FoldedTable = {
  nameOf: (key) => `the suspension of ${key}`,
  columns: ['index', 'state'],
  // Found by their terms, which are verified with the records: there are few.
  said: `select distinct on (key) key, index, state
    from (
      select (r.record ->> 'index')::bigint as index, (r.record ->> 'agent') collate "C" as key, r.record ->> 'state' as state
      from log_term t join log_batch b on b.ledger = t.ledger and b.first = t.first,
        lateral (select ${members} as record from unnest(string_to_array(b.records, E'\\n')) as u (record)
          where strpos(u.record, '"kind":"suspension"') > 0) as r
      where t.ledger = $1 and t.term = 'kind=suspension'
    ) as said where index >= $2::bigint order by key, index desc`,
  stored: `select agent collate "C" as key, index, state, row_number() over (partition by agent) as copy
    from agent_suspension where ledger = $1 and (index >= $2::bigint or state = 'suspended')`,
}

/** One row at the most. */
export const sealings: FoldedTable = {
  nameOf: () => 'whether payloads are sealed',
  columns: ['index', 'master', 'fingerprint'],
  said: `select 'sealing' as key, index, master, fingerprint
    from (
      select (r.record ->> 'index')::bigint as index, r.record ->> 'key' as master, r.record ->> 'fingerprint' as fingerprint
      from log_term t join log_batch b on b.ledger = t.ledger and b.first = t.first,
        lateral (select ${members} as record from unnest(string_to_array(b.records, E'\\n')) as u (record)
          where strpos(u.record, '"kind":"sealing"') > 0) as r
      where t.ledger = $1 and t.term = 'kind=sealing'
    ) as said where index >= $2::bigint order by index desc limit 1`,
  stored: `select 'sealing' as key, index, key as master, fingerprint, 1 as copy
    from payload_sealing where ledger = $1 and index >= $2::bigint`,
}

// Given once, and revoked once, if at all.
const delegations: FoldedTable = {
  nameOf: (key) => `the delegation ${key}`,
  columns: ['delegator', 'delegate', 'starts_at', 'ends_at', 'revoked_by'],
  said: `select key, min(index) as index, min(delegator) as delegator, min(delegate) as delegate,
      min(starts_at) as starts_at, min(ends_at) as ends_at, max(revoked_by) as revoked_by
    from (
      select r.delegation collate "C" as key, index, r."from" as delegator, r."to" as delegate,
        replace(r.starts, 'Z', '000Z AD') as starts_at, replace(r.ends, 'Z', '000Z AD') as ends_at,
        case when r.event = 'revoked' then index end as revoked_by
      from log_entry, json_to_record(${members}) as r
        (delegation text, event text, "from" text, "to" text, starts text, ends text)
      where ledger = $1 and index >= $2::bigint and kind = 'delegation'
    ) as given where (case when key ~ '^dlg_[0-9]{1,15}$' then substr(key, 5)::bigint >= $2::bigint else true end)
    group by key`,
  stored: `select concat('dlg_', index) collate "C" as key, index, delegator, delegate,
      to_char(starts_at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z" BC') as starts_at,
      to_char(ends_at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z" BC') as ends_at, revoked_by,
      row_number() over (partition by index) as copy
    from delegation where ledger = $1 and index >= $2::bigint`,
}

// Made by one vote, and revoked once, if at all.
const grants: FoldedTable = {
  nameOf: (key) => `the standing grant ${key}`,
  columns: ['made_by', 'uses', 'until_at', 'revoked_by'],
  said: `select key, min(index) as index, min(made_by) as made_by, min(uses) as uses, min(until_at) as until_at,
      max(revoked_by) as revoked_by
    from (
      select concat('grt_', substr(r.approval, 5)) collate "C" as key, index, index as made_by, r."grant" ->> 'uses' as uses,
        replace(r."grant" ->> 'until', 'Z', '000Z AD') as until_at, null::bigint as revoked_by
      from log_entry, json_to_record(${members}) as r (approval text, "grant" json)
      where ledger = $1 and index >= $2::bigint and kind = 'vote' and strpos(record, '"grant":{') > 0
      union all
      select r."grant" collate "C", index, null, null, null, index
      from log_entry, json_to_record(${members}) as r ("grant" text)
      where ledger = $1 and index >= $2::bigint and kind = 'revocation'
    ) as told where ${isHot('key')}
    group by key`,
  stored: `select concat('grt_', approval) collate "C" as key, approval as index, index as made_by, uses::text as uses,
      to_char(until_at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z" BC') as until_at, revoked_by,
      row_number() over (partition by approval) as copy
    from standing_grant where ledger = $1 and approval >= $2::bigint`,
}

const grantUses: FoldedTable = {
  nameOf: (key) => `the use of the standing grant ${key}`,
  columns: ['decision'],
  said: `select concat_ws(' ', s."grant", s.use) collate "C" as key, log_entry.index, log_entry.index as decision
    from log_entry, json_to_record(${members}) as r (standing json), json_to_record(r.standing) as s ("grant" text, use text)
    where ledger = $1 and log_entry.index >= $2::bigint and log_entry.kind = 'decision' and effect = 'allow'
      and strpos(record, '"standing":{') > 0 and ${isHot('s."grant"')}`,
  stored: `select concat('grt_', approval, ' ', use) collate "C" as key, decision as index, decision,
      row_number() over (partition by approval, use) as copy
    from standing_use where ledger = $1 and approval >= $2::bigint`,
}

/** All that are compared row by row; counters are summed up instead. */
export const foldedTables: readonly FoldedTable[] = [
  approvals,
  votes,
  calls,
  outcomes,
  marks,
  suspensions,
  sealings,
  delegations,
  grants,
  grantUses,
]
