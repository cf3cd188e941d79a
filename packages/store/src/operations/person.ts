import { allowsDeed, Fault, type PersonId } from '@bailiwick/core'
import type { Fold } from '../log/fold.ts'
import { NotInThisBatch, type Operation } from '../log/operation.ts'
import type { KnownPerson } from '../log/voting.ts'
import { sessionsEnded, unknownPerson, type AccessBody } from './access.ts'
import { refuseUnlessMay } from './deed.ts'

/** A person as somebody who may has said it. */
export interface PersonSet {
  readonly person: PersonId
  readonly roles: readonly string[]
  readonly by?: string | undefined
}

/**
 * Adds a person, or replaces a person's roles. Where these change, every session of the person ends.
 *
 * @throws Fault `not_permitted` for `by` without the role that it takes, or `conflict` where it would be without it afterwards
 */
export function setPersonOperation({ person, roles, by }: PersonSet): Operation<undefined> {
  return {
    needs: { voting: { person, by } },
    apply: (fold, place) => {
      refuseUnlessMay('access', by, fold)
      if (by === person && !allowsDeed({ roles }, 'access')) throw ownRole()
      return setting(fold, place.index, {
        known: fold.person(person),
        next: { id: person, roles, rolesFrom: 'local', providerSubject: null },
        by,
        answer: undefined,
      })
    },
  }
}

/**
 * Removes a person with all that lets them in. Delegations to and by the person count no longer, also where somebody of the
 * same address comes back.
 *
 * @throws Fault `not_found`, `not_permitted` for `by` without the role that it takes, or `conflict` while a standing grant, or an
 *   approval that waits or has not been used, rests on the person's word
 */
export function removePersonOperation(person: PersonId, by: string | undefined): Operation<undefined> {
  return {
    needs: { voting: { person, by }, passkeysOf: [person], grants: true, votedOnBy: person },
    apply: (fold, place) => {
      refuseUnlessMay('access', by, fold)
      if (fold.person(person) === undefined) throw unknownPerson(person)
      const at = fold.byDatabase(place.at)
      if (fold.grants.restOn(person, at) || fold.restsOnVoteOf(person, at)) throw stillCounts(person)
      return {
        body: { kind: 'access', event: 'person_removed', subject: person, grants: [], by },
        answer: undefined,
        staged: () =>
          fold.changeAccess(
            { peopleRemoved: [{ id: person }], signedOut: [{ id: person, links: true }] },
            place.index,
          ),
      }
    },
  }
}

/**
 * The fault for who takes from themself what lets them change people. Whoever does change them can do so afterwards: so there is
 * always somebody left who can, whoever else goes at the same time.
 */
export function ownRole(): Fault {
  return new Fault('conflict', 'an administrator removes neither themself nor their own role', {
    fix: 'Have another administrator do it, or the operator: `bailiwick people`.',
  })
}

function stillCounts(person: PersonId): Fault {
  return new Fault('conflict', `approvals or standing grants rest on the word of \`${person}\``, {
    fix: 'Try again, or withdraw and revoke them first.',
  })
}

/** A person as an identity provider has said it. */
export interface PersonVouchedFor {
  readonly person: PersonId
  readonly roles: readonly string[]
  /** Issuer and subject at the provider. */
  readonly subject: string
  /** When the person began to sign in, as `SignIns.now` says it. */
  readonly since: number
}

/** Who signs in by a provider. */
export interface ProviderPerson {
  readonly roles: readonly string[]
  /** Where the sign-in goes on from: what ends the person's sessions after this ends it too. */
  readonly epoch: number
}

/**
 * Adds a person whom an identity provider vouches for, or takes over the roles that it says, where it is the one that
 * says them. What the ledger knows of the person is read in the transaction that changes it, so nothing that an
 * administrator did meanwhile is undone.
 *
 * @throws Fault `not_permitted` where the address belongs to another account of the provider, or the account to another
 *   address: one who has two would be two people in a quorum; `not_authenticated` where
 *   the person was removed, or all sessions of the person were ended, since the sign-in began
 */
export function vouchedPersonOperation({
  person,
  roles,
  subject,
  since,
}: PersonVouchedFor): Operation<ProviderPerson> {
  return {
    needs: { voting: { person, providerSubject: subject } },
    apply: (fold, place) => {
      const known = fold.person(person)
      if (fold.access.endedAt(person) > since) throw sessionsEnded()
      refuseOtherAccount(known, subject)
      refuseOtherAddress(fold.access.otherOfProvider(subject, person))
      const rolesFrom = known?.rolesFrom ?? 'provider'
      const rolesNow = known !== undefined && rolesFrom === 'local' ? known.roles : roles
      const isNobody = known === undefined && rolesNow.length === 0
      if (isNobody || (known?.providerSubject === subject && sameRoles(known.roles, rolesNow))) {
        return { answer: { roles: rolesNow, epoch: fold.access.epochOf(person) } }
      }
      const answer = { roles: rolesNow, epoch: 0 }
      const next = { id: person, roles: rolesNow, rolesFrom, providerSubject: subject }
      const set = setting(fold, place.index, { known, next, by: undefined, answer })
      const staged = () => {
        set.staged()
        // Its own change ends the sessions of before, and not itself.
        answer.epoch = fold.access.epochOf(person)
      }
      return { ...set, staged }
    },
  }
}

interface Setting<Answer> {
  readonly known: KnownPerson | undefined
  readonly next: Omit<KnownPerson, 'since'>
  readonly by: string | undefined
  readonly answer: Answer
}

function setting<Answer>(fold: Fold, index: number, { known, next, by, answer }: Setting<Answer>) {
  const { id, roles, rolesFrom, providerSubject } = next
  // One statement cannot remove what somebody leaves behind and let somebody else come.
  if (fold.access.isRemovedNow(id)) throw new NotInThisBatch()
  const changed = known !== undefined && !sameRoles(known.roles, roles)
  const change = {
    peopleSet: [
      {
        id,
        roles,
        roles_from: rolesFrom,
        provider_subject: providerSubject,
        since: known === undefined ? index : 0,
      },
    ],
    signedOut: changed ? [{ id, links: false }] : [],
  }
  const event = known === undefined ? 'person_created' : 'roles_changed'
  const body: AccessBody = { kind: 'access', event, subject: id, grants: [...roles], by }
  return { body, answer, staged: () => fold.changeAccess(change, index) }
}

function refuseOtherAccount(known: KnownPerson | undefined, subject: string): void {
  if ((known?.providerSubject ?? subject) === subject) return
  throw new Fault('not_permitted', 'the address belongs to another account of the identity provider', {
    fix: 'Ask an administrator to remove the person who had the address before.',
  })
}

function refuseOtherAddress(other: KnownPerson | undefined): void {
  if (other === undefined) return
  throw new Fault('not_permitted', `the account of the identity provider signed in as ${other.id} before`, {
    fix: 'Ask an administrator to remove the person with the former address, or the provider to give it back.',
  })
}

function sameRoles(one: readonly string[], other: readonly string[]): boolean {
  const [a, b] = [new Set(one), new Set(other)]
  return a.size === b.size && [...a].every((role) => b.has(role))
}
