import { randomBytes } from 'node:crypto'
import type { VerifyResult } from '@bailiwick/core'
import fc from 'fast-check'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { archivedFrontier } from '../../src/archive/verify-archive.ts'
import { readSecrets } from '../../src/log/digests.ts'
import { readStoredHead } from '../../src/head.ts'
import type { Ledger } from '../../src/ledger.ts'
import { inSchema } from '../../src/migrate.ts'
import { Folds } from '../../src/verify/folds.ts'
import { verifyParts } from '../../src/verify/parts.ts'
import { runnerOn } from '../../src/verify/runner.ts'
import { foldedTables } from '../../src/verify/stored-facts.ts'
import { archivedSite } from '../harness/archived.ts'
import { describeOnOnePostgres } from '../harness/postgres.ts'
import {
  cast,
  agent,
  escalated,
  knows,
  ledgerSite,
  minute,
  policiesOf,
  refund,
  terms,
  voter,
  type LedgerSite,
} from '../harness/ledger.ts'
import { countingPolicy, flowPolicy, mail, refundFor } from '../harness/uses.ts'

/** What the quick comparison says, and what the whole verification does. */
interface Said {
  readonly quick: boolean
  readonly whole: VerifyResult
}

async function said(site: LedgerSite, ledger: Ledger): Promise<Said> {
  const client = new pg.Client(inSchema(site.database.config))
  await client.connect()
  try {
    await client.query('begin transaction isolation level repeatable read read only')
    const head = { ledger: ledger.name, ...(await readStoredHead(client, ledger.name)) }
    const { size } = head
    const secret = randomBytes(32).toString('hex')
    const counterPrefix = (await readSecrets(client, ledger.name))?.counter.toString('hex') ?? ''
    const now = site.clock.now()
    const archived = await archivedFrontier(client, ledger.name)
    const settings = { ledger: ledger.name, size, cut: undefined, secret, counterPrefix, now }
    const runners = [runnerOn(client, { ...settings, floor: archived.size })]
    const folds = new Folds(size)
    const { result, isComparable } = await verifyParts({
      client,
      runners,
      head,
      checkpoint: undefined,
      from: archived.size === 0 ? undefined : archived,
      recordsPerWindow: 5,
      facts: (facts) => folds.add(facts),
      onProgress: undefined,
    })
    const quick = result.kind === 'intact' && isComparable && (await folds.agree(client, runners))
    folds.close()
    return { quick, whole: await ledger.verify() }
  } finally {
    await client.end()
  }
}

const approvalRoute =
  '{ remind: [1m, 2m], standing: { uses: 5, lasts: 8h, may_differ: { amount: up_to, order: any } } }'

/** Two standing grants: one used twice, one used and revoked. */
async function standingGrants(site: LedgerSite, ledger: Ledger): Promise<void> {
  const until = new Date(site.clock.now() + 60 * minute).toISOString()
  for (const order of [700, 800]) {
    const { approval } = await ledger.decide(agent, refund(order))
    await cast(ledger, voter('ann'), approval?.id ?? '', { vote: 'approve', standing: { uses: 5, until } })
    for (let use = 0; use < 2; use++) await ledger.decide(agent, refund(order))
  }
  const [last] = await ledger.grants.list()
  await ledger.grants.revoke(last?.id ?? '', { by: 'operator', reason: 'enough' })
}

describeOnOnePostgres('G5: the quick comparison of folded tables', (postgres) => {
  let site: LedgerSite
  const ledgers: Ledger[] = []

  beforeAll(async () => {
    site = await ledgerSite(postgres)
    const approving = await site.open(policiesOf(terms(approvalRoute)), 'approving')
    const opened = []
    for (let at = 0; at < 4; at++) opened.push(await escalated(approving, { callId: `c${at}` }))
    const [first = '', second = '', third = ''] = opened
    for (const id of [first, second]) await cast(approving, voter('ann'), id, { vote: 'approve' })
    await cast(approving, voter('bob'), third, { vote: 'reject' })
    const { id } = await approving.decide(agent, refund(600, { callId: 'c0', approvalId: first }))
    await approving.reportOutcome(agent, id, { status: 'unknown' })
    await approving.reportOutcome(agent, id, { status: 'succeeded' })
    await approving.decide(agent, refund(600, { callId: 'c0', approvalId: first }))
    await Promise.all(
      Array.from({ length: 9 }, (_, at) => approving.decide(agent, refund(at, { callId: `d${at}` }))),
    )
    const [cancelled, inStead] = [await escalated(approving), await escalated(approving)]
    await approving.cancel(cancelled, { agent, reason: 'a mistake' })
    for (const name of ['lea', 'kim']) await knows(approving, voter(name))
    const [from, to, by] = ['lea@example.com', 'kim@example.com', 'operator']
    const leave = {
      from,
      to,
      by,
      starts: '2026-01-01T00:00:00Z',
      ends: '2026-12-01T00:00:00Z',
      reason: 'leave',
    }
    await approving.delegations.give(leave)
    const { id: revoked } = await approving.delegations.give(leave)
    await approving.delegations.revoke(revoked, { by, reason: 'back' })
    await cast(approving, voter('kim'), inStead, { vote: 'approve', for: from })
    await standingGrants(site, approving)
    site.clock.advance(minute)
    await approving.remindDue()
    site.clock.advance(60 * minute)
    await approving.expireOverdue()

    const counted = await site.open(policiesOf(countingPolicy), 'counting')
    await Promise.all([1, 2.5, 0.1, 30].map((amount) => counted.decide(agent, refundFor('c1', amount))))
    await Promise.all([counted.decide(agent, mail), counted.decide(agent, mail)])
    const failed = await counted.decide(agent, refundFor('c2', 30))
    await counted.reportOutcome(agent, failed.id, { status: 'failed' })

    const flowing = await site.open(policiesOf(flowPolicy), 'flowing')
    for (const session of ['s1', 's2']) {
      for (const action of ['rest', 'read_page', 'rest', 'send_mail']) {
        await flowing.decide(agent, {
          action,
          params: { to: 'ann@example.com' },
          session,
          callId: `${session}-${action}`,
        })
      }
    }
    ledgers.push(approving, counted, flowing)
    for (const table of foldedTables) {
      await site.query(`alter table ${table} drop constraint ${table}_pkey`)
      await site.query(`create table saved_${table} as table ${table}`)
    }
    await site.query('alter table counter_entry drop constraint counter_entry_amount_check')
  })
  afterAll(() => site.remove())

  async function restore(table: string): Promise<void> {
    await site.query(`truncate ${table}; insert into ${table} table saved_${table}`)
  }

  test('knows at once that nothing is wrong, whatever a ledger has been through', async () => {
    for (const ledger of ledgers) {
      expect(await said(site, ledger)).toMatchObject({ quick: true, whole: { kind: 'intact' } })
    }
    // What no counter counts any more may be gone, or not.
    site.clock.advance(25 * 60 * minute)
    const [, counted] = ledgers as [Ledger, Ledger]
    expect(await said(site, counted)).toMatchObject({ quick: true })
    await site.query(`delete from counter_entry where ledger = 'counting'`)
    expect(await said(site, counted)).toMatchObject({ quick: true, whole: { kind: 'intact' } })
    await restore('counter_entry')
    site.clock.advance(-25 * 60 * minute)
  })

  const columnsOf = {
    approval: [
      'decision',
      'agent',
      'action',
      'policy_sha256',
      'terms',
      'opened_at',
      'expires_at',
      'consumed_by',
      'cancelled_by',
      'next_prompt_at',
      'status',
    ],
    vote: ['approval', 'person', 'vote', 'at', 'index', 'principal'],
    delegation: ['index', 'delegator', 'delegate', 'starts_at', 'ends_at', 'revoked_by'],
    standing_grant: ['approval', 'index', 'uses', 'until_at', 'revoked_by'],
    standing_use: ['approval', 'use', 'decision'],
    call: ['agent', 'call_id', 'index'],
    outcome: ['decision', 'index', 'status', 'earlier'],
    session_mark: ['session', 'kind', 'value', 'index'],
    counter_entry: ['decision', 'key', 'counter', 'at', 'amount', 'window_ms', 'releasable'],
  } as const
  const change: Record<string, readonly string[]> = {
    bigint: ['$ + 1', '$ - 1', '$ + 1000', 'coalesce($, 3) + 7'],
    integer: ['$ + 1', '$ - 1', '$ * 100'],
    text: [`$ || 'x'`, `''`, `upper($)`, `'approved'`, `'reject'`, `'failed'`, `'label'`],
    'timestamp with time zone': [`$ + interval '1 microsecond'`, `$ - interval '1 hour'`, `'infinity'`],
    bytea: ['set_bit($, 77, 1 - get_bit($, 77))', `'\\x'::bytea`],
    numeric: ['$ + 0.001', '$ * 2', `'NaN'`, '$ - 0.1', '-$'],
    boolean: ['not $'],
  }
  const places = foldedTables.flatMap((table) => columnsOf[table].map((column) => [table, column] as const))

  test.each(places)('sees any change of %s.%s, as the search does', async (table, column) => {
    const [row] = await site.query<{ type: string }>(
      `select data_type as type from information_schema.columns where table_schema = 'bailiwick' and table_name = $1 and column_name = $2`,
      [table, column],
    )
    const kinds = change[row?.type ?? ''] ?? []
    expect(kinds.length).toBeGreaterThan(0)
    let found = 0
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.constantFrom(...kinds), async (pick, kind) => {
        await site.query(`alter table ${table} drop constraint if exists ${table}_${column}_check`)
        const value = kind.replaceAll('$', column)
        const changed = await site.query<{ ledger: string }>(
          `update ${table} set ${column} = ${value} where ctid = (
            select ctid from ${table} where ${column} is distinct from ${value} order by ctid
            offset $1 % greatest(1, (select count(*) from ${table} where ${column} is distinct from ${value})) limit 1
          ) returning ledger`,
          [pick],
        )
        const ledger = ledgers.find(({ name }) => name === changed[0]?.ledger)
        if (ledger !== undefined) {
          found += 1
          const { quick, whole } = await said(site, ledger)
          // Which decision the sum of several is kept under means nothing, and only the search knows when.
          const mayStay = table === 'counter_entry' && column === 'decision'
          if (!mayStay || whole.kind === 'broken') {
            expect({ quick, kind: whole.kind }).toEqual({ quick: false, kind: 'broken' })
          }
        }
        await restore(table)
      }),
      { numRuns: 3 },
    )
    expect(found).toBeGreaterThan(0)
  })

  test('sees that the first of two reports of a run was forgotten, or invented', async () => {
    for (const statement of [
      'update outcome set earlier = null where earlier is not null returning ledger',
      'update outcome set earlier = 1 where earlier is null returning ledger',
    ]) {
      const changed = await site.query<{ ledger: string }>(statement)
      expect(changed.length).toBeGreaterThan(0)
      for (const { ledger: name } of changed) {
        const ledger = ledgers.find((each) => each.name === name)
        if (ledger === undefined) throw new Error(`no ledger ${name}`)
        const { quick, whole } = await said(site, ledger)
        expect({ quick, kind: whole.kind }, statement).toEqual({ quick: false, kind: 'broken' })
      }
      await restore('outcome')
    }
  })

  test.each(foldedTables)(
    'sees any row of %s that is gone, there twice, or another ledger’s',
    async (table) => {
      const gone = `delete from ${table} where ctid = $1::tid returning ledger`
      const twice = `insert into ${table} select * from ${table} where ctid = $1::tid returning ledger`
      const moved = `update ${table} set ledger = 'approving' where ctid = $1::tid and ledger <> 'approving' returning 'approving' as ledger`
      await fc.assert(
        fc.asyncProperty(fc.nat(), fc.constantFrom(gone, twice, moved), async (pick, statement) => {
          const rows = await site.query<{ ctid: string }>(`select ctid::text from ${table} order by ctid`)
          const changed = await site.query<{ ledger: string }>(statement, [rows[pick % rows.length]?.ctid])
          const ledger = ledgers.find(({ name }) => name === changed[0]?.ledger)
          if (ledger !== undefined) {
            const { quick, whole } = await said(site, ledger)
            expect({ quick, kind: whole.kind }).toEqual({ quick: false, kind: 'broken' })
          }
          await restore(table)
        }),
        { numRuns: 4 },
      )
    },
  )
})

describeOnOnePostgres('G5: the quick comparison where the beginning is archived', (postgres) => {
  let site: LedgerSite
  beforeAll(async () => {
    site = await ledgerSite(postgres)
  })
  afterAll(() => site.remove())

  test('leaves out what follows from archived records, and sees all other changes', async () => {
    const archived = await archivedSite(site, 'main')
    const { ledger } = archived
    const early = await ledger.decide(agent, refund(5, { callId: 'early', session: 's1' }))
    const rejected = await escalated(ledger, { callId: 'c1' })
    await archived.nextWeek()
    // Told of archived calls: an outcome, a vote, a second try.
    await ledger.reportOutcome(agent, early.id, { status: 'succeeded' })
    await ledger.expireOverdue()
    await ledger.decide(agent, refund(600, { callId: 'c1', approvalId: rejected }))
    await ledger.decide(agent, refund(6, { callId: 'late', session: 's1' }))
    const open = await escalated(ledger, { callId: 'c2' })
    await cast(ledger, voter('ann'), open, { vote: 'reject' })
    await archived.archive({ before: archived.before(6) })
    const [{ stop } = { stop: 0 }] = await site.query<{ stop: string }>(
      'select max(stop) as stop from archive_segment',
    )
    expect(Number(stop), 'it ends between the calls and what is told of them').toBe(3)
    await ledger.decide(agent, refund(7, { callId: 'last', session: 's2' }))
    expect(await said(site, ledger)).toMatchObject({ quick: true, whole: { kind: 'intact' } })

    for (const [table, statement] of [
      ['approval', `update approval set status = 'approved' where decision > ${stop}`],
      ['vote', 'delete from vote'],
      ['call', `update call set index = index + 1 where call_id = 'late'`],
      ['call', `delete from call where call_id = 'last'`],
      ['session_mark', `delete from session_mark where session = 's2'`],
      ['outcome', `insert into outcome select ledger, ${Number(stop) + 1}, index, status from outcome`],
    ] as const) {
      await site.query(`create table saved as table ${table}`)
      await site.query(statement)
      const { quick, whole } = await said(site, ledger)
      expect({ quick, kind: whole.kind }, statement).toEqual({ quick: false, kind: 'broken' })
      await site.query(`truncate ${table}; insert into ${table} table saved; drop table saved`)
    }
    expect(await said(site, ledger)).toMatchObject({ quick: true, whole: { kind: 'intact' } })

    // Of archived calls as well: nothing that was used can be less than nothing.
    await site.query('alter table counter_entry drop constraint counter_entry_amount_check')
    for (const amount of ['-2', '0', 'NaN', 'Infinity']) {
      await site.query(
        `insert into counter_entry (ledger, decision, key, counter, at, amount, window_ms, releasable)
          values ('main', 0, 'key', 'budgets[0]', now(), '${amount}', 86400000, false)`,
      )
      const { whole } = await said(site, ledger)
      expect(whole, amount).toMatchObject({
        problem: expect.stringContaining('is no amount that a call can use'),
      })
      await site.query('delete from counter_entry')
    }
    await ledger.close()
  })
})
