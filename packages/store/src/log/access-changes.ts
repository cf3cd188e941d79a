import type { AccessChange, AccountRow, PersonRow } from './rows.ts'
import type { AgentOwner } from './voting.ts'

/** A change of nothing. */
export const noAccessChange: Required<AccessChange> = {
  keysMade: [],
  keysRevoked: [],
  keysEnding: [],
  peopleSet: [],
  peopleRemoved: [],
  ownersAdded: [],
  ownersRemoved: [],
  signedOut: [],
  linksMade: [],
  accountsConfirmed: [],
  sessionsOpened: [],
  sessionsEnded: [],
  credentialsSet: [],
  credentialsRemoved: [],
}

/**
 * What two changes of one batch come to. One statement writes all of it and sees the tables as they were before, so
 * whatever a later change does to what an earlier one did has to be said here. Where the two cross, the result is the one
 * that lets nobody in.
 */
export function laterAccess(before: Required<AccessChange>, change: AccessChange): Required<AccessChange> {
  const later = { ...noAccessChange, ...change }
  // One statement writes a row once: of two changes to a person the later one stands, and ends the sessions, in case
  // the earlier one was to.
  const again = [...later.peopleSet, ...later.peopleRemoved].filter(({ id }) =>
    [...before.peopleSet, ...before.peopleRemoved].some((other) => other.id === id),
  )
  const peopleRemoved = [...without(before.peopleRemoved, again), ...later.peopleRemoved]
  const signedOutNow = [...again.map(({ id }) => ({ id, links: true })), ...later.signedOut]
  const signedOut = [...before.signedOut, ...signedOutNow]
  const removed = new Set(peopleRemoved.map(({ id }) => id))
  const out = new Set([...removed, ...signedOut.map(({ id }) => id)])
  const linksGone = new Set(signedOutNow.filter(({ links }) => links).map(({ id }) => id))
  // Who was removed and is there again has to bring nothing along.
  const bare = again.filter(({ id }) => before.peopleRemoved.some((other) => other.id === id))
  const credentialsRemoved = [
    ...before.credentialsRemoved,
    ...bare.flatMap(({ id }) => credentialKinds.map((kind) => ({ person: id, kind }))),
    ...later.credentialsRemoved,
  ]
  const endedNow = new Set(later.sessionsEnded.map(({ id }) => id))
  const gone = new Set(credentialsRemoved.filter(({ kind }) => kind !== 'recovery').map(credentialKey))
  const goneNow = new Set(later.credentialsRemoved.map(credentialKey))
  const revoked = [...before.keysRevoked, ...later.keysRevoked]
  return {
    keysMade: [...before.keysMade, ...later.keysMade],
    keysRevoked: revoked,
    keysEnding: [...before.keysEnding, ...later.keysEnding].filter(
      ({ id }) => !revoked.some((key) => key.id === id),
    ),
    peopleSet: [
      ...without(before.peopleSet, again),
      ...later.peopleSet.map((row) => carriedOver(row, before)),
    ],
    peopleRemoved,
    ownersAdded: [...ownersWithout(before.ownersAdded, later.ownersRemoved), ...later.ownersAdded],
    ownersRemoved: [...ownersWithout(before.ownersRemoved, later.ownersAdded), ...later.ownersRemoved],
    signedOut,
    // One statement writes a row once.
    accountsConfirmed: [
      ...before.accountsConfirmed.filter(
        (row) => !later.accountsConfirmed.some((other) => isSameAccount(row, other)),
      ),
      ...later.accountsConfirmed,
    ].filter(({ person }) => !removed.has(person)),
    linksMade: [
      ...before.linksMade.filter(({ person }) => !linksGone.has(person)),
      ...later.linksMade,
    ].filter(({ person }) => !removed.has(person)),
    // Also those that come later: their sign-in began before.
    sessionsOpened: [...before.sessionsOpened, ...later.sessionsOpened].filter(
      ({ id, person }) => !out.has(person) && !endedNow.has(id),
    ),
    sessionsEnded: [...before.sessionsEnded, ...later.sessionsEnded],
    credentialsSet: [
      ...before.credentialsSet.filter(
        (row) =>
          !goneNow.has(credentialKey(row)) && !later.credentialsSet.some((other) => isSame(row, other)),
      ),
      ...later.credentialsSet,
    ].filter((row) => !removed.has(row.person) && !gone.has(credentialKey(row))),
    credentialsRemoved,
  }
}

// Of two changes to a person the later one stands, but for what the first one said alone: that it made the person one, and
// which account of a provider the person is.
function carriedOver(row: PersonRow, before: Required<AccessChange>): PersonRow {
  const first = before.peopleSet.find(({ id }) => id === row.id)
  if (first === undefined) return row
  const { provider_subject: subject, since } = first
  return {
    ...row,
    provider_subject: row.provider_subject ?? subject,
    since: Math.max(row.since, since),
  }
}

const credentialKinds = ['password', 'totp', 'recovery'] as const

// Recovery codes are replaced as a whole: old ones are removed and others, whose hashes differ, are set at once.
function credentialKey({ person, kind }: { readonly person: string; readonly kind: string }): string {
  return `${kind} ${person}`
}

type Credential = Required<AccessChange>['credentialsSet'][number]

function isSame(one: Credential, other: Credential): boolean {
  return credentialKey(one) === credentialKey(other) && one.id === other.id
}

function isSameAccount(one: AccountRow, other: AccountRow): boolean {
  return one.channel === other.channel && one.account === other.account
}

/** The owners without these. */
export function ownersWithout(
  rows: readonly AgentOwner[],
  removed: readonly AgentOwner[] = [],
): readonly AgentOwner[] {
  return rows.filter(
    ({ agent, person }) => !removed.some((other) => other.agent === agent && other.person === person),
  )
}

function without<Row extends { readonly id: string }>(
  rows: readonly Row[],
  later: readonly { readonly id: string }[],
): Row[] {
  return rows.filter(({ id }) => later.every((other) => other.id !== id))
}
