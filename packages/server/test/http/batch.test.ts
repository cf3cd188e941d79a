import { BailiwickClient } from '@bailiwick/core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { expectRefused, HttpService, type Caller } from '../harness/http-service.ts'

let service: HttpService
let agent: Caller

beforeAll(async () => {
  service = await HttpService.open()
  agent = await service.agent()
})
afterAll(() => service.close())

const refund = (amount: number, more: object = {}) => ({
  action: 'issue_refund',
  params: { amount },
  ...more,
})
const path = '/v1/decisions/batch'
const ask = (...calls: readonly unknown[]) => agent.post(path, { calls })

describe('several calls in one request', () => {
  test('are each decided and recorded by themselves, in their order', async () => {
    const before = await service.logSize()
    const { status, body } = await ask(
      refund(1),
      { action: 'delete_account', params: {} },
      refund(600),
      refund(700),
    )
    expect(status).toBe(200)
    expect(body.decisions).toMatchObject([
      { effect: 'allow', record: { index: before } },
      { effect: 'deny', record: { index: before + 1 } },
      { effect: 'escalate', record: { index: before + 2 }, approval: { id: `apr_${before + 2}` } },
      { effect: 'escalate', record: { index: before + 3 }, approval: { id: `apr_${before + 3}` } },
    ])
    const { body: seen } = await agent.get(`/v1/decisions/${body.decisions[3].id}`)
    expect(seen).toMatchObject({ action: 'issue_refund', params: { amount: 700 }, effect: 'escalate' })
  })

  test('that are wrong have their problem in their place, and spoil no other', async () => {
    await agent.post('/v1/decisions', refund(5, { callId: 'taken' }))
    const before = await service.logSize()
    const { status, body } = await ask(
      refund(1),
      7,
      { action: 'issue_refund' },
      refund(1, { surprise: 1 }),
      refund(6, { callId: 'taken' }),
      { action: 'issue refund', params: {} },
      { action: 'issue_refund', params: { note: 'a'.repeat(70_000) } },
      refund(2),
    )
    expect(status).toBe(200)
    const problemTypes = body.decisions.map(({ type }: { type?: string }) => type?.split(':').at(-1))
    expect(problemTypes).toEqual([
      undefined,
      'bad_input',
      'bad_input',
      'bad_input',
      'call_id_reused',
      'bad_input',
      'too_large',
      undefined,
    ])
    expect(body.decisions[1].detail).toBe('`calls[1]` must be an object')
    expect(body.decisions[2].errors).toEqual([{ path: 'json.calls[2].params', message: 'is missing' }])
    expect(body.decisions[7]).toMatchObject({ effect: 'allow' })
    expect(await service.logSize()).toBe(before + 2)
  })

  test('see one another: of two under one call id, the second is told of the first', async () => {
    const { body } = await ask(refund(9, { callId: 'both' }), refund(9, { callId: 'both' }))
    expect(body.decisions[0].replayed).toBeUndefined()
    expect(body.decisions[1]).toEqual({ ...body.decisions[0], replayed: true, outcome: null })
  })

  test('use up one approval once', async () => {
    const person = await service.person()
    const { body: waiting } = await agent.post('/v1/decisions', refund(800))
    const approvalId: string = waiting.approval.id
    await person.vote(approvalId, { vote: 'approve' })
    const { body } = await ask(refund(800, { approvalId }), refund(800, { approvalId }))
    expect(body.decisions.map(({ effect }: { effect: string }) => effect)).toEqual(['allow', 'deny'])
  })

  test('may hold `__proto__`, which is data like any other', async () => {
    const raw = '{"calls":[{"action":"issue_refund","params":{"__proto__":{"amount":1},"amount":7}}]}'
    const { body } = await agent.send('POST', path, { raw })
    const { text } = await agent.get(`/v1/decisions/${body.decisions[0].id}`)
    expect(text).toContain('"params":{"__proto__":{"amount":1},"amount":7}')
  })

  test('are at most 64', async () => {
    const { status, body } = await ask(...Array.from({ length: 64 }, () => refund(1)))
    expect({ status, count: body.decisions.length }).toEqual({ status: 200, count: 64 })
  })
})

describe('nothing of several calls is decided', () => {
  test.each([
    ['without calls', {}, '`calls` is missing'],
    ['with none', { calls: [] }, '`calls` must not be empty'],
    [
      'with 65',
      { calls: Array.from({ length: 65 }, () => refund(1)) },
      '`calls` must have at most 64 entries',
    ],
    ['with calls that are no list', { calls: refund(1) }, '`calls` must be a list'],
    [
      'with another field',
      { calls: [refund(1)], agent: 'x' },
      'the request body has the unknown field `agent`',
    ],
  ])('%s', async (_what, json, detail) => {
    const { body } = await expectRefused(service, () => agent.post(path, json), 400, 'bad_input')
    expect(body.detail).toBe(detail)
  })

  test('where parsers could read one of them differently', async () => {
    const raw =
      '{"calls":[{"action":"issue_refund","params":{"amount":1}},{"action":"a","params":{"a":1,"a":2}}]}'
    const { body } = await expectRefused(service, () => agent.send('POST', path, { raw }), 400, 'bad_input')
    expect(body.detail).toBe('`calls[1].params.a` stands twice in its object')
  })

  test('where they are larger than 256 KiB together', async () => {
    const calls = Array.from({ length: 6 }, () => ({ action: 'a', params: { note: 'a'.repeat(50_000) } }))
    await expectRefused(service, () => agent.post(path, { calls }), 413, 'too_large')
  })

  test('for a person, or for anyone', async () => {
    const person = await service.person()
    const json = { calls: [refund(1)] }
    await expectRefused(service, () => person.post(path, json), 403, 'not_permitted')
    await expectRefused(service, () => service.anyone.post(path, json), 401, 'not_authenticated')
  })
})

test('`checkAll` of the client is the same, and sends what no request can hold in several', async () => {
  const fetch: typeof globalThis.fetch = async (url, init) =>
    await service.app.request(new Request(url, init))
  const client = new BailiwickClient({ url: 'http://127.0.0.1:7420', key: agent.secret, fetch })
  const calls = Array.from({ length: 70 }, (_, n) => ({
    action: n === 66 ? 'a b' : 'issue_refund',
    params: { amount: n },
  }))
  const checked = await client.checkAll(calls)
  expect(checked.map(({ kind }) => kind)).toEqual(calls.map((_, n) => (n === 66 ? 'failed' : 'decided')))
  expect(checked[66]).toMatchObject({ fault: { code: 'bad_input' } })
})
