import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { HttpService, type Caller } from '../harness/http-service.ts'
import { agentId, seedCases } from '../harness/policies.ts'

let service: HttpService
let agent: Caller

beforeAll(async () => {
  service = await HttpService.open()
  agent = await service.agent()
})
afterAll(() => service.close())

describe('deciding over HTTP', () => {
  test.each(seedCases)(
    '$action with $params is $effect: $reason',
    async ({ action, params, effect, reason }) => {
      const before = await service.logSize()
      const { status, body } = await agent.post('/v1/decisions', { action, params })
      expect({ status, effect: body.effect, reasons: body.reasons }).toEqual({
        status: 200,
        effect,
        reasons: [reason],
      })
      expect(body.record.index).toBe(before)
      expect(body.policy).toMatchObject({ id: agentId, version: null })
      expect(body.approval === undefined).toBe(effect !== 'escalate')

      const { body: seen } = await agent.get(`/v1/decisions/${body.id}`)
      expect(seen).toMatchObject({
        id: body.id,
        agent: agentId,
        action,
        params,
        context: {},
        effect,
        outcome: null,
      })
    },
  )

  test.each([[{}], [{ amount: '600' }], [{ amount: null }], [{ amount: [1] }]])(
    'a refund with %j never allows',
    async (params) => {
      const { body } = await agent.post('/v1/decisions', { action: 'issue_refund', params })
      expect(body.effect).toBe('escalate')
      expect(body.rules).toContainEqual(expect.objectContaining({ because: 'condition_error' }))
    },
  )

  test('an agent without a policy is denied everything, and it is recorded', async () => {
    const stranger = await service.agent('stranger')
    const { body } = await stranger.post('/v1/decisions', { action: 'issue_refund', params: { amount: 1 } })
    expect(body).toMatchObject({ effect: 'deny', policy: null })
  })

  test('a retry with the same call id gets the first answer, and records nothing', async () => {
    const call = { action: 'issue_refund', params: { amount: 5 }, callId: 'retry-1' }
    const first = await agent.post('/v1/decisions', call)
    const size = await service.logSize()
    const second = await agent.post('/v1/decisions', call)
    expect(second.body).toEqual({ ...first.body, replayed: true, outcome: null })
    expect(await service.logSize()).toBe(size)

    const other = await agent.post('/v1/decisions', { ...call, params: { amount: 6 } })
    expect(other).toMatchObject({ status: 409, body: { type: 'urn:bailiwick:problem:call_id_reused' } })
    expect(await service.logSize()).toBe(size)
  })

  test('`__proto__` in params is data like any other: decided, recorded and returned as it was sent', async () => {
    const raw = '{"action":"issue_refund","params":{"__proto__":{"amount":1},"amount":7}}'
    const { status, body } = await agent.send('POST', '/v1/decisions', { raw })
    expect({ status, effect: body.effect }).toEqual({ status: 200, effect: 'allow' })
    const { text } = await agent.get(`/v1/decisions/${body.id}`)
    expect(text).toContain('"params":{"__proto__":{"amount":1},"amount":7}')
  })

  test('`__proto__` lends no value to what is missing', async () => {
    const raw = '{"action":"issue_refund","params":{"__proto__":{"amount":1}}}'
    const { body } = await agent.send('POST', '/v1/decisions', { raw })
    expect(body.effect).toBe('escalate')
  })

  test.each([
    ['1e999', '{"action":"issue_refund","params":{"amount":1e999}}', /infinite/],
    [
      'deep nesting',
      `{"action":"issue_refund","params":{"a":${'['.repeat(50_000)}${']'.repeat(50_000)}}}`,
      /deep/,
    ],
    ['deep nesting in the context', deepContext(65), /deep/],
    ['half a surrogate pair', '{"action":"issue_refund","params":{"note":"\\ud800"}}', /surrogate/],
  ])('%s is denied as malformed and recorded without its parameters', async (_what, raw, why) => {
    const { status, body } = await agent.send('POST', '/v1/decisions', { raw })
    expect(status).toBe(200)
    expect(body.effect).toBe('deny')
    expect(body.reasons.join(' ')).toMatch(why)
    expect((await agent.get(`/v1/decisions/${body.id}`)).body).toMatchObject({ params: null, context: null })
  })

  test('as deep as the limit is still a call', async () => {
    const { body } = await agent.send('POST', '/v1/decisions', { raw: deepContext(63) })
    expect(body.effect).toBe('allow')
  })

  test('an outcome is recorded once, and the first that is certain stands', async () => {
    const { body } = await agent.post('/v1/decisions', { action: 'issue_refund', params: { amount: 9 } })
    const outcome = (status: string) =>
      agent.post(`/v1/decisions/${body.id}/outcome`, { status, detail: 'receipt 7' })
    expect(await outcome('unknown')).toMatchObject({ status: 201 })
    const settled = await outcome('succeeded')
    expect(settled).toMatchObject({ status: 201, body: { decision: body.id, status: 'succeeded' } })
    expect(await outcome('succeeded')).toMatchObject({ status: 201, body: { record: { index: null } } })
    expect(await outcome('failed')).toMatchObject({
      status: 409,
      body: { type: 'urn:bailiwick:problem:conflict' },
    })
    expect((await agent.get(`/v1/decisions/${body.id}`)).body.outcome).toMatchObject({
      status: 'succeeded',
      detail: 'receipt 7',
    })
  })

  test('the log that these calls wrote verifies', async () => {
    expect(await service.ledger.verify()).toMatchObject({ kind: 'intact' })
  })
})

/** A call whose context, itself one level, nests `depth` arrays. */
function deepContext(depth: number): string {
  const context = `{"a":${'['.repeat(depth)}${']'.repeat(depth)}}`
  return `{"action":"issue_refund","params":{"amount":1},"context":${context}}`
}
