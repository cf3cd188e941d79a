import {
  LogVerification,
  type BrokenLog,
  type Checkpoint,
  type Frontier,
  type LogHead,
  type VerifyResult,
} from '@bailiwick/core'
import type pg from 'pg'
import { nextBatch } from '../log/batches.ts'
import { scanTerms, type StoredTerms } from '../log/stored-terms.ts'
import type { FactHand, Runner } from './runner.ts'
import type { Window, WindowResult } from './window.ts'

/** How many records a part has, unless batches are longer. */
export const recordsPerWindow = 8192

/** A log that is verified in parts. */
export interface PartsInput {
  /** In the transaction whose snapshot the runners see; it reads what is read in order. */
  readonly client: pg.Client
  readonly runners: readonly Runner[]
  readonly head: LogHead
  readonly checkpoint: Checkpoint | undefined
  /** The tree of the records before the first batch, where these are not in the database. */
  readonly from: Frontier | undefined
  readonly recordsPerWindow: number
  readonly facts: FactHand
  readonly onProgress: ((done: number) => void) | undefined
}

/** What was found of the log itself. */
export interface PartsResult {
  readonly result: VerifyResult
  /** Whether terms and facts are all that there is to know of what is stored beside the records. */
  readonly isComparable: boolean
}

/** Has the parts of a log checked, as many at once as there are runners, and joins what is found in order. */
export async function verifyParts(input: PartsInput): Promise<PartsResult> {
  const verification = new LogVerification(input.head, input.checkpoint, input.from)
  const joining = new Joining(verification, input)
  const early = verification.begun()
  if (early !== undefined) return joining.end(early)

  const underWay: { readonly window: Window; readonly found: Promise<WindowResult> }[] = []
  let count = 0
  for await (const window of windows(input)) {
    const runner = input.runners[count % input.runners.length]
    if (runner === undefined) break
    count += 1
    const found = runner.window(window)
    // Heard when its turn comes, and not where one before it is broken.
    found.catch(() => undefined)
    underWay.push({ window, found })
    if (underWay.length < input.runners.length * 2) continue
    const broken = await joining.next(underWay.shift())
    if (broken !== undefined) return joining.end(broken)
  }
  for (const each of underWay) {
    const broken = await joining.next(each)
    if (broken !== undefined) return joining.end(broken)
  }
  return joining.end(verification.finished())
}

class Joining {
  readonly #verification: LogVerification
  readonly #input: PartsInput
  #isComparable = true

  constructor(verification: LogVerification, input: PartsInput) {
    this.#verification = verification
    this.#input = input
  }

  end(result: VerifyResult): PartsResult {
    return { result, isComparable: this.#isComparable }
  }

  async next(
    part: { readonly window: Window; readonly found: Promise<WindowResult> } | undefined,
  ): Promise<BrokenLog | undefined> {
    if (part === undefined) return undefined
    const found = await part.found
    const broken = this.#verification.add(found) ?? (await this.#after(part.window, found))
    if (broken !== undefined) return broken
    if (found.isOdd || found.hasLostTerms) this.#isComparable = false
    this.#input.facts(found.facts)
    this.#input.onProgress?.(this.#verification.size)
    return undefined
  }

  /** What is wrong where a window ends: a place that cannot be read, or a gap before the next window. */
  async #after({ below }: Window, { unreadable }: WindowResult): Promise<BrokenLog | undefined> {
    const { size } = this.#verification
    if (unreadable !== undefined) return unreadableAt(size, unreadable)
    if (below === Infinity || size >= below) return undefined
    const { client, head } = this.#input
    const first = await nextBatch(client, head.ledger, below)
    if (first !== undefined) return this.#verification.add({ first, ranges: [], erased: 0 })
    const end = this.#verification.finished()
    return end.kind === 'broken' ? end : undefined
  }
}

/** The log ends, as far as it can be read, at a page or a text that PostgreSQL finds damaged. */
export function unreadableAt(index: number, message: string): BrokenLog {
  const problem = `record ${index} or one soon after it cannot be read: ${message.split('\n')[0] ?? ''}`
  return { kind: 'broken', index, problem, fix: 'Keep the database as evidence, and restore from a backup.' }
}

/**
 * The parts of a log, each with the terms that are stored for it. The first has all that lies before, and the last all that
 * lies after the log: there should be nothing.
 */
async function* windows({
  client,
  head: { ledger, size },
  from,
  recordsPerWindow: step,
}: PartsInput): AsyncGenerator<Window> {
  const stored = scanTerms(client, ledger)
  let next = await stored.next()
  let start = from?.size ?? -Infinity
  let end = from?.size ?? 0
  // Rows of records that were moved elsewhere are on their way out, and segments end where batches do.
  while (next.done !== true && next.value.first < start) next = await stored.next()
  while (start < Infinity) {
    end += step
    const below = end < size ? end : Infinity
    const terms: StoredTerms[] = []
    while (next.done !== true && next.value.first < below) {
      terms.push(next.value)
      next = await stored.next()
    }
    yield { from: start, below, terms }
    start = below
  }
}
