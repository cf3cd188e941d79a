import { Fault } from '@bailiwick/core'
import { describe, expect, test } from 'vitest'
import { channelSettings } from '../../src/channels/settings.ts'

const secret = `whsec_${Buffer.alloc(32, 1).toString('base64')}`
const slack = {
  BAILIWICK_SLACK_BOT_TOKEN: 'xoxb-hunter2',
  BAILIWICK_SLACK_SIGNING_SECRET: 'hunter2',
  BAILIWICK_SLACK_CHANNEL: 'C0123',
}
const mail = {
  BAILIWICK_SMTP_URL: 'smtps://u:hunter2@mail.example.com',
  BAILIWICK_MAIL_FROM: 'b@example.com',
}

function faultOf(env: Record<string, string>): Fault {
  try {
    channelSettings(env)
  } catch (error) {
    if (error instanceof Fault) return error
  }
  throw new Error('no fault')
}

describe('the channels in the environment', () => {
  test('are none where nothing is set', () => {
    expect(channelSettings({ BAILIWICK_SMTP_URL: ' ' })).toEqual({
      slack: undefined,
      mail: undefined,
      webhook: undefined,
      callbacks: undefined,
    })
  })

  test('are read with what they need', () => {
    const read = channelSettings({
      ...slack,
      ...mail,
      BAILIWICK_SLACK_PEOPLE: 'U1=Ann@Example.com , W2=bob@example.com,',
      BAILIWICK_CALLBACK_HOSTS: 'Hooks.example.com, agents.example.com:8443',
      BAILIWICK_CALLBACK_SECRET: secret,
    })
    expect(read.slack).toMatchObject({ channel: 'C0123', api: new URL('https://slack.com/api/') })
    expect([...(read.slack?.people ?? [])]).toEqual([
      ['U1', 'ann@example.com'],
      ['W2', 'bob@example.com'],
    ])
    expect(read.mail).toEqual({
      host: 'mail.example.com',
      port: 465,
      tls: 'implicit',
      user: 'u',
      password: 'hunter2',
      from: 'b@example.com',
      votes: 'link',
    })
    expect([...(read.callbacks?.hosts ?? [])]).toEqual(['hooks.example.com', 'agents.example.com:8443'])
  })

  test.each([
    ['smtp://mail.example.com', { port: 587, tls: 'required' }],
    ['smtp://mail.example.com:25', { port: 25, tls: 'required' }],
    ['smtp://127.0.0.1:1025', { port: 1025, tls: 'none' }],
    ['smtps://[2001:db8::1]', { host: '2001:db8::1', port: 465, tls: 'implicit' }],
  ])('%s sends in the clear only on this machine', (address, expected) => {
    expect(channelSettings({ ...mail, BAILIWICK_SMTP_URL: address }).mail).toMatchObject(expected)
  })

  test.each<[string, Record<string, string>]>([
    ['half of what Slack needs', { BAILIWICK_SLACK_BOT_TOKEN: 'xoxb-hunter2' }],
    ['a workspace by its name', { ...slack, BAILIWICK_SLACK_TEAM: 'example' }],
    ['a workspace for an app', { ...slack, BAILIWICK_SLACK_APP: 'T0123' }],
    ['a channel by its name', { ...slack, BAILIWICK_SLACK_CHANNEL: '#approvals' }],
    ['a Slack account without a person', { ...slack, BAILIWICK_SLACK_PEOPLE: 'U1' }],
    ['a mail server without a sender', { BAILIWICK_SMTP_URL: mail.BAILIWICK_SMTP_URL }],
    ['a mail server that is none', { ...mail, BAILIWICK_SMTP_URL: 'https://hunter2@mail.example.com' }],
    ['a sender that is none', { ...mail, BAILIWICK_MAIL_FROM: 'Bailiwick <b@example.com>' }],
    ['another word for how links vote', { ...mail, BAILIWICK_MAIL_VOTES: 'yes' }],
    ['a webhook without a secret', { BAILIWICK_APPROVAL_WEBHOOK_URL: 'https://example.com/hunter2' }],
    [
      'a webhook in a private network',
      {
        BAILIWICK_APPROVAL_WEBHOOK_URL: 'https://10.0.0.1/hunter2',
        BAILIWICK_APPROVAL_WEBHOOK_SECRET: secret,
      },
    ],
    [
      'a callback host with a path',
      { BAILIWICK_CALLBACK_HOSTS: 'hooks.example.com/x', BAILIWICK_CALLBACK_SECRET: secret },
    ],
    [
      'a secret that is none',
      { BAILIWICK_CALLBACK_HOSTS: 'hooks.example.com', BAILIWICK_CALLBACK_SECRET: 'hunter2' },
    ],
  ])('%s is refused, without repeating a secret', (_what, env) => {
    const fault = faultOf(env)
    expect(['bad_input', 'not_permitted']).toContain(fault.code)
    expect(`${fault.message} ${fault.fix}`).not.toContain('hunter2')
  })
})
