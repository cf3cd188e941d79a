import { createHash } from 'node:crypto'
import {
  appendLeaves,
  decodeFrontier,
  encodeFrontier,
  Fault,
  hashBytes,
  leafHash,
  type Frontier,
  type LogRecord,
  type StoredEntry,
} from '@bailiwick/core'
import { unpackBlock } from './block-file.ts'
import { checkedRecord, payloadOfLine } from './entry-lines.ts'
import {
  segmentPrefix,
  sha256Hex,
  type ArchivedObject,
  type Block,
  type BlockObject,
  type Manifest,
  type PayloadsObject,
} from './manifest.ts'
import type { Pace } from './pace.ts'
import { missingObject, type ArchiveStore } from './store.ts'

/** What has to be known of a segment to read it. */
export interface ReadableSegment {
  readonly manifest: Manifest
  readonly payloads: BlockObject
}

/** What the database says of a segment now: an erasure may have put other payloads in the place of those that it read. */
export type SegmentNow = () => Promise<(ReadableSegment & { readonly payloads: PayloadsObject }) | undefined>

/** A record out of an archive with its payload, both held against the hashes in the manifest and the record. */
export interface ColdEntry {
  readonly entry: StoredEntry
  readonly record: LogRecord
}

const chunkBytes = 4 * 1024 * 1024

/**
 * Reads a segment's objects. Nothing comes out of it that is not what the manifest says: an object that was changed, cut
 * short or swapped is a Fault `log_broken`.
 */
export class SegmentReader {
  readonly #store: ArchiveStore
  readonly #now: SegmentNow | undefined
  #segment: ReadableSegment

  /** @param now asked where payloads are not there any more; absent: then they are missing */
  constructor(store: ArchiveStore, segment: ReadableSegment, now?: SegmentNow) {
    this.#store = store
    this.#segment = segment
    this.#now = now
  }

  get blocks(): readonly Block[] {
    return this.#segment.manifest.records.blocks
  }

  /** The entries of one block, in order. */
  async block(at: number): Promise<ColdEntry[]> {
    return await this.#unlessReplaced(() => this.#entries(at))
  }

  // A lawful erasure removes what is being read; what was written in its place has the same blocks.
  async #unlessReplaced<Read>(read: () => Promise<Read>): Promise<Read> {
    try {
      return await read()
    } catch (error) {
      const now = error instanceof Fault && error.code === 'log_broken' ? await this.#now?.() : undefined
      const { manifest, payloads } = this.#segment
      if (now === undefined || now.payloads.name === payloads.name) throw error
      this.#segment = { manifest, payloads: now.payloads }
      return await this.#unlessReplaced(read)
    }
  }

  async #entries(at: number): Promise<ColdEntry[]> {
    const { manifest, payloads } = this.#segment
    const [block, beside] = [manifest.records.blocks[at], payloads.blocks[at]]
    if (block === undefined || beside?.first !== block.first)
      throw this.#broken('has other payloads than records')
    const [records, bodies] = await Promise.all([
      this.#lines(manifest.records, block, true),
      this.#lines(payloads, beside, false),
    ])
    const next = manifest.records.blocks[at + 1]?.first ?? manifest.end
    if (records.length !== next - block.first || bodies.length !== records.length) {
      throw this.#broken(`has not one line for each record from ${block.first} on`)
    }
    return records.map((text, line) => {
      const index = block.first + line
      const payload = payloadOfLine(bodies[line] ?? '')
      if (payload === undefined) throw this.#broken(`has a payload of record ${index} that is none`)
      const entry: StoredEntry = { index, leafHash: leafHash(text), record: text, payload }
      return { entry, record: checkedRecord(entry, manifest.ledger, index) }
    })
  }

  /** The number of the block that holds a record. */
  blockHolding(index: number): number {
    const { blocks } = this.#segment.manifest.records
    let [low, high] = [0, blocks.length - 1]
    while (low < high) {
      const middle = Math.ceil((low + high) / 2)
      if ((blocks[middle]?.first ?? Infinity) <= index) low = middle
      else high = middle - 1
    }
    return low
  }

  /** All leaf hashes of the segment, 32 bytes each. */
  async leaves(): Promise<Buffer> {
    const { manifest } = this.#segment
    const leaves = await this.#whole(manifest.leaves)
    if (leaves.length !== (manifest.end - manifest.first) * hashBytes)
      throw this.#broken('has not one leaf for each record')
    return leaves
  }

  /**
   * Reads back every byte of the segment, and holds it against the manifest, and the manifest's frontier against
   * `start`, the log's frontier before it. Returns the frontier after it, the indices whose payloads are erased, and those
   * of which a record in it says so, in any order.
   *
   * @param visit told each record, in order; throws for one that it finds wrong
   */
  async verify(
    start: Frontier,
    pace: Pace,
    visit: (record: LogRecord, entry: StoredEntry) => void = () => undefined,
  ): Promise<{
    readonly frontier: Frontier
    readonly erased: readonly number[]
    readonly named: readonly number[]
  }> {
    const { manifest } = this.#segment
    if (encodeFrontier(start).toString('hex') !== manifest.start || start.size !== manifest.first) {
      throw this.#broken('does not follow on the records before it')
    }
    const leaves = await this.leaves()
    let frontier = start
    const [erased, named]: [number[], number[]] = [[], []]
    for (const at of this.blocks.keys()) {
      const entries = await this.block(at)
      for (const { entry, record } of entries) {
        const offset = (entry.index - manifest.first) * hashBytes
        if (!leaves.subarray(offset, offset + hashBytes).equals(entry.leafHash)) {
          throw this.#broken(`has another leaf hash for record ${entry.index}`)
        }
        if (entry.payload === 'erased') erased.push(entry.index)
        if (record.kind === 'erasure') named.push(...record.records)
        visit(record, entry)
      }
      frontier = appendLeaves(
        frontier,
        entries.map(({ entry }) => entry.leafHash),
      )
      await pace()
    }
    const end = decodeFrontier(manifest.end, Buffer.from(manifest.frontier, 'hex'))
    if (frontier.size !== end.size || !encodeFrontier(frontier).equals(encodeFrontier(end))) {
      throw this.#broken('does not lead to the frontier that it names')
    }
    for (const object of [manifest.records, manifest.parquet]) await this.#digest(object, pace)
    await this.#unlessReplaced(() => this.#digest(this.#segment.payloads, pace))
    return { frontier, erased, named }
  }

  async #lines(object: BlockObject, block: Block, locked: boolean): Promise<string[]> {
    const packed = await this.#read(object, block.offset, block.bytes)
    // Of payloads the record's commitment says whether they are right; the hash only tells sooner.
    if (sha256Hex(packed) !== block.sha256) {
      throw missingObject(
        this.#key(object),
        locked ? 'was changed' : 'was changed, or written again elsewhere',
      )
    }
    try {
      return await unpackBlock(packed)
    } catch {
      throw missingObject(this.#key(object), 'cannot be unpacked')
    }
  }

  async #whole(object: ArchivedObject): Promise<Buffer> {
    const bytes = await this.#read(object, 0, object.bytes)
    if (sha256Hex(bytes) !== object.sha256) throw missingObject(this.#key(object), 'was changed')
    return bytes
  }

  async #digest(object: ArchivedObject, pace: Pace): Promise<void> {
    const digest = createHash('sha256')
    for (let offset = 0; offset < object.bytes; offset += chunkBytes) {
      digest.update(await this.#read(object, offset, Math.min(chunkBytes, object.bytes - offset)))
      await pace()
    }
    if (digest.digest('hex') !== object.sha256) throw missingObject(this.#key(object), 'was changed')
  }

  #read(object: ArchivedObject, offset: number, bytes: number): Promise<Buffer> {
    return this.#store.read(this.#key(object), { version: object.version, offset, bytes })
  }

  #key({ name }: ArchivedObject): string {
    const { ledger, first, end } = this.#segment.manifest
    return `${segmentPrefix(ledger, first, end)}/${name}`
  }

  #broken(why: string): Fault {
    const { first, end } = this.#segment.manifest
    return new Fault('log_broken', `the archived segment of the records ${first} to ${end - 1} ${why}`, {
      fix: 'Keep the archive as evidence, and put the segment back from a copy of it.',
    })
  }
}
