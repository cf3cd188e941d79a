import fc from 'fast-check'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { Instant } from '@bailiwick/core'
import type { PolicySet } from '../src/policies.ts'
import {
  names,
  people,
  replay,
  route,
  since,
  standIn,
  step,
  suspension,
  take,
} from './harness/approval-model.ts'
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
import { describeOnOnePostgres } from './harness/postgres.ts'
import { openReplica, settled, type Replica } from './harness/replicas.ts'

const name = 'machine'
const one = policiesOf(terms(route))
const other = policiesOf(`${terms(route)}version: 2\n`)

/** What happens to a process while the others, and its own callers, go on. */
type Trouble =
  | { readonly kind: 'none' | 'cut' }
  /** It ends, unheard, and comes back: with the same policy or with another one. */
  | { readonly kind: 'ends'; readonly who: number; readonly as: 'before' | 'other' }
  /** It does what others send it, and its answers are lost. */
  | { readonly kind: 'mute'; readonly who: number }

const who = fc.nat(2)
const trouble: fc.Arbitrary<Trouble> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('none' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('cut' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('ends' as const),
      who,
      as: fc.constantFrom('before' as const, 'other' as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('mute' as const), who }) },
)
/** How far a process's clock is ahead of the moment at which people were asked. */
const sinceAsked = fc.constantFrom(
  0,
  0,
  0,
  minute,
  2 * minute,
  5 * minute - 1,
  5 * minute,
  10 * minute,
  -10 * minute,
)
const rounds = fc.array(
  fc.record({
    clocks: fc.tuple(sinceAsked, sinceAsked, sinceAsked),
    steps: fc.array(
      fc.record({
        through: who,
        step: fc.oneof({ weight: 12, arbitrary: step }, { weight: 1, arbitrary: suspension }),
      }),
      { minLength: 1, maxLength: 6 },
    ),
    trouble,
  }),
  { minLength: 2, maxLength: 5 },
)
type Round = (typeof rounds extends fc.Arbitrary<infer Rounds> ? Rounds : never)[number]
/** How long there is until the deadline by the database's clock. */
const left = fc.constantFrom(5 * minute, 5 * minute, 5 * minute, 2.5 * minute, 150, 50, -1)

const still = [0, 0, 0] as const
const vote = (through: number, by: 'ann' | 'bob') => ({
  through,
  step: { kind: 'vote', who: by, vote: 'approve', stead: false } as const,
})
const use = (through: number) => ({ through, step: { kind: 'use' } as const })
const none = { kind: 'none' } as const
/** Two say yes through two processes, and all three use it at once. */
const plain: Round[] = [
  { clocks: [...still], steps: [vote(0, 'ann'), vote(1, 'bob')], trouble: none },
  { clocks: [...still], steps: [use(0), use(1), use(2)], trouble: none },
]
/** The same, but time is up by the database's clock alone. */
const late: Round[] = plain.map((round) => ({ ...round, clocks: [-10 * minute, 0, 0] }))

describeOnOnePostgres(
  'G3: whatever happens to processes that send to one another, by any of their clocks',
  (postgres) => {
    let site: LedgerSite
    const replicas: Replica[] = []
    const policies: PolicySet[] = [one, one, one]
    const clocks = [0, 0, 0]
    let forwarded = 0
    const replica = (at: number) => replicas[at] as Replica
    const open = async (at: number) => {
      replicas[at] = await openReplica(site, {
        policies: policies[at] ?? one,
        ledger: name,
        now: () => clocks[at] as Instant,
        databaseClock: true,
        replyMs: 2_000,
      })
    }
    beforeAll(async () => {
      site = await ledgerSite(postgres)
      clocks.fill(Date.now())
      for (const at of clocks.keys()) await open(at)
      for (const each of names) await knows(replica(0).ledger, voter(each, people[each]))
      await standIn(replica(0).ledger, Date.now())
    })
    afterAll(async () => {
      await Promise.allSettled(replicas.map((each) => each.close()))
      await site.remove()
    })

    const databaseNow = async () =>
      (
        await site.query<{ now: number }>(
          'select extract(epoch from clock_timestamp())::float8 * 1000 as now',
        )
      )[0]?.now ?? 0
    const size = async () => (await replica(0).ledger.head()).size

    /** Everything that was asked of the processes before is done, or will never be. */
    async function quiet(ended = 'nobody'): Promise<void> {
      for (const at of replicas.keys()) {
        // Goes through the same queue, and records nothing where nobody is suspended.
        const end = { agent: ended, state: 'active', reason: 'looked at', by: 'operator' } as const
        // Its connections may have been cut.
        await vi.waitFor(() => replica(at).ledger.changeSuspension(end), { timeout: 10_000, interval: 20 })
      }
    }

    async function strike(what: Trouble): Promise<void> {
      if (what.kind === 'cut') {
        await site.query(
          `select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid()`,
        )
      }
      if (what.kind === 'mute') {
        replica(what.who).meddle(async (_message, answer) => {
          await answer()
          return 'hang up'
        })
      }
      if (what.kind === 'ends') {
        const ended = replica(what.who)
        await Promise.all([ended.shut(), ended.ledger.close().catch(() => undefined)])
      }
    }

    async function mend(what: Trouble): Promise<void> {
      if (what.kind === 'mute') replica(what.who).meddle((_message, answer) => answer())
      if (what.kind !== 'ends') return
      forwarded += replica(what.who).messages.length
      if (what.as === 'other') policies[what.who] = policies[what.who] === one ? other : one
      await open(what.who)
    }

    async function ask(leftMs: number) {
      const asked = (await databaseNow()) - 5 * minute + leftMs
      clocks.fill(Math.floor(asked))
      for (const each of names) await knows(replica(0).ledger, voter(each, people[each]))
      const call = refund(600, { context: { principal: 'pam@example.com' } })
      const { approval, record, policy } = await replica(1).ledger.decide(agent, call)
      const id = approval?.id ?? ''
      const { digest } = await replica(2).ledger.approval(id, {})
      const deadline = Date.parse(approval?.deadline ?? '')
      return { record, policy: policy?.sha256, id, digest, deadline, asked: deadline - 5 * minute }
    }

    test('an approval has one end, is used once at most, with its quorum of entitled people, in time by the database', async () => {
      const ends = new Set<string>()
      await fc.assert(
        fc.asyncProperty(rounds, left, async (all, leftMs) => {
          await quiet(agent)
          await settled(replicas)
          const { record, policy, id, digest, deadline, asked } = await ask(leftMs)
          const allowed: string[] = []
          /** From which index on it was too late by the database's clock. */
          let tooLate = Infinity
          for (const round of all) {
            await quiet()
            for (const [at, ahead] of round.clocks.entries()) clocks[at] = asked + ahead
            const before = await size()
            if ((await databaseNow()) >= deadline) tooLate = Math.min(tooLate, before)
            const racing = round.steps.map(({ through, step: each }) =>
              take(each, { id, digest }, replica(through).ledger),
            )
            const struck = strike(round.trouble)
            for (const answer of await Promise.allSettled(racing)) {
              if (answer.status === 'fulfilled' && answer.value !== undefined) allowed.push(answer.value)
            }
            await struck
            await mend(round.trouble)
          }
          await quiet()
          const history = await since(site, name, record.index)
          const model = replay(history, id, deadline, asked, policy)
          // An answer may have been lost on its way, and none is made up.
          expect(allowed.length).toBeLessThanOrEqual(1)
          for (const decision of allowed) expect(decision).toBe(model.usedBy)
          for (const each of history.slice(Math.max(0, tooLate - record.index - 1))) {
            const isVote = each.kind === 'vote' && each.approval === id
            const isUse = each.kind === 'decision' && each.claims?.id === id && each.effect === 'allow'
            expect({ isVote, isUse }).toEqual({ isVote: false, isUse: false })
          }
          for (const [at, { ledger }] of replicas.entries()) {
            const { status, consumedBy } = await ledger.approval(id, {})
            expect({ status, consumedBy }).toEqual({
              status: model.status(clocks[at] as Instant),
              consumedBy: model.usedBy ?? null,
            })
            ends.add(leftMs < 0 ? `${status} too late` : status)
          }
        }),
        {
          numRuns: 20,
          examples: [
            [plain, 5 * minute],
            [late, -1],
          ],
        },
      )
      expect(await replica(0).ledger.verify()).toMatchObject({ kind: 'intact' })
      for (const { messages } of replicas) forwarded += messages.length
      // They did send to one another, and an approval was used, or the property says little.
      expect(forwarded).toBeGreaterThan(20)
      expect(ends).toContain('consumed')
      expect(ends).not.toContain('consumed too late')
    }, 120_000)
  },
)
