import { parseRecord, type BrokenLog, type LogRecord } from '@bailiwick/core'
import { batchesBackwards, type Queryable } from '../log/batches.ts'

/** Which legal holds stand, as the records say that are taken one after the other, from the first that is known on. */
export class RecordedHolds {
  /** By name, the index of the record that placed it. */
  readonly #standing = new Map<string, number>()
  /** By name, the last record that speaks of it. */
  readonly #last = new Map<string, number>()

  /** Whether any does. */
  get stands(): boolean {
    return this.#standing.size > 0
  }

  /** Takes the next record. Returns what is wrong with it: nothing is archived or erased while a hold stands. */
  take(record: LogRecord): string | undefined {
    if (record.kind === 'hold') {
      this.#last.set(record.hold, record.index)
      if (record.event === 'placed') this.#standing.set(record.hold, record.index)
      else this.#standing.delete(record.hold)
      return undefined
    }
    const [first] = this.#standing
    if (first === undefined || (record.kind !== 'archive' && record.kind !== 'erasure')) return undefined
    const what = record.kind === 'archive' ? 'archives' : 'erases'
    const [name, placed] = first
    return `${what} while the hold \`${name}\` stands, which record ${placed} placed: its row was gone then`
  }

  /** What is wrong with these rows of `hold`. */
  mismatch(rows: ReadonlyMap<string, number>): Mismatch | undefined {
    for (const [name, index] of this.#last) {
      if (rows.get(name) === this.#standing.get(name)) continue
      return { index, problem: `the hold \`${name}\` is not stored as record ${index} says` }
    }
    const extra = [...rows.keys()].find((name) => !this.#standing.has(name))
    if (extra === undefined) return undefined
    return { index: null, problem: `the hold \`${oneLine(extra)}\` has a row, and no record places it` }
  }
}

/** What is wrong, and the record to name. */
interface Mismatch {
  readonly index: number | null
  readonly problem: string
}

/**
 * Holds every row of `hold` against the records, both ways, and the records that archive and erase against those of holds.
 * Nothing is archived while a hold stands, so the record of one that stands is in the database: a row that names an archived
 * one was written by somebody else.
 *
 * @param floor the index of the first record that is not archived
 */
export async function holdsProblem(
  client: Queryable,
  ledger: string,
  floor: number,
): Promise<BrokenLog | undefined> {
  const holds = new RecordedHolds()
  const broken = await unheldProblem(client, ledger, floor, holds)
  if (broken !== undefined) return broken
  const { rows } = await client.query<{ name: string; index: string }>(
    'select name, index from hold where ledger = $1 order by index, name',
    [ledger],
  )
  const found = holds.mismatch(new Map(rows.map(({ name, index }) => [name, Number(index)])))
  return found && brokenBy(found)
}

/**
 * The first record from `floor` on that archives or erases while a hold stands by the records: its row had been deleted.
 *
 * @param holds what the records before `floor` say, as far as they were read; takes in those after it
 */
export async function unheldProblem(
  client: Queryable,
  ledger: string,
  floor: number,
  holds: RecordedHolds,
): Promise<BrokenLog | undefined> {
  for (const record of await recordsOf(client, ledger, floor)) {
    const problem = holds.take(record)
    if (problem === undefined) continue
    return brokenBy({ index: record.index, problem: `record ${record.index} ${problem}` })
  }
  return undefined
}

async function recordsOf(client: Queryable, ledger: string, floor: number): Promise<readonly LogRecord[]> {
  const found = new Map<number, LogRecord>()
  for (const kind of ['hold', 'archive', 'erasure']) {
    const terms = [`kind=${kind}`]
    for await (const { entries } of batchesBackwards(client, ledger, Number.MAX_SAFE_INTEGER, terms)) {
      for (const { index, record: text } of entries) {
        const record = index < floor ? undefined : parseRecord(text)
        if (record?.kind === kind) found.set(index, record)
      }
    }
  }
  return [...found.values()].sort((one, other) => one.index - other.index)
}

function brokenBy({ index, problem }: Mismatch): BrokenLog {
  const fix =
    'Keep the database as evidence, find out who can write to the table hold, and restore it from a backup; until then nothing keeps records that are to be held.'
  return { kind: 'broken', index, problem, fix }
}

// Whoever tampered wrote it.
function oneLine(text: string): string {
  return text.replaceAll(/[\p{C}\s]/gu, ' ').slice(0, 300)
}
