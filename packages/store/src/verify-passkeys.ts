import {
  followPasskeys,
  leafHash,
  parseRecord,
  passkeyOf,
  type PasskeyState,
  type BrokenLog,
} from '@bailiwick/core'
import { leafHashes } from './head.ts'
import type { Queryable } from './log/batches.ts'

// Canonical JSON escapes every quotation mark inside a text, so a search for a member and its value matches nothing else.
const changing = `
  select line from log_term t join log_batch b on b.ledger = t.ledger and b.first = t.first and b.at = t.at,
    lateral unnest(string_to_array(b.records, E'\\n')) with ordinality as r (line, n)
  where t.ledger = $1 and t.term = 'kind=access' and (strpos(r.line, '"event":"passkey_') > 0
    or strpos(r.line, '"event":"person_removed"') > 0) and b.first + r.n - 1 >= $2
  order by b.first, r.n`

const stored = `select id, person, registered, record, removed, sign_count from passkey
  where ledger = $1 order by registered, id`

interface Row {
  readonly id: string
  readonly person: string
  readonly registered: string
  readonly record: string
  readonly removed: string | null
  readonly sign_count: string
}

/** Passkeys by the ids of their credentials, as the log says them; their counters are zero. */
export type RecordedPasskeys = ReadonlyMap<string, PasskeyState>

/**
 * The passkeys that ever were, from the records; those whose registration is archived, from their rows, whose text is
 * held against the hash that was kept of the record. Every row has to say what the records say, and no other may be there.
 *
 * Call it in the snapshot in which the log was found intact.
 *
 * @param floor the index of the first record that is not archived
 */
export async function recordedPasskeys(
  client: Queryable,
  ledger: string,
  floor: number,
): Promise<RecordedPasskeys | BrokenLog> {
  const { rows } = await client.query<Row>(stored, [ledger])
  const known = new Map<string, PasskeyState>()
  for (const row of rows) {
    if (Number(row.registered) >= floor) continue
    const state = await archivedState(client, ledger, row, floor)
    if (state === undefined) return broken(null, `the row of the passkey ${row.id} is not what was recorded`)
    known.set(row.id, state)
  }
  const texts = new Map<number, string>()
  const { rows: lines } = await client.query<{ line: string }>(changing, [ledger, floor])
  for (const { line } of lines) {
    const record = parseRecord(line)
    const problem = record.kind === 'access' ? followPasskeys(known, record) : undefined
    if (problem !== undefined) return broken(record.index, `record ${record.index} ${problem}`)
    texts.set(record.index, line)
  }
  return rowsProblem(known, texts, rows) ?? known
}

// A removal before the floor is in no record any more: the row's word is all that there is.
async function archivedState(
  client: Queryable,
  ledger: string,
  row: Row,
  floor: number,
): Promise<PasskeyState | undefined> {
  const index = Number(row.registered)
  const [leaf] = await leafHashes(client, ledger, index, index + 1)
  if (leaf === undefined || !leafHash(row.record).equals(leaf)) return undefined
  const record = parseRecord(row.record)
  const key = record.kind === 'access' && record.event === 'passkey_registered' && passkeyOf(record)
  if (!key || key.id !== row.id || record.subject !== row.person) return undefined
  const removed = row.removed === null || Number(row.removed) >= floor ? null : Number(row.removed)
  return { key, person: record.subject, registered: index, removed, signCount: 0 }
}

function rowsProblem(
  known: RecordedPasskeys,
  texts: ReadonlyMap<number, string>,
  rows: readonly Row[],
): BrokenLog | undefined {
  const byId = new Map(rows.map((row) => [row.id, row]))
  for (const [id, state] of known) {
    const row = byId.get(id)
    if (row === undefined)
      return broken(state.registered, `the passkey ${id} is in the log, and its row is gone`)
    const same =
      // Of what is archived, the text has been held against its hash.
      row.record === (texts.get(state.registered) ?? row.record) &&
      row.person === state.person &&
      Number(row.registered) === state.registered &&
      (row.removed === null ? null : Number(row.removed)) === state.removed
    if (!same)
      return broken(state.registered, `the row of the passkey ${id} does not say what the log says of it`)
  }
  const extra = rows.find(({ id }) => !known.has(id))
  return extra && broken(null, `the passkey ${extra.id} has a row that no record accounts for`)
}

function broken(index: number | null, problem: string): BrokenLog {
  return {
    kind: 'broken',
    index,
    problem,
    fix: 'Keep the database as evidence, take no signed votes on it, and find out who can write to the tables.',
  }
}
