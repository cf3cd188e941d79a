import type { StoredEntry } from '@bailiwick/core'

/** Of a leaf hash. */
export const hashBytes = 32
const saltBytes = 32

/** A row of `log_batch`, as `columns` reads it. */
export interface BatchRow {
  readonly first: string
  readonly leaf_hashes: Buffer
  readonly records: string
  readonly salts: Buffer
  readonly bodies: string
  readonly erased: readonly string[]
}

/** Records that were committed together, in order. */
export interface LogBatch {
  /** The index of the first one. */
  readonly first: number
  readonly entries: readonly StoredEntry[]
  /** What is wrong with how they are stored, apart from what each of them says. */
  readonly misfit: string | undefined
}

/** The same with the time that is stored beside it, and whether that is finer than milliseconds. */
export type TimedRow = BatchRow & { readonly at: Date | number | null; readonly finer: boolean }

/** Of the table as `b`. */
export const columns = 'b.first, b.leaf_hashes, b.records, b.salts, b.bodies, b.erased'

/** A batch with the time that is stored beside its records. */
export interface TimedBatch extends LogBatch {
  /** RFC 3339; something else where the stored time is none that a record could have. */
  readonly at: string
}

/** The batch of a row, and what is wrong with how it is stored. */
export function batchOf(row: BatchRow): LogBatch {
  const first = Number(row.first)
  const records = row.records.split('\n')
  const bodies = row.bodies.split('\n')
  const erased = row.erased.length === 0 ? none : new Set(row.erased.map(Number))
  const entries = records.map((record, at): StoredEntry => {
    const index = first + at
    const body = bodies[at] ?? ''
    return {
      index,
      leafHash: row.leaf_hashes.subarray(at * hashBytes, (at + 1) * hashBytes),
      record,
      payload:
        body !== ''
          ? { salt: row.salts.subarray(at * saltBytes, (at + 1) * saltBytes), body }
          : erased.has(index)
            ? 'erased'
            : 'none',
    }
  })
  return { first, entries, misfit: misfitOf(row, records.length, bodies.length, erased, first) }
}

const none: ReadonlySet<number> = new Set()

function misfitOf(
  row: BatchRow,
  records: number,
  bodies: number,
  erased: ReadonlySet<number>,
  first: number,
): string | undefined {
  if (row.leaf_hashes.length !== records * hashBytes)
    return 'the leaf hashes stored beside it are not one for each record'
  if (row.salts.length !== records * saltBytes)
    return 'the salts stored beside it are not one for each record'
  if (bodies !== records) return 'the payloads stored beside it are not one for each record'
  const strange = [...erased].some((index) => !(index >= first && index < first + records))
  return strange ? 'a payload is marked as erased that is not of its batch' : undefined
}

/** The same with its time. */
export function timedBatchOf(row: TimedRow): TimedBatch {
  return { ...batchOf(row), at: timeText(row.at, row.finer) }
}

// `infinity` arrives as a number; no record says it, so verification finds it. A Date drops what is finer than
// milliseconds, which no record says either.
function timeText(at: Date | number | null, finer: boolean): string {
  if (!(at instanceof Date) || Number.isNaN(at.getTime())) return String(at)
  return finer ? `later than ${at.toISOString()}` : at.toISOString()
}
