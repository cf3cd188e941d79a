import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { Webhook } from 'standardwebhooks'
import type { Instant } from '@bailiwick/core'
import { signWebhook, verifyWebhook, webhookKey } from '../../src/delivery/standard-webhooks.ts'

const evaluation =
  process.env['BAILIWICK_EVALUATION'] ?? new URL('../../../../../shared/evaluation', import.meta.url).pathname
const vectorsFile = join(evaluation, 'vectors', 'standard-webhooks.jsonl')
const present = existsSync(vectorsFile)
if (!present) {
  process.stderr.write(
    `\n*** SKIPPED: the Standard Webhooks vectors are not at ${vectorsFile}; set BAILIWICK_EVALUATION ***\n\n`,
  )
}

const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
const body = '{"type":"bailiwick.violation.denied","data":{"agent":"ä"}}'
const sentAt = 1_763_632_800
const now = (seconds: number) => (seconds * 1000) as Instant

interface Vector {
  readonly id: string
  readonly secret: string
  readonly payload: string
  readonly msg_id?: string
  readonly timestamp?: number
  readonly expect_signature?: string
  readonly headers?: Record<string, string>
  readonly now?: number
  readonly expect?: 'valid' | 'invalid'
}

describe('the Standard Webhooks vectors', () => {
  test.runIf(present)('all 13 hold', () => {
    const vectors = readFileSync(vectorsFile, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Vector)
    expect(vectors).toHaveLength(13)
    for (const vector of vectors)
      expect(`${vector.id}: ${answer(vector)}`).toBe(`${vector.id}: ${wanted(vector)}`)
  })
})

function answer(vector: Vector): string {
  if (vector.headers !== undefined) {
    return verifyWebhook(vector.headers, vector.payload, vector.secret, now(vector.now ?? 0)).kind
  }
  return signWebhook(vector.msg_id ?? '', vector.timestamp ?? 0, vector.payload, vector.secret)[
    'webhook-signature'
  ]
}

function wanted(vector: Vector): string | undefined {
  return vector.headers === undefined ? vector.expect_signature : vector.expect
}

describe('beside the reference library', () => {
  afterEach(() => {
    vi.useRealTimers()
  })

  test('it accepts what we sign', () => {
    vi.useFakeTimers({ toFake: ['Date'], now: sentAt * 1000 })
    const headers = { ...signWebhook('msg_1', sentAt, body, secret) }
    expect(new Webhook(secret).verify(body, headers)).toEqual(JSON.parse(body))
    expect(() => new Webhook(secret).verify(body.replace('denied', 'allowed'), headers)).toThrow()
  })

  test('we accept what it signs, and not with another body', () => {
    const headers = {
      'webhook-id': 'msg_1',
      'webhook-timestamp': String(sentAt),
      'webhook-signature': new Webhook(secret).sign('msg_1', new Date(sentAt * 1000), body),
    }
    expect(verifyWebhook(headers, body, secret, now(sentAt))).toEqual({
      kind: 'valid',
      id: 'msg_1',
      timestampSeconds: sentAt,
    })
    expect(verifyWebhook(headers, `${body} `, secret, now(sentAt))).toEqual({
      kind: 'invalid',
      why: 'no_matching_signature',
    })
  })
})

describe('what a receiver may rely on', () => {
  const headers = { ...signWebhook('msg_1', sentAt, body, secret) }

  test('a message is good for five minutes either way, to the second', () => {
    const at = (seconds: number) => verifyWebhook(headers, body, secret, now(seconds))
    expect(at(sentAt + 300).kind).toBe('valid')
    expect(at(sentAt - 300).kind).toBe('valid')
    expect(at(sentAt + 301)).toEqual({ kind: 'invalid', why: 'too_old' })
    expect(at(sentAt - 301)).toEqual({ kind: 'invalid', why: 'too_new' })
  })

  test('the id and the time are signed too', () => {
    const verdict = (changes: Record<string, string>) =>
      verifyWebhook({ ...headers, ...changes }, body, secret, now(sentAt)).kind
    expect(verdict({})).toBe('valid')
    expect(verdict({ 'webhook-id': 'msg_2' })).toBe('invalid')
    expect(verdict({ 'webhook-timestamp': String(sentAt + 1) })).toBe('invalid')
  })

  test('a signature of another version or a shortened one does not count', () => {
    const [, base64 = ''] = headers['webhook-signature'].split(',')
    const verdict = (signature: string) =>
      verifyWebhook({ ...headers, 'webhook-signature': signature }, body, secret, now(sentAt)).kind
    expect(verdict(`v1a,xyz v1,${base64}`)).toBe('valid')
    expect(verdict(`v2,${base64}`)).toBe('invalid')
    expect(verdict(`v1,${base64.slice(0, 20)}`)).toBe('invalid')
    expect(verdict(base64)).toBe('invalid')
  })

  test.each(['', 'whsec_', 'hunter2', `whsec_${'!'.repeat(40)}`, `whsec_${'A'.repeat(28)}`, 'A'.repeat(92)])(
    'the secret %j is refused, without repeating it',
    (wrong) => {
      expect(() => webhookKey(wrong)).toThrow(/^the webhook secret is not base64 of 24 to 64 bytes$/)
    },
  )
})
