import type pg from 'pg'
import { allGood, keysText, type AdmittingKey } from './admission.ts'
import { accessFolded, accessFoldings } from './access-foldings.ts'
import { AppendQuery, arrayText, type StatementValue } from './append-query.ts'
import { erasable, eraseBefore, erased } from './erasing.ts'
import type { AccessChange, BatchRows } from './rows.ts'

/** A batch that advances the head from `size` by its entries. */
export interface StagedBatch {
  readonly ledger: string
  readonly size: number
  /** The frontier at `size`, on which this batch builds. */
  readonly base: Buffer
  readonly frontier: Buffer
  /** RFC 3339. */
  readonly at: string
  readonly count: number
  /** The records, one on each line, as text or as its UTF-8; canonical JSON contains no line break. */
  readonly records: string | Buffer
  /** 32 bytes for each record. */
  readonly leafHashes: Buffer
  /** The payloads as canonical JSON, one on each line, which is empty where there is none. */
  readonly bodies: string | Buffer
  /** 32 bytes for each record, unused where it has no payload. */
  readonly salts: Buffer
  /** What its records can be found by, each once. */
  readonly terms: readonly string[]
  /** What follows from its records. */
  readonly rows: BatchRows
  /** The keys that have to be good when it is written, or it is not written. */
  readonly keys: readonly AdmittingKey[]
}

// The frontier is compared too: a batch that builds on one that was fenced may meet a head of just the size it
// expects, left there by the writer who was faster.
// What rests on a deadline is written before it by the database's clock, whatever this process's shows or slept through.
// Every INSERT reads FROM the gated UPDATE: a CTE's INSERT runs even where the UPDATE matched no row,
// and would then write records that no head counts.
const advanceValues = 13
// The time is told once the row is locked: a batch may wait for another that holds it, and is rolled back in the end.
const timed = `head_held as materialized (select 1 from ledger_head where ledger = $1 for update),
  timed as materialized (select clock_timestamp() as now from head_held)`
const head = (more = '') => `head as (
    update ledger_head set size = $2::bigint + $3::bigint, frontier = $4 from timed
    where ledger = $1 and size = $2::bigint and frontier = $5 and timed.now < $12::timestamptz
      and ($13 = '[]' or ${allGood('$13', '$6')})${more}
    returning 1
  )`
// Where nothing rests on a deadline.
const timeless = `head as (
    update ledger_head set size = $2::bigint + $3::bigint, frontier = $4
    where ledger = $1 and size = $2::bigint and frontier = $5 and $12::timestamptz = 'infinity'
      and ($13 = '[]' or ${allGood('$13', '$6')})
    returning 1
  )`
const written = `logged as (
    insert into log_batch (ledger, first, at, leaf_hashes, records, salts, bodies)
    select $1, $2::bigint, $6, $7, $8, $9, $10 from head
  ), found as (
    insert into log_term (ledger, term, first, at)
    select $1, t.term, $2::bigint, $6 from head, unnest($11::text[]) as t (term)
  )`

/** What a batch may add to tables that are folded from records. `$n` stands for its rows as JSON. */
const foldings = {
  calls: `called as (
    insert into call (ledger, agent, call_id, index)
    select $1, r.agent, r.call_id, r.index
    from head, json_to_recordset($n::json) as r (agent text, call_id text, index bigint)
    on conflict (ledger, agent, call_id) do update set index = excluded.index
  )`,
  outcomes: `settled as (
    insert into outcome (ledger, decision, index, status, earlier)
    select $1, r.decision, r.index, r.status, r.earlier
    from head, json_to_recordset($n::json) as r (decision bigint, index bigint, status text, earlier bigint)
    on conflict (ledger, decision) do update set index = excluded.index, status = excluded.status,
      earlier = coalesce(excluded.earlier, outcome.index)
  )`,
  approvals: `opened as (
    insert into approval (ledger, decision, agent, action, policy_sha256, terms, opened_at, expires_at, consumed_by, cancelled_by, next_prompt_at, status)
    select $1, r.decision, r.agent, r.action, r.policy_sha256, r.terms, r.opened_at, r.expires_at, r.consumed_by, r.cancelled_by, r.next_prompt_at, r.status
    from head, json_to_recordset($n::json) as r (decision bigint, agent text, action text, policy_sha256 text,
      terms text, opened_at timestamptz, expires_at timestamptz, consumed_by bigint, cancelled_by bigint, next_prompt_at timestamptz, status text)
    on conflict (ledger, decision) do update set consumed_by = excluded.consumed_by, cancelled_by = excluded.cancelled_by,
      next_prompt_at = excluded.next_prompt_at, status = excluded.status
  )`,
  votes: `voted as (
    insert into vote (ledger, approval, person, vote, at, index, principal)
    select $1, r.approval, r.person, r.vote, r.at, r.index, r.principal
    from head, json_to_recordset($n::json) as r (approval bigint, person text, vote text, at timestamptz, index bigint, principal text)
  )`,
  entries: `used as (
    insert into counter_entry (ledger, decision, key, counter, at, amount, window_ms, releasable)
    select $1, r.decision, decode(r.key, 'hex'), r.counter, $6, r.amount, r.window_ms, r.releasable
    from head, json_to_recordset($n::json) as r (decision bigint, key text, counter text, amount numeric,
      window_ms bigint, releasable boolean)
  )`,
  // One row after the other by its key: a plan that reads the whole table would grow with it.
  released: `released as (
    delete from counter_entry where (ledger, decision, key) in (
      select $1, r.decision, decode(r.key, 'hex')
      from head, json_to_recordset($n::json) as r (decision bigint, key text))
  )`,
  marks: `marked as (
    insert into session_mark (ledger, session, kind, value, index)
    select $1, r.session, r.kind, r.value, r.index
    from head, json_to_recordset($n::json) as r (session text, kind text, value text, index bigint)
    on conflict (ledger, session, kind, value) do nothing
  )`,
  suspensions: `suspended as (
    insert into agent_suspension (ledger, agent, index, state)
    select $1, r.agent, r.index, r.state
    from head, json_to_recordset($n::json) as r (agent text, index bigint, state text)
    on conflict (ledger, agent) do update set index = excluded.index, state = excluded.state
  )`,
  delegations: `delegated as (
    insert into delegation (ledger, index, delegator, delegate, starts_at, ends_at, revoked_by)
    select $1, r.index, r.delegator, r.delegate, r.starts_at, r.ends_at, r.revoked_by
    from head, json_to_recordset($n::json) as r (index bigint, delegator text, delegate text,
      starts_at timestamptz, ends_at timestamptz, revoked_by bigint)
    on conflict (ledger, index) do update set revoked_by = excluded.revoked_by
  )`,
  grantsMade: `granted as (
    insert into standing_grant (ledger, approval, index, uses, until_at, revoked_by)
    select $1, r.approval, r.index, r.uses, r.until_at, r.revoked_by
    from head, json_to_recordset($n::json) as r (approval bigint, index bigint, uses integer, until_at timestamptz, revoked_by bigint)
  )`,
  grantUses: `grant_used as (
    insert into standing_use (ledger, approval, use, decision)
    select $1, r.approval, r.use, r.decision
    from head, json_to_recordset($n::json) as r (approval bigint, use integer, decision bigint)
  )`,
  grantsRevoked: `grants_revoked as (
    update standing_grant set revoked_by = r.revoked_by
    from head, json_to_recordset($n::json) as r (approval bigint, revoked_by bigint)
    where standing_grant.ledger = $1 and standing_grant.approval = r.approval
  )`,
  ...accessFoldings,
  passkeysMade: `passkeys_made as (
    insert into passkey (ledger, id, person, user_handle, name, transports, registered, record, removed, sign_count, created_at)
    select $1, r.id, r.person, decode(r.user_handle, 'hex'), r.name, r.transports, r.registered, r.record, r.removed, r.sign_count, $6
    from head, json_to_recordset($n::json) as r (id text, person text, user_handle text, name text, transports text[],
      registered bigint, record text, removed bigint, sign_count bigint)
  )`,
  // A sign-in between the reading and this may have counted on.
  passkeysChanged: `passkeys_changed as (
    update passkey set removed = coalesce(passkey.removed, r.removed), sign_count = greatest(passkey.sign_count, r.sign_count),
      used_at = case when r.signed then $6 else used_at end
    from head, json_to_recordset($n::json) as r (id text, removed bigint, sign_count bigint, signed boolean)
    where passkey.ledger = $1 and passkey.id = r.id
  )`,
  subjects: `concerned as (
    insert into payload_subject (ledger, subject, index)
    select $1, decode(r.subject, 'hex'), r.index
    from head, json_to_recordset($n::json) as r (subject text, index bigint)
  )`,
  // No two batches make a key for one person: the second misses the head.
  subjectKeysMade: `subject_keys_made as (
    insert into subject_key (ledger, id, subject, master, wrapped)
    select $1, r.id, decode(r.subject, 'hex'), r.master, decode(r.wrapped, 'hex')
    from head, json_to_recordset($n::json) as r (id text, subject text, master text, wrapped text)
  )`,
  subjectKeysRewrapped: `subject_keys_rewrapped as (
    update subject_key set master = r.master, wrapped = decode(r.wrapped, 'hex')
    from head, json_to_recordset($n::json) as r (id text, master text, wrapped text)
    where subject_key.ledger = $1 and subject_key.id = r.id
  )`,
  subjectKeysDestroyed: `subject_keys_destroyed as (
    delete from subject_key using head, json_to_recordset($n::json) as r (id text)
    where subject_key.ledger = $1 and subject_key.id = r.id
  )`,
  sealings: `sealing as (
    insert into payload_sealing (ledger, index, key, fingerprint)
    select $1, r.index, r.key, r.fingerprint
    from head, json_to_recordset($n::json) as r (index bigint, key text, fingerprint text)
    on conflict (ledger) do update set index = excluded.index, key = excluded.key, fingerprint = excluded.fingerprint
  )`,
  segments: `archived as (
    insert into archive_segment (ledger, first, stop, index, store, manifest, payloads)
    select $1, r.first, r.stop, r.index, r.store, r.manifest, r.payloads
    from head, json_to_recordset($n::json) as r (first bigint, stop bigint, index bigint, store text, manifest text, payloads text)
  )`,
  holdsPlaced: `held as (
    insert into hold (ledger, name, index)
    select $1, r.name, r.index from head, json_to_recordset($n::json) as r (name text, index bigint)
    on conflict (ledger, name) do update set index = excluded.index
  )`,
  holdsLifted: `lifted as (
    delete from hold using head, json_to_recordset($n::json) as r (name text)
    where hold.ledger = $1 and hold.name = r.name
  )`,
} as const

type Folding = keyof typeof foldings

function rowsOf(rows: BatchRows, folding: Folding): readonly object[] {
  return folding in accessFoldings ? rows.access[folding as keyof AccessChange] : rows[folding as OwnFolding]
}

type OwnFolding = Exclude<Folding, keyof AccessChange>

// A statement for what most batches of a kind have in common; each is prepared once.
const people: readonly Folding[] = ['calls', 'outcomes', 'approvals', 'votes']
const uses: readonly Folding[] = ['entries', 'released', 'marks', 'subjects']
const rare: readonly Folding[] = [
  'suspensions',
  'delegations',
  'grantsMade',
  'grantUses',
  'grantsRevoked',
  ...accessFolded,
  'passkeysMade',
  'passkeysChanged',
  'subjectKeysMade',
  'subjectKeysRewrapped',
  'subjectKeysDestroyed',
  'sealings',
  'segments',
  'holdsPlaced',
  'holdsLifted',
]
const appendings = [
  appending('append_plain', [], timeless),
  appending('append_uses', uses, timeless),
  appending('append_people', people),
  appending('append_all', [...people, ...uses]),
  appending('append_rare', [...people, ...uses, ...rare]),
] as const
const appendingErasures = erasingToo(appending('append_erasures', [...people, ...uses, ...rare]))

function appending(name: string, folded: readonly Folding[], gate = `${timed}, ${head()}`) {
  const parts = folded.map((folding, at) => foldings[folding].replaceAll('$n', `$${advanceValues + 1 + at}`))
  return {
    name,
    folded,
    text: `with ${[gate, written, ...parts].join(', ')} select 1 from head`,
  }
}

// Its head has one condition more, and its last value is the erasures.
function erasingToo({ name, folded, text }: ReturnType<typeof appending>) {
  const n = `$${advanceValues + 1 + folded.length}`
  const gated = `${eraseBefore.replace('$n', n)}, ${head(` and ${erasable}`)}, ${erased.join(', ')}`
  return { name, folded, text: text.replace(head(), () => gated) }
}

/**
 * Writes a batch: head, records, payloads and all that is folded from them, in one statement and so
 * in one transaction.
 *
 * @returns false where another writer advanced the head first, it was too late for what it holds, or a key is not good any
 *   more by which a caller was let in; then nothing was written
 * @param batch its bytes have to stay as they are until then
 * @param prepared the statements that this connection knows already; as many sets as connections
 */
export function appendBatch(client: pg.Client, batch: StagedBatch, prepared: Set<string>): Promise<boolean> {
  const values: StatementValue[] = [
    batch.ledger,
    String(batch.size),
    String(batch.count),
    batch.frontier,
    batch.base,
    batch.at,
    batch.leafHashes,
    batch.records,
    batch.salts,
    batch.bodies,
    arrayText(batch.terms),
    batch.rows.notAfter ?? 'infinity',
    batch.keys.length === 0 ? '[]' : keysText(batch.keys),
  ]
  const has = (folding: Folding) => rowsOf(batch.rows, folding).length > 0
  const [plain, used, ofPeople, all, every] = appendings
  const erases = batch.rows.erasures.length > 0
  const isTimed = batch.rows.notAfter !== undefined || people.some(has)
  const common = isTimed ? (uses.some(has) ? all : ofPeople) : uses.some(has) ? used : plain
  const { name, text, folded } = erases ? appendingErasures : rare.some(has) ? every : common
  for (const folding of folded) values.push(JSON.stringify(rowsOf(batch.rows, folding)))
  if (erases) values.push(JSON.stringify(batch.rows.erasures))
  return new Promise((resolve, reject) => {
    const query = new AppendQuery({ name, text, values }, prepared, (error, rows) => {
      if (error === undefined) resolve(rows === 1)
      else reject(error)
    })
    client.query(query)
  })
}
