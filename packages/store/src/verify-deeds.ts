import {
  indexOfId,
  isPerson,
  parseRecord,
  RecordedDeeds,
  type BrokenLog,
  type LogRecord,
} from '@bailiwick/core'
import { readLines, type Queryable } from './log/batches.ts'
import { saysWhoPeopleAre, spokenOfElsewhere } from './verify-votes.ts'

const deedTerms = [
  'access',
  'cancellation',
  'delegation',
  'erasure',
  'hold',
  'read',
  'revocation',
  'suspension',
].map((kind) => `kind=${kind}`)

// What operators and agents did needs nobody's role, but for who suspended an agent. Of access, also who people are.
const lines = `
  select b.first + r.n - 1 as index, r.line
  from (select distinct t.first, t.at from log_term t where t.ledger = $1 and t.term = any($3)) as t
    join log_batch b on b.ledger = $1 and b.first = t.first and b.at = t.at,
    lateral unnest(string_to_array(b.records, E'\\n')) with ordinality as r (line, n)
  where b.first + r.n - 1 >= $2 and (strpos(r.line, '"kind":"suspension"') > 0
    or (strpos(r.line, '"kind":"access"') > 0 and (${saysWhoPeopleAre} or strpos(r.line, '"by":"') > 0))
    or (strpos(r.line, '"kind":"read"') > 0 and strpos(r.line, '"what":"reveal"') > 0)
    or r.line ~ '"kind":"(cancellation|delegation|erasure|hold|revocation)"')
  order by b.first, r.n`

const votesOn = `select index from vote where ledger = $1 and approval = any($2::bigint[])`

const recordsPerRead = 512

/**
 * Judges what people did beside voting again from the log alone: erasures, holds, suspensions, reveals, delegations of the
 * votes of others, revocations of standing grants, cancellations and changes of access, each by the roles that the records
 * before it gave to whom it names. Names the first that the person could not have done.
 *
 * Not judged is what people did of whom no record speaks that is not archived, or of whom the log of another ledger speaks
 * that shares the database, and so its people, with this one.
 *
 * Call it in the snapshot in which the log and the tables were found to agree.
 *
 * @param floor the index of the first record that is not archived
 */
export async function deedsProblem(
  client: Queryable,
  ledger: string,
  floor: number,
): Promise<BrokenLog | undefined> {
  const { rows } = await client.query<{ line: string }>(lines, [ledger, floor, deedTerms])
  const records = rows.map(({ line }) => parseRecord(line))
  const doers = records.flatMap((record) => doerOf(record) ?? [])
  if (doers.length === 0) return undefined
  const elsewhere = await spokenOfElsewhere(client, ledger, [...new Set(doers)])
  const deeds = new RecordedDeeds({
    isWhole: floor === 0,
    isSpokenOfElsewhere: (person) => elsewhere.has(person),
  })
  for (let from = 0; from < records.length; from += recordsPerRead) {
    const part = records.slice(from, from + recordsPerRead)
    for (const record of [...(await asking(client, ledger, part)), ...part].sort(byIndex)) {
      const problem = deeds.take(record)
      if (problem !== undefined) return broken(record.index, `record ${record.index} ${problem}`)
    }
  }
  return undefined
}

/** The person who did it; undefined for an operator, an agent, and where nobody is named. */
function doerOf(record: LogRecord): string | undefined {
  const by = record.kind === 'read' ? record.person : 'by' in record ? record.by : undefined
  return isPerson(by) ? by : undefined
}

/** The index of the decision that a reveal or a revocation is about, where a person did it. */
function subjectOf(record: LogRecord): number | undefined {
  if (doerOf(record) === undefined) return undefined
  if (record.kind === 'read') return record.records[0]
  return record.kind === 'revocation' ? indexOfId('grt', record.grant) : undefined
}

/** What opened the approvals that these are about, and the votes on them. */
async function asking(
  client: Queryable,
  ledger: string,
  records: readonly LogRecord[],
): Promise<LogRecord[]> {
  const opened = [...new Set(records.flatMap((record) => subjectOf(record) ?? []))]
  if (opened.length === 0) return []
  const votes = await client.query<{ index: string }>(votesOn, [ledger, opened])
  const last = records.at(-1)?.index ?? 0
  const indices = [...opened, ...votes.rows.map(({ index }) => Number(index))].filter((index) => index < last)
  return [...(await readLines(client, ledger, indices)).values()].map(({ record }) => parseRecord(record))
}

function byIndex(one: LogRecord, other: LogRecord): number {
  return one.index - other.index
}

function broken(index: number, problem: string): BrokenLog {
  return {
    kind: 'broken',
    index,
    problem,
    fix: 'Keep the database as evidence: somebody had a role that no record gave. Find out who can write to the tables, and what else was done in that name.',
  }
}
