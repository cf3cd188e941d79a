import { instantText, unreachable, type Instant, type VerifyResult } from '@bailiwick/core'
import pg from 'pg'
import { hasCode } from './engine/errno.ts'
import type { Queryable } from './log/batches.ts'
import { readSecrets } from './log/digests.ts'
import { firstMiscount } from './verify-counters.ts'

type Broken = Extract<VerifyResult, { readonly kind: 'broken' }>

/**
 * Holds `approval`, `vote`, `call`, `outcome`, `session_mark`, `agent_suspension`, `delegation`, `standing_grant`, `standing_use`
 * and `counter_entry` against the records that they are folded from, row by row and in
 * both directions, and holds every use of an approval against what the records before it left of it: approved, and not used (G3).
 *
 * Call it in the snapshot in which the log was found intact.
 * PostgreSQL does the work, in as little memory as it sorts and joins in; at most one row of each table comes back.
 *
 * @param size how many records the log has
 * @param now what no counter counts any more at this instant may have been deleted
 * @param floor the index of the first record that is not archived: rows that follow from earlier ones are not compared
 * @returns what is wrong at the lowest index, the log itself first; undefined where nothing is
 */
export async function foldsProblem(
  client: Queryable,
  ledger: string,
  size: number,
  now: Instant,
  archived: number,
): Promise<Broken | undefined> {
  const floor = since(archived)
  try {
    const misplaced = await misplacedTerms(client, ledger, size, floor)
    if (misplaced !== undefined) return misplaced
    const misused = await wronglyUsed(client, ledger, floor)
    if (misused !== undefined) return misused
    const found: Found[] = []
    for (const table of foldedTables) {
      const mismatch = await firstMismatch(client, ledger, table, floor)
      if (mismatch !== undefined) found.push({ index: mismatch.index, problem: mismatchText(mismatch) })
    }
    const secrets = await readSecrets(client, ledger)
    const prefix = secrets?.counter.toString('hex') ?? ''
    const miscount = await firstMiscount(client, ledger, instantText(now), prefix, floor)
    if (miscount !== undefined) found.push({ ...miscount, problem: oneLine(miscount.problem) })
    const [first] = found.sort((a, b) => (a.index ?? Infinity) - (b.index ?? Infinity))
    return first && brokenBy(first, size)
  } catch (error) {
    return incomparable(error)
  }
}

/** The part of `foldsProblem` about tables with few rows, which is quick however long the log is. */
export async function rareFoldsProblem(
  client: Queryable,
  ledger: string,
  size: number,
  floor: number,
): Promise<Broken | undefined> {
  try {
    const misplaced = await misplacedTerms(client, ledger, size, since(floor))
    if (misplaced !== undefined) return misplaced
    const mismatch = await firstMismatch(client, ledger, suspensions, since(floor))
    return mismatch && brokenBy({ index: mismatch.index, problem: mismatchText(mismatch) }, size)
  } catch (error) {
    return incomparable(error)
  }
}

// No record has a negative index, but a row may.
function since(archived: number): number {
  return archived === 0 ? Number.MIN_SAFE_INTEGER : archived
}

function incomparable(error: unknown): Broken {
  if (!isTampering(error)) throw error
  const problem = `the tables that are folded from the records cannot be compared with them: ${oneLine(error.message)}`
  return { kind: 'broken', index: null, problem, fix: fixRow }
}

const fixRow =
  'Keep the database as evidence and decide nothing on it before the row is as the records have it; find out who can write to the tables.'
const fixUse =
  'Keep the database as evidence, and find out whether the call ran; somebody changed the approval before it was used, or wrote the record.'

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

// Every record that touches an approval, with the status in which it leaves it.
const touching = `
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

// The terms of a batch are held against its records as they are read; a batch that nobody reads has none to be
// held against, and one that is stored twice is read once.
async function misplacedTerms(
  client: Queryable,
  ledger: string,
  size: number,
  floor: number,
): Promise<Broken | undefined> {
  const { rows } = await client.query<{ first: string; what: string }>(
    `select first, 'a term points to record ' || first || ', where no batch begins' as what from (
      select distinct t.first from log_term t where t.ledger = $1 and t.first >= $2
        and not exists (select from log_batch b where b.ledger = t.ledger and b.first = t.first and b.at = t.at)
    ) as lost
    union all
    select first, 'the batch of record ' || first || ' is stored twice' from log_batch where ledger = $1 and first >= $2
    group by first having count(*) > 1
    order by first limit 1`,
    [ledger, floor],
  )
  const [row] = rows
  if (row === undefined) return undefined
  const first = Number(row.first)
  return { kind: 'broken', index: first >= 0 && first < size ? first : null, problem: row.what, fix: fixRow }
}

// Only a vote makes an approval `approved`, and nothing but its use or its deadline follows.
async function wronglyUsed(client: Queryable, ledger: string, floor: number): Promise<Broken | undefined> {
  const { rows } = await client.query<{ index: string; approval: string | null; before: string | null }>(
    `select index, approval, before from (
      select index, approval, status, lag(status) over (partition by approval order by index) as before
      from (${touching}) as touching
    ) as used
    where status = 'consumed' and before is distinct from 'approved' order by index limit 1`,
    [ledger, floor],
  )
  const [row] = rows
  if (row === undefined) return undefined
  const { index, approval, before } = row
  const problem = `record ${index} uses up the approval ${oneLine(approval ?? 'null')}, which was ${oneLine(before ?? 'never opened')} then`
  return { kind: 'broken', index: Number(index), problem, fix: fixUse }
}

/** A folded table: what its rows have to be, and what they are. */
interface FoldedTable {
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

const suspensions: FoldedTable = {
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

const foldedTables = [approvals, votes, calls, outcomes, marks, suspensions, delegations, grants, grantUses]

/** Something that is wrong with a table, and the record to name. */
interface Found {
  readonly index: number | null
  readonly problem: string
}

interface Mismatch {
  readonly index: number | null
  readonly kind: 'missing' | 'extra' | 'different'
  readonly name: string
  /** Those that differ, separated by commas. */
  readonly columns: string
}

async function firstMismatch(
  client: Queryable,
  ledger: string,
  table: FoldedTable,
  floor: number,
): Promise<Mismatch | undefined> {
  const differing = table.columns.map(
    (name) => `case when said.${name} is distinct from stored.${name} then '${name}' end`,
  )
  const { rows } = await client.query<{
    index: string | null
    kind: Mismatch['kind']
    key: string | null
    columns: string
  }>(
    `select * from (
      select coalesce(said.index, stored.index) as index, coalesce(said.key, stored.key) as key,
        case when said.key is null or stored.copy > 1 then 'extra' when stored.key is null then 'missing' else 'different' end as kind,
        concat_ws(', ', ${differing.join(', ')}) as columns
      from (${table.said}) as said full join (${table.stored}) as stored on said.key = stored.key
    ) as compared
    where kind <> 'different' or columns <> '' order by index, kind = 'extra', key limit 1`,
    [ledger, floor],
  )
  const [row] = rows
  if (row === undefined) return undefined
  const { index, kind, key, columns } = row
  return {
    index: index === null ? null : Number(index),
    kind,
    name: table.nameOf(oneLine(key ?? 'null')),
    columns,
  }
}

function brokenBy({ index, problem }: Found, size: number): Broken {
  const named = index !== null && index >= 0 && index < size ? index : null
  return { kind: 'broken', index: named, problem, fix: fixRow }
}

function mismatchText(mismatch: Mismatch): string {
  return `${mismatch.name} ${problemOf(mismatch)}`
}

function problemOf({ kind, columns }: Mismatch): string {
  switch (kind) {
    case 'missing':
      return 'is in the log, and its row is gone'
    case 'extra':
      return 'has a row that no record accounts for'
    case 'different':
      return `does not say what the log says: ${columns}`
    default:
      return unreachable(kind)
  }
}

// Whoever tampered wrote it.
function oneLine(text: string): string {
  return text.replaceAll(/[\p{C}\s]/gu, ' ').slice(0, 300)
}

// A table or a column that is gone or has another type (class 42, apart from rights that are missing), values that
// no record has (class 22), and damaged pages (class XX).
function isTampering(error: unknown): error is pg.DatabaseError {
  if (!(error instanceof pg.DatabaseError)) return false
  if (hasCode(error, '42P01', '42703', '42883', '42804')) return true
  return error.code?.startsWith('22') === true || error.code?.startsWith('XX') === true
}
