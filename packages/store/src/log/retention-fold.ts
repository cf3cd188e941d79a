import type { HoldRow, SegmentRow } from './rows.ts'

/** Up to where the log is archived, and which holds stand, as one batch finds and leaves it; known to operations that need `retention`. */
export class RetentionFold {
  readonly #segments: SegmentRow[] = []
  readonly #holdsPlaced: HoldRow[] = []
  readonly #holdsLifted: HoldRow[] = []
  #holds: readonly string[] = []
  #archivedEnd = 0

  /** Takes in what was read. */
  load({ archivedEnd, holds }: { readonly archivedEnd: number; readonly holds: readonly string[] }): void {
    this.#archivedEnd = archivedEnd
    this.#holds = holds
  }

  /** The names of the holds that stand. */
  get holds(): readonly string[] {
    return this.#holds
  }

  /** The index after the last archived record. */
  get archivedEnd(): number {
    return this.#archivedEnd
  }

  /** A segment that may leave the database from here on. */
  addSegment(row: SegmentRow): void {
    this.#segments.push(row)
    this.#archivedEnd = row.stop
  }

  /** Places or lifts a hold. */
  changeHold(row: HoldRow, event: 'placed' | 'lifted'): void {
    // One statement writes a row once: of several changes in one batch the last one counts.
    for (const rows of [this.#holdsPlaced, this.#holdsLifted]) {
      const earlier = rows.findIndex(({ name }) => name === row.name)
      if (earlier >= 0) rows.splice(earlier, 1)
    }
    if (event === 'placed') this.#holdsPlaced.push(row)
    else this.#holdsLifted.push(row)
    this.#holds = [
      ...this.#holds.filter((name) => name !== row.name),
      ...(event === 'placed' ? [row.name] : []),
    ]
  }

  /** Every row that the batch has to write. */
  rows(): {
    segments: readonly SegmentRow[]
    holdsPlaced: readonly HoldRow[]
    holdsLifted: readonly HoldRow[]
  } {
    return { segments: this.#segments, holdsPlaced: this.#holdsPlaced, holdsLifted: this.#holdsLifted }
  }
}
