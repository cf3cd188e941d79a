import type { AccessRecord, RecordBody } from '@bailiwick/core'
import { noNeeds } from '../log/fold.ts'
import type { AccessChange } from '../log/rows.ts'
import type { Operation } from '../log/sequencer.ts'

/** What a record of access says. */
export type AccessBody = RecordBody & Pick<AccessRecord, 'kind'>

/** The operation that changes who may use the service and records it, both or neither. */
export function accessOperation(
  body: AccessBody,
  change: AccessChange,
): Operation<{ readonly index: number }> {
  const removed = (change.peopleRemoved ?? []).map(({ id }) => id)
  return {
    // Whoever is removed takes their passkeys along.
    needs: removed.length === 0 ? noNeeds : { passkeysOf: removed },
    apply: (fold, place) => ({
      body,
      answer: { index: place.index },
      staged: () => fold.changeAccess(change, place.index),
    }),
  }
}
