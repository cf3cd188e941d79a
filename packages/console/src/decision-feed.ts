import type { Decision, DecisionPage } from './api.ts'

/** What of a decision a list shows: params of a hundred thousand of them would fill the memory. */
export type ListedDecision = Omit<Decision, 'params' | 'context'>

/** What a list shows. */
export interface FeedState {
  /** Newest first, without a gap. Null: nothing has been loaded yet. */
  readonly rows: readonly ListedDecision[] | null
  /** How many newer ones there are that are held back, so that nothing moves under the reader's eyes. */
  readonly fresh: number
  /** Where older ones start; null where there are none. */
  readonly next: number | null
  /** There are older ones in the archive, which the service does not list. */
  readonly archived: boolean
}

/** A list of decisions that grows at both ends: older ones as somebody scrolls, newer ones as they are recorded. */
export class DecisionFeed {
  #state: FeedState = { rows: null, fresh: 0, next: null, archived: false }
  readonly #listeners = new Set<() => void>()

  readonly subscribe = (changed: () => void): (() => void) => {
    this.#listeners.add(changed)
    return () => this.#listeners.delete(changed)
  }

  readonly state = (): FeedState => this.#state

  /**
   * Takes the newest page.
   *
   * @param isHeld newer decisions are counted, not shown; what is shown already is renewed all the same
   */
  takeNewest(page: DecisionPage, isHeld: boolean): void {
    const { rows } = this.#state
    const top = rows?.[0]?.record.index ?? -1
    const newer = page.decisions.filter(({ record }) => record.index > top)
    if (rows === null) return this.#set(startOf(page))
    if (isHeld && newer.length > 0) {
      this.#set({ ...this.#state, rows: renewed(rows, page), fresh: newer.length })
      return
    }
    // Between the page and what is known there may be decisions that neither holds; then the list begins anew.
    const isGapless = page.next === null || page.next <= top + 1
    if (!isGapless) return this.#set(startOf(page))
    this.#set({ ...this.#state, rows: [...newer.map(listed), ...renewed(rows, page)], fresh: 0 })
  }

  /** Takes the page that follows on `next`. */
  takeOlder(page: DecisionPage): void {
    const { rows, next } = this.#state
    if (rows === null || next === null) return
    const older = page.decisions.filter(({ record }) => record.index < next)
    const archived = page.archived === true
    this.#set({ ...this.#state, rows: [...rows, ...older.map(listed)], next: page.next, archived })
  }

  /** Takes what has become of decisions that are shown already. */
  takeAgain(page: DecisionPage): void {
    const { rows } = this.#state
    if (rows !== null) this.#set({ ...this.#state, rows: renewed(rows, page) })
  }

  #set(state: FeedState): void {
    this.#state = state
    for (const listener of this.#listeners) listener()
  }
}

function listed({ params: _params, context: _context, ...decision }: Decision): ListedDecision {
  return decision
}

function startOf({ decisions, next, archived }: DecisionPage): FeedState {
  return { rows: decisions.map(listed), fresh: 0, next, archived: archived === true }
}

function renewed(rows: readonly ListedDecision[], page: DecisionPage): readonly ListedDecision[] {
  const newest = page.decisions[0]
  const oldest = page.decisions.at(-1)
  if (newest === undefined || oldest === undefined) return rows
  const again = new Map(page.decisions.map((decision) => [decision.record.index, decision]))
  const copy = [...rows]
  for (let at = placeOf(rows, newest.record.index); at < copy.length; at++) {
    const row = copy[at]
    if (row === undefined || row.record.index < oldest.record.index) break
    const decision = again.get(row.record.index)
    if (decision !== undefined) copy[at] = listed(decision)
  }
  return copy
}

/** Where in the list the first row stands that is not newer than this index. */
function placeOf(rows: readonly ListedDecision[], index: number): number {
  let low = 0
  let high = rows.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((rows[middle]?.record.index ?? -1) > index) low = middle + 1
    else high = middle
  }
  return low
}
