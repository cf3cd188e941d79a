import type { Instant } from '@bailiwick/core'
import { describe, expect, test } from 'vitest'
import { verifySlackRequest } from '../../src/channels/slack-signature.ts'

// The worked example that Slack publishes.
const secret = '8f742231b10e8888abcd99yyyzzz85a5'
const timestamp = '1531420618'
const signature = 'v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503'
const body =
  'token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c'
const sentAt = Number(timestamp) * 1000
const minutes = 60_000

interface Change {
  readonly timestamp?: string | undefined
  readonly signature?: string | undefined
  readonly body?: string
  readonly secret?: string
  readonly now?: number
}

function verdict(change: Change = {}) {
  const headers = { timestamp, signature, ...change }
  const bytes = Buffer.from(change.body ?? body)
  return verifySlackRequest(headers, bytes, change.secret ?? secret, (change.now ?? sentAt) as Instant)
}

describe('a request of Slack', () => {
  test('is taken with the signature that Slack publishes for it', () => {
    expect(verdict()).toEqual({ kind: 'valid', signature })
  })

  test.each<[string, Change, string]>([
    ['with a changed body', { body: `${body}&x=1` }, 'forged'],
    ['with another secret', { secret: `${secret}x` }, 'forged'],
    ['with a time that was not signed', { timestamp: '1531420619' }, 'forged'],
    ['with another signature', { signature: `v0=${'0'.repeat(64)}` }, 'forged'],
    ['with a signature of another version', { signature: signature.replace('v0', 'v1') }, 'malformed'],
    ['with half a signature', { signature: signature.slice(0, 40) }, 'malformed'],
    ['with a time that is no number', { timestamp: '1e9' }, 'malformed'],
    ['without a time', { timestamp: undefined }, 'missing_header'],
    ['without a signature', { signature: '' }, 'missing_header'],
    ['from more than five minutes ago', { now: sentAt + 5 * minutes + 1 }, 'too_old'],
    ['from more than five minutes ahead', { now: sentAt - 5 * minutes - 1 }, 'too_new'],
  ])('%s is refused', (_what, change, why) => {
    expect(verdict(change)).toEqual({ kind: 'invalid', why })
  })

  test.each([5 * minutes, -5 * minutes])('is taken %i ms from now', (difference) => {
    expect(verdict({ now: sentAt + difference }).kind).toBe('valid')
  })
})
