import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parseRecord, type DecisionRecord, type LogRecord } from '@bailiwick/core'
import type { Ledger } from '../src/ledger.ts'
import { describeOnOnePostgres } from './harness/postgres.ts'
import {
  agent,
  knows,
  ledgerSite,
  minute,
  policiesOf,
  terms,
  voter,
  type LedgerSite,
} from './harness/ledger.ts'

const names = ['ann', 'bob', 'eve'] as const
const route =
  '{ approvers: [role:approver], quorum: 2, deadline: 10m, standing: { uses: 4, lasts: 30m, may_differ: { amount: up_to, order: any } } }'
const versions = [1, 2].map((version) => policiesOf(`${terms(route)}version: ${version}\n`))

const through = fc.nat(2)
const call = fc.record({
  amount: fc.constantFrom(510, 600, 600, 700),
  order: fc.nat(3),
  note: fc.constantFrom('a', 'a', 'a', 'b'),
  customer: fc.constantFrom(1, 1, 1, 2),
})
const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('ask' as const), call }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('vote' as const),
      who: fc.constantFrom(...names),
      uses: fc.integer({ min: 0, max: 5 }),
      minutes: fc.constantFrom(2, 20, 30, 31),
      nth: fc.nat(2),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('agree' as const),
      uses: fc.integer({ min: 1, max: 4 }),
      minutes: fc.constantFrom(2, 20, 30),
      nth: fc.nat(1),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('revoke' as const), nth: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('cancel' as const), nth: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('suspend' as const, 'resume' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('erase' as const), nth: fc.nat(2) }) },
)
type Step = typeof step extends fc.Arbitrary<infer Kind> ? Kind : never
const rounds = fc.array(
  fc.record({
    steps: fc.array(fc.record({ through, step }), { minLength: 1, maxLength: 10 }),
    passes: fc.constantFrom(0, 0, 0, minute, 2 * minute, 10 * minute, 20 * minute),
    restart: fc.oneof(
      { weight: 4, arbitrary: fc.constant(null) },
      { weight: 1, arbitrary: fc.record({ nth: through, version: fc.constantFrom(0, 0, 1) }) },
    ),
  }),
  { minLength: 2, maxLength: 8 },
)

describeOnOnePostgres(
  'G3: whatever people, agents, clocks and processes do with standing grants',
  (postgres) => {
    let site: LedgerSite
    let ledgers: Ledger[]
    beforeAll(async () => {
      site = await ledgerSite(postgres)
      const open = () => site.open(versions[0], 'standing')
      ledgers = [await open(), await open(), await open()]
      for (const name of names) await knows(ledgers[0] as Ledger, voter(name))
    })
    afterAll(() => site.remove())

    test('no grant lets more through than it has uses, nor anything that it does not cover, nor when it is over', async () => {
      let uses = 0
      await fc.assert(
        fc.asyncProperty(rounds, async (all) => {
          const { size } = await (ledgers[0] as Ledger).head()
          // One grant to begin with, whatever is done to it then.
          const one = { amount: 700, order: 0, note: 'a', customer: 1 } as const
          await take({ kind: 'ask', call: one }, [], ledgers[0] as Ledger, site)
          const agree = { kind: 'agree', uses: 4, minutes: 30, nth: 0 } as const
          await take(agree, await pending(site), ledgers[1] as Ledger, site).catch(() => undefined)
          for (const { steps, passes, restart } of all) {
            const opened = await pending(site)
            await Promise.allSettled(
              steps.map(({ through: nth, step: each }) => take(each, opened, ledgers[nth] as Ledger, site)),
            )
            site.clock.advance(passes)
            if (restart === null) continue
            await ledgers[restart.nth]?.close()
            ledgers[restart.nth] = await site.open(versions[restart.version], 'standing')
          }
          uses += replay(await since(site, 0), size)
          const state = { agent, state: 'active', reason: 'next', by: 'operator' } as const
          await ledgers[0]?.changeSuspension(state)
        }),
        { numRuns: 25 },
      )
      for (const ledger of ledgers) expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
      // Grants were used, or the property says little.
      expect(uses).toBeGreaterThan(20)
    }, 240_000)
  },
)

/** The last approvals that were opened, newest first, by their indices. */
async function pending(site: LedgerSite): Promise<readonly number[]> {
  const rows = await site.query<{ decision: string }>(
    `select decision from approval where ledger = 'standing' order by decision desc limit 3`,
  )
  return rows.map(({ decision }) => Number(decision))
}

async function take(each: Step, opened: readonly number[], ledger: Ledger, site: LedgerSite): Promise<void> {
  const index = 'nth' in each ? opened[each.nth] : undefined
  const reason = 'so it is'
  switch (each.kind) {
    case 'ask': {
      const { amount, order, note, customer } = each.call
      const params = { amount, order, note }
      await ledger.decide(agent, { action: 'issue_refund', params, context: { customer } })
      return
    }
    // Two people of one mind.
    case 'agree':
      for (const who of ['ann', 'bob'] as const)
        await take({ ...each, kind: 'vote', who }, opened, ledger, site)
      return
    case 'vote': {
      const id = `apr_${index}`
      const { digest } = await ledger.approval(id, {})
      const until = new Date(site.clock.now() + each.minutes * minute).toISOString()
      const more = each.uses === 0 ? {} : { standing: { uses: each.uses, until } }
      await ledger.vote(voter(each.who), id, { vote: 'approve', digest, ...more })
      return
    }
    case 'revoke':
      await ledger.grants.revoke(`grt_${index}`, { by: 'operator', reason })
      return
    case 'cancel':
      await ledger.cancel(`apr_${index}`, { agent, reason })
      return
    case 'erase':
      await ledger.erase({ target: { decision: `dec_${index}` }, reason, by: 'operator' })
      return
    case 'suspend':
    case 'resume': {
      const state = each.kind === 'suspend' ? 'suspended' : 'active'
      await ledger.changeSuspension({ agent, state, reason, by: 'operator' })
    }
  }
}

interface Entry {
  readonly record: LogRecord
  /** As it was when it was written; null where it has been erased since. */
  readonly payload: { readonly params: Call; readonly context: { readonly customer: number } } | null
}

interface Call {
  readonly amount: number
  readonly order: number
  readonly note: string
}

/** All records, with their payloads. */
async function since(site: LedgerSite, from: number): Promise<Entry[]> {
  const batches = await site.query<{ records: string; bodies: string }>(
    `select records, bodies from log_batch where ledger = 'standing' and first >= $1 order by first`,
    [from],
  )
  return batches.flatMap(({ records, bodies }) => {
    const lines = bodies.split('\n')
    return records.split('\n').map((text, at) => {
      const line = lines[at] ?? ''
      const record = parseRecord(text)
      const payload =
        line === '' || record.kind !== 'decision' ? null : (JSON.parse(line) as Entry['payload'])
      return { record, payload }
    })
  })
}

interface Given {
  readonly opened: DecisionRecord
  readonly payload: Entry['payload']
  readonly votes: Map<string, { readonly uses: number; readonly until: number } | null>
  uses: number
  until: number
  used: number
  over: boolean
}

/**
 * Goes through the records in their order, and fails at the first that should not be there. It shares no code with what
 * wrote them. Returns how many uses there were after an index.
 */
function replay(history: readonly Entry[], from: number): number {
  const given = new Map<string, Given>()
  let suspended = false
  let counted = 0
  for (const { record, payload } of history) {
    const at = Date.parse(record.at)
    switch (record.kind) {
      case 'suspension':
        suspended = record.state === 'suspended'
        break
      case 'erasure':
        for (const index of record.records) {
          const grant = given.get(`grt_${index}`)
          if (grant !== undefined) grant.over = true
        }
        break
      case 'cancellation': {
        const grant = given.get(record.approval.replace('apr', 'grt'))
        if (grant !== undefined) grant.over = true
        break
      }
      case 'revocation': {
        const grant = given.get(record.grant)
        expect(grant?.over === false && grant.used < grant.uses && at < grant.until).toBe(true)
        if (grant !== undefined) grant.over = true
        break
      }
      case 'vote': {
        const grant = given.get(record.approval.replace('apr', 'grt')) as Given
        const { standing } = record
        grant.votes.set(
          record.person,
          standing ? { uses: standing.uses, until: Date.parse(standing.until) } : null,
        )
        const all = [...grant.votes.values()]
        const isMade = all.length === 2 && all.every((one) => one !== null && at < one.until)
        expect(record.grant !== undefined, `vote ${record.index}`).toBe(isMade)
        if (isMade) {
          grant.uses = Math.min(...all.map((one) => one?.uses ?? 0))
          grant.until = Math.min(...all.map((one) => one?.until ?? 0))
          expect(record.grant).toEqual({ uses: grant.uses, until: new Date(grant.until).toISOString() })
        }
        break
      }
      case 'decision': {
        if (record.opens !== null) {
          const votes = new Map<string, null>()
          given.set(`grt_${record.index}`, {
            opened: record,
            payload,
            votes,
            uses: 0,
            until: 0,
            used: 0,
            over: false,
          })
        }
        if (record.standing === undefined) break
        const grant = given.get(record.standing.grant) as Given
        const told = { at, over: grant.over, suspended, use: record.standing.use, effect: record.effect }
        expect(told, `decision ${record.index}`).toEqual({
          at: Math.min(at, grant.until - 1),
          over: false,
          suspended: false,
          use: grant.used + 1,
          effect: 'allow',
        })
        grant.used += 1
        expect(grant.used).toBeLessThanOrEqual(Math.min(grant.uses, 4))
        expect(record.policy).toEqual(grant.opened.policy)
        if (payload !== null && grant.payload !== null) {
          const [one, other] = [grant.payload, payload]
          expect(other.params.amount).toBeLessThanOrEqual(one.params.amount)
          expect([other.params.note, other.context]).toEqual([one.params.note, one.context])
        }
        if (record.index >= from) counted += 1
        break
      }
      default:
    }
  }
  return counted
}
