import { Fault, type Sha256 } from '@bailiwick/core'
import type { Operation } from '../log/sequencer.ts'

/** A segment that lies in cold storage, read back and verified. */
export interface SegmentToRecord {
  readonly first: number
  readonly end: number
  readonly frontier: string
  readonly manifestSha256: Sha256
  readonly manifest: string
  readonly payloads: string
  readonly store: string
}

/**
 * The operation that records a segment: from then on its records may leave the database.
 *
 * @throws Fault `conflict` while a hold stands, and where the segment does not follow on the last one, because another
 *   process has recorded it
 */
export function archiveOperation(segment: SegmentToRecord): Operation<{ readonly index: number }> {
  const { first, end, frontier, manifestSha256: manifest, store } = segment
  return {
    needs: { retention: true },
    apply: (fold, place) => {
      refuseUnderHold(fold.retention.holds)
      if (fold.retention.archivedEnd !== first || end > place.index) {
        throw new Fault('conflict', `the records ${first} to ${end - 1} are not the next to be archived`, {
          fix: 'Another process archives this log; nothing was changed.',
        })
      }
      return {
        body: { kind: 'archive', first, end, frontier, manifest, store },
        answer: { index: place.index },
        staged: () =>
          fold.addSegment({
            first,
            stop: end,
            index: place.index,
            store,
            manifest: segment.manifest,
            payloads: segment.payloads,
          }),
      }
    },
  }
}

/** @throws Fault `conflict` where a hold stands */
export function refuseUnderHold(holds: readonly string[]): void {
  if (holds.length === 0) return
  const names = holds.map((name) => `\`${name}\``).join(', ')
  throw new Fault('conflict', `a legal hold stands: ${names}`, {
    fix: 'Nothing is archived away, erased or deleted before `bailiwick hold lift`.',
  })
}
