import { Fault, isPerson, type AccessRecord, type RecordBody } from '@bailiwick/core'
import type { Fold } from '../log/fold.ts'
import { noNeeds } from '../log/needs.ts'
import type { AccessChange } from '../log/rows.ts'
import type { Operation } from '../log/sequencer.ts'
import { refuseUnlessMay } from './deed.ts'
import { fromSession } from './from-session.ts'

/** What a record of access says. */
export type AccessBody = RecordBody & Pick<AccessRecord, 'kind'>

/** What has to hold where a change of access stands in the log. */
export interface AccessGuard {
  /** Who has to be known then. */
  readonly person: string
  /** How often all sessions of the person had been ended when what wants to go on began: no more often until then. */
  readonly epoch?: number | undefined
}

/** Who makes a change. */
export interface ChangedBy {
  /** Absent where the subject itself does. */
  readonly by?: string | undefined
  /** The id of the session that it is asked from, where there is one. */
  readonly session?: string | undefined
}

/** What a change has come to. */
export interface Changed {
  readonly index: number
  /** How often all sessions of the guarded person have been ended, with the change; 0 where there is no guard. */
  readonly epoch: number
}

/**
 * The operation that changes who may use the service and records it, both or neither.
 *
 * @param session the id of the session that it is asked from, where there is one
 * @throws Fault `not_found` where the guarded person is not known any more, `not_authenticated` where all sessions of the
 *   person have been ended since, or where the session has ended, `not_permitted` where whom the record names may not change it
 */
export function accessOperation(
  body: AccessBody,
  change: AccessChange,
  guard?: AccessGuard,
  session?: string,
): Operation<Changed> {
  const removed = (change.peopleRemoved ?? []).map(({ id }) => id)
  const { by } = body
  const known = guard?.person ?? (isPerson(by) ? by : undefined)
  const voting = known === undefined ? {} : { voting: { person: known, by } }
  const operation: Operation<Changed> = {
    // Whoever is removed takes their passkeys along.
    needs: removed.length === 0 && known === undefined ? noNeeds : { passkeysOf: removed, ...voting },
    apply: (fold, place) => {
      refuseUnlessMay('access', by, fold)
      if (guard !== undefined) refuseUnless(guard, fold)
      const answer = { index: place.index, epoch: 0 }
      return {
        body,
        answer,
        staged: () => {
          fold.changeAccess(change, place.index)
          if (guard !== undefined) answer.epoch = fold.access.epochOf(guard.person)
        },
      }
    },
  }
  return fromSession(operation, session)
}

/** @throws as `accessOperation` does */
export function refuseUnless({ person, epoch }: AccessGuard, fold: Fold): void {
  if (fold.person(person) === undefined) throw unknownPerson(person)
  if (epoch !== undefined && fold.access.epochOf(person) !== epoch) throw sessionsEnded()
}

/** The fault for what all of the person's sessions have been ended under. */
export function sessionsEnded(): Fault {
  return new Fault('not_authenticated', 'all your sessions have been ended in the meantime', {
    fix: 'Sign in again.',
  })
}

/** The fault for who is nobody here. */
export function unknownPerson(person: string): Fault {
  return new Fault('not_found', `no person \`${person}\``, {
    fix: 'Add the person with `bailiwick people add`.',
  })
}
