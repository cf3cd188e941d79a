import { deedRoles } from '@bailiwick/core'

/**
 * The roles that the service knows. Policies may name others; see `mayDo`. `policy-author` is granted what `viewer` is: it
 * is there so that routes can leave its holders out (`exclude: [policy_author]`), for policies are changed as files.
 */
export const roles = ['viewer', 'approver', 'policy-author', 'operator', 'auditor', 'administrator'] as const

/** A role that the service knows. */
export type Role = (typeof roles)[number]

/**
 * Who a row of the table speaks of beside the known roles: an agent, a person with a role that only policies name, and
 * a person who has no role at all.
 */
export const others = ['agent', 'other', 'none'] as const

/** A column of the table. */
export type Actor = Role | (typeof others)[number]

const everyRole: readonly Actor[] = [...roles, 'other']

// The one place that says who may do what. What is not here, nobody may. Roles that an operation demands again in the
// transaction that records it, and verification of its record, stand in `deedRoles`.
const table = {
  'calls:decide': { who: ['agent'], what: 'have calls decided' },
  'calls:read': { who: ['agent'], what: 'see what stands for a call id of its own' },
  'outcomes:report': { who: ['agent'], what: 'report outcomes' },
  'decisions:read': { who: ['agent', ...everyRole], what: 'see decisions; an agent its own' },
  'approvals:read': { who: ['agent', ...everyRole], what: 'see approvals; an agent its own' },
  'approvals:vote': { who: [...everyRole], what: 'vote, where the policy asks them' },
  'approvals:cancel': {
    who: ['agent', ...deedRoles.cancellation],
    what: 'withdraw approvals; an agent its own',
  },
  'delegations:read': {
    who: [...everyRole],
    what: 'see who votes in whose stead; most people their own, and of who is asked on an approval that waits',
  },
  'delegations:change': {
    who: [...everyRole],
    what: 'let others vote in their stead; administrators anybody',
  },
  'grants:read': { who: [...everyRole], what: 'see standing grants' },
  'grants:revoke': {
    who: [...everyRole],
    what: 'revoke standing grants that they could give or have given; operators and administrators any',
  },
  'log:prove': { who: ['agent', ...everyRole], what: 'have proofs made; an agent of its own records' },
  'log:read': { who: [...everyRole], what: 'read the log as tiles, and hear when it grows' },
  'agents:read': { who: [...everyRole], what: 'see agents' },
  'agents:suspend': { who: deedRoles.suspension, what: 'suspend and resume agents' },
  'policies:read': { who: [...everyRole], what: 'see policies' },
  'payloads:reveal': {
    who: [...everyRole],
    what: 'see a masked field, for a reason that is recorded: of a call that waits for them, and auditors of any',
  },
  'deliveries:read': {
    who: ['operator', 'auditor', 'administrator'],
    what: 'see which messages went out, and which were given up',
  },
  'deliveries:retry': { who: ['operator', 'administrator'], what: 'have messages sent again' },
  'payloads:erase': { who: deedRoles.erasure, what: 'erase personal data' },
  'access:read': { who: ['auditor', 'administrator'], what: 'see people, keys and sessions' },
  'access:change': { who: deedRoles.access, what: 'change people, keys and sessions' },
  account: { who: [...everyRole, 'none'], what: 'see and change their own account and sessions' },
} as const satisfies Readonly<Record<string, { readonly who: readonly Actor[]; readonly what: string }>>

/** Something that the service lets some do and others not. */
export type Permission = keyof typeof table

/** Every permission, in the order of the table. */
export const permissions = Object.keys(table) as readonly Permission[]

/** What a permission allows, in words. */
export function meaningOf(permission: Permission): string {
  return table[permission].what
}

/** Whether the table grants an actor a permission. The only function that reads it. */
export function mayDo(actor: Actor, permission: Permission): boolean {
  const { who }: { readonly who: readonly Actor[] } = table[permission]
  return who.includes(actor)
}

/** The columns that a person with these roles stands in. A person may do what any of them may. */
export function actorsOf(personRoles: readonly string[]): readonly Actor[] {
  if (personRoles.length === 0) return ['none']
  return personRoles.map((role) => roles.find((known) => known === role) ?? 'other')
}
