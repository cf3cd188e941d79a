import { enqueueMessages, createOutbox } from '@bailiwick/store'
import type { Instant } from '@bailiwick/core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ServicePlace } from '../harness/service.ts'
import { cli } from './run-cli.ts'

let place: ServicePlace
beforeAll(async () => {
  place = await ServicePlace.make()
  await (await place.start()).stop()
  await place.onLedger(async ({ pool, name }) => {
    await enqueueMessages(pool, name, [
      { target: 'webhook', kind: 'violation.denied', index: 1, body: '{"secret":1}' },
      {
        target: 'approvals.mail',
        recipient: 'ann@example.com',
        kind: 'approval.requested',
        index: 2,
        body: '{}',
      },
    ])
    const outbox = createOutbox({ pool, ledger: name })
    const now = Date.now() as Instant
    for (const message of await outbox.claim('approvals.mail', 10, 1_000, now)) {
      await outbox.failed(message, now, 'the mail server did not take it: 550', null)
    }
  })
})
afterAll(() => place.remove())

const deliveries = (...args: readonly string[]) => cli(['deliveries', ...args, '--data', place.dataDir])

test('lists messages with how they went, and never what they say', async () => {
  const { out } = await deliveries('list')
  expect(out).toMatch(
    /^msg_\w+ {2}approvals\.mail ann@example\.com {2}approval\.requested {2}record 2 {2}dead {2}1 attempt {2}the mail server did not take it: 550\nmsg_\w+ {2}webhook {2}violation\.denied {2}record 1 {2}waiting {2}0 attempts\n$/,
  )
  expect(out).not.toContain('secret')
  const { json } = await deliveries('list', '--state', 'waiting', '--json')
  expect(json).toMatchObject({ deliveries: [{ target: 'webhook', recipient: null, state: 'waiting' }] })
})

test.each([
  [['list', '--state', 'lost'], /`lost` is no state/],
  [['retry'], /not said which messages/],
  [['retry', 'msg_x', '--all'], /not said which messages/],
  [['retry', 'msg_x'], /no message `msg_x`/],
])('%j is refused', async (args, message) => {
  const run = await deliveries(...args)
  expect(run.code).toBe(2)
  expect(run.err).toMatch(message)
})

test('has what was given up sent again, and nothing else', async () => {
  expect((await deliveries('retry', '--all')).out).toBe('One message is sent again.\n')
  expect((await deliveries('retry', '--all', '--json')).json).toEqual({ retried: 0 })
  expect((await deliveries('list', '--state', 'dead')).out).toBe('There are none.\n')
})

test('people say whose a Slack account is, with a record', async () => {
  const people = (...args: readonly string[]) => cli(['people', ...args, '--data', place.dataDir])
  await people('add', 'ann@example.com', '--role', 'approver')
  expect((await people('slack', 'Ann@example.com', 'U0123')).out).toBe(
    'The Slack account U0123 answers for ann@example.com, once ann@example.com has confirmed it: pressing a button in Slack shows where.\n',
  )
  expect((await people('slack', 'eve@example.com', 'U0123')).err).toContain('no person `eve@example.com`')
  expect((await people('slack', 'ann@example.com', '@ann')).err).toContain(
    '`@ann` is no id of a Slack account',
  )
  expect((await people('slack-remove', 'U0123', '--json')).json).toEqual({
    id: 'ann@example.com',
    account: 'U0123',
    linked: false,
  })
  expect((await people('slack-remove', 'U0123')).err).toContain('stands for nobody')
  const events = await place.onLedger(async ({ pool, name }) => {
    const { rows } = await pool.query<{ record: string }>(
      'select record from log_entry where ledger = $1 order by index',
      [name],
    )
    return rows.map(({ record }) => JSON.parse(record) as { event?: string; grants?: readonly string[] })
  })
  expect(events.filter(({ event }) => event?.startsWith('account_'))).toMatchObject([
    { event: 'account_linked', subject: 'ann@example.com', grants: ['slack:U0123'] },
    { event: 'account_unlinked', subject: 'ann@example.com', grants: ['slack:U0123'] },
  ])
})
