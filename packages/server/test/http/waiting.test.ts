import type { LogRecord } from '@bailiwick/core'
import type { Ledger } from '@bailiwick/store'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { cast } from '../../../store/test/harness/ledger.ts'
import { eventually } from '../harness/eventually.ts'
import { base, HttpService, type Answer, type Caller } from '../harness/http-service.ts'

let service: HttpService
let agent: Caller
let person: Caller

beforeAll(async () => {
  service = await HttpService.open()
  agent = await service.agent()
  person = await service.person()
})
afterEach(() => {
  service.clock.aheadMs = 0
})
afterAll(() => service.close())

async function waitingRefund(): Promise<string> {
  const { body } = await agent.post('/v1/decisions', { action: 'issue_refund', params: { amount: 600 } })
  return body.approval.id
}

async function vote(id: string, choice: 'approve' | 'reject'): Promise<void> {
  const { digest } = (await person.get(`/v1/approvals/${id}`)).body
  const { status, text } = await person.post(`/v1/approvals/${id}/votes`, { vote: choice, digest })
  expect({ status, text }).toMatchObject({ status: 201 })
}

const ids = (answer: Answer, list: string): string[] => answer.body[list].map(({ id }: { id: string }) => id)

describe('a long poll for an approval', () => {
  test('answers once a person has voted, and not before', async () => {
    const id = await waitingRefund()
    const answered: string[] = []
    const waits = [agent, person].map(async (caller) => {
      const { body } = await caller.get(`/v1/approvals/${id}?wait=60`)
      answered.push(body.status)
    })
    // Whatever else is recorded meanwhile does not end the wait.
    await agent.post('/v1/decisions', { action: 'issue_refund', params: { amount: 1 } })
    expect(answered).toEqual([])
    await person.vote(id, { vote: 'approve' })
    await Promise.all(waits)
    expect(answered).toEqual(['approved', 'approved'])
  })

  test('answers when the vote was cast through another process', async () => {
    const id = await waitingRefund()
    const wait = agent.get(`/v1/approvals/${id}?wait=60`)
    const other: Ledger = await service.otherLedger()
    try {
      await cast(other, { id: 'pat@example.com' as never, roles: ['approver'] }, id, { vote: 'reject' })
      expect((await wait).body.status).toBe('rejected')
    } finally {
      await other.close()
    }
  })

  test('answers at the deadline that nobody used', async () => {
    const id = await waitingRefund()
    const wait = agent.get(`/v1/approvals/${id}?wait=60`)
    service.clock.aheadMs = 5 * 60 * 1000
    await service.ledger.expireOverdue()
    expect((await wait).body).toMatchObject({ status: 'expired', votes: [] })
  })

  test('answers with what is still pending when `wait` is over', async () => {
    const id = await waitingRefund()
    expect((await agent.get(`/v1/approvals/${id}?wait=1`)).body.status).toBe('pending')
    expect((await agent.get(`/v1/approvals/${id}?wait=0`)).body.status).toBe('pending')
  })

  test('answers at once where there is nothing to wait for', async () => {
    const id = await waitingRefund()
    await person.vote(id, { vote: 'approve' })
    expect((await agent.get(`/v1/approvals/${id}?wait=60`)).body.status).toBe('approved')
  })
})

describe('a session that ends while it waits', () => {
  const sessionOf = async (caller: Caller): Promise<string> =>
    (await caller.get('/v1/session')).body.session.id
  const begun = () => eventually('that it waits', () => service.waits.count > 0)
  const readings = async () => {
    const { rows } = await service.ledger.pool.query<{ count: string }>(
      `select count(*) from log_entry where kind = 'read'`,
    )
    return Number(rows[0]?.count)
  }
  const eventsOf = async (id: string, { secret }: Caller) => {
    const headers = { host: new URL(base).host, cookie: `bailiwick_session=${secret}` }
    return await service.app.request(new Request(`${base}/v1/approvals/${id}/events`, { headers }))
  }

  test.each<[string, (own: Caller) => Promise<unknown>]>([
    ['by an administrator', async (own) => await service.access.sessions.end(await sessionOf(own))],
    ['with a role', async () => await service.access.setPerson('sam@example.com', ['viewer', 'approver'])],
    ['with its person', async () => await service.access.removePerson('sam@example.com')],
  ])('%s is answered 401, and told nothing of the vote', async (_how, end) => {
    const id = await waitingRefund()
    const sam = await service.person('sam@example.com', ['approver'])
    const before = await readings()
    const wait = sam.get(`/v1/approvals/${id}?wait=60`)
    await begun()
    await end(sam)
    await agent.send('POST', `/v1/approvals/${id}/cancellation`, { json: { reason: 'not needed' } })
    const answer = await wait
    expect(answer).toMatchObject({ status: 401, body: { type: 'urn:bailiwick:problem:not_authenticated' } })
    expect(answer.text).not.toContain('cancelled')
    expect(await readings(), 'what was not shown is no reading').toBe(before)
  })

  test('by nobody’s using it is answered 401, too, and one that goes on is answered', async () => {
    const id = await waitingRefund()
    const sam = await service.person('sam@example.com', ['approver'])
    const wait = sam.get(`/v1/approvals/${id}?wait=60`)
    await begun()
    service.clock.aheadMs = 3 * 60 * 60 * 1000
    await service.ledger.expireOverdue()
    expect((await wait).status).toBe(401)
    const pat = await service.person()
    const other = await waitingRefund()
    const goesOn = pat.get(`/v1/approvals/${other}?wait=60`)
    await begun()
    await agent.send('POST', `/v1/approvals/${other}/cancellation`, { json: { reason: 'not needed' } })
    expect((await goesOn).body.status).toBe('cancelled')
  })

  test('ends its stream of one approval, which says nothing of what came of it', async () => {
    const id = await waitingRefund()
    const sam = await service.person('sam@example.com', ['approver'])
    const session = await sessionOf(sam)
    const stream = await eventsOf(id, sam)
    const text = stream.text()
    await begun()
    await service.access.sessions.end(session)
    await agent.send('POST', `/v1/approvals/${id}/cancellation`, { json: { reason: 'not needed' } })
    expect(await text).toContain('pending')
    expect(await text).not.toContain('cancelled')
  })
})

describe('whoever does not wait', () => {
  test('is told when to ask again, in the answer and in its header, while the approval is pending', async () => {
    const call = { action: 'issue_refund', params: { amount: 600 }, callId: 'later-1' }
    const decided = await agent.post('/v1/decisions', call)
    const { id, retryAt } = decided.body.approval
    expect(Date.parse(retryAt)).toBeGreaterThan(Date.parse(decided.headers.get('date') ?? '') || 0)
    expect(decided.headers.get('retry-after')).toBe('2')
    for (const path of [`/v1/approvals/${id}`, '/v1/calls/later-1']) {
      const asked = await agent.get(path)
      expect(asked.status).toBe(200)
      expect(Number(asked.headers.get('retry-after'))).toBeGreaterThanOrEqual(1)
      expect(Number(asked.headers.get('retry-after'))).toBeLessThanOrEqual(3)
    }
    await vote(id, 'approve')
    const replayed = await agent.post('/v1/decisions', call)
    expect(replayed.body).toMatchObject({ effect: 'escalate', replayed: true })
    expect(replayed.headers.get('retry-after')).toBeNull()
    const over = await agent.get(`/v1/approvals/${id}`)
    expect(over.headers.get('retry-after')).toBeNull()
    expect(over.body).not.toHaveProperty('retryAt')
    const call2 = await agent.get('/v1/calls/later-1')
    expect(call2.body).toMatchObject({
      callId: 'later-1',
      decision: { effect: 'escalate', params: { amount: 600 } },
      approval: { id, status: 'approved' },
    })
  })

  test('finds nothing under a call id that nobody used, or another agent did, and people ask elsewhere', async () => {
    const other = await service.agent('somebody-else')
    await agent.post('/v1/decisions', { action: 'issue_refund', params: { amount: 1 }, callId: 'mine-1' })
    expect((await agent.get('/v1/calls/mine-1')).body).toMatchObject({ approval: null })
    expect((await other.get('/v1/calls/mine-1')).status).toBe(404)
    expect((await agent.get('/v1/calls/nobodys')).status).toBe(404)
    expect((await person.get('/v1/calls/mine-1')).status).toBe(403)
  })
})

describe('the stream of one approval', () => {
  function listen(id: string, caller: Caller, more: Record<string, string> = {}) {
    const isAgent = caller === agent
    const own = isAgent
      ? { authorization: `Bearer ${caller.secret}` }
      : { cookie: `bailiwick_session=${caller.secret}` }
    const headers = { host: new URL(base).host, ...own, ...more }
    return service.app.request(new Request(`${base}/v1/approvals/${id}/events`, { headers }))
  }
  const eventsIn = (text: string) =>
    [...text.matchAll(/event: approval\ndata: (.*)\nid: (.*)\n/g)].map(([, data = '', name]) => ({
      ...JSON.parse(data),
      name,
    }))

  test('says where it stands and what became of it, and then ends', async () => {
    const id = await waitingRefund()
    const streams = await Promise.all([listen(id, agent), listen(id, person)])
    const texts = streams.map((stream) => stream.text())
    await vote(id, 'approve')
    for (const text of await Promise.all(texts)) {
      const events = eventsIn(text)
      expect(events.map(({ status }) => status)).toEqual(['pending', 'approved'])
      expect(events[0]).toMatchObject({ id, name: 'pending', retryAt: expect.any(String) as string })
      expect(events[1]).not.toHaveProperty('retryAt')
    }
  })

  test('goes on from what was seen: it does not repeat it, and there is nothing after the end', async () => {
    const id = await waitingRefund()
    const stream = await listen(id, agent, { 'last-event-id': 'pending' })
    await vote(id, 'reject')
    expect(eventsIn(await stream.text()).map(({ status }) => status)).toEqual(['rejected'])
    expect(eventsIn(await (await listen(id, agent)).text()).map(({ status }) => status)).toEqual(['rejected'])
    expect((await listen(id, agent, { 'last-event-id': 'rejected' })).status).toBe(204)
  })

  test("is nobody else's", async () => {
    const id = await waitingRefund()
    const other = await service.agent('somebody-else')
    expect((await other.get(`/v1/approvals/${id}/events`)).status).toBe(404)
    expect((await service.anyone.get(`/v1/approvals/${id}/events`)).status).toBe(401)
    expect((await agent.get('/v1/approvals/apr_999999/events')).status).toBe(404)
    expect((await agent.send('HEAD', `/v1/approvals/${id}/events`)).status).toBe(200)
  })
})

describe('pages', () => {
  test('of decisions go through all of them once, newest first, whatever is recorded meanwhile', async () => {
    const made: string[] = []
    for (let amount = 1; amount <= 7; amount++) {
      made.unshift(
        (await agent.post('/v1/decisions', { action: 'apply_discount', params: { amount } })).body.id,
      )
    }
    const seen: string[] = []
    let next: number | null = null
    do {
      const before: string = next === null ? '' : `&before=${next}`
      const page = await person.get(`/v1/decisions?action=apply_discount&limit=3${before}`)
      seen.push(...ids(page, 'decisions'))
      next = page.body.next
      await agent.post('/v1/decisions', { action: 'issue_refund', params: { amount: 1 } })
    } while (next !== null)
    expect(seen).toEqual(made)
  })

  test('of approvals go through all of them once, newest first', async () => {
    const made = [
      await waitingRefund(),
      await waitingRefund(),
      await waitingRefund(),
      await waitingRefund(),
    ].reverse()
    const first = await agent.get('/v1/approvals?status=pending&limit=2')
    const second = await agent.get(`/v1/approvals?status=pending&limit=2&before=${first.body.next}`)
    expect([...ids(first, 'approvals'), ...ids(second, 'approvals')]).toEqual(made)
    const past = await agent.get('/v1/approvals?before=0')
    expect(past.body).toEqual({ approvals: [], next: null })
  })

  test('hold fifty unless asked for more, and at most two hundred', async () => {
    const calls = Array.from({ length: 210 }, (_, amount) =>
      agent.post('/v1/decisions', { action: 'modify_shipping_address', params: { amount } }),
    )
    await Promise.all(calls)
    expect((await person.get('/v1/decisions')).body.decisions).toHaveLength(50)
    const page = await person.get('/v1/decisions?limit=200')
    expect(page.body.decisions).toHaveLength(200)
    expect(page.body.next).toBe(page.body.decisions[199].record.index)
  })

  test('are filtered by effect and by agent', async () => {
    const { body } = await agent.post('/v1/decisions', { action: 'delete_account', params: {} })
    const denied = await person.get('/v1/decisions?effect=deny&agent=customer-support-agent-v2')
    expect(ids(denied, 'decisions')).toEqual([body.id])
    expect((await person.get('/v1/decisions?agent=nobody')).body).toEqual({ decisions: [], next: null })
  })
})

describe('the stream of events', () => {
  test('says how long the log is, and says it again whenever it has grown', async () => {
    const controller = new AbortController()
    const headers = { host: new URL(base).host, cookie: `bailiwick_session=${person.secret}` }
    const stream = await service.app.request(
      new Request(`${base}/v1/events`, { headers, signal: controller.signal }),
    )
    const sizes = sizesIn(stream)
    expect(await sizes.next()).toEqual(await service.logSize())
    // Right after an event, while the stream is still holding its pause.
    await agent.post('/v1/decisions', { action: 'issue_refund', params: { amount: 1 } })
    const grown = await service.logSize()
    const committed = new Promise<LogRecord | undefined>((resolve) => {
      const stop = service.ledger.onCommit((_head, records) => {
        stop()
        resolve(records[0])
      })
    })
    expect(await sizes.next()).toBe(grown)
    await agent.post('/v1/decisions', { action: 'issue_refund', params: { amount: 2 } })
    expect(await committed).toMatchObject({ kind: 'decision' })
    expect(await sizes.next()).toBe(grown + 1)
    await sizes.end()
    controller.abort()
  })

  test('names every approval that is opened while somebody looks, and whether they may answer it', async () => {
    await waitingRefund()
    const viewer = await service.person('vic@example.com', ['viewer'])
    for (const [caller, mayVote] of [
      [person, true],
      [viewer, false],
    ] as const) {
      const controller = new AbortController()
      const headers = { host: new URL(base).host, cookie: `bailiwick_session=${caller.secret}` }
      const stream = await service.app.request(
        new Request(`${base}/v1/events`, { headers, signal: controller.signal }),
      )
      const reader = stream.body?.getReader()
      const decoder = new TextDecoder()
      let text = decoder.decode((await reader?.read())?.value)
      const id = await waitingRefund()
      while (!text.includes('event: approval')) text += decoder.decode((await reader?.read())?.value)
      const told = [...text.matchAll(/event: approval\ndata: (.*)\n/g)].map(([, data = '']) =>
        JSON.parse(data),
      )
      expect(told).toMatchObject([{ id, action: 'issue_refund', mayVote }])
      expect(text).not.toContain('amount')
      await reader?.cancel()
      controller.abort()
    }
  })
})

function sizesIn(response: Response) {
  const reader = response.body?.getReader()
  const decoder = new TextDecoder()
  let text = ''
  return {
    async next(): Promise<number> {
      for (;;) {
        const match = /^event: log\ndata: \{"size":(\d+)\}\n\n/.exec(text)
        if (match !== null) {
          text = text.slice(match[0].length)
          return Number(match[1])
        }
        const { value, done } = (await reader?.read()) ?? { done: true }
        if (done) throw new Error('the stream ended')
        text += decoder.decode(value, { stream: true })
      }
    },
    end: async () => await reader?.cancel(),
  }
}
