import { hash } from 'node:crypto'

/**
 * What verification compares: each fact says something of one key of one table, either as the records say it or as it
 * is stored. A key and what else has to be equal are hashed with a key that is random for each run, so that nobody who
 * writes to the database can choose two that collide, and facts have one size, whatever people write.
 */
export interface Fact {
  readonly tag: Tag
  /** What the tag needs: a status, an effect, whether a use counts no more. */
  readonly code: number
  /** The record that says it, or the record that a stored row names. */
  readonly index: number
  /** The digest of what else has to be equal, or an amount: 16 bytes as Latin-1; empty where the tag has none. */
  readonly detail: string
}

/** What kind of fact it is: `said` by the records, or `stored`. */
export const tags = {
  callSaid: 1,
  callStored: 2,
  outcomeSaid: 3,
  outcomeStored: 4,
  markSaid: 5,
  markStored: 6,
  voteSaid: 7,
  voteStored: 8,
  approvalOpened: 9,
  approvalTouched: 10,
  approvalUsed: 11,
  approvalStored: 12,
  /** What a failed run gives back, one fact for each decision and counter. */
  useSaid: 13,
  useStored: 14,
  released: 15,
  /** What nobody gives back, to be added up. */
  sumSaid: 16,
  sumStored: 17,
  /** When people are to be told again of an approval: its index is that instant, or its code 1 where never. */
  promptSaid: 18,
  promptStored: 19,
  delegationGiven: 20,
  delegationRevoked: 21,
  delegationStored: 22,
  grantMade: 23,
  grantRevoked: 24,
  grantStored: 25,
  grantUseSaid: 26,
  grantUseStored: 27,
  /** Which record said before how a run ended, where two did. */
  earlierStored: 28,
  /** What a use is apart from its key, which nobody knows of an erased payload; only where the whole log is compared. */
  keylessSaid: 29,
  keylessStored: 30,
  /** What all keys together used at an instant, to be added up; only where the whole log is compared. */
  totalSaid: 31,
  totalStored: 32,
} as const
export type Tag = (typeof tags)[keyof typeof tags]

const withDetail: ReadonlySet<number> = new Set([
  tags.voteSaid,
  tags.voteStored,
  tags.approvalOpened,
  tags.approvalStored,
  tags.useSaid,
  tags.useStored,
  tags.sumSaid,
  tags.sumStored,
  tags.keylessSaid,
  tags.keylessStored,
  tags.totalSaid,
  tags.totalStored,
  tags.delegationGiven,
  tags.delegationStored,
  tags.grantMade,
  tags.grantStored,
])

const digestBytes = 16
const keyAt = 8
const plainBytes = keyAt + digestBytes
const indexMax = 2 ** 48

/** How long the fact that begins at `at` is. */
export function factLength(facts: Uint8Array, at: number): number {
  return withDetail.has(facts[at] ?? 0) ? plainBytes + digestBytes : plainBytes
}

/** A number from 0 to 65535 that is the same for all facts of one key. */
export function factBucket(facts: Uint8Array, at: number): number {
  return ((facts[at + keyAt] ?? 0) << 8) | (facts[at + keyAt + 1] ?? 0)
}

/** A number of 32 bits that is the same for all facts of one key, and evenly spread within a bucket. */
export function factSlot(facts: DataView, at: number): number {
  return facts.getUint32(at + keyAt + 4)
}

/** Whether the facts at `one` and at `other` have the same key. */
export function haveSameKey(facts: DataView, one: number, other: number): boolean {
  for (let at = keyAt; at < plainBytes; at += 4) {
    if (facts.getUint32(one + at) !== facts.getUint32(other + at)) return false
  }
  return true
}

/** Whether the facts at `one` and at `other` name the same record. */
export function haveSameIndex(facts: DataView, one: number, other: number): boolean {
  return (
    facts.getUint16(one + 2) === facts.getUint16(other + 2) &&
    facts.getUint32(one + 4) === facts.getUint32(other + 4)
  )
}

/** The tag of the fact at `at`. */
export function factTag(facts: DataView, at: number): number {
  return facts.getUint8(at)
}

/** The fact at `at`. */
export function factAt(facts: Buffer, at: number): Fact {
  return {
    tag: facts[at] as Tag,
    code: facts[at + 1] ?? 0,
    index: facts.readUIntBE(at + 2, 6),
    detail: facts.toString('latin1', at + plainBytes, at + factLength(facts, at)),
  }
}

/** Writes facts one behind the other. */
export class FactWriter {
  readonly #secret: string
  readonly #counterPrefix: string
  #bytes = Buffer.allocUnsafe(4096)
  #length = 0
  #isOdd = false

  /**
   * @param secret random, and the same for everything that is to be compared
   * @param counterPrefix what digests of counters' keys begin with; needed for what records say only
   */
  constructor(secret: string, counterPrefix = '') {
    this.#secret = secret
    this.#counterPrefix = counterPrefix
  }

  /** Whether something came that facts cannot say: then nothing is known to be equal. */
  get isOdd(): boolean {
    return this.#isOdd
  }

  /** How many bytes wait to be taken. */
  get length(): number {
    return this.#length
  }

  /** What no fact can say was met: comparing has to be left to whoever compares slowly. */
  odd(): void {
    this.#isOdd = true
  }

  /** The digest of a text, 16 bytes as Latin-1. */
  digest(text: string): string {
    return hash('sha256', this.#secret + text, 'binary').slice(0, digestBytes)
  }

  /** The digest under which a counter's key is stored, as `Digests` says, in hexadecimal. */
  counterKey(key: string): string {
    return hash('sha256', this.#counterPrefix + key, 'hex')
  }

  /** Writes a fact; `key` has to tell the table as well. `detail` is a digest, or 16 bytes as Latin-1. */
  add(tag: Tag, key: string, { index, code = 0, detail = '' }: Partial<Fact> & Pick<Fact, 'index'>): void {
    if (!(Number.isSafeInteger(index) && index >= 0 && index < indexMax)) {
      this.#isOdd = true
      return
    }
    if (this.#bytes.length - this.#length < plainBytes + digestBytes) {
      this.#bytes = Buffer.concat([this.#bytes], this.#bytes.length * 2)
    }
    const at = this.#length
    this.#bytes[at] = tag
    this.#bytes[at + 1] = code
    this.#bytes.writeUIntBE(index, at + 2, 6)
    this.#bytes.write(this.digest(key), at + keyAt, digestBytes, 'latin1')
    if (withDetail.has(tag)) this.#bytes.write(detail, at + plainBytes, digestBytes, 'latin1')
    this.#length += factLength(this.#bytes, at)
  }

  /** Everything since the last time, in memory of its own. */
  take(): Uint8Array<ArrayBuffer> {
    const taken = new Uint8Array(this.#length)
    taken.set(this.#bytes.subarray(0, this.#length))
    this.#length = 0
    return taken
  }
}
