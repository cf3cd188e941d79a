import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { factAt, factBucket, factKey, factLength, type Fact } from './facts.ts'
import { agree } from './judge.ts'

/** How much is kept in memory before it goes to a temporary file. */
const memoryBytesMax = 24 * 1024 * 1024
/** How many records a bucket is for: what a bucket holds is in memory at once. */
const recordsPerBucket = 16_384
const bucketsMax = 4096

interface Piece {
  readonly at: number
  readonly length: number
}

interface Bucket {
  readonly pieces: Piece[]
  bytes: Buffer
  length: number
}

/**
 * Gathers facts by their keys in bounded memory, whatever comes, and then says whether those of each key agree. What does
 * not fit lies in a temporary file without a name, which ends with the process.
 */
export class FactStore {
  readonly #buckets: Bucket[]
  readonly #shift: number
  #inMemory = 0
  #file: number | undefined
  #fileLength = 0

  /** @param size how many records there are, more or less */
  constructor(size: number) {
    let count = 16
    while (count < bucketsMax && count * recordsPerBucket < size) count *= 2
    this.#shift = 65_536 / count
    this.#buckets = Array.from({ length: count }, () => ({ pieces: [], bytes: Buffer.alloc(0), length: 0 }))
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
      this.#put(this.#buckets[Math.floor(factBucket(bytes, at) / this.#shift)], bytes, at, length)
      at += length
    }
    if (this.#inMemory > memoryBytesMax) this.#spill()
  }

  /** Whether the facts of every key agree. */
  agree(): boolean {
    return this.#buckets.every((bucket) => bucketAgrees(this.#whole(bucket)))
  }

  /** Lets go of the temporary file. */
  close(): void {
    if (this.#file !== undefined) closeSync(this.#file)
    this.#file = undefined
  }

  #put(bucket: Bucket | undefined, bytes: Buffer, at: number, length: number): void {
    if (bucket === undefined) return
    if (bucket.bytes.length - bucket.length < length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(1024, bucket.bytes.length * 2))
      bucket.bytes.copy(larger, 0, 0, bucket.length)
      this.#inMemory += larger.length - bucket.bytes.length
      bucket.bytes = larger
    }
    bytes.copy(bucket.bytes, bucket.length, at, at + length)
    bucket.length += length
  }

  #spill(): void {
    this.#file ??= unnamedFile()
    for (const bucket of this.#buckets) {
      if (bucket.length === 0) continue
      writeAll(this.#file, bucket.bytes.subarray(0, bucket.length), this.#fileLength)
      bucket.pieces.push({ at: this.#fileLength, length: bucket.length })
      this.#fileLength += bucket.length
      bucket.bytes = Buffer.alloc(0)
      bucket.length = 0
    }
    this.#inMemory = 0
  }

  #whole(bucket: Bucket): Buffer {
    const pieces = bucket.pieces.map(({ at, length }) => {
      const piece = Buffer.allocUnsafeSlow(length)
      if (this.#file === undefined || readSync(this.#file, piece, 0, length, at) !== length) {
        throw new Error('the temporary file of verification is shorter than what was written to it')
      }
      return piece
    })
    return Buffer.concat([...pieces, bucket.bytes.subarray(0, bucket.length)])
  }
}

function bucketAgrees(bytes: Buffer): boolean {
  const byKey = new Map<string, Fact[]>()
  for (let at = 0; at < bytes.length; at += factLength(bytes, at)) {
    const key = factKey(bytes, at)
    const known = byKey.get(key)
    if (known === undefined) byKey.set(key, [factAt(bytes, at)])
    else known.push(factAt(bytes, at))
  }
  for (const facts of byKey.values()) if (!agree(facts)) return false
  return true
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
