import type { RequestListener } from 'node:http'
import { Fault, systemPorts } from '@bailiwick/core'
import { ApprovalWaits } from '@bailiwick/store'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  answerRequests,
  decisionPaths,
  headersOfEveryAnswer,
  listenerOf,
} from '../../src/http/answer-requests.ts'
import { createApp } from '../../src/http/app.ts'
import { fastPath } from '../../src/http/fast-path.ts'
import { lookedUp } from '../../src/identity/agent-tokens.ts'
import { listen, type Listener } from '../../src/http/listener.ts'
import { HttpService, type Caller } from '../harness/http-service.ts'
import { rawAnswer, rawRequest, type RawAnswer } from './raw-request.ts'

let service: HttpService
let agent: Caller & { readonly keyId: string }
let person: Caller
let waits: ApprovalWaits
/** The service as it runs, and the same application without the fast path. */
let whole: Listener
let appOnly: Listener
const lines: string[] = []

const agentOf = (key: string) => service.access.agentOf(key)

beforeAll(async () => {
  service = await HttpService.open()
  agent = await service.agent()
  person = await service.person()
  waits = new ApprovalWaits(service.ledger, systemPorts)
  whole = await listening(await answerRequests(parts()))
  appOnly = await listening(listenerOf(createApp(parts())))
})
afterAll(async () => {
  waits.close()
  await whole.close()
  await appOnly.close()
  await service.close()
})

const parts = () => {
  const { ledger, access } = service
  const log = (line: string) => lines.push(line)
  return { ledger, access, waits, consoleFiles: new Map(), publicUrl: 'https://bailiwick.example', log }
}

async function listening(answer: RequestListener): Promise<Listener> {
  const listener = await listen({ host: '127.0.0.1', port: 0 })
  listener.answerWith(answer)
  return listener
}

const portOf = ({ url }: Listener) => Number(new URL(url).port)
const call = '{"action":"issue_refund","params":{"amount":1}}'

interface Sent {
  readonly path?: string
  readonly method?: string
  /** Instead of the usual ones; undefined leaves one out. */
  readonly headers?: Readonly<Record<string, string | undefined>>
  /** Beside them. */
  readonly more?: readonly string[]
  readonly body?: string | Uint8Array
}

function send(to: Listener, sent: Sent): Promise<RawAnswer> {
  const { path = '/v1/decisions', method = 'POST', body = call, more = [] } = sent
  const headers = {
    Host: `127.0.0.1:${portOf(to)}`,
    Authorization: `Bearer ${agent.secret}`,
    'Content-Type': 'application/json',
    'Content-Length': String(Buffer.byteLength(body)),
    ...sent.headers,
  }
  const named = Object.entries(headers).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}: ${value}`],
  )
  return rawAnswer(portOf(to), [`${method} ${path} HTTP/1.1`, ...named, ...more], body)
}

/** Places in the log differ from decision to decision, and with them lengths. */
function withoutPlaces({ status, headers, body }: RawAnswer): object {
  return {
    status,
    headers: { ...headers, 'content-length': undefined },
    body: body
      .replace(/"(id|url)":"[^"]*(dec|apr)_\d+"/g, '"$1":""')
      .replace(/"index":\d+|"(deadline|retryAt)":"[^"]*"/g, ''),
  }
}

const batch = (...calls: readonly string[]): Sent => ({
  path: '/v1/decisions/batch',
  body: `{"calls":[${calls.join(',')}]}`,
})
const bytes = (text: string) => new TextEncoder().encode(text)

/** What is right, and what is wrong in every way that a check of the fast path is for. */
const requests: readonly [string, Sent][] = [
  ['an allowed call', {}],
  ['a denied one', { body: '{"action":"delete_account","params":{}}' }],
  ['one that escalates', { body: '{"action":"issue_refund","params":{"amount":600}}' }],
  ['one that is malformed', { body: '{"action":"issue_refund","params":{"amount":1e999}}' }],
  [
    'one with every field',
    {
      body: `{"action":"issue_refund","params":{},"context":{},"callId":"c","session":"s","supports":["redact"],"approvalId":"apr_9"}`,
    },
  ],
  ['a type with a character set', { headers: { 'Content-Type': 'Application/JSON; charset=utf-8' } }],
  ['a mark before the text', { body: `\uFEFF${call}` }],
  ['an encoding that is ignored', { more: ['Content-Encoding: identity'] }],
  ['an encoding that is not undone', { more: ['Content-Encoding: gzip'] }],
  ['several calls', batch(call, '{"action":"delete_account","params":{}}')],
  [
    'several calls, some of them wrong',
    batch(call, '7', '{"action":"a"}', '{"action":"a b","params":{}}', call),
  ],
  ['no calls', batch()],
  ['65 calls', batch(...Array.from({ length: 65 }, () => call))],
  ['calls that are no list', { path: '/v1/decisions/batch', body: '{"calls":{}}' }],
  ['no key', { headers: { Authorization: undefined } }],
  ['a key that is none', { headers: { Authorization: 'Bearer x' } }],
  ['a key that nobody has', { headers: { Authorization: `Bearer bw_${'0'.repeat(16)}_${'A'.repeat(43)}` } }],
  ['a key in another form', { headers: { Authorization: 'Basic YWRtaW46YWRtaW4=' } }],
  ['two keys', { more: ['Authorization: Bearer x'] }],
  ['no type', { headers: { 'Content-Type': undefined } }],
  ['another type', { headers: { 'Content-Type': 'text/plain' } }],
  ['two types', { more: ['Content-Type: application/json'] }],
  ['no JSON', { body: '{"action":' }],
  ['JSON and more', { body: `${call}x` }],
  ['a name twice', { body: '{"action":"issue_refund","params":{"amount":1,"amount":2}}' }],
  ['a number that is not kept', { body: '{"action":"issue_refund","params":{"amount":9007199254740993}}' }],
  ['a name twice in one of several calls', batch(call, '{"action":"a","params":{"a":1,"a":2}}')],
  ['no UTF-8', { body: new Uint8Array([...bytes(call.slice(0, -2)), 0xff, ...bytes('}}')]) }],
  ['a wrong field', { body: '{"action":"issue_refund","params":{},"surprise":1}' }],
  ['`__proto__` for a field', { body: '{"action":"issue_refund","params":{},"__proto__":{"x":1}}' }],
  ['a context that is null', { body: '{"action":"issue_refund","params":{},"context":null}' }],
  ['a blank in a name', { body: '{"action":"issue refund","params":{}}' }],
  [
    'a call id that belongs to another call',
    { body: '{"action":"issue_refund","params":{"amount":2},"callId":"c"}' },
  ],
  ['an empty body', { body: '' }],
  ['too large a call', { body: `{"action":"a","params":{"note":"${'a'.repeat(70_000)}"}}` }],
  ['too large a body', { body: `{"action":"a","params":{"note":"${'a'.repeat(270_000)}"}}` }],
  [
    'pieces',
    {
      headers: { 'Content-Length': undefined, 'Transfer-Encoding': 'chunked' },
      body: `${call.length.toString(16)}\r\n${call}\r\n0\r\n\r\n`,
    },
  ],
  ['a query', { path: '/v1/decisions?a=1' }],
  ['a slash at the end', { path: '/v1/decisions/' }],
  ['an absolute address', { path: 'http://elsewhere.example/v1/decisions' }],
  ['a host that is none', { headers: { Host: 'a b' } }],
  ['another host', { headers: { Host: 'elsewhere.example' } }],
  ['another method', { method: 'PUT' }],
]

describe('a request is answered the same with the fast path and without, to the last header', () => {
  test.each(requests)('with %s', async (_what, sent) => {
    const [quick, usual] = [await send(whole, sent), await send(appOnly, sent)]
    expect(withoutPlaces(quick)).toEqual(withoutPlaces(usual))
    expect(quick.headers['content-length']).toBe(
      quick.headers['transfer-encoding'] === undefined ? String(Buffer.byteLength(quick.body)) : undefined,
    )
  })

  test('with a session in place of a key, or with both', async () => {
    const cookie = `Cookie: bailiwick_session=${person.secret}`
    for (const headers of [{ Authorization: undefined }, {}, { Authorization: 'Bearer x' }]) {
      const sent = { headers, more: [cookie, 'Origin: http://127.0.0.1'] }
      expect(withoutPlaces(await send(whole, sent))).toEqual(withoutPlaces(await send(appOnly, sent)))
    }
  })

  test('with a key that is revoked, from the next request on', async () => {
    const fired = await service.agent()
    const sent = { headers: { Authorization: `Bearer ${fired.secret}` } }
    expect(await send(whole, sent)).toMatchObject({ status: 200 })
    await service.access.revokeKey(fired.keyId)
    expect(await send(whole, sent)).toMatchObject({ status: 401 })
    expect(withoutPlaces(await send(whole, sent))).toEqual(withoutPlaces(await send(appOnly, sent)))
  })
})

describe('the fast path', () => {
  test('answers what is right by itself, and leaves what is not to the app', async () => {
    const seen: string[] = []
    const app = createApp(parts())
    const paths = decisionPaths(service, () => undefined)
    const listener = await listening(
      fastPath(
        { paths, headers: await headersOfEveryAnswer(app), log: () => undefined },
        (incoming, outgoing) => {
          seen.push(`${incoming.method} ${incoming.url}`)
          outgoing.end()
        },
      ),
    )
    expect(await send(listener, {})).toMatchObject({ status: 200 })
    expect(await send(listener, batch(call, '7'))).toMatchObject({ status: 200 })
    expect(seen).toEqual([])
    await send(listener, { body: '{}' })
    await send(listener, { method: 'GET' })
    // A refusal proves no key: the app looks it up.
    await send(listener, { body: '{"action":"issue_refund","params":{"amount":2},"callId":"c"}' })
    expect(seen).toEqual(['POST /v1/decisions', 'GET /v1/decisions', 'POST /v1/decisions'])
    await listener.close()
  })

  test('says what failed as the app does: with the word whether it was recorded, and when to come back', async () => {
    const told: string[] = []
    const log = (line: string) => told.push(line)
    const app = createApp(parts())
    const thrown: Error[] = []
    const ledger = {
      decide: () => Promise.reject(thrown.shift() ?? new Error('nothing')),
      now: () => service.ledger.now(),
    }
    const access = { agentOf, admissionOf: (key: string) => agentOf(key).then(lookedUp) }
    const paths = decisionPaths({ ledger, access }, log)
    const listener = await listening(
      fastPath({ paths, headers: await headersOfEveryAnswer(app), log }, listenerOf(app)),
    )
    const usual = await send(whole, {})
    for (const [error, status, code, recorded] of [
      [new Fault('store_unavailable', 'd', { fix: 'f', recorded: 'no' }), 503, 'store_unavailable', 'no'],
      [new Fault('store_busy', 'd', { fix: 'f', recorded: 'no' }), 503, 'store_busy', 'no'],
      [Object.assign(new Error('secret'), { code: 'ECONNRESET' }), 503, 'store_unavailable', 'unknown'],
      [new TypeError('secret'), 500, 'internal', 'unknown'],
    ] as const) {
      thrown.push(error, error)
      const answer = await send(listener, {})
      const several = await send(listener, batch(call))
      expect(answer.status).toBe(status)
      expect(answer.headers['retry-after']).toBe(status === 503 ? '1' : undefined)
      expect({ ...usual.headers, ...answer.headers }).toEqual(answer.headers)
      expect(answer.headers['content-type']).toBe('application/problem+json')
      const document = JSON.parse(answer.body)
      expect(document).toMatchObject({ type: `urn:bailiwick:problem:${code}`, status, recorded })
      expect(answer.body).not.toContain('secret')
      expect(several).toMatchObject({ status: 200, body: JSON.stringify({ decisions: [document] }) })
    }
    expect(told.map((line) => line.split(':')[0])).toEqual([
      'store_unavailable',
      'store_unavailable',
      'store_unavailable',
      'store_unavailable',
      'internal',
      'internal',
    ])
    await listener.close()
  })

  test('takes a body that comes in pieces, and decides nothing of one that never ends', async () => {
    const head = [
      'POST /v1/decisions HTTP/1.1',
      `Host: 127.0.0.1:${portOf(whole)}`,
      `Authorization: Bearer ${agent.secret}`,
      'Content-Type: application/json',
      `Content-Length: ${call.length}`,
      'Connection: close',
      '',
      '',
    ].join('\r\n')
    const [first, rest] = [call.slice(0, 20), call.slice(20)]
    expect(await rawRequest(portOf(whole), [head, first, rest])).toMatch(/^HTTP\/1\.1 200 /)
    const before = await service.logSize()
    await hungUp(portOf(whole), head + first)
    // Whoever asks next, on another connection, is decided next.
    expect((await agent.post('/v1/decisions', JSON.parse(call))).body.record.index).toBe(before)
  })

  const cutInPieces = (path: string, more: readonly string[], first: string) =>
    [
      `POST ${path} HTTP/1.1`,
      `Host: 127.0.0.1:${portOf(whole)}`,
      ...more,
      'Content-Type: application/json',
      'Transfer-Encoding: chunked',
      '',
      '20',
      first,
    ].join('\r\n')

  test('leaves a body that is cut between its pieces to the app, which decides nothing and does not blame the database', async () => {
    const key = `Authorization: Bearer ${agent.secret}`
    const before = await service.logSize()
    await hungUp(portOf(whole), cutInPieces('/v1/session', [], '{"token":'))
    await hungUp(portOf(whole), cutInPieces('/v1/decisions', [key], call.slice(0, 20)))
    await hungUp(portOf(whole), cutInPieces('/v1/decisions/batch', [key], '{"calls":['))
    expect((await agent.post('/v1/decisions', JSON.parse(call))).body.record.index).toBe(before)
    expect(lines).toEqual([])
  })

  test('keeps its connection for the next request, after an answer and after a refusal', async () => {
    const one = (body: string, more = '') =>
      `POST /v1/decisions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${agent.secret}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n${more}\r\n${body}`
    const text = await rawRequest(portOf(whole), [one(call), one('{'), one(call, 'Connection: close\r\n')])
    expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 400', 'HTTP/1.1 200'])
  })

  test('was told of nothing that nobody expected', () => {
    expect(lines).toEqual([])
  })
})

/** Sends so much, hangs up, and waits until that is done. */
async function hungUp(port: number, text: string): Promise<void> {
  const { connect } = await import('node:net')
  await new Promise<void>((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(text, () => socket.destroy()))
    socket.once('close', () => resolve())
  })
}
