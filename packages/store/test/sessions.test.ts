import { setImmediate } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { foreignWriter } from './harness/foreign-writer.ts'
import { describeOnOnePostgres } from './harness/postgres.ts'
import { agent, decisionRecords, ledgerSite, policiesOf, type LedgerSite } from './harness/ledger.ts'
import { effectsOf, flowing, flowPolicy } from './harness/uses.ts'

const read = (session: string) => ({ action: 'read_page', params: {}, session })
const mail = (session: string) => ({ action: 'send_mail', params: { to: 'eve@example.org' }, session })
const inside = (session: string) => ({ action: 'send_mail', params: { to: 'ann@example.com' }, session })

describeOnOnePostgres('flows look back along a session', (postgres) => {
  let site: LedgerSite
  beforeAll(async () => {
    site = await ledgerSite(postgres)
  })
  afterEach(() => site.closeLedgers())
  afterAll(() => site.remove())

  test('that has taken nothing untrusted in, and lets mail out; afterwards only inside', async () => {
    const ledger = await site.open(flowing())
    const calls = [mail('s'), read('s'), mail('s'), inside('s'), mail('other')]
    expect(await effectsOf(ledger, calls)).toEqual(['allow', 'allow', 'deny', 'allow', 'allow'])
    const recorded = await decisionRecords(site, ledger)
    expect(recorded.map(({ session, labels }) => [session, labels])).toEqual([
      ['s', undefined],
      ['s', ['untrusted']],
      ['s', undefined],
      ['s', undefined],
      ['other', undefined],
    ])
    expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
  })

  test('and deny a call that names none', async () => {
    const ledger = await site.open(flowing())
    const { effect, rules } = await ledger.decide(agent, {
      action: 'send_mail',
      params: { to: 'eve@example.org' },
    })
    expect({ effect, rules }).toMatchObject({ effect: 'deny', rules: [{ because: 'condition_error' }] })
  })

  test('within one batch: the label that one call leaves stops the next', async () => {
    const ledger = await site.open(flowing())
    // The first batch takes half of the callers that wait, and the rest come in the next.
    const answers = await Promise.all(
      [mail('s'), read('s'), mail('s'), mail('s'), inside('s')].map((request) =>
        ledger.decide(agent, request),
      ),
    )
    expect(answers.map(({ effect }) => effect)).toEqual(['allow', 'allow', 'deny', 'deny', 'allow'])
    expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
  })

  test('across a restart, and from one agent to the other', async () => {
    const policies = () => policiesOf(flowPolicy, flowPolicy.replace(agent, 'reader'))
    const ledger = await site.open(policies())
    expect((await ledger.decide('reader', read('s'))).effect).toBe('allow')
    expect(await effectsOf(ledger, [mail('s')])).toEqual(['deny'])
    await ledger.close()
    const again = await site.open(policies(), ledger.name)
    expect(await effectsOf(again, [mail('s'), mail('t')])).toEqual(['deny', 'allow'])
  })

  test('through two processes, each of which has read the session before the other marked it', async () => {
    const one = await site.open(flowing())
    const two = await site.open(flowing(), one.name)
    expect(await effectsOf(one, [mail('s')])).toEqual(['allow'])
    expect(await effectsOf(two, [mail('s')])).toEqual(['allow'])
    expect(await effectsOf(one, [read('s')])).toEqual(['allow'])
    expect(await effectsOf(two, [mail('s'), inside('s')])).toEqual(['deny', 'allow'])
    expect(await one.verify()).toMatchObject({ kind: 'intact' })
  })

  test('through 64 callers of two processes: after a label no mail goes out, wherever', async () => {
    const one = await site.open(flowing())
    const two = await site.open(flowing(), one.name)
    await Promise.all(
      Array.from({ length: 64 }, async (_, caller) => {
        const ledger = caller % 2 ? one : two
        for (let call = 0; call < 4; call++) {
          const session = `s${(caller + call) % 5}`
          await ledger.decide(agent, caller % 7 === call ? read(session) : mail(session))
        }
      }),
    )
    const marked = new Set<string>()
    for (const { session = '', action, effect } of await decisionRecords(site, one)) {
      if (action === 'read_page' && effect === 'allow') marked.add(session)
      if (action === 'send_mail')
        expect({ session, effect }).toEqual({ session, effect: marked.has(session) ? 'deny' : 'allow' })
    }
    expect(marked.size).toBe(5)
    expect(await two.verify()).toMatchObject({ kind: 'intact' })
  })

  test('in batches that are worked out a second time, in whatever order they come then', async () => {
    const ledger = await site.open(flowing())
    const writer = await foreignWriter(site, ledger.name)
    const reading = ledger.decide(agent, read('s'))
    await writer.batchWaits()
    const mailing = Array.from({ length: 8 }, () => ledger.decide(agent, mail('s')))
    await setImmediate()
    await writer.append()
    const { record } = await reading
    for (const { effect, record: own } of await Promise.all(mailing)) {
      expect(effect).toBe(own.index > record.index ? 'deny' : 'allow')
    }
    expect(await effectsOf(ledger, [mail('s')])).toEqual(['deny'])
    expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
  })

  test('no further than a session may grow: of one with too many marks nothing is known', async () => {
    const any = flowPolicy.replace('allowed_actions: [', 'allowed_actions: ["do_*", ')
    const ledger = await site.open(policiesOf(any))
    const many = (from: number, to: number) =>
      Array.from({ length: to - from }, (_, at) =>
        ledger.decide(agent, { action: `do_${from + at}`, params: {}, session: 's' }),
      )
    await Promise.all(many(0, 998))
    expect(await effectsOf(ledger, [mail('s'), inside('s')])).toEqual(['allow', 'allow'])
    await Promise.all(many(998, 1000))
    expect(await effectsOf(ledger, [mail('s'), inside('s'), mail('t')])).toEqual(['deny', 'allow', 'allow'])
    await ledger.close()
    const again = await site.open(policiesOf(any), ledger.name)
    expect(await effectsOf(again, [mail('s'), inside('s')])).toEqual(['deny', 'allow'])
    expect(await again.verify()).toMatchObject({ kind: 'intact' })
  })

  describe('and G5: verification finds', () => {
    test.each([
      [
        'a mark that is gone',
        `delete from session_mark where kind = 'label'`,
        /the session mark .*untrusted.* its row is gone$/,
      ],
      [
        'a mark too many',
        `insert into session_mark values ('main', 't', 'label', 'untrusted', 3)`,
        /no record accounts for$/,
      ],
      [
        'a mark of another session',
        `update session_mark set session = 'x' where value = 'read_page'`,
        /its row is gone$/,
      ],
      [
        'a mark by another record',
        `update session_mark set index = index + 1 where kind = 'action'`,
        /index$/,
      ],
      ['no marks at all', `delete from session_mark`, /its row is gone$/],
      ['no table', `alter table session_mark rename to hidden`, /cannot be compared/],
    ])('%s', async (_what, change, problem) => {
      const own = await ledgerSite(postgres)
      try {
        const ledger = await own.open(flowing(), 'main')
        await effectsOf(ledger, [read('s"\\'), mail('s"\\'), inside('s"\\'), inside('t')])
        expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
        await own.query(change)
        expect(await ledger.verify()).toMatchObject({
          kind: 'broken',
          problem: expect.stringMatching(problem),
        })
      } finally {
        await own.remove()
      }
    })
  })
})
