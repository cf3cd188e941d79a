import { Fault } from '../model/fault.ts'
import type { Checkpoint } from './checkpoint.ts'
import { joinRange } from './compact-range.ts'
import { decodeFrontier, emptyFrontier, frontierRoot, subtreeWidths } from './frontier.ts'
import type { Frontier } from './frontier.ts'
import {
  brokenAt,
  fixHead,
  misplaced,
  RangeCheck,
  type Beside,
  type BrokenLog,
  type LogHead,
  type RangeResult,
  type StoredEntry,
} from './range-check.ts'

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

/** What to verify. */
export interface VerifyInput<Entry extends StoredEntry = StoredEntry> {
  readonly head: LogHead
  /** By ascending index. */
  readonly entries: AsyncIterable<Entry>
  /** Asked of every record in order, once the record itself has been found right. */
  readonly beside?: Beside<Entry> | undefined
  /** Opened and signature-checked, for this log's origin, from outside the database. */
  readonly checkpoint?: Checkpoint | undefined
  /** The tree of the records before the first entry, where those were moved elsewhere and are verified there. */
  readonly from?: Frontier | undefined
  /** Told now and then how many records are done, and once at the end. */
  readonly onProgress?: ((done: number) => void) | undefined
}

/** How often progress is told, in records. */
const progressEvery = 1024

/**
 * Recomputes a stored log from its records and names the first place that is altered, missing, reordered, inserted or
 * cut off. Holds some leaf hashes in memory, whatever the log's size.
 *
 * Without a checkpoint, a log that was cut off or rewritten together with its head looks whole.
 * Faults of the iterable pass through: a log that could not be read is not an answer.
 */
export async function verifyLog<Entry extends StoredEntry>(input: VerifyInput<Entry>): Promise<VerifyResult> {
  const { head, checkpoint, onProgress, beside, from } = input
  const verification = new LogVerification(head, checkpoint, from)
  const early = verification.begun()
  if (early !== undefined) return early

  const part = () => new RangeCheck({ head, cut: checkpoint?.size, beside })
  let check = part()
  for await (const entry of input.entries) {
    const record = check.take(entry)
    if (record !== undefined && check.count < progressEvery) continue
    const broken = verification.add(check.result())
    if (broken !== undefined) return broken
    check = part()
    onProgress?.(verification.size)
  }
  const broken = verification.add(check.result())
  if (broken !== undefined) return broken
  onProgress?.(verification.size)
  return verification.finished()
}

/** Joins what was found of a log's parts, in order, and holds the whole against head and checkpoint. */
export class LogVerification {
  readonly #head: LogHead
  readonly #checkpoint: Checkpoint | undefined
  #frontier: Frontier
  #erased = 0

  /**
   * @param from the tree of the records before the first part, which are known to be right: of records that were moved
   *   elsewhere. A checkpoint of fewer records is for whoever verifies those.
   */
  constructor(head: LogHead, checkpoint: Checkpoint | undefined, from: Frontier = emptyFrontier) {
    this.#head = head
    this.#checkpoint = checkpoint !== undefined && checkpoint.size < from.size ? undefined : checkpoint
    this.#frontier = from
  }

  /** How many records are known to be right. */
  get size(): number {
    return this.#frontier.size
  }

  /** The tree of the records that are known to be right. */
  get frontier(): Frontier {
    return this.#frontier
  }

  /** What is wrong before anything was read: the checkpoint is of other records than those before the first part. */
  begun(): BrokenLog | undefined {
    return this.#againstCheckpoint()
  }

  /** Joins the next part. @returns the first bad place, where this part has it */
  add({ first, ranges, erased, broken }: RangeResult): BrokenLog | undefined {
    if (first !== undefined) {
      const elsewhere = misplaced({ index: first }, this.#frontier.size, this.#head)
      if (elsewhere !== undefined) return elsewhere
    }
    for (const range of ranges) {
      this.#frontier = joinRange(this.#frontier, range)
      const contradicted = this.#againstCheckpoint()
      if (contradicted !== undefined) return contradicted
    }
    this.#erased += erased
    return broken
  }

  /** The answer, once every part has been joined and was right. */
  finished(): VerifyResult {
    const checkpoint = this.#checkpoint
    const frontier = this.#frontier
    const broken = headProblem(this.#head, frontier) ?? (checkpoint && cutOff(frontier.size, checkpoint))
    if (broken !== undefined) return broken
    return {
      kind: 'intact',
      size: frontier.size,
      root: frontierRoot(frontier).toString('hex'),
      erased: this.#erased,
      ...(checkpoint === undefined ? {} : { checkpoint: { size: checkpoint.size } }),
    }
  }

  #againstCheckpoint(): BrokenLog | undefined {
    const checkpoint = this.#checkpoint
    if (checkpoint?.size !== this.#frontier.size || hasRoot(this.#frontier, checkpoint)) return undefined
    return rewritten(checkpoint)
  }
}

const fixCheckpoint =
  'Keep the database as evidence, and restore from a backup that contains the checkpoint; make sure that the checkpoint is of this log.'

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
