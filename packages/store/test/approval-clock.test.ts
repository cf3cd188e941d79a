import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  emptyFrontier,
  encodeFrontier,
  type Approval,
  type ApprovalTerms,
  type Instant,
  type PersonId,
} from '@bailiwick/core'
import pg from 'pg'
import { Ledger } from '../src/ledger.ts'
import { appendBatch, type StagedBatch } from '../src/log/append.ts'
import { Fold } from '../src/log/fold.ts'
import { emptyMemory } from '../src/log/memory.ts'
import { inSchema } from '../src/migrate.ts'
import { entitledVoter } from '../src/operations/entitlement.ts'
import { describeOnOnePostgres } from './harness/postgres.ts'
import {
  agent,
  cast,
  escalated,
  faultOf,
  knows,
  ledgerSite,
  minute,
  policiesOf,
  refund,
  supportPolicy,
  terms,
  voter,
  type LedgerSite,
} from './harness/ledger.ts'

const approve = { vote: 'approve' } as const

describeOnOnePostgres('G3: a deadline holds by the database’s clock as well', (postgres) => {
  let site: LedgerSite
  const opened: Ledger[] = []
  let count = 0
  beforeAll(async () => {
    site = await ledgerSite(postgres)
  })
  beforeEach(() => {
    count += 1
  })
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((ledger) => ledger.close()))
  })
  afterAll(() => site.remove())

  /** A process whose clock is so far behind the database's, which runs on this machine. */
  const process = async (behindMs: number, databaseClock = true, text = supportPolicy()): Promise<Ledger> => {
    const ledger = await Ledger.open({
      connection: site.database.config,
      policies: policiesOf(text),
      dataDir: site.dataDir,
      ledger: `clock${count}`,
      consoleUrl: 'http://console.test',
      now: () => (Date.now() - behindMs) as Instant,
      databaseClock,
    })
    opened.push(ledger)
    return ledger
  }

  test('a process whose clock is behind takes no vote after the deadline', async () => {
    const behind = await process(10 * minute)
    const id = await escalated(behind)
    // By its own clock there are five minutes left.
    expect((await behind.approval(id, {})).status).toBe('pending')
    const fault = await faultOf(cast(behind, voter('ann'), id, approve))
    expect([fault.code, fault.message]).toEqual([
      'approval_closed',
      `${id} is expired and takes no more votes`,
    ])
  })

  test('nor does it let an approved call through', async () => {
    const id = await escalated(await process(10 * minute))
    // A process that does not ask the database has taken the vote.
    const careless = await process(10 * minute, false)
    expect(await cast(careless, voter('ann'), id, approve)).toBe('approved')
    const behind = await process(10 * minute)
    expect(await behind.decide(agent, refund(600, { approvalId: id }))).toMatchObject({
      effect: 'deny',
      reasons: [`Approval ${id} expired`],
    })
    expect((await careless.decide(agent, refund(600, { approvalId: id }))).effect).toBe('allow')
  })

  test('before the deadline by both clocks, it votes and allows', async () => {
    const behind = await process(minute)
    const id = await escalated(behind)
    expect(await cast(behind, voter('ann'), id, approve)).toBe('approved')
    expect((await behind.decide(agent, refund(600, { approvalId: id }))).effect).toBe('allow')
  })

  test('a process whose clock is ahead ends nothing early for others', async () => {
    const right = await process(0)
    const id = await escalated(right)
    const ahead = await process(-10 * minute)
    expect(await ahead.expireOverdue()).toBe(0)
    expect(await cast(right, voter('ann'), id, approve)).toBe('approved')
  })

  describe('who is asked later is asked by both clocks', () => {
    const later = terms(
      '{ deadline: 10m, approvers: [role:lead], escalate_to: [{ after: 2m, approvers: [role:ops] }] }',
    )
    const opal = voter('opal', ['ops'])
    const running = (behindMs: number) => process(behindMs, true, later)
    const wants = { path: '/params/amount', reason: 'to judge it' }
    const sees = (ledger: Ledger, id: string) =>
      ledger.reveal(opal, { ...wants, decision: id.replace('apr_', 'dec_') })

    test('a process whose clock is ahead lets nobody vote, or see what is masked, before that', async () => {
      const right = await running(0)
      const id = await escalated(right)
      const ahead = await running(-3 * minute)
      expect((await faultOf(cast(ahead, opal, id, approve))).code).toBe('not_permitted')
      expect((await faultOf(sees(ahead, id))).code).toBe('not_permitted')
      expect(await cast(ahead, voter('lea', ['lead']), id, approve), 'who was asked first').toBe('approved')
    })

    test('nor does one whose clock is behind, though it is time by the database’s', async () => {
      const id = await escalated(await running(3 * minute))
      const behind = await running(2.5 * minute)
      expect((await faultOf(cast(behind, opal, id, approve))).code).toBe('not_permitted')
      expect((await faultOf(sees(behind, id))).code).toBe('not_permitted')
    })

    test('from then on by both, they may', async () => {
      const id = await escalated(await running(3 * minute))
      const right = await running(0)
      await knows(right, opal)
      expect((await sees(right, id)).value).toBe(600)
      expect(await cast(right, opal, id, approve)).toBe('approved')
    })

    test('a delegation that begins later is none before that by both', async () => {
      const right = await running(0)
      const id = await escalated(right)
      const [lea, bob] = [voter('lea', ['lead']), voter('bob', ['clerk'])]
      for (const who of [lea, bob]) await knows(right, who)
      const at = (inMs: number) => new Date(Date.now() + inMs).toISOString()
      const given = { from: lea.id, to: bob.id, by: lea.id, reason: 'leave', ends: at(60 * minute) }
      await right.delegations.give({ ...given, starts: at(2 * minute) })
      const ahead = await running(-3 * minute)
      const vote = { ...approve, for: lea.id }
      expect((await faultOf(cast(ahead, bob, id, vote))).code).toBe('not_permitted')
      await right.delegations.give(given)
      expect(await cast(right, bob, id, vote)).toBe('approved')
    })
  })

  test('a vote in somebody’s stead is only good until the delegation ends, in the statement that writes it too', () => {
    const [ann, bob] = ['ann@example.com', 'bob@example.com'] as PersonId[]
    if (ann === undefined || bob === undefined) throw new Error('two people')
    const at = Date.parse('2026-03-01T09:00:00.000Z') as Instant
    const ends = (at + minute) as Instant
    const person = (id: PersonId, roles: readonly string[]) => ({
      id,
      roles,
      rolesFrom: 'local' as const,
      providerSubject: null,
      since: 0,
    })
    const fold = new Fold(emptyMemory())
    fold.load({
      databaseNow: at,
      voting: {
        people: [person(ann, ['lead']), person(bob, ['clerk'])],
        ended: [],
        owners: [],
        delegations: [
          { index: 1, from: ann, to: bob, starts: at, ends: (at + 1000) as Instant },
          { index: 2, from: ann, to: bob, starts: at, ends },
        ],
      },
    })
    const asked = { approvers: [['role:lead']] } as unknown as ApprovalTerms
    const approval = { id: 'apr_1', agent, votes: [], terms: asked } as unknown as Approval
    const voting = { approval, terms: asked, voter: { id: bob, roles: ['clerk'] }, body: '{}', at }
    expect(entitledVoter({ ...voting, principal: ann }, fold)).toMatchObject({ id: ann })
    expect(fold.rows(() => 'pending').notAfter).toBe(new Date(ends).toISOString())
  })

  describe('what a process worked out in time and sends too late', () => {
    const batch = (notAfter: string | undefined): StagedBatch => ({
      ledger: `late${count}`,
      size: 0,
      count: 1,
      base: encodeFrontier(emptyFrontier),
      frontier: Buffer.alloc(32, 1),
      at: '2026-03-01T09:00:00.000Z',
      records: '{}',
      leafHashes: Buffer.alloc(32, 1),
      bodies: '',
      salts: Buffer.alloc(32),
      terms: [],
      rows: { ...new Fold(emptyMemory()).rows(() => 'pending'), notAfter },
      keys: [],
    })
    test.each([
      ['is not written', new Date(Date.now() - 1).toISOString(), false],
      ['is written where it is in time', new Date(Date.now() + 60 * minute).toISOString(), true],
      ['is written where it does not matter', undefined, true],
    ])('%s', async (_what, notAfter, written) => {
      const client = new pg.Client(inSchema(site.database.config))
      await client.connect()
      try {
        await client.query('insert into ledger_head (ledger, size, frontier) values ($1, 0, $2)', [
          `late${count}`,
          encodeFrontier(emptyFrontier),
        ])
        expect(await appendBatch(client, batch(notAfter), new Set())).toBe(written)
        const { rows } = await client.query('select from log_batch where ledger = $1', [`late${count}`])
        expect(rows).toHaveLength(written ? 1 : 0)
      } finally {
        await client.end()
      }
    })

    test('is not written where it waited too long for somebody who held the head, and changed nothing', async () => {
      const [client, other] = [1, 2].map(() => new pg.Client(inSchema(site.database.config)))
      if (client === undefined || other === undefined) throw new Error('unreachable')
      await Promise.all([client.connect(), other.connect()])
      try {
        const head = 'insert into ledger_head (ledger, size, frontier) values ($1, 0, $2)'
        await client.query(head, [`late${count}`, encodeFrontier(emptyFrontier)])
        await other.query('begin')
        await other.query('select from ledger_head where ledger = $1 for update', [`late${count}`])
        const { rows } = await other.query<{ soon: Date }>(
          `select clock_timestamp() + interval '200 ms' as soon`,
        )
        const late = appendBatch(client, batch(rows[0]?.soon.toISOString()), new Set())
        // The database's own clock has to pass the instant.
        await other.query('select pg_sleep(0.4)')
        await other.query('rollback')
        expect(await late).toBe(false)
      } finally {
        await Promise.all([client.end(), other.end()])
      }
    })
  })
})
