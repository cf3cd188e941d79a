import { Fault, parseRecord, type StoredEntry } from '@bailiwick/core'
import { readEntries, type Queryable } from '../log/batches.ts'
import { SegmentReader, type ColdEntry } from './segment-reader.ts'
import {
  manifestDigest,
  segmentHolding,
  segmentsBackwards,
  segmentsFrom,
  type ArchivedSegment,
} from './segments.ts'
import { notOpen, type ArchiveStore } from './store.ts'

/** What narrows down which archived records to read. */
export interface ColdFilter {
  /** Only records before this index. */
  readonly before: number
  /** Only segments that may have a record with all terms of any one of these, as `recordTerms` writes them. */
  readonly searches: readonly (readonly string[])[]
  /** Only segments with records from then on, and until then. RFC 3339. */
  readonly from?: string | undefined
  readonly to?: string | undefined
}

/**
 * The records of a ledger that lie in cold storage. What comes out was held against the segment's manifest, and that
 * against the record in the log: an object or a row that was changed is a Fault `log_broken`, and is never shown.
 */
export class ColdLog {
  readonly #client: Queryable
  readonly #ledger: string
  readonly #store: ArchiveStore | undefined
  /** Segments whose manifest was held against the log, by where they begin. */
  readonly #held = new Map<number, string>()

  /** @param store undefined where none is configured: reading archived records is a Fault then */
  constructor(client: Queryable, ledger: string, store: ArchiveStore | undefined) {
    this.#client = client
    this.#ledger = ledger
    this.#store = store
  }

  /** The archived entries at these indices; those that are not archived are left out. */
  async entries(indices: Iterable<number>): Promise<ReadonlyMap<number, StoredEntry>> {
    const found = new Map<number, StoredEntry>()
    const left = new Set([...indices].sort((a, b) => a - b))
    for (const index of left) {
      const segment = await segmentHolding(this.#client, this.#ledger, index)
      if (segment === undefined) continue
      const reader = await this.#reader(segment)
      // Neighbours lie in the same block, which is read once.
      const block = reader.blockHolding(index)
      for (const { entry } of await reader.block(block)) {
        if (left.delete(entry.index)) found.set(entry.index, entry)
      }
    }
    return found
  }

  /** Archived entries in descending order; in segments that may have what is wanted, all of them. */
  async *backwards({ before, searches, from, to }: ColdFilter): AsyncGenerator<ColdEntry> {
    for await (const segment of segmentsBackwards(this.#client, this.#ledger, before)) {
      // Before anything is passed over by what it says.
      await this.#hold(segment)
      const { manifest } = segment
      if ((from !== undefined && manifest.to < from) || (to !== undefined && manifest.from > to)) continue
      const has = manifest.terms === null ? undefined : new Set(manifest.terms)
      if (has !== undefined && !searches.some((terms) => terms.every((term) => has.has(term)))) continue
      const reader = await this.#reader(segment)
      for (let block = reader.blocks.length - 1; block >= 0; block--) {
        const entries = await reader.block(block)
        for (const each of entries.toReversed()) if (each.entry.index < before) yield each
      }
    }
  }

  /** Archived entries in ascending order. */
  async *forwards(from: number): AsyncGenerator<ColdEntry> {
    for await (const segment of segmentsFrom(this.#client, this.#ledger, from)) {
      const reader = await this.#reader(segment)
      for (let block = reader.blockHolding(from); block < reader.blocks.length; block++) {
        for (const each of await reader.block(block)) if (each.entry.index >= from) yield each
      }
    }
  }

  async #reader(segment: ArchivedSegment): Promise<SegmentReader> {
    if (this.#store?.address !== segment.store) {
      const records = `the records ${segment.first} to ${segment.end - 1}`
      throw notOpen(records, this.#store, segment.store)
    }
    await this.#hold(segment)
    return new SegmentReader(this.#store, segment, () =>
      segmentHolding(this.#client, this.#ledger, segment.first),
    )
  }

  // The record may have been archived itself, in a later segment; the last ones are in the database.
  async #hold(segment: ArchivedSegment): Promise<void> {
    if (this.#held.get(segment.first) === segment.manifestText) return
    const hot = await readEntries(this.#client, this.#ledger, [segment.index])
    const entry = hot.get(segment.index) ?? (await this.entries([segment.index])).get(segment.index)
    const record = entry === undefined ? undefined : parseRecord(entry.record)
    const { first, end } = segment
    const same =
      record?.kind === 'archive' &&
      record.first === first &&
      record.end === end &&
      record.manifest === manifestDigest(segment) &&
      record.frontier === segment.manifest.frontier
    if (same) {
      this.#held.set(first, segment.manifestText)
      return
    }
    throw new Fault(
      'log_broken',
      `the manifest of the records ${first} to ${end - 1} is not the one that was recorded`,
      {
        fix: 'Keep the archive and the database as evidence, and run `bailiwick log verify --cold`.',
      },
    )
  }
}
