import { describe, expect, test } from 'vitest'
import { Fault } from '@bailiwick/core'
import { targetsFromEnvironment } from '../../src/delivery/targets.ts'

const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
const hook = { BAILIWICK_WEBHOOK_URL: 'https://example.com/hook', BAILIWICK_WEBHOOK_SECRET: secret }

function faultOf(environment: Record<string, string>): Fault {
  try {
    targetsFromEnvironment(environment)
  } catch (error) {
    if (error instanceof Fault) return error
  }
  throw new Error('no fault')
}

describe('the targets in the environment', () => {
  test('are none where nothing is set, or set to nothing', () => {
    expect(targetsFromEnvironment({}).size).toBe(0)
    expect(targetsFromEnvironment({ BAILIWICK_WEBHOOK_URL: '', BAILIWICK_SLACK_WEBHOOK_URL: ' ' }).size).toBe(
      0,
    )
  })

  test('are a signed webhook and Slack, each by its name', () => {
    const slack = 'https://hooks.slack.com/services/T0/B0/x'
    const targets = targetsFromEnvironment({ ...hook, BAILIWICK_SLACK_WEBHOOK_URL: slack })
    expect([...targets]).toEqual([
      ['webhook', { kind: 'webhook', url: new URL(hook.BAILIWICK_WEBHOOK_URL), secret, allowPrivate: false }],
      ['slack', { kind: 'slack', url: new URL(slack), allowPrivate: false }],
    ])
  })

  test('may be private ones where that is said, and only then', () => {
    const local = { ...hook, BAILIWICK_WEBHOOK_URL: 'http://127.0.0.1:9000/hook' }
    const allowed = targetsFromEnvironment({ ...local, BAILIWICK_ALLOW_PRIVATE_WEBHOOKS: '1' })
    expect(allowed.get('webhook')).toMatchObject({ allowPrivate: true })
    expect(faultOf(local).code).toBe('not_permitted')
    expect(faultOf({ ...local, BAILIWICK_ALLOW_PRIVATE_WEBHOOKS: '0' }).code).toBe('not_permitted')
    expect(faultOf({ ...local, BAILIWICK_ALLOW_PRIVATE_WEBHOOKS: 'yes' }).message).toBe(
      '`BAILIWICK_ALLOW_PRIVATE_WEBHOOKS` is `yes`',
    )
  })

  test('are never half-configured: a webhook needs its secret, and a secret its webhook', () => {
    expect(faultOf({ BAILIWICK_WEBHOOK_URL: 'https://example.com/' }).message).toContain('no secret')
    expect(faultOf({ BAILIWICK_WEBHOOK_SECRET: secret }).message).toContain('no webhook')
  })

  test('are refused without repeating a secret', () => {
    for (const environment of [
      { ...hook, BAILIWICK_WEBHOOK_SECRET: 'hunter2' },
      { BAILIWICK_SLACK_WEBHOOK_URL: 'http://hooks.slack.com/services/hunter2' },
      { BAILIWICK_SLACK_WEBHOOK_URL: 'hooks.slack.com/services/hunter2' },
    ]) {
      const fault = faultOf(environment)
      expect(`${fault.message} ${fault.fix}`).not.toContain('hunter2')
    }
  })
})
