import { commitSalted, hashBytes, leafPrefix, saltBytes, writeLeafHash, type Sha256 } from '@bailiwick/core'

const newline = 0x0a
/** UTF-8 takes no more for a UTF-16 unit. */
const bytesPerUnit = 3
const initialBytes = 64 * 1024

/**
 * The entries of one batch as bytes, as they are stored and hashed: records and payloads a line each, leaf hashes and
 * salts 32 bytes each. The memory is used for one batch after another, so that none is asked for and given back all
 * the time: `clear` begins the next one, and what was taken before is then overwritten.
 */
export class BatchBytes {
  readonly #records = new Lines()
  readonly #bodies = new Lines()
  #leafHashes = Buffer.allocUnsafe(0)
  #salts: Buffer = Buffer.allocUnsafe(0)
  /** A salt with the payload after it, as it is committed to. */
  #salted = Buffer.allocUnsafe(initialBytes)
  #count = 0

  /** @param salts 32 random bytes for each entry that there may be */
  clear(salts: Buffer): void {
    this.#records.clear()
    this.#bodies.clear()
    if (this.#leafHashes.length < salts.length) this.#leafHashes = Buffer.allocUnsafe(salts.length)
    this.#salts = salts
    this.#count = 0
  }

  /** How many entries there are. */
  get count(): number {
    return this.#count
  }

  /** The salt of the entry that comes next. */
  get salt(): Buffer {
    const start = this.#count * saltBytes
    return this.#salts.subarray(start, start + saltBytes)
  }

  /** What the record of the entry that comes next has to commit to. */
  commitment(payload: string): Sha256 {
    const most = saltBytes + payload.length * bytesPerUnit
    if (this.#salted.length < most) this.#salted = Buffer.allocUnsafe(most * 2)
    const start = this.#count * saltBytes
    // For so few bytes a loop takes a third of the time of a copy.
    for (let at = 0; at < saltBytes; at++) this.#salted[at] = this.#salts[start + at] ?? 0
    const end = saltBytes + this.#salted.write(payload, saltBytes)
    return commitSalted(this.#salted.subarray(0, end))
  }

  /** Adds an entry; of a payload it has been asked what to commit to just before. */
  add(record: string, payload: string | undefined): void {
    this.#bodies.add(payload ?? '')
    this.#records.add(record)
    writeLeafHash(this.#records.lastPrefixed(), this.#leafHashes, this.#count)
    this.#records.endPrefixed()
    this.#count += 1
  }

  get records(): Buffer {
    return this.#records.all()
  }

  get bodies(): Buffer {
    return this.#bodies.all()
  }

  get leafHashes(): Buffer {
    return this.#leafHashes.subarray(0, this.#count * hashBytes)
  }

  get salts(): Buffer {
    return this.#salts.subarray(0, this.#count * saltBytes)
  }
}

/** Lines as UTF-8 with a line break before each. Canonical JSON contains none. */
class Lines {
  #bytes = Buffer.allocUnsafe(initialBytes)
  /** Where the last line's line break stands. */
  #last = 0
  #end = 0

  clear(): void {
    this.#last = 0
    this.#end = 0
  }

  add(line: string): void {
    const start = this.#end + 1
    const most = start + line.length * bytesPerUnit
    if (this.#bytes.length < most) {
      const larger = Buffer.allocUnsafe(most * 2)
      this.#bytes.copy(larger, 0, 0, this.#end)
      this.#bytes = larger
    }
    this.#bytes[this.#end] = newline
    this.#last = this.#end
    this.#end = start + this.#bytes.write(line, start)
  }

  /** The last line as it is hashed: the prefix of a leaf takes the place of its line break until `endPrefixed`. */
  lastPrefixed(): Buffer {
    this.#bytes[this.#last] = leafPrefix
    return this.#bytes.subarray(this.#last, this.#end)
  }

  endPrefixed(): void {
    this.#bytes[this.#last] = newline
  }

  /** All lines, with a line break between each two. */
  all(): Buffer {
    return this.#bytes.subarray(Math.min(1, this.#end), this.#end)
  }
}
