import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { canonicalJson, commitPayload, leafHash, type CompiledPolicy, type JsonObject } from '@bailiwick/core'
import { describeOnPostgres } from './harness/postgres.ts'
import {
  agent,
  decisionRecords,
  faultOf,
  ledgerSite,
  policiesOf,
  policySet,
  refund,
  supportPolicy,
  type LedgerSite,
} from './harness/ledger.ts'

const seedCases = [
  { action: 'delete_account', params: {}, effect: 'deny', reason: 'Action is forbidden by policy' },
  { action: 'send_marketing_email', params: {}, effect: 'deny', reason: 'Action not in allowed list' },
  { action: 'issue_refund', params: { amount: 100 }, effect: 'allow', reason: 'Action approved' },
  {
    action: 'issue_refund',
    params: { amount: 600 },
    effect: 'escalate',
    reason: 'Escalation required: human_approval_required',
  },
  {
    action: 'issue_refund',
    params: { amount: 100, is_vip: true },
    effect: 'escalate',
    reason: 'Escalation required: human_review_before_action',
  },
] as const

const cyclic: Record<string, unknown> = { amount: 1 }
cyclic['self'] = cyclic
const malformed: readonly (readonly [string, Record<string, unknown>])[] = [
  ['NaN', { amount: Number.NaN }],
  ['an infinity', { amount: Infinity }],
  ['an undefined value', { amount: undefined }],
  ['half of a surrogate pair', { amount: 1, note: 'a\uD800' }],
  ['half of a surrogate pair in a name', { amount: 1, '\uDFFF': 1 }],
  ['a function', { amount: () => 1 }],
  ['a bigint', { amount: 1n }],
  ['a date', { amount: 1, at: new Date(0) }],
  ['a hole in a list', { amount: 1, list: Object.assign([], { 1: 2 }) }],
  ['a getter', Object.defineProperty({}, 'amount', { get: () => 1, enumerable: true })],
  ['a hidden property', Object.defineProperty({}, 'amount', { value: 1, enumerable: false })],
  ['a symbol as a name', { amount: 1, [Symbol('s')]: 1 }],
  ['itself', cyclic],
  ['more levels than are allowed', JSON.parse(`{"amount":1,"deep":${'['.repeat(64)}${']'.repeat(64)}}`)],
]

describeOnPostgres('deciding', (postgres) => {
  let site: LedgerSite
  beforeAll(async () => {
    site = await ledgerSite(postgres)
  })
  afterEach(() => site.closeLedgers())
  afterAll(() => site.remove())

  test.each(seedCases)('$action with $params is $effect, and the answer is its record', async (seed) => {
    const ledger = await site.open()
    const answer = await ledger.decide(agent, { action: seed.action, params: seed.params })
    expect(answer).toMatchObject({ effect: seed.effect, reasons: [seed.reason] })
    const [record] = await decisionRecords(site, ledger)
    const { id, effect, reasons, rules, policy } = answer
    expect(record).toMatchObject({ id, effect, reasons, rules, policy, index: answer.record.index, agent })
    expect(await ledger.decision(answer.id)).toMatchObject({ action: seed.action, params: seed.params })
  })

  test('a record is canonical JSON that its leaf hash covers, and it commits to its parameters', async () => {
    const ledger = await site.open()
    const { record } = await ledger.decide(agent, refund(100, { context: { b: 1, a: 'ä' } }))
    const [row] = await site.query<{ record: string; leaf_hash: Buffer; salt: Buffer; body: string }>(
      'select record, leaf_hash, salt, body from log_entry where ledger = $1 and index = $2',
      [ledger.name, record.index],
    )
    const parsed = JSON.parse(row?.record ?? '') as JsonObject
    expect(row?.record).toBe(canonicalJson(parsed))
    expect(row?.leaf_hash).toEqual(leafHash(row?.record ?? ''))
    expect(row?.body).toBe('{"context":{"a":"ä","b":1},"params":{"amount":100}}')
    expect(parsed['payload']).toBe(commitPayload(row?.salt ?? Buffer.alloc(0), row?.body ?? ''))
    expect(row?.record).not.toContain('amount":100')
  })

  describe('G2: what cannot be evaluated is denied or escalated, never allowed', () => {
    test.each(malformed)(
      'parameters with %s are denied, and recorded without them',
      async (_what, params) => {
        const ledger = await site.open()
        const answer = await ledger.decide(agent, { action: 'issue_refund', params: params as JsonObject })
        expect(answer.effect).toBe('deny')
        expect(await ledger.decision(answer.id)).toMatchObject({
          effect: 'deny',
          params: null,
          context: null,
        })
        expect(await decisionRecords(site, ledger)).toMatchObject([{ code: 'malformed_call' }])
        expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
      },
    )

    test('a malformed context denies as malformed parameters do', async () => {
      const ledger = await site.open()
      const answer = await ledger.decide(agent, refund(100, { context: { at: Number.NaN } }))
      expect(answer).toMatchObject({ effect: 'deny', reasons: ['Call is malformed: context.at is NaN'] })
    })

    test.each([{}, { amount: '600' }, { amount: null }, { refund_amount: 100 }])(
      'a refund with %j, whose amount nobody can tell, waits for a person',
      async (params) => {
        const ledger = await site.open()
        expect(await ledger.decide(agent, { action: 'issue_refund', params })).toMatchObject({
          effect: 'escalate',
        })
      },
    )

    test('an agent that no policy governs is denied, and that is recorded', async () => {
      const ledger = await site.open()
      expect(await ledger.decide('nobody', refund(1))).toMatchObject({ effect: 'deny', policy: null })
      expect(await decisionRecords(site, ledger)).toMatchObject([{ agent: 'nobody', code: 'no_policy' }])
    })

    test('a policy that breaks while it is evaluated denies, and that is recorded', async () => {
      const [policy] = policiesOf(supportPolicy()).all
      const ledger = await site.open(policySet([broken(policy)]))
      expect(await ledger.decide(agent, refund(1))).toMatchObject({ effect: 'deny' })
      expect(await decisionRecords(site, ledger)).toMatchObject([{ code: 'evaluation_failed' }])
    })
  })

  test('a parameter named __proto__ is data: it is recorded, and gives no amount to a call without one', async () => {
    const ledger = await site.open()
    const params = JSON.parse('{"__proto__":{"amount":1}}') as JsonObject
    const answer = await ledger.decide(agent, { action: 'issue_refund', params })
    expect(answer.effect).toBe('escalate')
    const rows = await site.query<{ body: string }>(
      'select body from log_entry where ledger = $1 and index = $2',
      [ledger.name, answer.record.index],
    )
    expect(rows).toEqual([{ body: '{"context":{},"params":{"__proto__":{"amount":1}}}' }])
  })

  test('parameters that change after the call was made change neither the decision nor the record', async () => {
    const ledger = await site.open()
    const params = { amount: 100, items: ['a'] }
    const answering = ledger.decide(agent, { action: 'issue_refund', params })
    params.amount = 9_000
    params.items.push('b')
    const answer = await answering
    expect(answer.effect).toBe('allow')
    expect((await ledger.decision(answer.id)).params).toEqual({ amount: 100, items: ['a'] })
  })

  test.each([
    ['an action with white space', { action: 'issue refund' }, 'bad_input'],
    ['an action with a line break', { action: 'issue_refund\n' }, 'bad_input'],
    ['an empty action', { action: '' }, 'bad_input'],
    ['a call id with white space', { callId: 'a b' }, 'bad_input'],
    ['an approval id with a control character', { approvalId: 'apr_\u0000' }, 'bad_input'],
    ['a call id of more characters than are allowed', { callId: 'c'.repeat(201) }, 'bad_input'],
    ['parameters that are a list', { params: JSON.parse('[]') as JsonObject }, 'bad_input'],
    ['parameters over 64 KiB', { params: { amount: 1, note: 'x'.repeat(64 * 1024) } }, 'too_large'],
    [
      'parameters whose bytes, not characters, are over 64 KiB',
      { params: { note: '€'.repeat(22_000) } },
      'too_large',
    ],
  ] as const)('%s is refused with a fault, and nothing is recorded', async (_what, more, code) => {
    const ledger = await site.open()
    const before = await ledger.head()
    expect((await faultOf(ledger.decide(agent, refund(1, more)))).code).toBe(code)
    expect((await ledger.head()).size).toBe(before.size)
  })

  test('parameters of nearly 64 KiB are recorded', async () => {
    const ledger = await site.open()
    const note = 'x'.repeat(64 * 1024 - 100)
    const answer = await ledger.decide(agent, { action: 'issue_refund', params: { amount: 1, note } })
    expect((await ledger.decision(answer.id)).params).toEqual({ amount: 1, note })
  })

  test('decisions are listed newest first, by agent, action and effect', async () => {
    const ledger = await site.open()
    for (const amount of [1, 600, 2]) await ledger.decide(agent, refund(amount))
    await ledger.decide('nobody', refund(3))
    const params = async (filter: object) =>
      (await ledger.decisions({ limit: 10, ...filter })).decisions.map((view) => view.params)
    expect(await params({ agent })).toEqual([{ amount: 2 }, { amount: 600 }, { amount: 1 }])
    expect(await params({ effect: 'deny' })).toEqual([{ amount: 3 }])
    expect(await params({ effect: 'allow', limit: 1 })).toEqual([{ amount: 2 }])
    expect(await params({ action: 'delete_account' })).toEqual([])
    const { decisions: own } = await ledger.decisions({ limit: 1, agent: 'nobody' })
    expect((await faultOf(ledger.decision(own[0]?.id ?? '', agent))).code).toBe('not_found')
  })
})

function broken(policy: CompiledPolicy | undefined): CompiledPolicy {
  if (policy === undefined) throw new Error('no policy')
  const fail = (): never => {
    throw new Error('out of order')
  }
  const rules = policy.rules.map((rule) => ({
    ...rule,
    condition: rule.condition && { ...rule.condition, evaluate: fail, outcome: fail },
  }))
  return { ...policy, rules }
}
