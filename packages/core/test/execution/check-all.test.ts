import { expect, test, vi } from 'vitest'
import { BailiwickClient } from '../../src/execution/client.ts'
import type { DecisionRequest } from '../../src/execution/answer.ts'
import { Fault } from '../../src/model/fault.ts'
import type { JsonObject } from '../../src/model/json.ts'

type Answering = (path: string, body: { calls: readonly DecisionRequest[] }) => Response | Promise<Response>

/** A client of a service that answers so, and the calls of each request that came. */
function clientOf(answering: Answering) {
  const requests: (readonly DecisionRequest[])[] = []
  const fetch: typeof globalThis.fetch = async (url, init) => {
    const body = JSON.parse(bodyText(init)) as { calls: readonly DecisionRequest[] }
    requests.push(body.calls)
    return await answering(new URL(new Request(url).url).pathname, body)
  }
  return { requests, client: new BailiwickClient({ url: 'http://127.0.0.1:1', key: 'k', fetch }) }
}

function bodyText(init: RequestInit | undefined): string {
  if (typeof init?.body !== 'string') throw new Error('no text was sent')
  return init.body
}

const allowAll: Answering = (_path, { calls }) =>
  Response.json({
    decisions: calls.map(({ params }) => ({ id: 'dec_1', effect: 'allow', reasons: [params['n']] })),
  })
const call = (n: number, more: JsonObject = {}): DecisionRequest => ({ action: 'a', params: { n, ...more } })
const problem = (code: string, status: number, more: object = {}) => ({
  type: `urn:bailiwick:problem:${code}`,
  title: 'T',
  status,
  detail: 'd',
  fix: 'f',
  ...more,
})

test('calls go to the batch endpoint as they were made, 64 in a request, and answers come in their order', async () => {
  const paths: string[] = []
  const { requests, client } = clientOf((path, body) => {
    paths.push(path)
    return allowAll(path, body)
  })
  const checked = await client.checkAll(Array.from({ length: 130 }, (_, n) => call(n)))
  expect(requests.map(({ length }) => length)).toEqual([64, 64, 2])
  expect(new Set(paths)).toEqual(new Set(['/v1/decisions/batch']))
  expect(checked.map((each) => each.kind === 'decided' && each.decision.reasons[0])).toEqual(
    Array.from({ length: 130 }, (_, n) => n),
  )
  expect(await client.checkAll([])).toEqual([])
  expect(requests).toHaveLength(3)
})

test('no request is larger than a service takes, and a call that is too large alone goes alone', async () => {
  const { requests, client } = clientOf(allowAll)
  const large = { note: 'é'.repeat(25_000) }
  await client.checkAll([
    ...Array.from({ length: 6 }, (_, n) => call(n, large)),
    call(6, { note: 'x'.repeat(300_000) }),
    call(7),
  ])
  expect(requests.map(({ length }) => length)).toEqual([5, 1, 1, 1])
  for (const calls of requests.slice(0, 2)) {
    expect(new TextEncoder().encode(JSON.stringify({ calls })).length).toBeLessThanOrEqual(256 * 1024)
  }
})

test('a call without a JSON form is not sent; the others are, and each has its answer in its place', async () => {
  const { requests, client } = clientOf((_path, { calls }) =>
    Response.json({
      decisions: calls.map(({ params }) =>
        params['n'] === 2 ? problem('call_id_reused', 409) : { id: 'dec_1', effect: 'allow' },
      ),
    }),
  )
  const checked = await client.checkAll([call(0), call(1, { at: Number.NaN }), call(2), call(3)])
  expect(requests).toEqual([[call(0), call(2), call(3)]])
  expect(checked).toMatchObject([
    { kind: 'decided' },
    { kind: 'failed', fault: { code: 'malformed_call', recorded: undefined } },
    { kind: 'failed', fault: { code: 'call_id_reused', recorded: undefined, fix: 'f' } },
    { kind: 'decided' },
  ])
})

test('where a request fails, only its own calls do, and each says whether it was recorded', async () => {
  let count = 0
  const { client } = clientOf((path, body) =>
    count++ === 0
      ? Response.json(problem('store_unavailable', 503, { recorded: 'no' }), { status: 503 })
      : allowAll(path, body),
  )
  const checked = await client.checkAll(Array.from({ length: 65 }, (_, n) => call(n)))
  expect(checked.slice(0, 64).every((each) => each.kind === 'failed' && each.fault.recorded === 'no')).toBe(
    true,
  )
  expect(checked[64]).toMatchObject({ kind: 'decided' })
})

test.each([
  ['too few answers', { decisions: [] }],
  ['no list', { decisions: {} }],
  ['answers that are none', { decisions: [null] }],
  ['a text', 'fine'],
])('%s leave open whether the call was recorded', async (_what, answer) => {
  const { client } = clientOf(() => Response.json(answer))
  const [checked] = await client.checkAll([call(1)])
  expect(checked).toMatchObject({ kind: 'failed', fault: { recorded: 'unknown' } })
})

function failing(error: Error): BailiwickClient {
  const fetch = vi.fn<typeof globalThis.fetch>().mockRejectedValue(error)
  return new BailiwickClient({ url: 'http://127.0.0.1:1', key: 'k', fetch })
}
const refusedConnection = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' })
const brokenConnection = Object.assign(new Error('read'), { code: 'ECONNRESET' })

test.each([
  ['a connection that was refused', new TypeError('fetch failed', { cause: refusedConnection }), 'no'],
  ['a connection that broke', new TypeError('fetch failed', { cause: brokenConnection }), 'unknown'],
  ['no answer in time', new DOMException('timed out', 'TimeoutError'), 'unknown'],
])('after %s the call was recorded: %s', async (_what, error, recorded) => {
  const client = failing(error)
  const expected = { code: 'service_unreachable', recorded }
  await expect(client.check('a', {})).rejects.toMatchObject(expected)
  expect(await client.checkAll([call(1)])).toMatchObject([{ kind: 'failed', fault: expected }])
})

test.each([
  [503, problem('store_unavailable', 503, { recorded: 'unknown' }), 'store_unavailable', 'unknown'],
  [503, problem('store_busy', 503, { recorded: 'no' }), 'store_busy', 'no'],
  [503, problem('store_busy', 503, { recorded: 'yes' }), 'store_busy', 'unknown'],
  [502, 'Bad gateway', 'service_unreachable', 'unknown'],
  [500, problem('internal', 500), 'internal', 'unknown'],
  [400, problem('bad_input', 400), 'bad_input', undefined],
  [401, problem('not_authenticated', 401), 'not_authenticated', undefined],
])('an answer %i %j is the fault %s, recorded: %s', async (status, body, code, recorded) => {
  const { client } = clientOf(() => Response.json(body, { status }))
  const fault = await client.check('a', {}).catch((error: unknown) => error)
  expect(fault).toBeInstanceOf(Fault)
  expect(fault).toMatchObject({ code, recorded })
})

test('a check says what session it is part of, what its caller carries out, and its call id', async () => {
  const sent: unknown[] = []
  const fetch: typeof globalThis.fetch = (_url, init) => {
    sent.push(JSON.parse(bodyText(init)))
    return Promise.resolve(Response.json({ id: 'dec_1', effect: 'deny' }))
  }
  const client = new BailiwickClient({ url: 'http://127.0.0.1:1', key: 'k', fetch })
  await client.check('a', {}, { b: 1 }, { session: 's', supports: ['redact'], callId: 'c' })
  await client.check('a', {})
  expect(sent).toEqual([
    { action: 'a', params: {}, context: { b: 1 }, session: 's', supports: ['redact'], callId: 'c' },
    { action: 'a', params: {} },
  ])
})
