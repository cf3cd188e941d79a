import type { Voter } from './voter.ts'

/**
 * What people do beside voting that takes a role, by the record that says so, and the roles of which one is enough. A
 * delegation is one where it is of somebody else's votes. The one list that operations, verification and the permissions
 * of endpoints go by.
 */
export const deedRoles = {
  /** Changing keys, sessions and people, also what another person signs in with. */
  access: ['administrator'],
  cancellation: ['operator', 'administrator'],
  delegation: ['administrator'],
  erasure: ['administrator'],
  hold: ['administrator'],
  reveal: ['auditor', 'administrator'],
  revocation: ['operator', 'administrator'],
  suspension: ['operator', 'administrator'],
} as const satisfies Readonly<Record<string, readonly string[]>>

/** What somebody does that takes a role. */
export type Deed = keyof typeof deedRoles

/** Whether these roles are enough for it, whatever else lets somebody do it. */
export function allowsDeed({ roles }: Pick<Voter, 'roles'>, deed: Deed): boolean {
  return deedRoles[deed].some((role) => roles.includes(role))
}

/** Whether a record's `by` names a person, and neither whoever runs commands beside the service nor an agent. */
export function isPerson(by: string | undefined): by is string {
  return by !== undefined && by !== 'operator' && by !== 'agent'
}
