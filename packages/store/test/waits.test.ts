import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { systemPorts } from '@bailiwick/core'
import type { Ledger } from '../src/ledger.ts'
import { ApprovalWaits, type WaitingLedger } from '../src/waits.ts'
import {
  agent,
  cast,
  ledgerSite,
  minute,
  otherAgent,
  refund,
  voter,
  type LedgerSite,
} from './harness/ledger.ts'
import { describeOnOnePostgres } from './harness/postgres.ts'

describeOnOnePostgres('waits for people', (postgres) => {
  let site: LedgerSite
  beforeAll(async () => {
    site = await ledgerSite(postgres)
  })
  afterEach(() => site.closeLedgers())
  afterAll(() => site.remove())

  /** A ledger that counts what waits ask of it. */
  function counting(ledger: Ledger) {
    const asked = { standing: 0, views: 0, atOnce: 0, atOnceMax: 0 }
    const counted = async <Answer>(
      what: 'standing' | 'views',
      answer: () => Promise<Answer>,
    ): Promise<Answer> => {
      asked[what] += 1
      asked.atOnce += 1
      asked.atOnceMax = Math.max(asked.atOnceMax, asked.atOnce)
      try {
        return await answer()
      } finally {
        asked.atOnce -= 1
      }
    }
    const wrapped: WaitingLedger = {
      // As with services that tell one another, so that nothing is looked for in between.
      hearsOthers: true,
      onGrowth: (listener) => ledger.onGrowth(listener),
      reads: {
        standing: (indices) => counted('standing', () => ledger.reads.standing(indices)),
        approvalsOf: (wanted) => counted('views', () => ledger.reads.approvalsOf(wanted)),
      },
    }
    return { asked, wrapped }
  }

  async function opened(ledger: Ledger, count: number): Promise<string[]> {
    const answers = await Promise.all(Array.from({ length: count }, () => ledger.decide(agent, refund(600))))
    return answers.map(({ approval }) => approval?.id ?? '')
  }

  const vote = (ledger: Ledger, id: string) => cast(ledger, voter('ann'), id, { vote: 'approve' })

  test('ten thousand cost as many queries as one, and hold no connection', async () => {
    const ledger = await site.open()
    const ids = await opened(ledger, 1_000)
    const { asked, wrapped } = counting(ledger)
    const waits = new ApprovalWaits(wrapped, site.clock.ports)
    const before = process.memoryUsage().heapUsed
    let ended = 0
    const waiting = Array.from({ length: 10_000 }, async (_, at) => {
      const view = await waits.wait(ids[at % ids.length] ?? '', 60, { agent })
      ended += 1
      return view
    })
    // All of them have looked, and sleep.
    while (site.clock.sleeping < 10_000) await new Promise((resolve) => setImmediate(resolve))
    expect(waits.count).toBe(10_000)
    expect({ ...asked }).toMatchObject({ standing: 1, views: 0 })
    expect({
      waiting: ledger.pool.waitingCount,
      busy: ledger.pool.totalCount - ledger.pool.idleCount,
    }).toEqual({
      waiting: 0,
      busy: 0,
    })
    // Less than 10 kB for each.
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(100 * 1024 * 1024)

    // One vote wakes ten of them, and no other.
    await vote(ledger, ids[0] ?? '')
    while (ended < 10) await new Promise((resolve) => setImmediate(resolve))
    expect(ended).toBe(10)
    expect(waits.count).toBe(9_990)
    expect(asked).toMatchObject({ standing: 2, views: 1 })

    // All of them end at the deadline, few queries at a time, each reading a hundred.
    site.clock.advance(5 * minute)
    const views = await Promise.all(waiting)
    expect(views.filter(({ status }) => status === 'approved')).toHaveLength(10)
    expect(views.filter(({ status }) => status === 'expired')).toHaveLength(9_990)
    expect(asked.views).toBeLessThanOrEqual(1 + Math.ceil(9_990 / 100))
    expect(asked.atOnceMax).toBeLessThanOrEqual(2)
    expect(waits.count).toBe(0)
    waits.close()
  }, 60_000)

  test('a vote that is cast while a wait looks is not missed', async () => {
    const ledger = await site.open()
    const [id = ''] = await opened(ledger, 1)
    const { wrapped } = counting(ledger)
    let looked: () => void = () => undefined
    const looking = new Promise<void>((resolve) => {
      looked = resolve
    })
    let first = true
    const slow: WaitingLedger = {
      ...wrapped,
      reads: {
        ...wrapped.reads,
        standing: async (indices) => {
          const found = await ledger.reads.standing(indices)
          // What was read is old by the time that it is answered.
          if (first) {
            first = false
            await looking
          }
          return found
        },
      },
    }
    const waits = new ApprovalWaits(slow, systemPorts)
    const waiting = waits.wait(id, 30, { agent })
    await vote(ledger, id)
    looked()
    expect((await waiting).status).toBe('approved')
    waits.close()
  })

  test('what another process recorded, and nobody told of, is found by one look for all', async () => {
    const ledger = await site.open()
    const other = await site.open(undefined, ledger.name)
    const [id = ''] = await opened(ledger, 1)
    const waits = new ApprovalWaits(ledger, site.clock.ports)
    const waiting = waits.wait(id, 60, { agent })
    while (site.clock.sleeping < 2) await new Promise((resolve) => setImmediate(resolve))
    await vote(other, id)
    site.clock.advance(1_000)
    expect((await waiting).status).toBe('approved')
    waits.close()
  })

  test('nobody waits for what is not theirs, or is not there', async () => {
    const ledger = await site.open()
    const [id = ''] = await opened(ledger, 1)
    const waits = new ApprovalWaits(ledger, site.clock.ports)
    for (const [sought, asker] of [
      [id, { agent: otherAgent }],
      ['apr_999', { agent }],
      ['nonsense', { agent }],
    ] as const) {
      await expect(waits.wait(sought, 60, asker)).rejects.toMatchObject({ code: 'not_found' })
    }
    expect(waits.count).toBe(0)
    waits.close()
  })

  test('a wait ends early where whoever waited has gone, or the service stops', async () => {
    const ledger = await site.open()
    const [id = ''] = await opened(ledger, 1)
    const waits = new ApprovalWaits(ledger, site.clock.ports)
    const gone = new AbortController()
    const waiting = [waits.wait(id, 60, { agent }, gone.signal), waits.wait(id, 60, { agent })]
    while (site.clock.sleeping < 3) await new Promise((resolve) => setImmediate(resolve))
    gone.abort()
    expect((await waiting[0])?.status).toBe('pending')
    waits.close()
    expect((await waiting[1])?.status).toBe('pending')
    expect((await waits.wait(id, 60, { agent })).status).toBe('pending')
    expect(waits.count).toBe(0)
  })

  test('a pending approval says when to ask again: soon at first, later for an old one, at the deadline at the latest', async () => {
    const ledger = await site.open()
    const { approval } = await ledger.decide(agent, refund(600, { callId: 'c1' }))
    const start = site.clock.now()
    const after = (text: string | undefined) => Date.parse(text ?? '') - start
    expect(after(approval?.retryAt)).toBe(2_000)
    const retryAfter = async () => after((await ledger.approval(approval?.id ?? '', {})).retryAt)
    expect(await retryAfter()).toBe(2_000)
    site.clock.advance(minute)
    expect(await retryAfter()).toBe(minute + 6_000)
    expect(after((await ledger.decide(agent, refund(600, { callId: 'c1' }))).approval?.retryAt)).toBe(
      minute + 6_000,
    )
    site.clock.advance(4 * minute - 500)
    expect(await retryAfter()).toBe(5 * minute)
    site.clock.advance(500)
    expect((await ledger.approval(approval?.id ?? '', {})).retryAt).toBeUndefined()
    expect((await ledger.decide(agent, refund(600, { callId: 'c1' }))).approval).not.toHaveProperty('retryAt')
  })

  test.each<[string, (ledger: Ledger, id: string) => Promise<unknown>]>([
    ['cancelled', (ledger, id) => ledger.cancel(id, { agent, reason: 'not needed' })],
    ['rejected', (ledger, id) => cast(ledger, voter('ann'), id, { vote: 'reject' })],
    ['approved', vote],
  ])('nobody is told to ask again for an approval that is %s, by what opened it', async (status, end) => {
    const ledger = await site.open()
    const { id: decision, approval } = await ledger.decide(agent, refund(600, { callId: 'c1' }))
    const asked = async () => {
      const call = await ledger.reads.call(agent, 'c1')
      const replayed = await ledger.decide(agent, refund(600, { callId: 'c1' }))
      return [replayed.approval, call.decision.approval, (await ledger.decision(decision)).approval]
    }
    for (const each of await asked()) expect(each).toEqual(approval)
    await end(ledger, approval?.id ?? '')
    expect((await ledger.approval(approval?.id ?? '', {})).status).toBe(status)
    const { retryAt: _gone, ...over } = { ...approval }
    for (const each of await asked()) expect(each).toEqual(over)
  })
})
