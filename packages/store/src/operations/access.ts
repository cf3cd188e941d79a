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
  return {
    needs: noNeeds,
    apply: (fold, place) => ({
      body,
      answer: { index: place.index },
      staged: () => fold.changeAccess(change),
    }),
  }
}
