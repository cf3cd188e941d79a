import { instantText, unreachable, type Instant, type BrokenLog } from '@bailiwick/core'
import pg from 'pg'
import { hasCode } from './engine/errno.ts'
import type { Queryable } from './log/batches.ts'
import { readSecrets } from './log/digests.ts'
import { firstMiscount } from './verify-counters.ts'
import { oneLine } from './verify/one-line.ts'
import { foldedTables, sealings, suspensions, touching, type FoldedTable } from './verify/folded-tables.ts'

/**
 * Holds `approval`, `vote`, `call`, `outcome`, `session_mark`, `agent_suspension`, `payload_sealing`, `delegation`, `standing_grant`, `standing_use`
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
): Promise<BrokenLog | undefined> {
  const floor = since(archived)
  try {
    const misplaced = await misplacedTerms(client, ledger, size, floor)
    if (misplaced !== undefined) return misplaced
    const impossible = await impossibleUse(client, ledger, size)
    if (impossible !== undefined) return impossible
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
): Promise<BrokenLog | undefined> {
  try {
    const misplaced = await misplacedTerms(client, ledger, size, since(floor))
    if (misplaced !== undefined) return misplaced
    const impossible = await impossibleUse(client, ledger, size)
    if (impossible !== undefined) return impossible
    const differing = await keptInForceProblem(client, ledger, size, floor)
    if (differing !== undefined) return differing
    return undefined
  } catch (error) {
    return incomparable(error)
  }
}

/**
 * Holds what stays in force, and is recorded again before its record is archived, against the records: suspensions, and whether
 * payloads are sealed.
 */
export async function keptInForceProblem(
  client: Queryable,
  ledger: string,
  size: number,
  floor: number,
): Promise<BrokenLog | undefined> {
  for (const table of [suspensions, sealings]) {
    const mismatch = await firstMismatch(client, ledger, table, since(floor))
    if (mismatch !== undefined)
      return brokenBy({ index: mismatch.index, problem: mismatchText(mismatch) }, size)
  }
  return undefined
}

// No record has a negative index, but a row may.
function since(archived: number): number {
  return archived === 0 ? Number.MIN_SAFE_INTEGER : archived
}

function incomparable(error: unknown): BrokenLog {
  if (!isTampering(error)) throw error
  const problem = `the tables that are folded from the records cannot be compared with them: ${oneLine(error.message)}`
  return { kind: 'broken', index: null, problem, fix: fixRow }
}

const fixRow =
  'Keep the database as evidence and decide nothing on it before the row is as the records have it; find out who can write to the tables.'
const fixUse =
  'Keep the database as evidence, and find out whether the call ran; somebody changed the approval before it was used, or wrote the record.'

// The terms of a batch are held against its records as they are read; a batch that nobody reads has none to be
// held against, and one that is stored twice is read once.
async function misplacedTerms(
  client: Queryable,
  ledger: string,
  size: number,
  floor: number,
): Promise<BrokenLog | undefined> {
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

// Whatever it is of, also of what is archived: less than nothing would let others through.
async function impossibleUse(
  client: Queryable,
  ledger: string,
  size: number,
): Promise<BrokenLog | undefined> {
  const { rows } = await client.query<{ decision: string; counter: string }>(
    `select decision, counter from counter_entry
    where ledger = $1 and not coalesce(amount > 0 and amount < 'infinity', false) order by decision limit 1`,
    [ledger],
  )
  const [row] = rows
  const problem = `the use of ${row?.counter} by dec_${row?.decision} is no amount that a call can use`
  return row && brokenBy({ index: Number(row.decision), problem: oneLine(problem) }, size)
}

// Only a vote makes an approval `approved`, and nothing but its use or its deadline follows.
async function wronglyUsed(client: Queryable, ledger: string, floor: number): Promise<BrokenLog | undefined> {
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

function brokenBy({ index, problem }: Found, size: number): BrokenLog {
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

// A table or a column that is gone or has another type (class 42, apart from rights that are missing), values that
// no record has (class 22), and damaged pages (class XX).
function isTampering(error: unknown): error is pg.DatabaseError {
  if (!(error instanceof pg.DatabaseError)) return false
  if (hasCode(error, '42P01', '42703', '42883', '42804')) return true
  return error.code?.startsWith('22') === true || error.code?.startsWith('XX') === true
}
