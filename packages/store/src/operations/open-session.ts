import type { SessionRow } from '../log/rows.ts'
import type { Operation } from '../log/operation.ts'
import { sessionsEnded } from './access.ts'

/**
 * The operation that opens a session and records that its person has signed in.
 *
 * @throws Fault `not_authenticated` where the person is not known any more, or all sessions of the person were ended since
 *   `row.epoch`
 */
export function openSessionOperation(row: SessionRow): Operation<undefined> {
  const { person, method, epoch } = row
  return {
    needs: { voting: { person } },
    apply: (fold, place) => {
      if (fold.person(person) === undefined || fold.access.epochOf(person) !== epoch) throw sessionsEnded()
      return {
        body: { kind: 'access', event: 'signed_in', subject: person, grants: [method] },
        answer: undefined,
        staged: () => fold.changeAccess({ sessionsOpened: [row] }, place.index),
      }
    },
  }
}
