import { RangeCheck, type Instant, type LogRecord, type RangeResult, type StoredEntry } from '@bailiwick/core'
import type pg from 'pg'
import type { TimedBatch } from '../log/batch-row.ts'
import { scanBatches } from '../log/scan.ts'
import type { StoredTerms } from '../log/stored-terms.ts'
import { FactWriter } from './facts.ts'
import { isDamage } from './damage.ts'
import { writeSaid } from './said-facts.ts'
import { besideRecord, SeenTerms } from './beside.ts'

/** A part of the log: all batches that begin in it. */
export interface Window {
  readonly from: number
  readonly below: number
  /** What is stored for batches that begin in it, by ascending `first`. */
  readonly terms: readonly StoredTerms[]
}

/** What every window of a log is checked with. It can be sent to another thread. */
export interface WindowSettings {
  readonly ledger: string
  /** What the head counts. */
  readonly size: number
  readonly cut: number | undefined
  /** Of the facts. */
  readonly secret: string
  /** What digests of counters' keys begin with, as `Digests` says. */
  readonly counterPrefix: string
  readonly now: Instant
  /** The index of the first record that is not archived; 0 where archived ones are compared as well. */
  readonly floor: number
  /** As `SaidSettings` says. */
  readonly isWhole?: boolean | undefined
}

/** What was found in a window. It can be sent to another thread. */
export interface WindowResult extends RangeResult {
  /** What the records say of folded tables. */
  readonly facts: Uint8Array<ArrayBuffer>
  /** Whether something could not be said as a fact. */
  readonly isOdd: boolean
  /** Whether terms are stored for a batch that there is not. */
  readonly hasLostTerms: boolean
  /** What PostgreSQL says of a place that it cannot read. */
  readonly unreadable?: string | undefined
}

/** An entry of a batch, with what the batch says of all of its entries. */
interface WholeEntry extends StoredEntry {
  readonly batch: TimedBatch
  /** The terms stored for the batch. */
  readonly terms: readonly string[]
  /** The terms of the batch's entries up to this one. */
  readonly seen: SeenTerms
}

/** Checks a window's batches, and collects what their records say. Call it in a transaction, once at a time. */
export async function checkWindow(
  client: pg.Client,
  window: Window,
  { ledger, size, cut, secret, counterPrefix, now, floor, isWhole }: WindowSettings,
): Promise<WindowResult> {
  const facts = new FactWriter(secret, counterPrefix)
  const check = new RangeCheck<WholeEntry>({
    head: { ledger, size },
    cut,
    beside: besideProblem,
  })
  const terms = new TermsOfWindow(window.terms)
  const unreadable = await takeAll(client, { ...window, ledger }, terms, (entry) => {
    const record = check.take(entry)
    if (record !== undefined) writeSaid(facts, record, entry, { now, floor, isWhole })
    return record !== undefined
  })
  return {
    ...check.result(),
    facts: facts.take(),
    isOdd: facts.isOdd,
    hasLostTerms: terms.lost,
    unreadable,
  }
}

async function takeAll(
  client: pg.Client,
  range: { readonly ledger: string; readonly from: number; readonly below: number },
  terms: TermsOfWindow,
  take: (entry: WholeEntry) => boolean,
): Promise<string | undefined> {
  try {
    for await (const batch of scanBatches(client, range)) {
      if (!takeBatch(batch, terms.of(batch.first), take)) return undefined
    }
    terms.end()
    return undefined
  } catch (error) {
    if (isDamage(error)) return error.message
    throw error
  }
}

function takeBatch(
  batch: TimedBatch,
  terms: readonly string[],
  take: (entry: WholeEntry) => boolean,
): boolean {
  const seen = new SeenTerms()
  return batch.entries.every(({ index, leafHash, record, payload }) =>
    take({ index, leafHash, record, payload, batch, terms, seen }),
  )
}

/** The stored terms of a window, asked for in the order of its batches. */
class TermsOfWindow {
  readonly #stored: readonly StoredTerms[]
  #next = 0
  #lost = false

  constructor(stored: readonly StoredTerms[]) {
    this.#stored = stored
  }

  /** Whether there are terms of a batch that there is not. */
  get lost(): boolean {
    return this.#lost
  }

  of(first: number): readonly string[] {
    while ((this.#stored[this.#next]?.first ?? first) < first) {
      this.#next += 1
      this.#lost = true
    }
    const found = this.#stored[this.#next]
    if (found?.first !== first) return []
    this.#next += 1
    return found.terms
  }

  /** There are no more batches. */
  end(): void {
    if (this.#next < this.#stored.length) this.#lost = true
  }
}

// Terms are of a whole batch: one that is missing or too many is named at the batch's last record.
function besideProblem(record: LogRecord, { index, batch, terms, seen }: WholeEntry): string | undefined {
  const problem = besideRecord(record, index, batch)
  if (problem !== undefined) return problem
  seen.add(record)
  if (index !== batch.first + batch.entries.length - 1 || seen.are(terms)) return undefined
  return 'the terms stored beside it and its batch do not say what the records say'
}
