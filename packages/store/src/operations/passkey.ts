import { Fault, recordText, type PersonId, type RegisteredPasskey } from '@bailiwick/core'
import type { Operation } from '../log/operation.ts'
import { refuseUnless, type Changed } from './access.ts'
import { refuseUnlessMay } from './deed.ts'

/** How many passkeys one person may have at a time. */
const passkeysMax = 20

/** A passkey whose registration has been verified. */
export interface NewPasskey {
  readonly person: PersonId
  readonly key: RegisteredPasskey
  readonly userHandle: Buffer
  readonly name: string
  readonly transports: readonly string[]
  readonly signCount: number
  /** As in `AccessGuard`. */
  readonly epoch?: number | undefined
}

/**
 * The operation that registers a passkey: the record has the credential's id and its public key, so that whatever is
 * signed with it later can be verified from the log alone.
 *
 * @throws Fault `not_found` for somebody who is not known, `conflict` for a credential that is or for too many,
 *   `not_authenticated` for a session that has ended
 */
export function registerOperation(added: NewPasskey): Operation<{ readonly index: number }> {
  const { person, key, userHandle, name, transports, signCount, epoch } = added
  return {
    needs: { passkeys: [key.id], passkeysOf: [person], voting: { person, principal: undefined } },
    apply: (fold, place) => {
      refuseUnless({ person, epoch }, fold)
      if (fold.passkeys.get(key.id) !== undefined) {
        throw new Fault('conflict', 'this passkey has been registered before', {
          fix: 'Use it to sign in; one that was removed has to be made anew on the device.',
        })
      }
      if (fold.passkeys.countOf(person) >= passkeysMax) {
        throw new Fault('conflict', `\`${person}\` has ${passkeysMax} passkeys already`, {
          fix: 'Remove one that is not used any more.',
        })
      }
      return {
        body: { kind: 'access', event: 'passkey_registered', subject: person, grants: [], passkey: key },
        answer: { index: place.index },
        staged: (record) => {
          const { index } = record
          const row = { id: key.id, person, user_handle: userHandle.toString('hex'), name, transports }
          const text = recordText(record)
          fold.passkeys.register(
            { ...row, registered: index, record: text, removed: null, sign_count: signCount },
            { key, person, registered: index, removed: null, signCount },
          )
        },
      }
    },
  }
}

/**
 * The operation that removes a passkey of a person: from here on it signs nothing, and whoever has signed in with it, or was
 * let in meanwhile, is out: every session and sign-in link of the person ends.
 *
 * @param by who removes it, where it is not the person
 * @throws Fault `not_found` where the person has no such passkey, `not_permitted` for `by` without the role that it takes
 */
export function removeOperation(person: string, id: string, by?: string): Operation<Changed> {
  return {
    needs: { passkeys: [id], voting: { person, by } },
    apply: (fold, place) => {
      refuseUnlessMay('access', by, fold)
      const state = fold.passkeys.get(id)
      if (state?.person !== person || state.removed !== null) {
        throw new Fault('not_found', `\`${person}\` has no passkey with this id`, {
          fix: 'See /v1/passkeys for those that there are.',
        })
      }
      const answer = { index: place.index, epoch: 0 }
      return {
        body: {
          kind: 'access',
          event: 'passkey_removed',
          subject: person,
          grants: [],
          passkey: state.key,
          by,
        },
        answer,
        staged: () => {
          fold.passkeys.remove(id, place.index)
          fold.changeAccess({ signedOut: [{ id: person, links: true }] }, place.index)
          answer.epoch = fold.access.epochOf(person)
        },
      }
    },
  }
}
