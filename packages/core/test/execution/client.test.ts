import { expect, test } from 'vitest'
import { BailiwickClient } from '../../src/execution/client.ts'
import type { JsonObject } from '../../src/model/json.ts'

const refused = expect.objectContaining({ code: 'malformed_call' }) as Error

function clientAndSent() {
  const sent: string[] = []
  const fetch: typeof globalThis.fetch = (_url, init) => {
    sent.push(typeof init?.body === 'string' ? init.body : '')
    return Promise.resolve(Response.json({ id: 'dec_1', effect: 'deny', reasons: [], rules: [] }))
  }
  return { sent, client: new BailiwickClient({ url: 'http://127.0.0.1:1', key: 'k', fetch }) }
}

test.each([
  ['undefined', { amount: 80, note: undefined }],
  ['NaN', { amount: Number.NaN }],
  ['a date', { at: new Date(0) }],
  ['a bigint', { amount: 1n }],
])('a call with %s among its params is not sent, and does not run', async (_, params) => {
  const { sent, client } = clientAndSent()
  let runs = 0
  const governed = client.govern('issue_refund', params as JsonObject, () => (runs += 1))
  await expect(governed).rejects.toThrow(refused)
  await expect(client.check('issue_refund', {}, params as JsonObject)).rejects.toThrow(refused)
  expect({ runs, sent }).toEqual({ runs: 0, sent: [] })
})

test('a call of plain JSON is sent as it was made', async () => {
  const { sent, client } = clientAndSent()
  await client.check('issue_refund', { b: 1, a: [null, 'x'] })
  expect(JSON.parse(sent[0] ?? '')).toEqual({ action: 'issue_refund', params: { b: 1, a: [null, 'x'] } })
})
