import { GovernanceEnforcer } from '@bailiwick/store'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { buttonsOf, FakeSlack, textOf } from '../channels/fake-slack.ts'
import { eventually } from '../harness/eventually.ts'
import { agentId } from '../harness/policies.ts'
import { impatientClient, ServicePlace, signIn } from '../harness/service.ts'

let place: ServicePlace
let slack: FakeSlack

beforeEach(async () => {
  place = await ServicePlace.onServer()
  slack = await new FakeSlack().listen()
})
afterEach(async () => {
  await place.remove()
  await slack.close()
})

const start = () => place.start({ env: { ...slack.env, BAILIWICK_SLACK_PEOPLE: 'U0ROOT=admin@localhost' } })

async function press(url: string, choice: string): Promise<number> {
  const post = slack.posts.at(-1)
  if (post === undefined) throw new Error('nothing was posted')
  const body = slack.press(post, 'U0ROOT', choice)
  const headers = slack.sign(body, Date.now())
  return (await fetch(`${url}/v1/channels/slack/interactions`, { method: 'POST', headers, body })).status
}

test('an agent that waits goes on when somebody who has confirmed the account presses a button in Slack, and the message says so', async () => {
  const service = await start()
  const root = await signIn(service.signInUrl ?? '')
  const client = impatientClient(service.url, await place.createKey())
  const governing = client.govern('issue_refund', { amount: 600 }, () => 'paid')
  await eventually('the message', () => slack.posts.length === 1)
  expect(await press(service.url, 'approve')).toBe(200)
  await eventually('the way to confirm it', () => slack.ephemerals.length === 1)
  const [page] = /https?:\S+\/accounts\/U0ROOT/.exec(textOf(slack.ephemerals[0])) ?? []
  expect(await root.submit(page ?? '')).toBe(200)
  expect(await press(service.url, 'approve')).toBe(200)
  expect(await governing).toMatchObject({ kind: 'ran', result: 'paid' })
  await eventually('the update', () => slack.posts.every(({ body }) => buttonsOf(body).length === 0))
  expect(textOf(slack.posts[0]?.body)).toContain('Approved by admin@localhost')
})

test('what was opened while no service ran, or before one that stopped had told of it, is told by the next one', async () => {
  const opened: string[] = []
  await (await start()).stop()
  await place.onLedger(async (ledger) => {
    const enforcer = new GovernanceEnforcer(ledger, agentId)
    for (const amount of [600, 700]) {
      const { approval } = await enforcer.check('issue_refund', { amount })
      opened.push(approval?.id ?? '')
    }
    await enforcer.close()
  })
  slack.trouble.push({ status: 500, body: {} })
  const first = await start()
  await eventually('an attempt that fails', () => slack.calls.length > 0)
  await first.stop()
  // What failed is due after some seconds; the clock is the machine's.
  await place.onLedger(({ pool }) => pool.query(`update outbox set next_attempt_at = '-infinity'`))
  await start()
  await eventually('both messages', () => slack.posts.length >= 2)
  const told = slack.posts.map(({ body }) => textOf(body))
  for (const id of opened) expect(told.filter((text) => text.includes(`/approvals/${id}|`))).toHaveLength(1)
})
