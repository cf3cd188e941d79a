import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { expectRefused, HttpService, type Caller, type Sending } from '../harness/http-service.ts'

let service: HttpService
let agent: Caller
let other: Caller
let person: Caller
let decision: string
let approval: string

beforeAll(async () => {
  service = await HttpService.open()
  agent = await service.agent()
  other = await service.agent('another-agent')
  person = await service.person()
  decision = (await agent.post('/v1/decisions', { action: 'issue_refund', params: { amount: 1 } })).body.id
  approval = (await agent.post('/v1/decisions', { action: 'issue_refund', params: { amount: 600 } })).body
    .approval.id
})
afterAll(() => service.close())

const call = { action: 'issue_refund', params: { amount: 1 } }
const asText = (value: unknown) => JSON.stringify(value)
const mebibyte = 1024 * 1024

/** A mebibyte in pieces, whose length no header tells. */
function chunked(bytes = mebibyte): ReadableStream {
  let left = bytes
  return new ReadableStream({
    pull(controller) {
      if (left <= 0) return controller.close()
      controller.enqueue(new Uint8Array(Math.min(left, 16 * 1024)).fill(0x20))
      left -= 16 * 1024
    },
  })
}

describe('a decision is not asked for', () => {
  const bodies: [string, Sending][] = [
    ['with a body that is not JSON', { raw: '{"action":' }],
    ['with more after the JSON', { raw: `${asText(call)}x` }],
    ['with an empty body', { raw: '' }],
    ['with no body at all', { headers: { 'content-type': 'application/json' } }],
    ['with null', { json: null }],
    ['with a list', { json: [call] }],
    ['with a text', { json: 'issue_refund' }],
    ['without an action', { json: { params: {} } }],
    ['with an empty action', { json: { ...call, action: '' } }],
    ['with an action that is a number', { json: { ...call, action: 7 } }],
    ['with an action that is a list', { json: { ...call, action: ['issue_refund'] } }],
    ['with an action of 201 characters', { json: { ...call, action: 'a'.repeat(201) } }],
    ['with a line break in the action', { json: { ...call, action: 'issue_refund\n' } }],
    ['with a blank in the action', { json: { ...call, action: ' issue_refund' } }],
    ['with a zero character in the action', { json: { ...call, action: 'issue_refund\u0000' } }],
    ['with an invisible character in the action', { json: { ...call, action: 'issue\u200B_refund' } }],
    ['with half a surrogate pair in the action', { raw: '{"action":"\\ud800","params":{}}' }],
    ['without params', { json: { action: 'issue_refund' } }],
    ['with params that are a list', { json: { ...call, params: [1] } }],
    ['with params that are a text', { json: { ...call, params: 'amount=1' } }],
    ['with params that are null', { json: { ...call, params: null } }],
    ['with a context that is a list', { json: { ...call, context: [] } }],
    ['with a context that is null', { json: { ...call, context: null } }],
    ['with a call id that is a number', { json: { ...call, callId: 7 } }],
    ['with an empty call id', { json: { ...call, callId: '' } }],
    ['with a line break in the call id', { json: { ...call, callId: 'a\nb' } }],
    ['with a call id of 201 characters', { json: { ...call, callId: 'a'.repeat(201) } }],
    ['with a blank in the approval id', { json: { ...call, approvalId: 'apr 1' } }],
    ['with a field that nobody knows', { json: { ...call, agent: 'customer-support-agent-v2' } }],
    ['with `__proto__` as a field', { raw: '{"action":"issue_refund","params":{},"__proto__":{"x":1}}' }],
    [
      'as a form',
      { raw: 'action=issue_refund', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
    ],
    ['as text', { raw: asText(call), headers: { 'content-type': 'text/plain' } }],
    [
      'as something that only starts like JSON',
      { raw: asText(call), headers: { 'content-type': 'application/json5' } },
    ],
    ['as a patch', { raw: asText(call), headers: { 'content-type': 'application/json-patch+json' } }],
    ['that says it is compressed', { raw: asText(call), headers: { 'content-encoding': 'gzip' } }],
    ['without a content type', { raw: asText(call), headers: { 'content-type': undefined } }],
  ]
  test.each(bodies)('%s', async (_what, sending) => {
    const { body } = await expectRefused(
      service,
      () => agent.send('POST', '/v1/decisions', sending),
      400,
      'bad_input',
    )
    expect(body.fix).not.toBe('')
  })

  test('with wrong fields, and every one of them is named', async () => {
    const json = { action: '', params: [], surprise: 1 }
    const { body } = await expectRefused(service, () => agent.post('/v1/decisions', json), 400, 'bad_input')
    expect(body.errors.map(({ path }: { path: string }) => path)).toEqual([
      'json.action',
      'json.params',
      'json',
    ])
    expect(asText(body.errors)).toContain('surprise')
  })

  const large: [string, () => Sending][] = [
    ['of 1 MiB', () => ({ raw: ' '.repeat(mebibyte), headers: { 'content-length': String(mebibyte) } })],
    ['of 1 MiB that comes in pieces', () => ({ raw: chunked() })],
    [
      'of 1 MiB that comes in pieces and says so',
      () => ({ raw: chunked(), headers: { 'transfer-encoding': 'chunked' } }),
    ],
    [
      'whose params are just over 64 KiB',
      () => ({ json: { ...call, params: { note: 'a'.repeat(64 * 1024) } } }),
    ],
    [
      'whose params and context are over 64 KiB together',
      () => ({
        json: { ...call, params: { note: 'a'.repeat(40_000) }, context: { note: 'a'.repeat(40_000) } },
      }),
    ],
  ]
  test.each(large)('with a body %s', async (_what, sending) => {
    await expectRefused(service, () => agent.send('POST', '/v1/decisions', sending()), 413, 'too_large')
  })

  test('with 60 KiB it is', async () => {
    const { status, body } = await agent.post('/v1/decisions', {
      ...call,
      params: { amount: 1, note: 'a'.repeat(60_000) },
    })
    expect({ status, effect: body.effect }).toEqual({ status: 200, effect: 'allow' })
  })
})

describe('nobody is let in', () => {
  const ask = (headers: Sending['headers']) => () =>
    service.anyone.post('/v1/decisions', call, headers && { headers })

  test('with no key', () => expectRefused(service, ask({}), 401, 'not_authenticated'))

  test('with a malformed key, an unknown one, or one with another secret', async () => {
    const strangerId = `bw_${'0'.repeat(16)}${agent.secret.slice(19)}`
    const wrong = [
      'x',
      'bw_',
      `${agent.secret}x`,
      agent.secret.slice(0, -1),
      agent.secret.slice(0, 20) + 'A'.repeat(43),
      agent.secret.toUpperCase(),
      strangerId,
      'é',
      "' or 1=1 --",
      'a'.repeat(5000),
    ]
    for (const key of wrong) {
      await expectRefused(service, ask({ authorization: `Bearer ${key}` }), 401, 'not_authenticated')
    }
    await expectRefused(service, ask({ authorization: agent.secret }), 401, 'not_authenticated')
  })

  test('with a revoked key, from the next request on', async () => {
    const fired = await service.agent()
    expect((await fired.post('/v1/decisions', call)).status).toBe(200)
    await service.access.revokeKey(fired.keyId)
    await expectRefused(service, () => fired.post('/v1/decisions', call), 401, 'not_authenticated')
  })

  test('with a wrong key beside a good session: the key was meant', async () => {
    const headers = { authorization: 'Bearer wrong' }
    await expectRefused(service, () => person.get('/v1/decisions', { headers }), 401, 'not_authenticated')
  })
})

describe('people and agents stay on their side', () => {
  test("a person's session decides nothing and reports no outcomes", async () => {
    await expectRefused(service, () => person.post('/v1/decisions', call), 403, 'not_permitted')
    const outcome = { status: 'succeeded' }
    await expectRefused(
      service,
      () => person.post(`/v1/decisions/${decision}/outcome`, outcome),
      403,
      'not_permitted',
    )
  })

  test("an agent's key neither votes, nor listens to events, nor has a session", async () => {
    const vote = { vote: 'approve' }
    await expectRefused(service, () => agent.vote(approval, vote), 403, 'not_permitted')
    await expectRefused(service, () => agent.get('/v1/events'), 403, 'not_permitted')
    await expectRefused(service, () => agent.get('/v1/session'), 403, 'not_permitted')
    await expectRefused(service, () => agent.send('DELETE', '/v1/session'), 403, 'not_permitted')
  })

  test("another agent's decisions and approvals do not exist for an agent", async () => {
    const outcome = { status: 'succeeded' }
    await expectRefused(
      service,
      () => other.post(`/v1/decisions/${decision}/outcome`, outcome),
      404,
      'not_found',
    )
    await expectRefused(service, () => other.get(`/v1/decisions/${decision}`), 404, 'not_found')
    await expectRefused(service, () => other.get(`/v1/approvals/${approval}?wait=30`), 404, 'not_found')
    expect((await other.get('/v1/decisions?agent=customer-support-agent-v2')).body.decisions).toEqual([])
    expect((await other.get('/v1/approvals')).body.approvals).toEqual([])
    expect((await agent.get(`/v1/decisions/${decision}`)).body.outcome).toBe(null)
  })

  test("another agent's approval lets nothing through, and the attempt is recorded as a denial", async () => {
    const claim = { action: 'issue_refund', params: { amount: 600 }, approvalId: approval }
    const { body } = await other.post('/v1/decisions', claim)
    expect(body.effect).toBe('deny')
  })
})

describe('an outcome is refused', () => {
  test('that is not a status with, perhaps, a detail and a result', async () => {
    const bodies = [
      {},
      { status: 'done' },
      { status: 'succeeded', detail: 7 },
      { status: 'succeeded', detail: 'a'.repeat(2001) },
      { status: 'succeeded', cost: 1 },
    ]
    for (const json of bodies) {
      await expectRefused(
        service,
        () => agent.post(`/v1/decisions/${decision}/outcome`, json),
        400,
        'bad_input',
      )
    }
  })

  test('that no JSON can carry', async () => {
    const raw = '{"status":"succeeded","result":1e999}'
    await expectRefused(
      service,
      () => agent.send('POST', `/v1/decisions/${decision}/outcome`, { raw }),
      400,
      'bad_input',
    )
  })

  test('that is larger than 64 KiB', async () => {
    const json = { status: 'succeeded', result: 'a'.repeat(64 * 1024) }
    await expectRefused(
      service,
      () => agent.post(`/v1/decisions/${decision}/outcome`, json),
      413,
      'too_large',
    )
  })

  test('of a call that was not allowed', async () => {
    const denied = await agent.post('/v1/decisions', { action: 'delete_account', params: {} })
    const report = () => agent.post(`/v1/decisions/${denied.body.id}/outcome`, { status: 'succeeded' })
    await expectRefused(service, report, 409, 'conflict')
  })
})

describe('an address leads nowhere', () => {
  const ids = [
    'dec_',
    'dec_-1',
    'dec_01',
    'dec_1.5',
    'dec_1e3',
    'dec_99999999999999',
    'dec_99999999999999999999',
    'DEC_1',
    'apr_1',
    '1',
    '%00',
    'dec_1%00',
    'dec_1%0a',
    '%2e%2e%2f',
    '..%2f..%2fetc%2fpasswd',
    "dec_1'--",
    '%f0%9f%92%a9',
    '%ff',
  ]
  test.each(ids)('as the id of a decision: %s', async (id) => {
    const outcome = { status: 'succeeded' }
    await expectRefused(service, () => agent.get(`/v1/decisions/${id}`), 404, 'not_found')
    await expectRefused(service, () => agent.post(`/v1/decisions/${id}/outcome`, outcome), 404, 'not_found')
  })

  test.each(ids.map((id) => id.replace('dec', 'xxx').replace('apr', 'dec').replace('xxx', 'apr')))(
    'as the id of an approval: %s',
    async (id) => {
      await expectRefused(service, () => person.get(`/v1/approvals/${id}?wait=30`), 404, 'not_found')
      await expectRefused(service, () => person.vote(id, { vote: 'approve' }), 404, 'not_found')
    },
  )

  test('when the id is longer than any', async () => {
    const id = `dec_${'1'.repeat(60)}`
    await expectRefused(service, () => agent.get(`/v1/decisions/${id}`), 400, 'bad_input')
    await expectRefused(service, () => person.get(`/v1/approvals/${id}`), 400, 'bad_input')
  })

  test('where there is no endpoint, or none with this method', async () => {
    for (const [method, path] of [
      ['GET', '/v1'],
      ['GET', '/v1/'],
      ['GET', '/v1/nothing'],
      ['GET', '/v1/decisions/dec_1/outcome'],
      ['GET', '/v1/decisions/../../etc/passwd'],
      ['GET', '/v2/decisions'],
      ['GET', '/assets/../index.html/'],
      ['GET', '/assets/%2e%2e%2f%2e%2e%2fpackage.json'],
      ['GET', '/%00'],
      ['PUT', '/v1/decisions'],
      ['PATCH', '/v1/decisions/dec_1'],
      ['DELETE', '/v1/decisions/dec_1'],
      ['DELETE', '/healthz'],
      ['PUT', '/v1/log/checkpoint'],
    ] as const) {
      await expectRefused(service, () => agent.send(method, path), 404, 'not_found')
    }
    await expectRefused(service, () => agent.post('/v1/decisions/dec_1', {}), 404, 'not_found')
    await expectRefused(service, () => agent.post('/', {}), 404, 'not_found')
  })
})

describe('a list is refused', () => {
  test.each([
    'limit=0',
    'limit=-1',
    'limit=1e9',
    'limit=1000000000',
    'limit=201',
    'limit=NaN',
    'limit=1.5',
    'limit=',
    'limit=0x10',
    'limit=%31%20',
    'before=abc',
    'before=-1',
    'before=9007199254740993',
    'before=99999999999999999999',
    'page=2',
    '__proto__=1',
    'agent=',
    'agent=%00',
    'agent=a%00b',
    'action=%00',
    'effect=maybe',
    'effect=allow&effect=maybe',
  ])('of decisions with ?%s', (query) => refusedQuery(`/v1/decisions?${query}`))

  test.each(['limit=0', 'limit=NaN', 'before=abc', 'status=open', 'status=', 'agent=x'])(
    'of approvals with ?%s',
    (query) => refusedQuery(`/v1/approvals?${query}`),
  )

  test.each(['wait=-1', 'wait=61', 'wait=1e9', 'wait=NaN', 'wait=', 'wait=1.5', 'patience=1'])(
    'and so is an approval with ?%s',
    (query) => refusedQuery(`/v1/approvals/${approval}?${query}`),
  )

  test('when a name in it is longer than any', () => refusedQuery(`/v1/decisions?agent=${'a'.repeat(201)}`))

  async function refusedQuery(path: string): Promise<void> {
    const { body } = await expectRefused(service, () => person.get(path), 400, 'bad_input')
    expect(body.errors[0].path).toMatch(/^query/)
  }

  test.each(["agent=' or 1=1 --", 'agent=%25', 'action=*', 'agent=%f0%9f%92%a9'])(
    'but ?%s only finds nothing',
    async (query) => {
      expect((await person.get(`/v1/decisions?${query}`)).body).toEqual({ decisions: [], next: null })
    },
  )
})

test('nothing above was an error that nobody expected', () => {
  expect(service.lines).toEqual([])
})
