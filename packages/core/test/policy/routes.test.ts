import { describe, expect, test } from 'vitest'
import { approvalTerms } from '../../src/decision/terms.ts'
import { parsePolicy } from '../../src/policy/compile.ts'
import type { CompiledPolicy } from '../../src/model/policy.ts'

const asks = (...routes: readonly string[]) =>
  routes.map((route) => `  - { condition: 'params.n > 0', action: ${route} }\n`).join('')
const base = 'agent_id: a\nallowed_actions: [x]\n'

function policyOf(approvals: string, more = ''): CompiledPolicy {
  const parsed = parsePolicy(
    `${base}${more}escalation_rules:\n${asks('ask', 'other')}approvals:\n${approvals}`,
  )
  if (parsed.kind === 'invalid') throw new Error(JSON.stringify(parsed.problems))
  return parsed.policy
}

function problemsOf(approvals: string, files: Readonly<Record<string, string>> = {}, more = '') {
  const text = `${base}${more}escalation_rules:\n${asks('ask')}approvals:\n${approvals}`
  const parsed = parsePolicy(text, { load: (path) => files[path] })
  return (parsed.kind === 'invalid' ? parsed.problems : []).map(({ code, message }) => `${code}: ${message}`)
}

describe('a route', () => {
  test('is carried into the terms of an approval, and says nothing of what it does not ask', () => {
    expect(approvalTerms(policyOf('  ask: {}\n'), ['ask'])).toEqual({
      routes: ['ask'],
      approvers: [],
      quorum: 1,
      deadlineMs: 300_000,
      asks: 'consent',
    })
  })

  test('with everything', () => {
    const route = `  ask:
    approvers: [role:finance, group:treasury, person:Boss@example.com]
    quorum: 3
    quorum_of: { role:finance: 1, group:treasury: 1 }
    deadline: 2h
    escalate_to: [{ after: 30m, approvers: [role:board] }, { after: 10m, approvers: [role:ops-manager] }]
    remind: [1h, 5m]
    hours: { zone: Europe/Berlin, days: [fri, mon], from: "09:00", to: "17:00" }
    exclude: [policy_author, role:intern]
    channels: [slack, console]
    signed: true
    survives_policy_change: true
    break_glass: { approvers: [role:oncall] }
    standing: { uses: 12, lasts: 8h, may_differ: { order_id: any, amount: up_to } }
`
    expect(approvalTerms(policyOf(route, 'authors: [Ann@example.com]\n'), ['ask'])).toEqual({
      routes: ['ask'],
      approvers: [['role:finance', 'group:treasury', 'person:Boss@example.com']],
      quorum: 3,
      quorumOf: { 'group:treasury': 1, 'role:finance': 1 },
      deadlineMs: 7_200_000,
      escalateTo: [
        { afterMs: 600_000, approvers: ['role:ops-manager'], set: 0 },
        { afterMs: 1_800_000, approvers: ['role:board'], set: 0 },
      ],
      remindMs: [300_000, 3_600_000],
      hours: { zone: 'Europe/Berlin', days: ['mon', 'fri'], fromMinute: 540, toMinute: 1020 },
      exclude: ['person:ann@example.com', 'role:intern', 'role:policy-author'],
      asks: 'consent',
      channels: ['console', 'slack'],
      signed: true,
      survivesPolicyChange: true,
      breakGlass: { approvers: [['role:oncall']], quorum: 2 },
      standing: {
        uses: 12,
        lastsMs: 28_800_000,
        mayDiffer: [
          { how: 'up_to', param: 'amount' },
          { how: 'any', param: 'order_id' },
        ],
      },
    })
  })

  test('that counts by role asks those roles, and as many people as they are together', () => {
    const policy = policyOf('  ask: { quorum_of: { role:finance: 2, role:legal: 1 } }\n')
    expect(approvalTerms(policy, ['ask'])).toMatchObject({
      approvers: [['role:finance', 'role:legal']],
      quorum: 3,
      quorumOf: { 'role:finance': 2, 'role:legal': 1 },
    })
  })

  test.each([
    [
      'two with other hours: the time runs on',
      '{ hours: { zone: UTC, from: "08:00", to: "09:00" } }',
      undefined,
    ],
    ['one without hours: the time runs on', '{}', undefined],
    [
      'two with the same hours: the clock stands still for both',
      '{ hours: { zone: UTC, from: "09:00", to: "17:00" } }',
      { zone: 'UTC', fromMinute: 540 },
    ],
  ])('beside another, %s', (_what, other, hours) => {
    const policy = policyOf(
      `  ask: { hours: { zone: UTC, from: "09:00", to: "17:00" } }\n  other: ${other}\n`,
    )
    const terms = approvalTerms(policy, ['ask', 'other'])
    if (hours === undefined) expect(terms.hours).toBeUndefined()
    else expect(terms.hours).toMatchObject(hours)
  })

  test('beside another, the strictest of both holds', () => {
    const policy = policyOf(
      '  ask: { quorum_of: { role:a: 1 }, survives_policy_change: true, asks: acknowledgement, remind: [1m] }\n' +
        '  other: { approvers: [role:a, role:b], quorum_of: { role:a: 2, role:b: 1 }, signed: true, exclude: [role:c], remind: [2m], escalate_to: [{ after: 1m, approvers: [role:d] }] }\n',
    )
    expect(approvalTerms(policy, ['ask', 'other'])).toEqual({
      routes: ['ask', 'other'],
      approvers: [['role:a'], ['role:a', 'role:b']],
      quorum: 3,
      quorumOf: { 'role:a': 2, 'role:b': 1 },
      deadlineMs: 300_000,
      escalateTo: [{ afterMs: 60_000, approvers: ['role:d'], set: 1 }],
      remindMs: [60_000, 120_000],
      exclude: ['role:c'],
      asks: 'consent',
      signed: true,
    })
  })

  test.each([
    ['both', '{ uses: 3, lasts: 9h, may_differ: { amount: any, order_id: any } }', 'consent', true],
    ['one', undefined, 'consent', false],
    ['both, one of which is only looked at,', undefined, 'acknowledgement', false],
  ])('lets people grant more where %s lets them, and the strictest counts', (_who, other, ask, is) => {
    const standing = other === undefined ? '' : `, standing: ${other}`
    const policy = policyOf(
      '  ask: { standing: { uses: 12, lasts: 8h, may_differ: { amount: up_to, note: any } } }\n' +
        `  other: { asks: ${ask}${standing} }\n`,
    )
    expect(approvalTerms(policy, ['ask', 'other']).standing).toEqual(
      is ? { uses: 3, lastsMs: 28_800_000, mayDiffer: [{ how: 'up_to', param: 'amount' }] } : undefined,
    )
  })

  test.each([
    ['one that takes them over all', '{}', ['console', 'slack']],
    ['one that takes some of them', '{ channels: [email, console] }', ['console']],
    ['one that takes none of them: nobody can answer', '{ channels: [email] }', []],
  ])('that takes votes over some channels, beside %s', (_what, other, channels) => {
    const policy = policyOf(`  ask: { channels: [slack, console] }\n  other: ${other}\n`)
    expect(approvalTerms(policy, ['ask', 'other']).channels).toEqual(channels)
  })

  test.each([
    ['human_review_before_action', '{}', 'acknowledgement'],
    ['human_review_before_action', '{ asks: consent }', 'consent'],
    ['human_approval_required', '{}', 'consent'],
    ['human_approval_required', '{ asks: acknowledgement }', 'acknowledgement'],
  ])('%s: %s asks for %s', (name, written, ask) => {
    const parsed = parsePolicy(`${base}escalation_rules:\n${asks(name)}approvals: { ${name}: ${written} }\n`)
    if (parsed.kind === 'invalid') throw new Error(JSON.stringify(parsed.problems))
    expect(approvalTerms(parsed.policy, [name]).asks).toBe(ask)
  })

  test.each([
    ['{ approvers: [finance] }', 'wrong-value'],
    ['{ approvers: ["group:"] }', 'wrong-value'],
    ['{ quorum_of: { finance: 1 } }', 'wrong-value'],
    ['{ quorum_of: { role:finance: 0 } }', 'wrong-value'],
    ['{ quorum_of: { role:finance: 20, role:legal: 1 } }', 'wrong-value'],
    ['{ approvers: [role:a], quorum_of: { role:b: 1 } }', 'unreachable-quorum'],
    ['{ quorum_of: { "person:a@b.c": 2 } }', 'unreachable-quorum'],
    ['{ approvers: ["person:a@b.c"], quorum: 2 }', 'unreachable-quorum'],
    ['{ escalate_to: [{ after: 1m }] }', 'missing-key'],
    ['{ escalate_to: [{ after: 1m, approvers: [] }] }', 'wrong-value'],
    ['{ hours: { zone: Mars/Olympus } }', 'wrong-value'],
    ['{ hours: { zone: UTC, from: "09:00", to: "09:00" } }', 'wrong-value'],
    ['{ exclude: [author] }', 'wrong-value'],
    ['{ channels: [fax] }', 'wrong-value'],
    ['{ channels: [] }', 'wrong-value'],
    ['{ channels: [slack, email], signed: true }', 'unreachable-channel'],
    ['{ asks: nothing }', 'wrong-value'],
    ['{ break_glass: { approvers: [role:a], quorum: 1 } }', 'wrong-value'],
    ['{ break_glass: { quorum: 2 } }', 'missing-key'],
    ['{ standing: { lasts: 8h } }', 'missing-key'],
    ['{ standing: { uses: 12 } }', 'missing-key'],
    ['{ standing: { uses: 0, lasts: 8h } }', 'wrong-value'],
    ['{ standing: { uses: 101, lasts: 8h } }', 'wrong-value'],
    ['{ standing: { uses: 1.5, lasts: 8h } }', 'wrong-value'],
    ['{ standing: { uses: 12, lasts: 25h } }', 'wrong-value'],
    ['{ standing: { uses: 12, lasts: 8h, may_differ: [amount] } }', 'wrong-value'],
    ['{ standing: { uses: 12, lasts: 8h, may_differ: { amount: less } } }', 'wrong-value'],
    ['{ standing: { uses: 12, lasts: 8h, context: any } }', 'unknown-key'],
    ['{ standing: { uses: 12, lasts: 8h }, asks: acknowledgement }', 'standing-without-consent'],
    ['{ escalateTo: [] }', 'unknown-key'],
  ])('%s is refused', (route, code) => {
    expect(problemsOf(`  ask: ${route}\n`).join('\n')).toContain(code)
  })

  test('that reminds, or asks others, when its deadline has come is told so', () => {
    for (const late of ['remind: [5m]', 'escalate_to: [{ after: 6m, approvers: [role:b] }]']) {
      const parsed = parsePolicy(`${base}escalation_rules:\n${asks('ask')}approvals: { ask: { ${late} } }\n`)
      expect(parsed.kind === 'valid' ? parsed.warnings.map(({ code }) => code) : parsed).toContain(
        'late-prompt',
      )
    }
    const timely = parsePolicy(
      `${base}escalation_rules:\n${asks('ask')}approvals: { ask: { remind: [4m] } }\n`,
    )
    expect(timely.kind === 'valid' ? timely.warnings.map(({ code }) => code) : timely).not.toContain(
      'late-prompt',
    )
  })
})

describe('a file that describes a route again', () => {
  const org = `approvals:
  ask:
    approvers: [role:a, role:b]
    quorum_of: { role:a: 2 }
    escalate_to: [{ after: 2m, approvers: [role:c] }]
    hours: { zone: UTC, from: "09:00", to: "17:00" }
    exclude: [role:x]
    channels: [console, slack]
    signed: true
    break_glass: { approvers: [role:a, role:b], quorum: 3 }
`
  const grants = `approvals:
  ask: { standing: { uses: 12, lasts: 8h, may_differ: { order_id: any, amount: up_to } } }
`
  const again = (route: string, parent = org) =>
    problemsOf(`  ask: ${route}\n`, { 'org.yaml': parent }, 'extends: org.yaml\n')

  test.each([
    '{ quorum_of: { role:a: 3 } }',
    '{ quorum_of: { role:b: 1 } }',
    '{ escalate_to: [] }',
    '{ escalate_to: [{ after: 3m, approvers: [role:c] }] }',
    '{ escalate_to: [{ after: 1m, approvers: [role:a] }] }',
    '{ hours: { zone: UTC, from: "09:00", to: "17:00" } }',
    '{ exclude: [role:y] }',
    '{ channels: [console] }',
    '{ break_glass: { approvers: [role:a], quorum: 3 } }',
    '{ asks: consent, signed: true, survives_policy_change: false, remind: [1m] }',
  ])('may say %s', (route) => {
    expect(again(route)).toEqual([])
  })

  test.each([
    '{ quorum_of: { role:a: 1 } }',
    '{ escalate_to: [{ after: 1m, approvers: [role:c] }] }',
    '{ escalate_to: [{ after: 3m, approvers: [role:d] }] }',
    '{ hours: { zone: UTC, from: "08:00", to: "17:00" } }',
    '{ asks: acknowledgement }',
    '{ signed: false }',
    '{ channels: [console, email] }',
    '{ break_glass: { approvers: [role:a] } }',
    '{ break_glass: { approvers: [role:c], quorum: 3 } }',
    '{ survives_policy_change: true }',
  ])('may not say %s, which is less', (route) => {
    expect(again(route)).toEqual([expect.stringContaining('loosened-route')])
  })

  test.each([
    ['{ uses: 12, lasts: 8h, may_differ: { amount: up_to, order_id: any } }', true],
    ['{ uses: 1, lasts: 1m, may_differ: { order_id: up_to } }', true],
    ['{ uses: 13, lasts: 8h }', false],
    ['{ uses: 12, lasts: 9h }', false],
    ['{ uses: 12, lasts: 8h, may_differ: { amount: any } }', false],
    ['{ uses: 12, lasts: 8h, may_differ: { note: any } }', false],
  ])('lets people grant %s, where that is no more than before: %s', (standing, may) => {
    expect(again(`{ standing: ${standing} }`, grants)).toEqual(
      may ? [] : [expect.stringContaining('loosened-route')],
    )
  })

  test('keeps whom it excludes', () => {
    const text = `${base}extends: org.yaml\nescalation_rules:\n${asks('ask')}approvals: { ask: { exclude: [role:y] } }\n`
    const parsed = parsePolicy(text, { load: () => org })
    expect(parsed.kind === 'valid' && parsed.policy.routes.get('ask')?.exclude).toEqual(['role:x', 'role:y'])
  })

  test('asks nobody else by counting them', () => {
    const usual = 'approvals: { ask: { quorum: 1 } }\n'
    expect(again('{ quorum_of: { role:finance: 1 } }', usual)).toEqual([
      expect.stringContaining('loosened-route'),
    ])
    expect(again('{ quorum_of: { role:approver: 1 } }', usual)).toEqual([])
  })

  test.each([
    '{ hours: { zone: UTC } }',
    '{ escalate_to: [{ after: 1m, approvers: [role:z] }] }',
    '{ break_glass: { approvers: [role:a] } }',
    '{ standing: { uses: 1, lasts: 1m } }',
  ])('may not add %s, which lets it wait longer or asks more people', (route) => {
    expect(again(route, 'approvals: { ask: { approvers: [role:a] } }\n')).toEqual([
      expect.stringContaining('loosened-route'),
    ])
  })
})
