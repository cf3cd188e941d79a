import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  parseCall,
  parseRecord,
  type CompiledPolicy,
  type DecisionRequest,
  type Instant,
  type RuleId,
  type Sha256,
} from '@bailiwick/core'
import { PayloadReader } from '../src/sealing/payload-reader.ts'
import { Ledger } from '../src/ledger.ts'
import { readEntries, type Queryable } from '../src/log/batches.ts'
import { digestsOf } from '../src/log/digests.ts'
import { Fold } from '../src/log/fold.ts'
import { emptyMemory } from '../src/log/memory.ts'
import { noNeeds } from '../src/log/needs.ts'
import { readFold } from '../src/log/read.ts'
import { readLiveGrants } from '../src/log/read-grants.ts'
import { inSchema } from '../src/migrate.ts'
import { decideOperation } from '../src/operations/decide.ts'
import { gather, type Gathered } from '../src/operations/gather.ts'
import { grantMade } from '../src/operations/standing.ts'
import { describeOnOnePostgres } from './harness/postgres.ts'
import {
  agent,
  cast,
  ledgerSite,
  minute,
  policiesOf,
  refund,
  supportPolicy,
  terms,
  voter,
  type LedgerSite,
} from './harness/ledger.ts'

const standing = policiesOf(terms('{ standing: { uses: 100, lasts: 8h, may_differ: { amount: up_to } } }'))

describeOnOnePostgres('what standing grants cost, and until when they hold', (postgres) => {
  let site: LedgerSite
  beforeAll(async () => {
    site = await ledgerSite(postgres)
  })
  afterAll(() => site.remove())

  const operation = (request: DecisionRequest, policy: CompiledPolicy | undefined) => {
    const parsed = parseCall(agent, request)
    const digests = digestsOf({ counter: Buffer.alloc(32), subject: Buffer.alloc(32) })
    const gathered = gather(policy, parsed, { env: undefined, lookups: undefined, digests }) as Gathered
    return decideOperation(parsed, gathered, { approvalUrl: (id) => id })
  }

  test('nothing is read for calls of which no standing grant could speak', () => {
    const [without, other] = [
      policiesOf(supportPolicy()).for(agent),
      { action: 'apply_discount', params: {} },
    ]
    expect(operation(refund(600), without).needs).toBe(noNeeds)
    expect(operation(other, standing.for(agent)).needs).toBe(noNeeds)
    // For the others, the needs are always the same object.
    const [one, two] = [1, 600].map((amount) => operation(refund(amount), standing.for(agent)).needs)
    expect(one).toEqual({ grants: true })
    expect(one).toBe(two)
  })

  test('once the live grants are known, no batch asks for them again', async () => {
    const client = new pg.Client(inSchema(site.database.config))
    await client.connect()
    let queries = 0
    const counted: Queryable = {
      query: ((...args: Parameters<Queryable['query']>) => {
        queries += 1
        return client.query(...args)
      }) as Queryable['query'],
    }
    const memory = emptyMemory()
    const sealer = { ledger: 'cost', key: undefined, randomBytes: (size: number) => Buffer.alloc(size) }
    const settings = { at: 0 as Instant, databaseClock: true, sealer }
    const read = () => readFold(counted, 'cost', [{ grants: true }], memory, settings)
    await read()
    expect(queries).toBe(1)
    await read()
    expect(queries).toBe(1)
    await client.end()
  })

  /** A process whose clock is so far behind the database's. */
  const process = (behindMs: number) =>
    Ledger.open({
      connection: site.database.config,
      policies: standing,
      dataDir: site.dataDir,
      ledger: 'clocks',
      consoleUrl: 'http://console.test',
      now: () => (Date.now() - behindMs) as Instant,
      databaseClock: true,
    })
  const until = (minutes: number) => new Date(Date.now() + minutes * minute).toISOString()
  const granted = async (ledger: Ledger, minutes: number) => {
    const { approval } = await ledger.decide(agent, refund(600))
    const ballot = { vote: 'approve', standing: { uses: 50, until: until(minutes) } } as const
    await cast(ledger, voter('ann'), approval?.id ?? '', ballot)
  }

  test('what has ended by the database’s clock is not found, by a process whose own is behind', async () => {
    const right = await process(0)
    await granted(right, 60)
    const behind = await process(10 * minute)
    expect((await behind.decide(agent, refund(600))).effect).toBe('allow')
    await behind.close()
    // As if the hour had passed: by the clock of the process, ten minutes are left.
    await site.query(`update standing_grant set until_at = now() - interval '1 second'`)
    const later = await process(10 * minute)
    expect((await later.decide(agent, refund(600))).effect).toBe('escalate')
    await Promise.all([right.close(), later.close()])
  })

  test.each([
    [true, 'is written before the grant ends by the database’s clock, or not at all'],
    [false, 'is as good as the clock of the process, where that is all there is'],
  ])('a batch with a use (by the database: %s) %s', (byDatabase) => {
    const made = { uses: 5, until: Date.parse('2026-03-01T10:00:00Z') as Instant, by: [] }
    const rules = new Set<RuleId>()
    const sha256 = 'b'.repeat(64) as Sha256
    const scope = { agent, action: 'pay', policy: sha256, rules, params: {}, context: '{}', mayDiffer: [] }
    const memory = emptyMemory()
    memory.grants.load(
      [{ index: 7, made, people: [], scope, terms: '{}', routes: [], used: 0 }],
      [],
      byDatabase,
    )
    const fold = new Fold(memory)
    expect(fold.rows(() => 'pending').notAfter).toBeUndefined()
    fold.grants.use(7, 9)
    const { notAfter, grantUses } = fold.rows(() => 'pending')
    expect(grantUses).toEqual([{ approval: 7, use: 1, decision: 9 }])
    expect(notAfter).toBe(byDatabase ? '2026-03-01T10:00:00.000Z' : undefined)
  })

  test('no more than 500 are live at once: the vote that would make one more is refused', async () => {
    const ledger = await site.open(standing)
    const { approval } = await ledger.decide(agent, refund(600))
    const id = approval?.id ?? ''
    const granted = { uses: 5, until: '2026-03-01T10:00:00Z' }
    await cast(ledger, voter('ann'), id, { vote: 'approve', standing: granted })
    const {
      live: [live],
    } = await readLiveGrants(ledger.pool, new PayloadReader(ledger.name, undefined), site.clock.now())
    if (live === undefined) throw new Error('there is no grant')
    const memory = emptyMemory()
    const many = Array.from({ length: 500 }, (_, index) => ({ ...live.grant, index: index + 100 }))
    memory.grants.load(many, [], false)
    const fold = new Fold(memory)
    const { record, payload } = await knownDecision(ledger, live.grant.index)
    const make = () => grantMade(live.approval, { record, payload }, fold, site.clock.now())
    expect(make).toThrow(expect.objectContaining({ code: 'conflict' }))
    // What is used up does not count.
    memory.grants.set({ ...live.grant, index: 100, used: 5 })
    expect(make()).toMatchObject({ made: { uses: 5 } })
  })
})

async function knownDecision(ledger: Ledger, index: number) {
  const entry = (await readEntries(ledger.pool, ledger.name, [index])).get(index)
  const record = entry && parseRecord(entry.record)
  if (record?.kind !== 'decision' || entry === undefined || typeof entry.payload === 'string') {
    throw new Error('there is no such decision')
  }
  const { salt, body } = entry.payload
  return { record, payload: { salt: Buffer.from(salt), stored: body, body } }
}
