import type { Instant } from '@bailiwick/core'
import { ChannelStore } from '@bailiwick/store'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { unansweredChannels } from '../harness/every-get.ts'
import { base, HttpService, type Caller } from '../harness/http-service.ts'

const hour = 3_600_000
const call = { action: 'issue_refund', params: { amount: 600 } }
const ann = 'ann@example.com'

let service: HttpService
let agent: Caller

beforeAll(async () => {
  service = await HttpService.open({}, { ...unansweredChannels, BAILIWICK_MAIL_VOTES: 'session' })
  agent = await service.agent()
})
afterEach(() => {
  service.clock.aheadMs = 0
})
afterAll(() => service.close())

/** An approval that is opened now, and the link to it in an e-mail to Ann. */
async function waiting() {
  const { id } = (await agent.post('/v1/decisions', call)).body.approval
  const { digest } = await service.ledger.approval(id, {})
  const token = await new ChannelStore(service.ledger.pool, service.ledger.name).makeMailLink({
    approval: Number(id.slice('apr_'.length)),
    digest,
    person: ann,
    expiresAt: (service.ledger.now() + 60_000) as Instant,
  })
  return { id: id as string, digest, link: `/v1/channels/email/${token}` }
}

type Waiting = Awaited<ReturnType<typeof waiting>>

const ways: readonly (readonly [
  string,
  (by: Caller, on: Waiting) => Promise<{ status: number; text: string }>,
])[] = [
  ['a vote', (by, { id, digest }) => by.post(`/v1/approvals/${id}/votes`, { vote: 'approve', digest })],
  [
    'several votes at once',
    (by, { id, digest }) => by.post('/v1/votes', { votes: [{ approval: id, vote: 'approve', digest }] }),
  ],
  [
    'the form of a link that wants a session',
    (by, { digest, link }) =>
      service.anyone.send('POST', link, {
        raw: `vote=approve&digest=${digest}`,
        headers: {
          'content-type': 'application/x-www-form-urlencoded',
          cookie: `bailiwick_session=${by.secret}`,
          origin: base,
        },
      }),
  ],
]

const votesOn = async (id: string) => (await service.ledger.approval(id, {})).votes

describe.each(ways)('%s', (_, cast) => {
  test('counts in a session that goes on', async () => {
    const by = await service.person(ann)
    service.clock.aheadMs = 2 * hour - 60_000
    const on = await waiting()
    const { status, text } = await cast(by, on)
    expect(status, text).toBeLessThan(300)
    expect(await votesOn(on.id)).toMatchObject([{ person: ann, vote: 'approve' }])
  })

  test('in a session that nobody used for two hours is refused, and no vote is recorded', async () => {
    const by = await service.person(ann)
    service.clock.aheadMs = 2 * hour + 60_000
    const on = await waiting()
    const before = await service.logSize()
    const { status, text } = await cast(by, on)
    expect({ status, text }).toMatchObject({
      status: 401,
      text: expect.stringContaining('urn:bailiwick:problem:not_authenticated'),
    })
    expect(await votesOn(on.id)).toEqual([])
    expect(await service.logSize()).toBe(before)
  })

  test('in a session that was used all the time is refused once it is twelve hours old, and no vote is recorded', async () => {
    const by = await service.person(ann)
    while (service.clock.aheadMs < 12 * hour - 60_000) {
      expect((await by.get('/v1/session')).status).toBe(200)
      service.clock.aheadMs = Math.min(service.clock.aheadMs + hour, 12 * hour - 60_000)
    }
    expect((await by.get('/v1/session')).status).toBe(200)
    service.clock.aheadMs = 12 * hour + 60_000
    const on = await waiting()
    const { status } = await cast(by, on)
    expect(status).toBe(401)
    expect(await votesOn(on.id)).toEqual([])
  })
})
