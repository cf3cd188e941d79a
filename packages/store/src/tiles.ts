import {
  encodeEntries,
  Fault,
  nodesFromTiles,
  tileEnd,
  tilePath,
  tileWidth,
  type Tile,
} from '@bailiwick/core'
import { readLeafHashes, readRecordTexts, type Queryable } from './log/batches.ts'
import { TileHashes, type RecordSource } from './log/tile-hashes.ts'

/** What tiles are read from. */
export interface LogTilesOptions {
  readonly client: Queryable
  readonly ledger: string
  /** The size of the checkpoint that was published last; 0 where none was. */
  readonly published: () => Promise<number>
  /** Where records lie, if elsewhere than in the database. */
  readonly records?: RecordSource | undefined
  /** Whether hashes that were worked out are written down. Default: yes. */
  readonly keep?: boolean | undefined
}

/** Records and leaf hashes as they lie in the database. */
function storedRecords(client: Queryable, ledger: string): RecordSource {
  return {
    leafHashes: (from, to) => readLeafHashes(client, ledger, from, to),
    recordTexts: (from, to) => readRecordTexts(client, ledger, from, to),
  }
}

/**
 * A ledger as C2SP tlog-tiles, up to the checkpoint that was published last: what lies beyond may never have been
 * committed, and is not shown.
 */
export class LogTiles {
  readonly #published: () => Promise<number>
  readonly #records: RecordSource
  readonly #hashes: TileHashes
  /** A size that was published; the log only grows. */
  #known = 0

  constructor({ client, ledger, published, records, keep }: LogTilesOptions) {
    this.#published = published
    this.#records = records ?? storedRecords(client, ledger)
    this.#hashes = new TileHashes(client, ledger, this.#records, keep)
  }

  /**
   * A tile's hashes, or its records each after its length.
   *
   * @throws Fault `not_found` for a tile that is beyond what was published
   */
  async read(tile: Tile): Promise<Buffer> {
    const end = tileEnd(tile)
    if (end > this.#known) this.#known = Math.max(this.#known, await this.#published())
    if (end > this.#known) {
      throw new Fault(
        'not_found',
        `\`${tilePath(tile)}\` is beyond the ${this.#known} records that were published`,
        {
          fix: 'Get the checkpoint, and only the tiles that a log of its size has.',
        },
      )
    }
    const from = tile.index * tileWidth
    const to = from + tile.width
    if (tile.level !== 'entries') return await this.#hashes.read(tile.level, from, to)
    const records = await this.#records.recordTexts(from, to)
    if (records.length === tile.width) return encodeEntries(records)
    throw new Fault('log_broken', `record ${from + records.length} is missing`, {
      fix: 'Run `bailiwick log verify`.',
    })
  }

  /** Nodes of the tree of the first `size` records, which have to have been published. */
  nodes(size: number): ReturnType<typeof nodesFromTiles> {
    return nodesFromTiles((tile) => this.read(tile), size)
  }

  /**
   * Writes down what proofs and tiles need of the tree, up to what was published; a bounded step of it. Returns how
   * many hashes were added.
   */
  async fill(): Promise<number> {
    this.#known = Math.max(this.#known, await this.#published())
    return await this.#hashes.fill(this.#known)
  }

  /** Writes all of it down, however long that takes: for a process in which nothing does so in the background. */
  async fillAll(): Promise<void> {
    let added = await this.fill()
    while (added > 0) added = await this.fill()
  }
}
