import { completeRoot, Fault, tileWidth } from '@bailiwick/core'
import type { Queryable } from './batches.ts'

/**
 * Where records and their leaf hashes lie: the database, or the archive that they were moved to. Hands out a part of a
 * range where the rest is not there.
 */
export interface RecordSource {
  /** 32 bytes each, from `from` up to and without `to`. */
  leafHashes(from: number, to: number): Promise<Buffer>
  recordTexts(from: number, to: number): Promise<string[]>
}

const hashBytes = 32
/** The highest level of tiles that a log can have: 256^6 records are less than 2^53, 256^7 are more. */
const levelMax = 6
/** How many hashes of a level are worked out in one step: 4,096 hashes of the level below, some milliseconds. */
const hashesPerStep = 16
/** How many steps one filling takes: at one a second, 260,000 records a second. */
const stepsPerFill = 64
/** How many hashes one reading may work out where somebody waits for it: what a full tile of level 1 takes. */
const missingMax = tileWidth

const stored = {
  name: 'tile_hashes',
  text: 'select index, hash from log_tile_hash where ledger = $1 and level = $2 and index >= $3 and index < $4',
}

const firstMissing = {
  name: 'tile_hash_first_missing',
  text: `select case when exists (select from log_tile_hash where ledger = $1 and level = $2 and index = 0) then (
      select min(h.index) + 1 from log_tile_hash h where h.ledger = $1 and h.level = $2 and not exists (
        select from log_tile_hash n where n.ledger = $1 and n.level = $2 and n.index = h.index + 1))
    else 0 end as index`,
}

// A crash before it leaves nothing, and the hashes are worked out again; after it, they are there. Two processes that
// work out the same hash have worked out the same.
const insert = {
  name: 'tile_hash_insert',
  text: `insert into log_tile_hash (ledger, level, index, hash)
    select $1, $2, $3::bigint + t.n - 1, t.hash from unnest($4::bytea[]) with ordinality as t (hash, n)
    on conflict do nothing`,
}

/**
 * The hashes that tiles are made of: those of level 0 are the log's leaf hashes, those above it are kept in
 * `log_tile_hash` once their records are complete. What is not there is worked out from the level below.
 */
export class TileHashes {
  readonly #client: Queryable
  readonly #ledger: string
  readonly #records: RecordSource
  readonly #keep: boolean
  /** Up to where the hashes of each level have been filled; what is not known is looked up. */
  readonly #filled: (number | undefined)[] = []

  /**
   * @param keep whether hashes that were worked out are written down. One that must not write has nobody who works them
   *   out in the background, and takes the time that it takes
   */
  constructor(client: Queryable, ledger: string, records: RecordSource, keep = true) {
    this.#client = client
    this.#ledger = ledger
    this.#records = records
    this.#keep = keep
  }

  /**
   * The hashes of a level from `from` up to and without `to`, at most 256 of them, whose records are complete.
   *
   * @throws Fault `store_busy` where too many have to be worked out first, `log_broken` where records are missing
   */
  async read(level: number, from: number, to: number): Promise<Buffer> {
    return await this.#read(level, from, to, { left: this.#keep ? missingMax : Infinity })
  }

  /**
   * Writes down hashes whose records are complete in a log of `size`, a bounded number of them, and returns how many.
   * Safe to run anywhere, any number of times, and to stop at any place.
   */
  async fill(size: number): Promise<number> {
    let filled = 0
    let steps = stepsPerFill
    for (let level = 1; level <= levelMax && size >= tileWidth ** level; level++) {
      const complete = Math.floor(size / tileWidth ** level)
      let next = this.#filled[level] ?? (await this.#firstMissing(level))
      for (; next < complete && steps > 0; steps--) {
        const to = Math.min(next + hashesPerStep, complete)
        await this.#workOut(level, next, to, { left: missingMax })
        filled += to - next
        next = to
        this.#filled[level] = next
      }
    }
    return filled
  }

  async #read(level: number, from: number, to: number, budget: Budget): Promise<Buffer> {
    if (level === 0) return await this.#leaves(from, to)
    const values = [this.#ledger, level, from, to]
    const { rows } = await this.#client.query<{ index: string; hash: Buffer }>({ ...stored, values })
    const found = new Map(rows.map(({ index, hash }) => [Number(index), hash]))
    const parts: Buffer[] = []
    for (let at = from; at < to;) {
      const hash = found.get(at)
      if (hash !== undefined) {
        parts.push(hash)
        at += 1
        continue
      }
      let end = at + 1
      while (end < to && end - at < hashesPerStep && !found.has(end)) end += 1
      parts.push(...(await this.#workOut(level, at, end, budget)))
      at = end
    }
    return Buffer.concat(parts)
  }

  async #workOut(level: number, from: number, to: number, budget: Budget): Promise<Buffer[]> {
    this.#spend(budget, to - from)
    const below: Buffer[] = []
    // Leaf hashes come in one reading; those of a level above are 256 rows for each tile.
    if (level === 1) below.push(await this.#leaves(from * tileWidth, to * tileWidth))
    else {
      for (let at = from; at < to; at++) {
        below.push(await this.#read(level - 1, at * tileWidth, (at + 1) * tileWidth, budget))
      }
    }
    const hashes = Buffer.concat(below)
    const roots = Array.from({ length: to - from }, (_, at) =>
      Buffer.from(completeRoot(hashes, at * tileWidth, tileWidth)),
    )
    if (this.#keep) await this.#client.query({ ...insert, values: [this.#ledger, level, from, roots] })
    return roots
  }

  async #leaves(from: number, to: number): Promise<Buffer> {
    const hashes = await this.#records.leafHashes(from, to)
    if (hashes.length === (to - from) * hashBytes) return hashes
    const missing = from + Math.floor(hashes.length / hashBytes)
    throw new Fault('log_broken', `record ${missing} is missing where the log's tree is read`, {
      fix: 'Run `bailiwick log verify`.',
    })
  }

  async #firstMissing(level: number): Promise<number> {
    const values = [this.#ledger, level]
    const { rows } = await this.#client.query<{ index: string }>({ ...firstMissing, values })
    return Number(rows[0]?.index ?? 0)
  }

  #spend(budget: Budget, hashes: number): void {
    budget.left -= hashes
    if (budget.left >= 0) return
    // Somebody has emptied the table, or a part of it: filling starts at the first hash that is not there.
    this.#filled.length = 0
    throw new Fault('store_busy', "the log's tree is still being worked out", {
      fix: 'Try again later; a running service works it out in the background.',
    })
  }
}

/** How many hashes may still be worked out. */
interface Budget {
  left: number
}
