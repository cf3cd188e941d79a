import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { factBucket, factLength } from './facts.ts'

/** How much is kept in memory before it goes to a temporary file. */
const memoryBytesMax = 16 * 1024 * 1024
/** How many records a bucket is for: what a bucket holds is in memory at once. */
const recordsPerBucket = 8192
const bucketsMax = 4096
/** What a bucket grows by: nothing is ever moved to a larger place. */
const chunkBytes = 4096

interface Piece {
  readonly at: number
  readonly length: number
}

interface Bucket {
  /** In the file. */
  readonly pieces: Piece[]
  /** In memory; all but the last one are full, but for less than a fact. */
  chunks: Buffer[]
  /** How much of each chunk is used. */
  lengths: number[]
}

/**
 * Gathers facts by their keys in bounded memory, whatever comes, so that those of each key can be compared. What does not
 * fit lies in a temporary file without a name, which ends with the process.
 */
export class FactStore {
  readonly #buckets: Bucket[]
  readonly #perBucket: number
  readonly #memoryBytes: number
  #inMemory = 0
  #file: number | undefined
  #fileLength = 0

  /** @param size how many records there are, more or less */
  constructor(size: number, memoryBytes = memoryBytesMax) {
    this.#memoryBytes = memoryBytes
    let count = 16
    while (count < bucketsMax && count * recordsPerBucket < size) count *= 2
    this.#perBucket = 65_536 / count
    this.#buckets = Array.from({ length: count }, () => ({ pieces: [], chunks: [], lengths: [] }))
  }

  /**
   * Takes facts in the order of the log.
   *
   * @throws the operating system's error where the temporary file cannot be written
   */
  add(facts: Uint8Array): void {
    const bytes = Buffer.from(facts.buffer, facts.byteOffset, facts.byteLength)
    for (let at = 0; at < bytes.length;) {
      const length = factLength(bytes, at)
      this.#put(this.#buckets[Math.floor(factBucket(bytes, at) / this.#perBucket)], bytes, at, length)
      at += length
    }
    if (this.#inMemory > this.#memoryBytes) this.#spill()
  }

  /**
   * All facts of some keys, then all of others, and so on.
   *
   * @param earlier for as many records; its facts come before those of this one that have the same keys
   * @throws the operating system's error where the temporary file cannot be read
   */
  *groups(earlier?: FactStore): Generator<Uint8Array<ArrayBuffer>> {
    for (const nth of this.#buckets.keys()) {
      const facts = [...(earlier === undefined ? [] : earlier.#piecesOf(nth)), ...this.#piecesOf(nth)]
      if (facts.length > 0) yield joined(facts)
    }
  }

  /** Lets go of the temporary file. */
  close(): void {
    if (this.#file !== undefined) closeSync(this.#file)
    this.#file = undefined
  }

  #put(bucket: Bucket | undefined, bytes: Buffer, at: number, length: number): void {
    if (bucket === undefined) return
    const last = bucket.chunks.length - 1
    const used = bucket.lengths[last] ?? chunkBytes
    const chunk = bucket.chunks[last]
    if (chunk === undefined || used + length > chunkBytes) {
      const fresh = Buffer.allocUnsafeSlow(chunkBytes)
      this.#inMemory += chunkBytes
      bytes.copy(fresh, 0, at, at + length)
      bucket.chunks.push(fresh)
      bucket.lengths.push(length)
    } else {
      bytes.copy(chunk, used, at, at + length)
      bucket.lengths[last] = used + length
    }
  }

  #spill(): void {
    this.#file ??= unnamedFile()
    for (const bucket of this.#buckets) {
      for (const [at, chunk] of bucket.chunks.entries()) {
        const length = bucket.lengths[at] ?? 0
        writeAll(this.#file, chunk.subarray(0, length), this.#fileLength)
        bucket.pieces.push({ at: this.#fileLength, length })
        this.#fileLength += length
      }
      bucket.chunks = []
      bucket.lengths = []
    }
    this.#inMemory = 0
  }

  #piecesOf(nth: number): readonly Uint8Array[] {
    const { pieces, chunks, lengths } = this.#buckets[nth] ?? { pieces: [], chunks: [], lengths: [] }
    const read = pieces.map(({ at, length }) => {
      const piece = new Uint8Array(length)
      if (this.#file === undefined || readSync(this.#file, piece, 0, length, at) !== length) {
        throw new Error('the temporary file of verification is shorter than what was written to it')
      }
      return piece
    })
    return [...read, ...chunks.map((chunk, at) => chunk.subarray(0, lengths[at] ?? 0))]
  }
}

function joined(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(pieces.reduce((total, { length }) => total + length, 0))
  let end = 0
  for (const piece of pieces) {
    whole.set(piece, end)
    end += piece.length
  }
  return whole
}

// Nobody else can open it, and nothing is left of it, however the process ends.
function unnamedFile(): number {
  const dir = mkdtempSync(join(tmpdir(), 'bailiwick-verify-'))
  try {
    return openSync(join(dir, 'facts'), 'wx+', 0o600)
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

function writeAll(file: number, bytes: Buffer, at: number): void {
  for (let done = 0; done < bytes.length;) {
    done += writeSync(file, bytes, done, bytes.length - done, at + done)
  }
}
