import {
  emptyFrontier,
  encodeFrontier,
  LogVerification,
  RangeCheck,
  type BrokenLog,
  type Checkpoint,
  type Frontier,
  type StoredEntry,
} from '@bailiwick/core'
import { setImmediate as turn } from 'node:timers/promises'
import { alongKeptLeaves, wrongLeaves } from '../archive/leaves.ts'
import { archivedFrontier } from '../archive/verify-archive.ts'
import { readStoredHead } from '../head.ts'
import type { Pace } from '../archive/pace.ts'
import type { TimedBatch } from '../log/batch-row.ts'
import { readBatches, type Queryable } from '../log/batches.ts'
import { hasTerms, type StoredTerms } from '../log/stored-terms.ts'
import { besideRecord, SeenTerms } from '../verify/beside.ts'
import { isDamage } from '../verify/damage.ts'
import { unreadableAt } from '../verify/parts.ts'

/** Which log to walk along. */
export interface LogWalkOptions {
  readonly client: Queryable
  readonly ledger: string
  /**
   * The tree of the records before the first batch that the database has, asked before every step: a walk goes on from
   * there where the records before it were moved elsewhere. Default: what the archive says.
   */
  readonly start?: (() => Promise<Frontier>) | undefined
  /** Called between pieces, to leave others room. */
  readonly pace?: Pace | undefined
}

/** What a step of a walk came to. */
export interface WalkStep {
  /** How many records it has verified. */
  readonly verified: number
  /** Whether it has come to the end of the log, whose head was held against everything before it. */
  readonly isAtEnd: boolean
  readonly broken?: BrokenLog | undefined
}

/** A walk that goes on where its last step ended. */
export interface Walk {
  /**
   * Verifies about as many of the next records as it is told, or all that there are.
   *
   * @param checkpoint what was published before; once the walk comes to its size, the tree has to have its root
   * @throws the database's error where it cannot be read, and nothing is known
   */
  step(records: number, checkpoint?: Checkpoint): Promise<WalkStep>
}

/** About how much text is read at a time, in how many batches at the most, and after how many records others get their turn. */
const textPerRead = 128 * 1024
const batchesPerRead = { first: 4, most: 64 }
const recordsPerTurn = 64

/**
 * Verifies a log step by step while others write to it, from a tree that it remembers: hashes, canonical text, places,
 * commitments, what is stored beside the records, and at the end the head. Every step is short, and gives way to whatever
 * else the process does.
 *
 * Folded tables, and terms that nobody expects, are for `verifyStoredLog`.
 */
export class LogWalk implements Walk {
  readonly #options: LogWalkOptions
  #frontier: Frontier
  /** Where the last verified batch begins: a row that begins behind it and before its end is none of the log. */
  #last: number
  #batchesPerRead = batchesPerRead.first

  /**
   * @param from the tree of records that are known to be right
   * @param last where the last batch of them begins, as a walk that came there says; unknown unless given
   */
  constructor(options: LogWalkOptions, from: Frontier = emptyFrontier, last = from.size - 1) {
    this.#options = options
    this.#frontier = from
    this.#last = last
  }

  /** The tree of the records that are known to be right. */
  get frontier(): Frontier {
    return this.#frontier
  }

  /** Where the last verified batch begins. */
  get last(): number {
    return this.#last
  }

  async step(records: number, checkpoint?: Checkpoint): Promise<WalkStep> {
    const before = this.#frontier.size
    for (;;) {
      const step = await this.#next(checkpoint)
      const verified = this.#frontier.size - before
      if (step.broken !== undefined || step.isAtEnd || verified >= records) return { ...step, verified }
      await this.#options.pace?.()
    }
  }

  async #next(checkpoint: Checkpoint | undefined): Promise<Omit<WalkStep, 'verified'>> {
    const moved = await this.#alongMoved()
    if (moved !== undefined) return moved
    const found = await this.#read(checkpoint)
    if (found.broken === undefined) return found
    // Records that were moved elsewhere meanwhile are no gap.
    return (await this.#alongMoved()) ?? found
  }

  /** Along the hashes that were kept of records that are not here any more; undefined where the next ones are here. */
  async #alongMoved(): Promise<Omit<WalkStep, 'verified'> | undefined> {
    const { client, ledger, start: given } = this.#options
    const start = await (given?.() ?? archivedFrontier(client, ledger))
    const from = this.#frontier
    if (start.size <= from.size) return undefined
    const next = given === undefined ? await alongKeptLeaves(client, ledger, from, start.size) : start
    const isThere = next.size === start.size
    const isRight = !isThere || encodeFrontier(next).equals(encodeFrontier(start))
    if (next.size === from.size || !isRight) return { isAtEnd: false, broken: wrongLeaves(0, start.size) }
    this.#frontier = next
    this.#last = next.size - 1
    return { isAtEnd: false }
  }

  async #read(checkpoint: Checkpoint | undefined): Promise<Omit<WalkStep, 'verified'>> {
    const { client, ledger } = this.#options
    // First the head, then the batches: all that this head counts are there, whatever is written meanwhile.
    const head = { ledger, ...(await readStoredHead(client, ledger)) }
    const from = this.#frontier
    if (head.size < from.size) return { isAtEnd: false, broken: rewound(head.size, from.size) }
    const verification = new LogVerification(head, checkpoint, from)
    const contradicted = verification.begun()
    if (contradicted !== undefined) return { isAtEnd: false, broken: contradicted }
    const cut = checkpoint?.size
    try {
      const limit = this.#batchesPerRead
      const read = await readBatches(client, ledger, this.#last + 1, limit)
      const batches = read.filter(({ first }) => first < head.size)
      const checkOf = () => new RangeCheck<StoredEntry>({ head, cut })
      const broken = await this.#takeAll(batches, checkOf, verification)
      if (broken !== undefined) return { isAtEnd: false, broken }
      this.#adapt(batches)
      if (batches.length > 0 && verification.size < head.size) return { isAtEnd: false }
    } catch (error) {
      if (isDamage(error)) return { isAtEnd: false, broken: unreadableAt(from.size, error.message) }
      throw error
    }
    const end = verification.finished()
    return end.kind === 'broken' ? { isAtEnd: false, broken: end } : { isAtEnd: true }
  }

  /** Verifies batches, with what is stored beside them, and goes on behind them. */
  async #takeAll(
    batches: readonly TimedBatch[],
    checkOf: () => RangeCheck,
    verification: LogVerification,
  ): Promise<BrokenLog | undefined> {
    const wanted: (StoredTerms & { readonly last: number })[] = []
    let broken: BrokenLog | undefined
    for (const batch of batches) {
      const seen = new SeenTerms()
      broken = await this.#take(batch, checkOf(), verification, seen)
      if (broken !== undefined) break
      wanted.push({ first: batch.first, terms: seen.all(), last: verification.size - 1 })
    }
    // Of what was right so far; one question for all, and more only to find out where something is missing.
    const { client, ledger } = this.#options
    if (wanted.length > 0 && !(await hasTerms(client, ledger, wanted))) {
      for (const each of wanted) {
        if (await hasTerms(client, ledger, [each])) continue
        return wrongBeside(each.last, 'a term stored beside it and its batch is missing')
      }
    }
    if (broken === undefined) {
      this.#frontier = verification.frontier
      this.#last = batches.at(-1)?.first ?? this.#last
    }
    return broken
  }

  // Small batches many at a time, large ones one by one.
  #adapt(batches: readonly TimedBatch[]): void {
    if (batches.length === 0) return
    let length = 1
    for (const { entries } of batches) for (const { record } of entries) length += record.length
    const fitting = Math.floor((textPerRead * batches.length) / length)
    this.#batchesPerRead = Math.max(1, Math.min(batchesPerRead.most, fitting))
  }

  async #take(
    batch: TimedBatch,
    check: RangeCheck,
    verification: LogVerification,
    seen: SeenTerms,
  ): Promise<BrokenLog | undefined> {
    let beside: BrokenLog | undefined
    for (const [at, entry] of batch.entries.entries()) {
      if (at % recordsPerTurn === recordsPerTurn - 1) await turn()
      const record = check.take(entry)
      if (record === undefined) break
      const problem = besideRecord(record, entry.index, batch)
      if (problem !== undefined) beside ??= wrongBeside(entry.index, problem)
      seen.add(record)
    }
    return verification.add(check.result()) ?? beside
  }
}

const fix =
  'Keep the database as evidence, and compare it with a backup or a replica to see what was changed.'

function rewound(size: number, seen: number): BrokenLog {
  const problem = `record ${size} and what followed it is gone: there were ${seen} records before`
  return { kind: 'broken', index: size, problem, fix }
}

function wrongBeside(index: number, problem: string): BrokenLog {
  return { kind: 'broken', index, problem: `record ${index}: ${problem}`, fix }
}
