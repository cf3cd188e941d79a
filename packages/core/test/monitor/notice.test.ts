import { describe, expect, test } from 'vitest'
import fc from 'fast-check'
import { noticeItemsMax, noticeTextLengthMax } from '../../src/monitor/notice.ts'
import { noticesOf } from '../../src/monitor/notices-of.ts'
import type { LogRecord } from '../../src/model/record.ts'
import type { PolicyRef } from '../../src/model/decision.ts'
import { decisionId } from '../../src/model/ids.ts'
import { deniedRecord, escalatedRecord, expiryRecord, voteRecord } from './records.ts'

const kindsOf = (record: LogRecord) => noticesOf(record).map((notice) => notice.kind)

describe('what causes a notice', () => {
  test('a denied call is a violation', () => {
    expect(noticesOf(deniedRecord())).toEqual([
      {
        kind: 'violation.denied',
        severity: 'critical',
        index: 7,
        at: '2025-11-20T10:00:00.000Z',
        agent: 'customer-support-agent-v2',
        action: 'delete_account',
        title: '`customer-support-agent-v2` was denied `delete_account`: Action is forbidden by policy',
        data: {
          decision: 'dec_7',
          agent: 'customer-support-agent-v2',
          action: 'delete_account',
          code: 'forbidden',
          reasons: ['Action is forbidden by policy'],
          rules: ['forbidden_actions[0]'],
          approval: null,
        },
      },
    ])
  })

  test('an allowed call causes none', () => {
    expect(noticesOf(deniedRecord({ effect: 'allow', code: null, reasons: ['Action approved'] }))).toEqual([])
  })

  test('an allowed call that used up an approval causes none', () => {
    const claims = { id: 'apr_3', consumed: true }
    expect(noticesOf(deniedRecord({ effect: 'allow', code: null, claims }))).toEqual([])
  })

  test('an allowed call of which the policy wants somebody told names the channels, and nothing of the call', () => {
    const obligations = [
      { kind: 'notify', channel: 'finance' },
      { kind: 'redact', path: 'result.iban' },
      { kind: 'notify', channel: 'audit' },
    ] as const
    const record = deniedRecord({ effect: 'allow', code: null, reasons: ['Action approved'], obligations })
    expect(noticesOf(record)).toMatchObject([
      {
        kind: 'obligation.notify',
        severity: 'info',
        data: { decision: 'dec_7', channels: ['finance', 'audit'] },
      },
    ])
    const onlyRedacts = deniedRecord({ effect: 'allow', code: null, obligations: [obligations[1]] })
    expect(noticesOf(onlyRedacts)).toEqual([])
  })

  test('a call that shadow mode let pass says what would have happened', () => {
    const { rules, reasons } = deniedRecord()
    const shadow = { effect: 'deny', code: 'forbidden', reasons, rules } as const
    expect(noticesOf(deniedRecord({ effect: 'allow', code: null, shadow }))).toMatchObject([
      {
        kind: 'violation.shadowed',
        severity: 'info',
        data: { effect: 'deny', reasons: ['Action is forbidden by policy'], rules: ['forbidden_actions[0]'] },
      },
    ])
  })

  test('a call that tries to use an approval twice is a violation that names the approval', () => {
    const claims = { id: 'apr_3', consumed: false }
    const [notice] = noticesOf(deniedRecord({ code: 'approval_refused', claims }))
    expect(notice).toMatchObject({
      kind: 'violation.denied',
      severity: 'warning',
      data: { code: 'approval_refused', approval: 'apr_3' },
    })
  })

  test('an escalated call asks for approval, with routes, quorum and deadline', () => {
    expect(noticesOf(escalatedRecord())).toEqual([
      {
        kind: 'approval.requested',
        severity: 'info',
        index: 12,
        at: '2025-11-20T10:00:00.000Z',
        agent: 'customer-support-agent-v2',
        action: 'issue_refund',
        title: '`customer-support-agent-v2` asks for approval of `issue_refund` by 2025-11-20T10:05:00.000Z',
        data: {
          approval: 'apr_12',
          decision: 'dec_12',
          agent: 'customer-support-agent-v2',
          action: 'issue_refund',
          reasons: ['Escalation required: human_approval_required'],
          routes: ['human_approval_required'],
          quorum: 2,
          deadline: '2025-11-20T10:05:00.000Z',
        },
      },
    ])
  })

  test('an approval that expires is told', () => {
    expect(noticesOf(expiryRecord)).toMatchObject([
      { kind: 'approval.expired', severity: 'warning', data: { approval: 'apr_12', action: 'issue_refund' } },
    ])
  })

  test.each(['approved', 'rejected'] as const)('a vote after which the approval is %s is told', (status) => {
    expect(noticesOf(voteRecord(status))).toMatchObject([
      { kind: 'approval.decided', agent: null, action: null, data: { approval: 'apr_12', status } },
    ])
  })

  test.each(['pending', 'expired', 'consumed'] as const)(
    'a vote after which the approval is %s is not told',
    (status) => expect(kindsOf(voteRecord(status))).toEqual([]),
  )

  test('outcomes, policies and access changes cause none', () => {
    const base = { v: 1, ledger: 'default', index: 3, at: '2025-11-20T10:00:00.000Z', payload: null } as const
    const policy = deniedRecord().policy as PolicyRef
    expect(
      kindsOf({ ...base, kind: 'outcome', decision: decisionId(1), agent: 'a', status: 'failed' }),
    ).toEqual([])
    expect(kindsOf({ ...base, kind: 'policy', policy })).toEqual([])
    expect(kindsOf({ ...base, kind: 'access', event: 'key_created', subject: 'k1', grants: ['a'] })).toEqual(
      [],
    )
  })
})

describe('what a notice may say', () => {
  test('who voted and who may vote stay in the log', () => {
    const told = JSON.stringify([...noticesOf(voteRecord('approved')), ...noticesOf(escalatedRecord())])
    expect(told).not.toContain('ann@example.com')
  })

  test('why a condition could not be evaluated stays in the log, because it may quote a value', () => {
    expect(JSON.stringify(noticesOf(escalatedRecord()))).not.toContain('params.amount')
  })

  test('nor is it told by a reason', () => {
    const reasons = ['Escalation required: lead', 'condition_error in cap: params.amount is absent']
    const told = noticesOf({ ...escalatedRecord(), reasons })
    expect(told).toMatchObject([{ data: { reasons: [reasons[0], 'condition_error in cap'] } }])
    expect(noticesOf(deniedRecord({ code: 'denied_by_rule', reasons }))).toMatchObject([
      { data: { reasons: [reasons[0], 'condition_error in cap'] } },
    ])
  })

  test('names of parameters stay in the log: who made the call chose them', () => {
    const reasons = [
      'params.balances.ann@example.com must be a number',
      'params.urgent pay now is not allowed here',
    ]
    const [notice] = noticesOf(deniedRecord({ code: 'params_invalid', reasons }))
    expect(notice?.data).toMatchObject({ reasons: ['params do not fit their schema'] })
    expect(JSON.stringify(notice)).not.toMatch(/ann@example|urgent/)
    const malformed = deniedRecord({
      code: 'malformed_call',
      reasons: ['Call is malformed: params.pay now is NaN'],
    })
    expect(JSON.stringify(noticesOf(malformed))).not.toContain('pay now')
  })

  test('a reason that the author wrote is told, also where it speaks of params', () => {
    const reasons = ['params.amount is above what we pay']
    expect(noticesOf(deniedRecord({ code: 'denied_by_rule', reasons }))).toMatchObject([
      { data: { reasons } },
    ])
  })

  test('a claimed approval that has no form of an id is left out', () => {
    const claims = { id: 'see <https://evil.example>', consumed: false }
    expect(noticesOf(deniedRecord({ code: 'approval_refused', claims }))).toMatchObject([
      { data: { approval: null } },
    ])
  })

  test('an action name cannot bring line breaks or direction marks into the title', () => {
    const [notice] = noticesOf(deniedRecord({ action: 'a\n\u202Eb\u2028c' }))
    expect(notice?.title).toContain('`a b c`')
  })

  test('however long the names and reasons of a record are, its notice stays small', () => {
    const text = fc.oneof(
      fc.string(),
      fc.string({ minLength: 490, maxLength: 700, unit: fc.constantFrom('😀', 'a') }),
    )
    fc.assert(
      fc.property(text, text, fc.array(text, { maxLength: 40 }), (agent, action, reasons) => {
        const [notice] = noticesOf(deniedRecord({ agent, action, reasons }))
        if (notice?.kind !== 'violation.denied') throw new Error('a denied call without its notice')
        expect(notice.data.reasons.length).toBeLessThanOrEqual(noticeItemsMax)
        expect(notice.data.reasons.every((reason) => reason.length <= noticeTextLengthMax)).toBe(true)
        expect(notice.data.agent.length).toBeLessThanOrEqual(200)
        expect(notice.title.length).toBeLessThanOrEqual(2 * 200 + noticeTextLengthMax + 30)
        expect(notice.title).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}]/u)
        expect(halfCharacters(JSON.stringify(notice.data.reasons))).toBe(
          halfCharacters(JSON.stringify(reasons)),
        )
      }),
    )
  })
})

/** JSON writes half of a surrogate pair as an escape, and a whole one as itself. */
function halfCharacters(json: string): boolean {
  return /\\ud[89a-f]/i.test(json)
}
