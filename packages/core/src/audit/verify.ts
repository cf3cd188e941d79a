import { Fault } from '../model/fault.ts'
import type { LogRecord } from '../model/record.ts'
import type { Checkpoint } from './checkpoint.ts'
import { commitPayload, saltBytes } from './commitment.ts'
import {
  appendLeaves,
  decodeFrontier,
  emptyFrontier,
  frontierRoot,
  leafHash,
  subtreeWidths,
} from './frontier.ts'
import type { Frontier, Hash } from './frontier.ts'
import { parseRecord, recordText } from './record.ts'

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

/** What verification found: a whole log, or the first place that is not. */
export type VerifyResult = IntactLog | BrokenLog

export interface IntactLog {
  readonly kind: 'intact'
  readonly size: number
  /** Root of the whole log, in hexadecimal. */
  readonly root: string
  /** The checkpoint that the log was held against. */
  readonly checkpoint?: { readonly size: number }
  /** How many payloads have been erased. */
  readonly erased: number
}

export interface BrokenLog {
  readonly kind: 'broken'
  /** The first bad record; null where the damage cannot be narrowed down to one. */
  readonly index: number | null
  readonly problem: string
  readonly fix: string
}

/** What to verify. */
export interface VerifyInput<Entry extends StoredEntry = StoredEntry> {
  readonly head: LogHead
  /** By ascending index. */
  readonly entries: AsyncIterable<Entry>
  /**
   * Holds what is stored beside a record, such as terms to search by, against the record: what is wrong with it, or
   * undefined. Asked of every record in order, once the record itself has been found right.
   */
  readonly beside?: ((record: LogRecord, entry: Entry) => string | undefined) | undefined
  /** Opened and signature-checked, for this log's origin, from outside the database. */
  readonly checkpoint?: Checkpoint | undefined
  /** The tree of the records before the first entry, where those were moved elsewhere and are verified there. */
  readonly from?: Frontier | undefined
  /** Told now and then how many records are done, and once at the end. */
  readonly onProgress?: ((done: number) => void) | undefined
}

/** Leaves hashed into the tree at a time. */
const batchLength = 1024

/**
 * Recomputes a stored log from its records and names the first place that is altered, missing, reordered, inserted or
 * cut off. Holds a batch of leaf hashes in memory, whatever the log's size.
 *
 * Without a checkpoint, a log that was cut off or rewritten together with its head looks whole.
 * Faults of the iterable pass through: a log that could not be read is not an answer.
 */
export async function verifyLog<Entry extends StoredEntry>(input: VerifyInput<Entry>): Promise<VerifyResult> {
  const { head, onProgress, beside, from = emptyFrontier } = input
  // A checkpoint of fewer records is for whoever verifies those.
  const checkpoint =
    input.checkpoint !== undefined && input.checkpoint.size < from.size ? undefined : input.checkpoint
  let frontier = from
  let pending: Hash[] = []
  let erased = 0
  const flush = () => {
    frontier = appendLeaves(frontier, pending)
    pending = []
    onProgress?.(frontier.size)
  }
  if (checkpoint?.size === from.size && !hasRoot(frontier, checkpoint)) return rewritten(checkpoint)

  for await (const entry of input.entries) {
    const position = frontier.size + pending.length
    const broken = misplaced(entry, position, head) ?? damaged(entry, position, head, beside)
    if (broken !== undefined) return broken

    if (entry.payload === 'erased') erased += 1
    pending.push(entry.leafHash)
    if (pending.length === batchLength || position + 1 === checkpoint?.size) flush()
    if (position + 1 === checkpoint?.size && !hasRoot(frontier, checkpoint)) return rewritten(checkpoint)
  }
  flush()

  const broken = headProblem(head, frontier) ?? (checkpoint && cutOff(frontier.size, checkpoint))
  if (broken !== undefined) return broken
  const whole = {
    kind: 'intact',
    size: frontier.size,
    root: frontierRoot(frontier).toString('hex'),
    erased,
  } as const
  return checkpoint === undefined ? whole : { ...whole, checkpoint: { size: checkpoint.size } }
}

const fixRecord =
  'Keep the database as evidence, and compare this record with a backup or a replica to see what was changed.'
const fixHead =
  'Keep the database as evidence, and compare it with a backup or a replica; the head row has to count every record.'
const fixCheckpoint =
  'Keep the database as evidence, and restore from a backup that contains the checkpoint; make sure that the checkpoint is of this log.'

function brokenAt(index: number | null, problem: string, fix = fixRecord): BrokenLog {
  return { kind: 'broken', index, problem, fix }
}

/** Whether the row stands where it should: after its predecessor, and inside the log. */
function misplaced(entry: StoredEntry, position: number, head: LogHead): BrokenLog | undefined {
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

/** Whether the record agrees with its own hash, its place, its payload and what is stored beside it. */
function damaged<Entry extends StoredEntry>(
  entry: Entry,
  position: number,
  head: LogHead,
  beside: VerifyInput<Entry>['beside'],
): BrokenLog | undefined {
  if (!leafHash(entry.record).equals(entry.leafHash)) {
    return brokenAt(position, `record ${position} was changed: its text does not have its leaf hash`)
  }
  const record = readRecord(entry.record)
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
  if (record.ledger !== head.ledger) {
    return brokenAt(position, `record ${position} belongs to another ledger than this one`)
  }
  const problem = payloadProblem(record, entry.payload) ?? beside?.(record, entry)
  return problem === undefined ? undefined : brokenAt(position, `record ${position}: ${problem}`)
}

function readRecord(text: string): LogRecord | Fault | 'not canonical' {
  try {
    const record = parseRecord(text)
    return recordText(record) === text ? record : 'not canonical'
  } catch (error) {
    if (error instanceof Fault) return error
    throw error
  }
}

function payloadProblem(record: LogRecord, payload: StoredEntry['payload']): string | undefined {
  if (record.payload === null) {
    return payload === 'none' ? undefined : 'a payload is stored or marked erased, though the record has none'
  }
  if (payload === 'none') return 'its payload is missing, and no erasure is marked'
  if (payload === 'erased') return undefined
  const matches =
    payload.salt.length === saltBytes && commitPayload(payload.salt, payload.body) === record.payload
  return matches ? undefined : 'its payload or salt was changed: the record commits to another one'
}

/** Whether the head counts all records and hashes them to what was found. */
function headProblem(head: LogHead, found: Frontier): BrokenLog | undefined {
  if (head.size !== found.size) {
    return brokenAt(
      found.size,
      `record ${found.size} is missing: the log ends there, but its head counts ${head.size} records`,
      fixHead,
    )
  }
  const stored = readFrontier(head)
  if (stored instanceof Fault) return brokenAt(null, stored.message, fixHead)

  let first = 0
  for (const [at, width] of subtreeWidths(found.size).entries()) {
    const same = found.hashes[at]?.equals(stored.hashes[at] ?? Buffer.alloc(0)) === true
    if (!same) return changedRange(first, first + width - 1)
    first += width
  }
  return undefined
}

function changedRange(first: number, last: number): BrokenLog {
  const records = first === last ? `record ${first} was` : `records between ${first} and ${last} were`
  const problem = `${records} rewritten together with the leaf hashes, or the head was: it has other hashes for them`
  return brokenAt(first === last ? first : null, problem, fixHead)
}

function readFrontier(head: LogHead): Frontier | Fault {
  try {
    return decodeFrontier(head.size, head.frontier)
  } catch (error) {
    if (error instanceof Fault) return error
    throw error
  }
}

function hasRoot(frontier: Frontier, checkpoint: Checkpoint): boolean {
  return frontierRoot(frontier).equals(checkpoint.root)
}

function rewritten({ size }: Checkpoint): BrokenLog {
  const problem = `records before ${size} were rewritten: the checkpoint at size ${size} has another root`
  return brokenAt(size === 1 ? 0 : null, problem, fixCheckpoint)
}

function cutOff(size: number, checkpoint: Checkpoint): BrokenLog | undefined {
  if (size >= checkpoint.size) return undefined
  return brokenAt(
    size,
    `record ${size} and what followed it was cut off: the checkpoint counts ${checkpoint.size} records`,
    fixCheckpoint,
  )
}
