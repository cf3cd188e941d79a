import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Ledger } from '../src/ledger.ts'
import { describeOnOnePostgres } from './harness/postgres.ts'
import {
  agent,
  knows,
  ledgerSite,
  minute,
  policiesOf,
  refund,
  terms,
  voter,
  type LedgerSite,
} from './harness/ledger.ts'
import { names, people, person, replay, route, since, standIn, step, take } from './harness/approval-model.ts'

const through = fc.nat(2)
const rounds = fc.array(
  fc.record({
    steps: fc.array(fc.record({ through, step }), { minLength: 1, maxLength: 6 }),
    passes: fc.constantFrom(0, 0, 0, minute, 2 * minute, 5 * minute - 1, 5 * minute),
    restart: fc.oneof({ weight: 3, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: through }),
  }),
  { minLength: 1, maxLength: 6 },
)

describeOnOnePostgres('G3: whatever people, agents, clocks and processes do at once', (postgres) => {
  let site: LedgerSite
  let ledgers: Ledger[]
  const policies = policiesOf(terms(route))
  const open = () => site.open(policies, 'machine')
  beforeAll(async () => {
    site = await ledgerSite(postgres)
    ledgers = [await open(), await open(), await open()]
    for (const name of names) await knows(ledgers[0] as Ledger, voter(name, people[name]))
    await standIn(ledgers[0] as Ledger, site.clock.now())
  })
  afterAll(() => site.remove())

  test('an approval has one end, is used once at most, with its quorum of entitled people, in time', async () => {
    const ends = new Set<string>()
    await fc.assert(
      fc.asyncProperty(rounds, async (all) => {
        const first = ledgers[0] as Ledger
        for (const name of names) await knows(first, voter(name, people[name]))
        const call = refund(600, { context: { principal: 'pam@example.com' } })
        const { approval, record, policy } = await first.decide(agent, call)
        const id = approval?.id ?? ''
        const { digest } = await first.approval(id, {})
        const allowed: string[] = []
        for (const { steps, passes, restart } of all) {
          const racing = steps.map(({ through: nth, step: each }) =>
            take(each, { id, digest }, ledgers[nth] as Ledger),
          )
          for (const answer of await Promise.allSettled(racing)) {
            if (answer.status === 'fulfilled' && answer.value !== undefined) allowed.push(answer.value)
          }
          site.clock.advance(passes)
          if (restart !== null) {
            await ledgers[restart]?.close()
            ledgers[restart] = await open()
          }
        }
        const history = await since(site, 'machine', record.index)
        const deadline = Date.parse(approval?.deadline ?? '')
        const model = replay(history, id, deadline, deadline - 5 * minute, policy?.sha256)
        expect(allowed).toEqual(model.usedBy === undefined ? [] : [model.usedBy])
        for (const ledger of ledgers) {
          const { status, consumedBy } = await ledger.approval(id, {})
          expect({ status, consumedBy }).toEqual({
            status: model.status(site.clock.now()),
            consumedBy: model.usedBy ?? null,
          })
          ends.add(status)
        }
      }),
      { numRuns: 50 },
    )
    expect(await ledgers[0]?.verify()).toMatchObject({ kind: 'intact' })
    // Every end was met, or the property says little.
    expect([...ends]).toEqual(expect.arrayContaining(['consumed', 'rejected', 'expired', 'cancelled']))
  }, 240_000)

  test('of two that use one approval at once, 200 times, one is allowed', async () => {
    const [one, two] = ledgers as [Ledger, Ledger, Ledger]
    for (const name of names) await knows(one, voter(name, people[name]))
    for (let round = 0; round < 200; round++) {
      const { approval } = await one.decide(agent, refund(600))
      const id = approval?.id ?? ''
      const { digest } = await one.approval(id, {})
      await one.vote(person('ann'), id, { vote: 'approve', digest })
      expect(await two.vote(person('bob'), id, { vote: 'approve', digest })).toBe('approved')
      const answers = await Promise.all(
        [one, two].map((ledger) => ledger.decide(agent, refund(600, { approvalId: id }))),
      )
      expect(answers.map(({ effect }) => effect).sort()).toEqual(['allow', 'deny'])
    }
    expect(await one.verify()).toMatchObject({ kind: 'intact' })
  }, 240_000)
})
