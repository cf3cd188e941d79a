import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { foreignWriter } from './harness/foreign-writer.ts'
import { describeOnOnePostgres } from './harness/postgres.ts'
import {
  cast,
  agent,
  decisionRecords,
  faultOf,
  ledgerSite,
  minute,
  policiesOf,
  voter,
  type LedgerSite,
} from './harness/ledger.ts'
import { allowedOf, counting, countingPolicy, effectsOf, mail, refunded, refundFor } from './harness/uses.ts'

const hour = 60 * minute

describeOnOnePostgres('G4: budgets and rates', (postgres) => {
  let site: LedgerSite
  beforeAll(async () => {
    site = await ledgerSite(postgres)
  })
  afterEach(() => site.closeLedgers())
  afterAll(() => site.remove())

  const entries = (ledger: { readonly name: string }) =>
    site.query<{ counter: string; amount: number; releasable: boolean }>(
      'select counter, amount::float8 as amount, releasable from counter_entry where ledger = $1 order by decision, counter',
      [ledger.name],
    )

  test('are what allowed calls used: exactly the maximum is allowed, and nothing beyond it', async () => {
    const ledger = await site.open(counting())
    const amounts = [600, 400, 0.01, 0].map((amount) => refundFor('c1', amount))
    expect(await effectsOf(ledger, amounts)).toEqual(['allow', 'allow', 'deny', 'allow'])
    expect(await effectsOf(ledger, [refundFor('c2', 1000), refundFor('c2', 1)])).toEqual(['allow', 'deny'])
    expect(await effectsOf(ledger, [mail, mail, mail, mail])).toEqual(['allow', 'allow', 'allow', 'deny'])
    expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
  })

  test('are added up without rounding, in one batch as in many and across a restart', async () => {
    const cents = Array.from({ length: 40 }, () => refundFor('c1', 0.1))
    const ledger = await site.open(counting())
    await Promise.all(cents.slice(0, 20).map((request) => ledger.decide(agent, request)))
    await effectsOf(ledger, cents.slice(0, 10))
    await ledger.close()
    const again = await site.open(counting(), ledger.name)
    await effectsOf(again, [refundFor('c1', 5)])
    const { id } = await again.decide(agent, refundFor('c1', 993))
    const [row] = await site.query<{ facts: string }>(
      `select body::json ->> 'facts' as facts from log_entry where ledger = $1 and index = $2`,
      [ledger.name, Number(id.slice(4))],
    )
    expect(JSON.parse(row?.facts ?? '')).toEqual({
      counters: { [`${agent} daily ["c1"]`]: 8 },
    })
  })

  test('are recorded without their keys, which lie in the payload and can be erased', async () => {
    const ledger = await site.open(counting())
    await ledger.decide(agent, refundFor('customer-of-name', 20.5))
    const [record] = await decisionRecords(site, ledger)
    expect(record?.consumes).toEqual([
      { counter: 'daily', amount: 20.5, windowMs: 24 * hour, releasable: true },
    ])
    expect(JSON.stringify(record)).not.toContain('customer-of-name')
    const [{ body } = { body: '' }] = await site.query<{ body: string }>(
      'select body from log_entry where ledger = $1 and index = 1',
      [ledger.name],
    )
    expect(JSON.parse(body)).toEqual({
      context: { customer: 'customer-of-name' },
      facts: { counters: { [`${agent} daily ["customer-of-name"]`]: 0 } },
      keys: [`${agent} daily ["customer-of-name"]`],
      params: { amount: 20.5 },
    })
    // What is stored to add up by is no plain hash of the key, from which customers could be guessed.
    expect(
      await site.query(
        `select key = sha256(convert_to($2, 'UTF8')) as guessed from counter_entry where ledger = $1`,
        [ledger.name, `${agent} daily ["customer-of-name"]`],
      ),
    ).toEqual([{ guessed: false }])
    await ledger.erase({ target: { decision: 'dec_1' }, reason: 'asked for', by: 'operator' })
    expect(await ledger.verify()).toMatchObject({ kind: 'intact', erased: 1 })
  })

  describe('hold', () => {
    test('for 64 callers at once, in whatever batches they come', async () => {
      const ledger = await site.open(counting())
      const answers = await Promise.all(
        Array.from({ length: 64 }, async (_, caller) => {
          const own = []
          for (let call = 0; call < 6; call++) {
            own.push(await ledger.decide(agent, refundFor(`c${call % 2}`, 10 + ((caller * 7) % 30))))
          }
          return own
        }),
      )
      const sums = await refunded(site, ledger)
      for (const customer of ['c0', 'c1']) {
        expect(sums.get(customer)).toBeLessThanOrEqual(1000)
        // Whatever is left is less than the largest call: nothing was refused without need.
        expect(sums.get(customer)).toBeGreaterThan(1000 - 40)
      }
      expect(allowedOf(answers.flat()).length).toBeLessThan(64 * 6)
      expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
    })

    test('for 64 callers of two processes that fence each other', async () => {
      const one = await site.open(counting())
      const two = await site.open(counting(), one.name)
      await Promise.all(
        Array.from({ length: 64 }, async (_, caller) => {
          const ledger = caller % 2 ? one : two
          for (let call = 0; call < 5; call++) {
            await ledger.decide(agent, refundFor(`c${(caller + call) % 3}`, 5 + (caller % 20)))
            await ledger.decide(agent, mail)
          }
        }),
      )
      for (const [customer, sum] of await refunded(site, one)) {
        expect(sum, customer).toBeLessThanOrEqual(1000)
        expect(sum, customer).toBeGreaterThan(1000 - 25)
      }
      const mails = (await decisionRecords(site, one)).filter(({ action }) => action === 'send_mail')
      expect(mails.filter(({ effect }) => effect === 'allow')).toHaveLength(3)
      expect(await one.verify()).toMatchObject({ kind: 'intact' })
    })

    test('where another process used them up while a batch was on its way', async () => {
      const one = await site.open(counting())
      const two = await site.open(counting(), one.name)
      // Both have read the counter, and neither hears of the other until its batch is fenced.
      expect(await effectsOf(one, [refundFor('c', 1)])).toEqual(['allow'])
      expect(await effectsOf(two, [refundFor('c', 499)])).toEqual(['allow'])
      expect(await effectsOf(one, [refundFor('c', 501), refundFor('c', 500)])).toEqual(['deny', 'allow'])
      expect(await effectsOf(two, [refundFor('c', 1)])).toEqual(['deny'])
    })

    test('in a batch that is worked out a second time, and uses nothing twice', async () => {
      const ledger = await site.open(counting())
      await ledger.decide(agent, refundFor('c', 1))
      const writer = await foreignWriter(site, ledger.name)
      const answering = Array.from({ length: 12 }, () => ledger.decide(agent, refundFor('c', 100)))
      await writer.batchWaits()
      await writer.append()
      expect(allowedOf(await Promise.all(answering))).toHaveLength(9)
      expect((await refunded(site, ledger)).get('c')).toBe(901)
      expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
    })

    test('for each policy by itself: two that say the same do not share theirs', async () => {
      const ledger = await site.open(policiesOf(countingPolicy, countingPolicy.replace(agent, 'other')))
      expect(await effectsOf(ledger, [refundFor('c', 1000), refundFor('c', 1)])).toEqual(['allow', 'deny'])
      expect((await ledger.decide('other', refundFor('c', 1000))).effect).toBe('allow')
    })
  })

  describe('are not used up', () => {
    test('by calls that were denied, escalated or malformed, whatever else they would use', async () => {
      const ledger = await site.open(counting())
      const calls = [
        refundFor('c1', 1001),
        refundFor('c1', Number.NaN),
        { action: 'pay_out', params: { amount: 101 } },
        { action: 'delete_account', params: { amount: 1 } },
        refundFor('c1', -5),
      ]
      expect(await effectsOf(ledger, calls)).toEqual(['deny', 'deny', 'escalate', 'deny', 'deny'])
      expect(await entries(ledger)).toEqual([])
      expect(await effectsOf(ledger, [refundFor('c1', 1000)])).toEqual(['allow'])
    })

    test('again by a call that is repeated under its call id', async () => {
      const ledger = await site.open(counting())
      const request = refundFor('c1', 600, { callId: 'once' })
      const [first, ...again] = await Promise.all(
        [request, request, request].map((one) => ledger.decide(agent, one)),
      )
      expect(again).toEqual(again.map(() => ({ ...first, replayed: true, outcome: null })))
      expect(await entries(ledger)).toEqual([{ counter: 'daily', amount: 600, releasable: true }])
      expect(await effectsOf(ledger, [refundFor('c1', 400)])).toEqual(['allow'])
    })

    test('by the escalated call but by the one that its approval lets through, beyond the maximum', async () => {
      const ledger = await site.open(counting())
      const request = { action: 'pay_out', params: { amount: 150 } }
      const { approval } = await ledger.decide(agent, request)
      await cast(ledger, voter('ann'), approval?.id ?? '', { vote: 'approve' })
      const redeemed = await ledger.decide(agent, { ...request, approvalId: approval?.id })
      expect(redeemed.effect).toBe('allow')
      expect(await entries(ledger)).toEqual([{ counter: 'payouts', amount: 150, releasable: true }])
      expect(await effectsOf(ledger, [{ action: 'pay_out', params: { amount: 1 } }])).toEqual(['escalate'])
    })
  })

  describe('when the run of an allowed call is over', () => {
    test('a failed one gives back its budget, once, and not its rate', async () => {
      const ledger = await site.open(counting())
      const { id } = await ledger.decide(agent, refundFor('c1', 900))
      expect(await effectsOf(ledger, [refundFor('c1', 900)])).toEqual(['deny'])
      await ledger.reportOutcome(agent, id, { status: 'failed' })
      await ledger.reportOutcome(agent, id, { status: 'failed' })
      expect(await effectsOf(ledger, [refundFor('c1', 900), refundFor('c1', 101)])).toEqual(['allow', 'deny'])
      const mails = []
      for (let at = 0; at < 3; at++) mails.push(await ledger.decide(agent, mail))
      for (const each of mails) await ledger.reportOutcome(agent, each.id, { status: 'failed' })
      expect(await effectsOf(ledger, [mail])).toEqual(['deny'])
      expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
    })

    test('an unknown one gives nothing back until it is settled as failed; one that succeeded never does', async () => {
      const ledger = await site.open(counting())
      const { id } = await ledger.decide(agent, refundFor('c1', 900))
      await ledger.reportOutcome(agent, id, { status: 'unknown' })
      expect(await effectsOf(ledger, [refundFor('c1', 900)])).toEqual(['deny'])
      await ledger.reportOutcome(agent, id, { status: 'failed' })
      const second = await ledger.decide(agent, refundFor('c1', 900))
      expect(second.effect).toBe('allow')
      await ledger.reportOutcome(agent, second.id, { status: 'succeeded' })
      expect((await faultOf(ledger.reportOutcome(agent, second.id, { status: 'failed' }))).code).toBe(
        'conflict',
      )
      expect(await effectsOf(ledger, [refundFor('c1', 900)])).toEqual(['deny'])
      expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
    })

    test('it is given back in the batch that records it: the calls behind it may use it', async () => {
      const ledger = await site.open(counting())
      const { id } = await ledger.decide(agent, refundFor('c1', 1000, { callId: 'a' }))
      const [before, , after] = await Promise.all([
        ledger.decide(agent, refundFor('c1', 1)),
        ledger.reportOutcome(agent, id, { status: 'failed' }),
        ledger.decide(agent, refundFor('c1', 2)),
      ])
      expect([before.effect, after.effect]).toEqual(['deny', 'allow'])
      expect(await entries(ledger)).toEqual([{ counter: 'daily', amount: 2, releasable: true }])
      expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
    })

    test('what a row in the table calls given back is not, unless the record says so', async () => {
      const ledger = await site.open(counting())
      const answers = [await ledger.decide(agent, mail), await ledger.decide(agent, mail)]
      await site.query('update counter_entry set releasable = true where ledger = $1', [ledger.name])
      expect(await ledger.verify()).toMatchObject({ kind: 'broken', index: answers[0]?.record.index })
      await ledger.close()
      const again = await site.open(counting(), ledger.name)
      for (const { id } of answers) await again.reportOutcome(agent, id, { status: 'failed' })
      expect(await effectsOf(again, [mail, mail])).toEqual(['allow', 'deny'])
    })
  })

  test('count what happened less than a window ago, to the millisecond', async () => {
    const ledger = await site.open(counting())
    expect(await effectsOf(ledger, [mail])).toEqual(['allow'])
    site.clock.advance(20_000)
    expect(await effectsOf(ledger, [mail, mail, mail])).toEqual(['allow', 'allow', 'deny'])
    site.clock.advance(39_999)
    expect(await effectsOf(ledger, [mail])).toEqual(['deny'])
    site.clock.advance(1)
    expect(await effectsOf(ledger, [mail, mail])).toEqual(['allow', 'deny'])
    site.clock.advance(20_000)
    await ledger.close()
    const again = await site.open(counting(), ledger.name)
    expect(await effectsOf(again, [mail, mail, mail])).toEqual(['allow', 'allow', 'deny'])
    expect(await again.verify()).toMatchObject({ kind: 'intact' })
  })

  test('of a calendar day start anew at midnight there, and not before', async () => {
    const day = countingPolicy.replace('window: 24h', 'window: { calendar: day, zone: Europe/Berlin }')
    const ledger = await site.open(policiesOf(day))
    const midnight = Date.parse('2026-03-28T23:00:00Z')
    site.clock.advance(midnight - 1 - site.clock.now())
    expect(await effectsOf(ledger, [refundFor('c', 1000), refundFor('c', 1)])).toEqual(['allow', 'deny'])
    site.clock.advance(1)
    expect(await effectsOf(ledger, [refundFor('c', 1000), refundFor('c', 1)])).toEqual(['allow', 'deny'])
    // The clocks go forward that night: the day has 23 hours.
    site.clock.advance(23 * hour - 1)
    expect(await effectsOf(ledger, [refundFor('c', 1)])).toEqual(['deny'])
    site.clock.advance(1)
    expect(await effectsOf(ledger, [refundFor('c', 1)])).toEqual(['allow'])
  })

  test('are exact for a counter with more entries than are kept in memory', async () => {
    const many = countingPolicy.replace('max: 3, window: 1m', 'max: 700, window: 1m')
    const ledger = await site.open(policiesOf(many))
    for (let at = 0; at < 690; at++) {
      site.clock.advance(50)
      await ledger.decide(agent, mail)
    }
    // 690 calls, one each 50 ms; the first was 34.45 s ago.
    expect(
      await effectsOf(
        ledger,
        Array.from({ length: 11 }, () => mail),
      ),
    ).toEqual([...Array.from({ length: 10 }, () => 'allow'), 'deny'])
    site.clock.advance(minute - 34_450 + 50 * 400)
    const left = await Promise.all(Array.from({ length: 410 }, () => ledger.decide(agent, mail)))
    // The first 401 have left the window.
    expect(allowedOf(left)).toHaveLength(401)
    await ledger.close()
    const again = await site.open(policiesOf(many), ledger.name)
    expect(await effectsOf(again, [mail])).toEqual(['deny'])
    site.clock.advance(50)
    expect(await effectsOf(again, [mail, mail])).toEqual(['allow', 'deny'])
    expect(await again.verify()).toMatchObject({ kind: 'intact' })
  })

  test('are forgotten an hour after they count no more, and verification does not miss them', async () => {
    const ledger = await site.open(counting())
    await effectsOf(ledger, [mail, refundFor('c', 1), mail])
    site.clock.advance(hour + minute - 1)
    await ledger.expireOverdue()
    expect(await entries(ledger)).toHaveLength(3)
    site.clock.advance(1)
    await effectsOf(ledger, [mail])
    await ledger.expireOverdue()
    expect(await entries(ledger)).toMatchObject([{ counter: 'daily' }, { counter: 'calm' }])
    expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
    expect(await effectsOf(ledger, [mail, mail, mail, refundFor('c', 1000)])).toEqual([
      'allow',
      'allow',
      'deny',
      'deny',
    ])
    site.clock.advance(25 * hour)
    await ledger.expireOverdue()
    expect(await entries(ledger)).toEqual([])
    expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
    expect(await effectsOf(ledger, [refundFor('c', 1000)])).toEqual(['allow'])
  })

  test('are forgotten though many that count for longer lie before them', async () => {
    const ledger = await site.open(counting())
    await effectsOf(ledger, [mail])
    await site.query(
      `insert into counter_entry select ledger, n, sha256('x'), 'daily', at, 1, 86400000, true
      from counter_entry, generate_series(2, 2501) as n where ledger = $1`,
      [ledger.name],
    )
    await site.query(`update counter_entry set decision = 5000 where ledger = $1 and counter = 'calm'`, [
      ledger.name,
    ])
    site.clock.advance(2 * hour)
    const mails = async () => (await entries(ledger)).filter(({ counter }) => counter === 'calm').length
    await ledger.expireOverdue()
    expect(await mails()).toBe(1)
    await ledger.expireOverdue()
    await ledger.expireOverdue()
    expect(await mails()).toBe(0)
    // Round again, once all of them are over.
    site.clock.advance(23 * hour)
    await ledger.expireOverdue()
    await ledger.expireOverdue()
    expect(await entries(ledger)).toEqual([])
  })

  test('that cannot be read count as used up', async () => {
    const ledger = await site.open(counting())
    await ledger.decide(agent, mail)
    await ledger.close()
    await site.query(
      `alter table counter_entry drop constraint if exists counter_entry_amount_check;
      update counter_entry set amount = 'NaN' where ledger = '${ledger.name}'`,
    )
    const again = await site.open(counting(), ledger.name)
    expect(await again.decide(agent, mail)).toMatchObject({
      effect: 'deny',
      rules: [{ id: 'calm', because: 'condition_error' }],
    })
  })
})
