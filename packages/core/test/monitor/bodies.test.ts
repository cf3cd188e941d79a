import { describe, expect, test } from 'vitest'
import fc from 'fast-check'
import { logBrokenNotice, noticesOf } from '../../src/monitor/notices-of.ts'
import type { LogRecord } from '../../src/model/record.ts'
import type { JsonObject } from '../../src/model/json.ts'
import { webhookBody } from '../../src/monitor/webhook-body.ts'
import { slackBody } from '../../src/monitor/slack-body.ts'
import { deniedRecord, escalatedRecord, expiryRecord, voteRecord } from './records.ts'

const links = { consoleUrl: 'https://bailiwick.example/' }

function only(record: LogRecord) {
  const [notice] = noticesOf(record)
  if (notice === undefined) throw new Error('this record causes no notice')
  return notice
}

describe('the body for webhooks', () => {
  test('has type, timestamp and data, with a link to what it is about', () => {
    expect(webhookBody(only(deniedRecord()), links)).toEqual({
      type: 'bailiwick.violation.denied',
      timestamp: '2025-11-20T10:00:00.000Z',
      data: {
        decision: 'dec_7',
        agent: 'customer-support-agent-v2',
        action: 'delete_account',
        code: 'forbidden',
        reasons: ['Action is forbidden by policy'],
        rules: ['forbidden_actions[0]'],
        approval: null,
        title: '`customer-support-agent-v2` was denied `delete_account`: Action is forbidden by policy',
        severity: 'critical',
        record: { index: 7 },
        url: 'https://bailiwick.example/decisions/dec_7',
      },
    })
  })

  test('links what was allowed in shadow mode, or has to be told, to the decision', () => {
    const { rules, reasons } = deniedRecord()
    const shadow = { effect: 'deny', code: 'forbidden', reasons, rules } as const
    const obligations = [{ kind: 'notify', channel: 'finance' }] as const
    for (const more of [{ shadow }, { obligations }]) {
      const notice = only(deniedRecord({ effect: 'allow', code: null, ...more }))
      expect(webhookBody(notice, links)).toMatchObject({
        data: { url: 'https://bailiwick.example/decisions/dec_7' },
      })
      expect(JSON.stringify(slackBody(notice, links))).toContain('decisions/dec_7')
    }
  })

  test('links everything about an approval to the approval, whichever record told of it', () => {
    for (const record of [escalatedRecord(), expiryRecord, voteRecord('approved'), voteRecord('rejected')]) {
      expect(webhookBody(only(record), links)).toMatchObject({
        data: { url: 'https://bailiwick.example/approvals/apr_12' },
      })
    }
  })

  test('stays below the 20 kB that receivers are told to expect', () => {
    const long = Array.from({ length: 50 }, () => 'x'.repeat(5000))
    const body = webhookBody(only(deniedRecord({ reasons: long, action: 'y'.repeat(9000) })), links)
    expect(JSON.stringify(body).length).toBeLessThan(20_000)
  })
})

describe('the body for Slack', () => {
  test('has a text for notifications, and blocks that say who asks for what, why, and where to answer', () => {
    expect(slackBody(only(escalatedRecord()), links)).toEqual({
      text: '`customer-support-agent-v2` asks for approval of `issue_refund` by 2025-11-20T10:05:00.000Z',
      unfurl_links: false,
      unfurl_media: false,
      blocks: [
        { type: 'header', text: plain('Approval needed') },
        {
          type: 'section',
          text: plain(
            '`customer-support-agent-v2` asks for approval of `issue_refund` by 2025-11-20T10:05:00.000Z',
          ),
        },
        {
          type: 'section',
          fields: [
            plain('Agent: customer-support-agent-v2'),
            plain('Action: issue_refund'),
            plain('Approval: apr_12'),
            plain('Answer by: 2025-11-20T10:05:00.000Z'),
            plain('Route: human_approval_required'),
            plain('Approvals needed: 2'),
            plain('Record: 12'),
          ],
        },
        { type: 'section', text: plain('• Escalation required: human_approval_required') },
        {
          type: 'section',
          text: {
            type: 'mrkdwn',
            text: '<https://bailiwick.example/approvals/apr_12|Open in Bailiwick>',
            verbatim: true,
          },
        },
      ],
    })
  })

  test('an action name cannot mention a channel or disguise a link', () => {
    const body = JSON.stringify(
      slackBody(only(deniedRecord({ action: '<!channel> <https://e.example|ok> &' })), links),
    )
    expect(body).not.toContain('<!channel>')
    expect(body).not.toContain('<https://e.example')
    expect(body).toContain('&lt;!channel&gt;')
    expect(body).toContain('|ok&gt; &amp;')
  })

  test('is within what Slack takes, whatever the record holds, and never cut inside an escape', () => {
    const text = fc.oneof(
      fc.string(),
      fc.string({ maxLength: 1200, unit: fc.constantFrom('&', '<', '😀', 'a') }),
    )
    fc.assert(
      fc.property(text, fc.array(text, { maxLength: 30 }), (action, reasons) => {
        for (const record of [deniedRecord({ action, reasons }), escalatedRecord({ action, reasons })]) {
          expectWithinLimits(slackBody(only(record), links))
        }
      }),
    )
  })

  test('a vote, which names neither agent nor action, has no empty fields', () => {
    const body = slackBody(only(voteRecord('rejected')), links)
    expectWithinLimits(body)
    expect(JSON.stringify(body)).toContain('Approval rejected')
  })
})

function plain(text: string): JsonObject {
  return { type: 'plain_text', text, emoji: false }
}

interface SlackText {
  readonly text: string
}
interface SlackBody {
  readonly text: string
  readonly blocks: readonly {
    readonly type: string
    readonly text?: SlackText
    readonly fields?: readonly SlackText[]
  }[]
}

function expectWithinLimits(json: JsonObject): void {
  const body = JSON.parse(JSON.stringify(json)) as SlackBody
  expectText(body.text, 4000)
  expect(body.blocks.length).toBeLessThanOrEqual(50)
  for (const block of body.blocks) {
    if (block.text) expectText(block.text.text, block.type === 'header' ? 150 : 3000)
    expect(block.fields?.length ?? 1).toBeLessThanOrEqual(10)
    for (const field of block.fields ?? []) expectText(field.text, 2000)
  }
}

function expectText(text: string, lengthMax: number): void {
  expect(text.length).toBeGreaterThan(0)
  expect(text.length).toBeLessThanOrEqual(lengthMax)
  expect(text.replaceAll(/&(amp|lt|gt);/g, '')).not.toContain('&')
}

test('a log that was found broken is told on one line, with the place and what to do', () => {
  const broken = { kind: 'broken', index: 7, problem: 'record 7 was\nchanged', fix: 'Keep it.' } as const
  const notice = logBrokenNotice('main', broken, '2026-03-01T09:00:00.000Z')
  const links = { consoleUrl: 'https://bailiwick.example.com/' }
  expect(webhookBody(notice, links)).toEqual({
    type: 'bailiwick.log.broken',
    timestamp: '2026-03-01T09:00:00.000Z',
    data: {
      ledger: 'main',
      index: 7,
      record: { index: 7 },
      problem: 'record 7 was changed',
      fix: 'Keep it.',
      title: 'The log is broken, and nothing is decided on it: record 7 was changed',
      severity: 'critical',
      url: 'https://bailiwick.example.com/',
    },
  })
  expect(JSON.stringify(slackBody(notice, links))).toContain('Log broken')
  expect(logBrokenNotice('main', { ...broken, index: null }, notice.at)).toMatchObject({
    index: -1,
    data: { index: null },
  })
})
