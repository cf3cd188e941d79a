import { Fault } from '@bailiwick/core'
import type { Queryable } from '../log/batches.ts'
import { parseManifest, sha256Hex, type Manifest, type PayloadsObject } from './manifest.ts'

/** A run of records that lies in cold storage. */
export interface ArchivedSegment {
  readonly first: number
  readonly end: number
  /** The index of the record that says so. */
  readonly index: number
  /** The address of its store. */
  readonly store: string
  readonly manifestText: string
  readonly manifest: Manifest
  /** Not in the manifest: it may be written again when personal data is erased. */
  readonly payloads: PayloadsObject
}

interface SegmentRow {
  readonly first: string
  readonly stop: string
  readonly index: string
  readonly store: string
  readonly manifest: string
  readonly payloads: string
}

const columns = 'first, stop, index, store, manifest, payloads'

const holding = {
  name: 'archive_holding',
  text: `select ${columns} from archive_segment where ledger = $1 and first <= $2 and stop > $2`,
}

const before = {
  name: 'archive_before',
  text: `select ${columns} from archive_segment where ledger = $1 and first < $2 order by first desc limit 1`,
}

const from = {
  name: 'archive_from',
  text: `select ${columns} from archive_segment where ledger = $1 and stop > $2 order by first limit 1`,
}

const end = { name: 'archive_end', text: 'select max(stop) as stop from archive_segment where ledger = $1' }

/** The index after the last archived record: everything before it is in cold storage, everything else in the database. */
export async function archivedEnd(client: Queryable, ledger: string): Promise<number> {
  const { rows } = await client.query<{ stop: string | null }>({ ...end, values: [ledger] })
  return Number(rows[0]?.stop ?? 0)
}

/** The segment that holds a record, if it is archived. */
export async function segmentHolding(
  client: Queryable,
  ledger: string,
  index: number,
): Promise<ArchivedSegment | undefined> {
  const { rows } = await client.query<SegmentRow>({ ...holding, values: [ledger, index] })
  return rows[0] && segmentOf(ledger, rows[0])
}

/** Segments with records before `index`, the newest first, one at a time. */
export async function* segmentsBackwards(
  client: Queryable,
  ledger: string,
  index: number,
): AsyncGenerator<ArchivedSegment> {
  for (let next = index; ;) {
    const { rows } = await client.query<SegmentRow>({ ...before, values: [ledger, next] })
    if (rows[0] === undefined) return
    const segment = segmentOf(ledger, rows[0])
    yield segment
    next = segment.first
  }
}

/** Segments with records from `index` on, the oldest first, one at a time. */
export async function* segmentsFrom(
  client: Queryable,
  ledger: string,
  index: number,
): AsyncGenerator<ArchivedSegment> {
  for (let next = index; ;) {
    const { rows } = await client.query<SegmentRow>({ ...from, values: [ledger, next] })
    if (rows[0] === undefined) return
    const segment = segmentOf(ledger, rows[0])
    yield segment
    next = segment.end
  }
}

const stale = {
  name: 'archive_stale',
  text: `select ${columns} from archive_segment where ledger = $1 and payloads not like '%"stale":[]%' order by first`,
}

/** Segments with objects that were replaced and have not been removed yet. */
export async function staleSegments(client: Queryable, ledger: string): Promise<readonly ArchivedSegment[]> {
  const { rows } = await client.query<SegmentRow>({ ...stale, values: [ledger] })
  return rows.map((row) => segmentOf(ledger, row))
}

function segmentOf(ledger: string, row: SegmentRow): ArchivedSegment {
  const [first, stop] = [Number(row.first), Number(row.stop)]
  return {
    first,
    end: stop,
    index: Number(row.index),
    store: row.store,
    manifestText: row.manifest,
    manifest: parseManifest(row.manifest, { ledger, first, end: stop }),
    payloads: payloadsOf(row.payloads, first, stop),
  }
}

/** How objects of payloads are called; no other is read, written or removed. */
const payloadsNames = /^payloads(?:-[0-9a-f]{16})?\.jsonl\.gz$/

// No record commits to this row, so whoever can write to the database chooses what stands in it.
function payloadsOf(text: string, first: number, stop: number): PayloadsObject {
  try {
    const payloads = JSON.parse(text) as PayloadsObject
    const { name, stale: replaced, next } = payloads
    const isNamed =
      [name, ...replaced].every((each) => payloadsNames.test(each)) &&
      !replaced.includes(name) &&
      (next === undefined || replaced.includes(next.name))
    const isWithin = [...payloads.erased, ...(next?.erased ?? [])].every(
      (index) => Number.isSafeInteger(index) && index >= first && index < stop,
    )
    if (isNamed && isWithin) return payloads
    throw new TypeError('names of other objects, or indices of other records')
  } catch (cause) {
    throw new Fault(
      'log_broken',
      `where the payloads of the records ${first} to ${stop - 1} lie cannot be read`,
      {
        fix: 'Restore the table archive_segment from a backup.',
        cause,
      },
    )
  }
}

/** What a record of kind `archive` has to hold of this manifest. */
export function manifestDigest({ manifestText }: ArchivedSegment): string {
  return sha256Hex(manifestText)
}
