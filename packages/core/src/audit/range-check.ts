import { hash } from 'node:crypto'
import { Fault } from '../model/fault.ts'
import type { Sha256 } from '../model/ids.ts'
import { recordBytesMax } from '../model/limits.ts'
import type { LogRecord } from '../model/record.ts'
import { commitPayload, saltBytes } from './commitment.ts'
import { RangeBuilder, type CompactRange } from './compact-range.ts'
import { recordText } from './record.ts'
import { parseRecord } from './record-shape.ts'
import { RecordTemplates } from './record-templates.ts'

/** One record of a stored log, with its hash and its payload. */
export interface StoredEntry {
  readonly index: number
  readonly leafHash: Uint8Array
  /** The record's text exactly as stored. */
  readonly record: string
  /** `none`: the record never had one. `erased`: it had, and its erasure is marked. */
  readonly payload: { readonly salt: Uint8Array; readonly body: string } | 'none' | 'erased'
}

/** The stored head of a log. */
export interface LogHead {
  readonly ledger: string
  readonly size: number
  /** As `encodeFrontier` wrote it. */
  readonly frontier: Uint8Array
}

/** The first place of a log that is not right. */
export interface BrokenLog {
  readonly kind: 'broken'
  /** The first bad record; null where the damage cannot be narrowed down to one. */
  readonly index: number | null
  readonly problem: string
  readonly fix: string
}

/**
 * Holds what is stored beside a record, such as terms to search by, against the record: what is wrong with it, or
 * undefined. Asked of every record in order, once the record itself has been found right. The record is lent until the next
 * one is asked about.
 */
export type Beside<Entry> = (record: LogRecord, entry: Entry) => string | undefined

/** What the check of one part of a log found. It can be sent to another thread. */
export interface RangeResult {
  /** The index of the first entry; undefined where the part has none. */
  readonly first: number | undefined
  /** The leaves of everything that is right, cut in two at `cut`. */
  readonly ranges: readonly CompactRange[]
  readonly erased: number
  /** The first bad place, which is the one right behind `ranges`. */
  readonly broken?: BrokenLog | undefined
}

/** What a part of a log is checked for. */
export interface RangeCheckOptions<Entry extends StoredEntry> {
  readonly head: Pick<LogHead, 'ledger' | 'size'>
  /** A size of the log at which the tree is needed: the checkpoint's. */
  readonly cut?: number | undefined
  readonly beside?: Beside<Entry> | undefined
}

/**
 * Checks consecutive entries of a log, wherever they begin: each against its own hash, place, payload and what is stored
 * beside it. Parts can be checked in any order, and at once; `LogVerification` joins what was found.
 */
export class RangeCheck<Entry extends StoredEntry = StoredEntry> {
  readonly #options: RangeCheckOptions<Entry>
  readonly #ranges: CompactRange[] = []
  #first: number | undefined
  #builder: RangeBuilder | undefined
  #broken: BrokenLog | undefined
  #erased = 0
  #count = 0
  readonly #templates = new RecordTemplates()

  constructor(options: RangeCheckOptions<Entry>) {
    this.#options = options
  }

  /** How many entries were found right. */
  get count(): number {
    return this.#count
  }

  /**
   * Checks the next entry.
   *
   * @returns its record, which is lent until the next entry is taken; undefined where it is wrong, and nothing after it is
   *   worth checking
   */
  take(entry: Entry): LogRecord | undefined {
    const { head, beside, cut } = this.#options
    if (this.#broken !== undefined) return undefined
    this.#first ??= entry.index
    const position = this.#builder?.end ?? entry.index
    const found = misplaced(entry, position, head) ?? this.#checked(entry, position, beside)
    if (found.kind === 'broken') {
      this.#broken = found
      return undefined
    }
    if (entry.payload === 'erased') this.#erased += 1
    this.#count += 1
    this.#builder ??= new RangeBuilder(position)
    this.#builder.push(entry.leafHash)
    if (this.#builder.end === cut) this.#cut()
    return found
  }

  /** What was found. Nothing is taken afterwards. */
  result(): RangeResult {
    const last = this.#builder
    const ranges =
      last === undefined || last.end === last.start ? this.#ranges : [...this.#ranges, last.range()]
    return { first: this.#first, ranges, erased: this.#erased, broken: this.#broken }
  }

  /** The record, where it agrees with its own hash, its place, its payload and what is stored beside it. */
  #checked(entry: Entry, position: number, beside: Beside<Entry> | undefined): LogRecord | BrokenLog {
    if (!isLeaf(entry.record, entry.leafHash)) {
      return brokenAt(position, `record ${position} was changed: its text does not have its leaf hash`)
    }
    const committed = commitmentTo(entry.payload)
    const record = this.#templates.read(entry.record, position, committed) ?? this.#read(entry.record)
    if (record instanceof Fault) {
      return brokenAt(position, `record ${position} cannot be read: ${record.message}`)
    }
    if (record === 'not canonical') return brokenAt(position, `record ${position} is not canonical JSON`)
    if (record.index !== position) {
      return brokenAt(
        position,
        `record ${position} was moved or replaced: it says that it is record ${record.index}`,
      )
    }
    if (record.ledger !== this.#options.head.ledger) {
      return brokenAt(position, `record ${position} belongs to another ledger than this one`)
    }
    const problem = payloadProblem(record, entry.payload, committed) ?? beside?.(record, entry)
    return problem === undefined ? record : brokenAt(position, `record ${position}: ${problem}`)
  }

  #read(text: string): LogRecord | Fault | 'not canonical' {
    const record = readRecord(text)
    if (typeof record === 'object' && !(record instanceof Fault) && record.kind === 'decision') {
      this.#templates.learn(record, text)
    }
    return record
  }

  #cut(): void {
    if (this.#builder === undefined) return
    this.#ranges.push(this.#builder.range())
    this.#builder = new RangeBuilder(this.#builder.end)
  }
}

/** What to do about a record. */
const fixRecord =
  'Keep the database as evidence, and compare this record with a backup or a replica to see what was changed.'
/** What to do about the head. */
export const fixHead =
  'Keep the database as evidence, and compare it with a backup or a replica; the head row has to count every record.'
/** A broken log, with what to do. */
export function brokenAt(index: number | null, problem: string, fix = fixRecord): BrokenLog {
  return { kind: 'broken', index, problem, fix }
}

/** Whether the row stands where it should: after its predecessor, and inside the log. */
export function misplaced(
  entry: Pick<StoredEntry, 'index'>,
  position: number,
  head: Pick<LogHead, 'size'>,
): BrokenLog | undefined {
  if (position >= head.size) {
    return brokenAt(
      position,
      `record ${position} does not belong to the log: its head counts ${head.size} records`,
      fixHead,
    )
  }
  if (entry.index > position) {
    return brokenAt(position, `record ${position} is missing: the next one stored is ${entry.index}`)
  }
  if (entry.index !== position) {
    return brokenAt(
      entry.index,
      `record ${entry.index} is stored twice or out of order: expected record ${position}`,
    )
  }
  return undefined
}

/** Whether the text has this leaf hash. Texts are compared, for buffers take longer to make. */
function isLeaf(record: string, leaf: Uint8Array): boolean {
  const bytes = Buffer.isBuffer(leaf) ? leaf : Buffer.from(leaf.buffer, leaf.byteOffset, leaf.length)
  return hash('sha256', `\0${record}`, 'binary') === bytes.toString('latin1')
}

function readRecord(text: string): LogRecord | Fault | 'not canonical' {
  try {
    const record = parseRecord(text)
    return isPlainlyCanonical(record, text) || recordText(record) === text ? record : 'not canonical'
  } catch (error) {
    if (error instanceof Fault) return error
    throw error
  }
}

/**
 * Whether `text`, from which `value` was read, is certainly canonical. `JSON.stringify` writes what RFC 8785 asks for but
 * for the order of members and for halves of surrogate pairs, and is four times as fast. Where this is false, who
 * knows: the careful way says.
 */
function isPlainlyCanonical(value: object, text: string): boolean {
  if (text.length * 3 > recordBytesMax || text.includes('\\ud')) return false
  return JSON.stringify(value) === text && isInOrder(value, plainDepthMax)
}

/** Records are flat; what nests deeper goes the careful way. */
const plainDepthMax = 16

function isInOrder(value: unknown, depthLeft: number): boolean {
  if (typeof value !== 'object' || value === null) return true
  if (depthLeft === 0) return false
  if (Array.isArray(value)) return value.every((item: unknown) => isInOrder(item, depthLeft - 1))
  let before: string | undefined
  for (const name of Object.keys(value)) {
    // `<` compares UTF-16 code units.
    if (before !== undefined && !(before < name)) return false
    before = name
    if (!isInOrder(Reflect.get(value, name), depthLeft - 1)) return false
  }
  return true
}

/** What a record has to say of a payload that is there; undefined where none is, or its salt is no salt. */
function commitmentTo(payload: StoredEntry['payload']): Sha256 | undefined {
  if (typeof payload === 'string' || payload.salt.length !== saltBytes) return undefined
  return commitPayload(payload.salt, payload.body)
}

function payloadProblem(
  record: LogRecord,
  payload: StoredEntry['payload'],
  committed: Sha256 | undefined,
): string | undefined {
  if (record.payload === null) {
    return payload === 'none' ? undefined : 'a payload is stored or marked erased, though the record has none'
  }
  if (payload === 'none') return 'its payload is missing, and no erasure is marked'
  if (payload === 'erased' || committed === record.payload) return undefined
  return 'its payload or salt was changed: the record commits to another one'
}
