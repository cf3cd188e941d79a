import { systemPorts } from '@bailiwick/core'
import { ApprovalWaits } from '@bailiwick/store'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createApp } from '../../src/http/app.ts'
import { roles } from '../../src/http/permissions.ts'
import { describedRoutes } from '../harness/contract.ts'
import { base, expectRefused, HttpService, type Answer, type Caller } from '../harness/http-service.ts'

let service: HttpService
let agent: Caller
let person: Caller

beforeAll(async () => {
  service = await HttpService.open()
  agent = await service.agent()
  person = await service.person('root@example.com', [...roles])
})
afterAll(() => service.close())

const encoder = new TextEncoder()

function refused(raw: string | Uint8Array<ArrayBuffer>): Promise<Answer> {
  return expectRefused(service, () => agent.send('POST', '/v1/decisions', { raw }), 400, 'bad_input')
}

describe('a body that parsers would read differently is refused, and the place is named', () => {
  test.each([
    ['an amount that stands twice', '{"amount":9000,"amount":1}', 'params.amount', 'stands twice'],
    ['an escaped name', '{"amount":9000,"\\u0061mount":1}', 'params.amount', 'stands twice'],
    ['an account number', '{"amount":600,"account":9007199254740993}', 'params.account', '9007199254740992'],
    ['an amount beside the limit', '{"amount":500.00000000000000001}', 'params.amount', 'exactly'],
    ['a list', '{"items":[1,{"id":12345678901234567890}]}', 'params.items[1].id', 'exactly'],
  ])('%s', async (_what, params, path, words) => {
    const { body } = await refused(`{"action":"issue_refund","params":${params}}`)
    expect(body.detail).toContain(`\`${path}\``)
    expect(body.detail).toContain(words)
    expect(body.errors).toEqual([{ path: `json.${path}`, message: expect.stringContaining(words) }])
  })

  test('a field of the request that stands twice', async () => {
    const { body } = await refused('{"action":"issue_refund","params":{},"action":"delete_account"}')
    expect(body.detail).toBe('`action` stands twice in its object')
  })

  test('bytes that are not UTF-8', async () => {
    const before = encoder.encode('{"action":"issue_refund","params":{"amount":1,"note":"')
    for (const wrong of [[0xff], [0xc3], [0xed, 0xa0, 0x80], [0xc0, 0xaf], [0xf4, 0x90, 0x80, 0x80]]) {
      const { body } = await refused(new Uint8Array([...before, ...wrong, ...encoder.encode('"}}')]))
      expect(body.detail).toBe('the request body is not UTF-8')
    }
    const right = new Uint8Array([...before, ...encoder.encode('é\uFFFD"}}')])
    const { body } = await agent.send('POST', '/v1/decisions', { raw: right })
    expect(body.effect).toBe('allow')
    const { body: seen } = await agent.get(`/v1/decisions/${body.id}`)
    expect(seen.params).toEqual({ amount: 1, note: 'é\uFFFD' })
  })

  test('at every endpoint that takes a body', async () => {
    // What channels send is a form, of which their own tests know.
    const posts = describedRoutes.filter(
      ({ method, request }) => method === 'post' && request?.body !== undefined,
    )
    expect(posts.length).toBeGreaterThanOrEqual(4)
    for (const { path, security } of posts) {
      const real = path.replace('{id}', path.includes('approvals') ? 'apr_1' : 'dec_1')
      const caller = JSON.stringify(security ?? []).includes('agentKey') ? agent : person
      for (const raw of ['{"a":{"b":1,"b":1}}', '{"a":9007199254740993}', new Uint8Array([0xff])]) {
        const { body } = await expectRefused(
          service,
          () => caller.send('POST', real, { raw }),
          400,
          'bad_input',
        )
        expect(body.detail, path).toMatch(/`a\.b` stands twice|`a` is a number that cannot|not UTF-8/)
      }
    }
  })

  test('and not even read from somebody who is not known', async () => {
    const send = () => service.anyone.send('POST', '/v1/decisions', { raw: '{"a":1,"a":1}' })
    await expectRefused(service, send, 401, 'not_authenticated')
  })
})

test('an approval for one account number lets no other through that a parser takes for the same', async () => {
  const call = (account: string, more = '') =>
    agent.send('POST', '/v1/decisions', {
      raw: `{"action":"issue_refund","params":{"amount":600,"account":${account}}${more}}`,
    })
  const { body: waiting } = await call('9007199254740992')
  const id: string = waiting.approval.id
  expect((await person.vote(id, { vote: 'approve' })).body.status).toBe('approved')
  const claim = `,"approvalId":"${id}"`
  await expectRefused(service, () => call('9007199254740993', claim), 400, 'bad_input')
  expect((await call('9007199254740994', claim)).body.effect).toBe('deny')
  expect((await call('9007199254740992', claim)).body.effect).toBe('allow')
})

describe('what is wrong with a field is said in plain words', () => {
  test.each([
    [{ action: 'a' }, '`params` is missing'],
    [{ params: {} }, '`action` is missing'],
    [{ action: 'a', params: [] }, '`params` must be an object'],
    [{ action: 'a', params: null }, '`params` must be an object'],
    [{ action: 7, params: {} }, '`action` must be a string'],
    [{ action: '', params: {} }, '`action` must not be empty'],
    [{ action: 'a'.repeat(201), params: {} }, '`action` must have at most 200 characters'],
    [{ action: 'a', params: {}, surprise: 1 }, 'the request body has the unknown field `surprise`'],
    [
      { action: 'a', params: {}, 'a\nb': 1, c: 1 },
      'the request body has the unknown field `"a\\nb"` and 1 more',
    ],
    [[], 'the request body must be an object'],
    [null, 'the request body must be an object'],
  ])('%j', async (json, detail) => {
    const send = () => agent.post('/v1/decisions', json)
    const { body } = await expectRefused(service, send, 400, 'bad_input')
    expect(body.detail).toBe(detail)
  })

  test.each([
    ['/v1/decisions?limit=x', '`limit` must be a whole number'],
    ['/v1/decisions?limit=1&limit=2', '`limit` must be a whole number'],
    ['/v1/decisions?limit=500', '`limit` must be at most 200, or 1000 with `brief`'],
    ['/v1/decisions?effect=maybe', '`effect` must be one of `allow`, `deny`, `escalate`'],
    ['/v1/decisions?page=2', 'the query has the unknown field `page`'],
    [`/v1/decisions/${'a'.repeat(41)}`, '`id` must have at most 40 characters'],
  ])('%s', async (path, detail) => {
    const { body } = await expectRefused(service, () => person.get(path), 400, 'bad_input')
    expect(body.detail).toBe(detail)
  })

  test('also of an outcome and a vote', async () => {
    const outcome = () => agent.post('/v1/decisions/dec_1/outcome', { status: 'done' })
    const { body } = await expectRefused(service, outcome, 400, 'bad_input')
    expect(body.detail).toBe('`status` must be one of `succeeded`, `failed`, `unknown`')
    const vote = () => person.post('/v1/approvals/apr_1/votes', {})
    expect((await expectRefused(service, vote, 400, 'bad_input')).body.detail).toBe('`vote` is missing')
  })
})

describe('a page that there is not', () => {
  const ask = (accept: string, path = '/nowhere/at/all') =>
    service.app.request(`${base}${path}`, { headers: { accept } })

  test.each(['text/html', 'text/html,application/xhtml+xml,*/*;q=0.8', 'application/json, text/html;q=0.5'])(
    "is the console's to tell, with status 404, to who accepts %s",
    async (accept) => {
      const response = await ask(accept)
      expect(response.status).toBe(404)
      expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8')
      expect(await response.text()).toContain('<title>Bailiwick</title>')
      expect(response.headers.get('content-security-policy')).toContain("default-src 'none'")
    },
  )

  test.each(['*/*', 'application/json', 'text/html;q=0', 'text/htmlx', ''])(
    'is a problem document to who accepts %j',
    async (accept) => {
      const response = await ask(accept)
      expect(response.status).toBe(404)
      expect(response.headers.get('content-type')).toBe('application/problem+json')
    },
  )

  test('is not one of the API, which never answers with a page', async () => {
    const response = await ask('text/html', '/v1/nowhere')
    expect(response.status).toBe(401)
    expect(response.headers.get('content-type')).toBe('application/problem+json')
  })
})

describe('TLS is promised to browsers', () => {
  test.each([
    [undefined, null],
    ['http://bailiwick.example', null],
    ['https://bailiwick.example', 'max-age=15552000'],
  ])('at %s: %s', async (publicUrl, header) => {
    const { ledger, access } = service
    const waits = new ApprovalWaits(ledger, systemPorts)
    const app = createApp({ ledger, access, waits, consoleFiles: new Map(), log: () => undefined, publicUrl })
    const { headers } = await app.request('/healthz')
    waits.close()
    expect(headers.get('strict-transport-security')).toBe(header)
  })
})
