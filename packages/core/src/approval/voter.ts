import type { PersonId } from '../model/ids.ts'
import type { ApprovalTerms } from '../model/decision.ts'
import { personIdOf } from '../model/person-id.ts'

/** A person who may be asked. */
export interface Voter {
  readonly id: PersonId
  /** What the person has been granted: roles by their names, and groups as `group:NAME`. */
  readonly roles: readonly string[]
}

/** A role, or a group as `group:NAME`, as people are granted them. */
export const roleOrGroup = /^([a-z0-9-]{1,64}|group:[^\s\p{C}]{1,64})$/u

/**
 * Whether a person may vote on an approval with these terms: entitled by every route that asked, and not excluded.
 * Routes that name nobody ask anyone with the role `approver` or `administrator`. Of an approval that others are asked
 * about later, these are the terms as they are then: `termsAt`.
 */
export function mayVote(terms: ApprovalTerms, voter: Voter): boolean {
  if (isExcluded(terms, voter)) return false
  if (terms.approvers.length === 0)
    return ['approver', 'administrator'].some((role) => voter.roles.includes(role))
  return terms.approvers.every((approvers) => approvers.some((entry) => isNamedBy(entry, voter)))
}

/**
 * Whether the person has any role. Whoever has none answers nothing, also where a route names them: a removal takes the roles
 * before anything else.
 */
export function isSomebody({ roles }: Pick<Voter, 'roles'>): boolean {
  return roles.length > 0
}

/** The entries of the terms' `quorumOf` that a person can stand for, where there are any. */
export function countsFor({ quorumOf }: ApprovalTerms, voter: Voter): readonly string[] | undefined {
  return quorumOf && Object.keys(quorumOf).filter((entry) => isNamedBy(entry, voter))
}

/** Whether the terms say that this person may not vote. */
export function isExcluded({ exclude }: ApprovalTerms, voter: Voter): boolean {
  return exclude?.some((entry) => isNamedBy(entry, voter)) === true
}

// Whether an entry such as `role:finance` means the person.
function isNamedBy(entry: string, voter: Voter): boolean {
  const [kind, name] = [entry.slice(0, entry.indexOf(':')), entry.slice(entry.indexOf(':') + 1)]
  switch (kind) {
    case 'role':
      return voter.roles.includes(name)
    case 'group':
      return voter.roles.includes(entry)
    case 'person':
      return personIdOf(name) === voter.id
    default:
      return false
  }
}
