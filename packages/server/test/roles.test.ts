import { Fault, parsePolicy } from '@bailiwick/core'
import { describe, expect, test } from 'vitest'
import { checkProviderRoles, KnownRoles } from '../src/roles.ts'

const parsed = parsePolicy(`agent_id: a
allowed_actions: [pay]
escalation_rules: [{ condition: "params.amount > 5", action: large }]
approvals:
  large:
    approvers: [role:refunds-lead, role:treasury, group:eu, person:ann@example.com]
    quorum_of: { "role:treasury": 1 }
    escalate_to: [{ after: 1m, approvers: [role:cfo] }]
    break_glass: { approvers: [group:on-call] }
`)
if (parsed.kind === 'invalid') throw new Error(JSON.stringify(parsed.problems))
const policies = [parsed.policy]
const known = new KnownRoles(policies)
const refusalOf = (roles: readonly string[]) => {
  try {
    known.checked(roles)
  } catch (fault) {
    if (fault instanceof Fault) return { message: fault.message, fix: fault.fix }
    throw fault
  }
  return expect.unreachable('it was taken')
}

describe('the roles that people can be granted', () => {
  test('are those of the service and those that a policy in force names, wherever it names them', () => {
    expect(known.checked(['approver', 'administrator', 'refunds-lead', 'treasury', 'cfo'])).toEqual([])
    expect(known.checked(['group:eu', 'group:on-call'])).toEqual([])
  })

  test.each([
    ['aprover', 'approver'],
    ['Administrator', 'administrator'],
    ['administrater', 'administrator'],
    ['refund-lead', 'refunds-lead'],
    ['tresury', 'treasury'],
    ['group:oncall', 'group:on-call'],
  ])('`%s` is refused, with what was meant and all that there are', (role, meant) => {
    const { message, fix } = refusalOf(['viewer', role])
    expect(message).toContain(`\`${role}\` is no role`)
    expect(message).toContain(`did you mean \`${meant}\`?`)
    expect(fix).toContain('viewer, approver, policy-author, operator, auditor, administrator')
    expect(fix).toContain('policies in force name cfo, group:eu, group:on-call, refunds-lead, treasury')
  })

  test('may be others that are written like none of them, and those are named', () => {
    // A policy may name them later; two groups of two letters are not nearly the same.
    expect(known.checked(['viewer', 'night-shift', 'group:us'])).toEqual(['night-shift', 'group:us'])
    expect(refusalOf(['two words']).message).toContain('is no role')
  })
})

describe('the roles that an identity provider gives', () => {
  const check = (roles: readonly string[]) => {
    const lines: string[] = []
    checkProviderRoles({ rolesOf: new Map([['staff', roles]]) }, policies, (line) => lines.push(line))
    return lines
  }

  test('keep the service from starting where one is nearly one of its own', () => {
    expect(() => check(['viewer', 'aprover'])).toThrow(
      '`BAILIWICK_OIDC_ROLES` gives `staff` the role `aprover`, which nobody knows; did you mean `approver`?',
    )
  })

  test('are said where no policy names them, and not where one does', () => {
    expect(check(['approver', 'refunds-lead'])).toEqual([])
    expect(check(['refund-lead', 'night-shift'])).toEqual([
      expect.stringMatching(
        /`refund-lead`, which nobody knows; did you mean `refunds-lead`\? The service knows/,
      ),
      expect.stringMatching(/`night-shift`, which nobody knows\. The service knows/),
    ])
  })
})
