import type { LogRecord, StoredEntry } from '@bailiwick/core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { ColdFolds } from '../src/archive/cold-folds.ts'
import { verifyStoredArchive } from '../src/archive/verify-stored-archive.ts'
import { foldedTables } from '../src/verify/stored-facts.ts'
import { archivedSite, day, type ArchivedSite } from './harness/archived.ts'
import {
  agent,
  cast,
  faultOf,
  knows,
  ledgerSite,
  minute,
  policiesOf,
  voter,
  type LedgerSite,
} from './harness/ledger.ts'
import { describeOnOnePostgres } from './harness/postgres.ts'
import { refundFor } from './harness/uses.ts'

const policy = `
agent_id: ${agent}
allowed_actions: [issue_refund, send_mail, read_page, close_account]
facts:
  refund_amount: { type: number, from: params.amount, for: issue_refund }
actions:
  read_page: { labels: [untrusted] }
budgets:
  - { id: monthly, on: issue_refund, sum: refund_amount, per: context.customer, window: 30d, max: 1000, effect: deny }
rates:
  - { id: calm, on: send_mail, max: 9, window: 30d, effect: deny }
rules:
  - { id: people-agree, on: close_account, effect: escalate, action: human_approval_required }
flows:
  - { id: no-exfiltration, after: { label: untrusted }, on: send_mail, effect: deny }
approvals:
  human_approval_required: { approvers: ["role:approver"], deadline: 4h, remind: [1h], standing: { uses: 5, lasts: 8h, may_differ: {} } }
`

describeOnOnePostgres('G1: a suspension whose row is gone', (postgres) => {
  test('archives nothing, so that its record stays where verification reads it', async () => {
    const site = await ledgerSite(postgres)
    const archived = await archivedSite(site, 'main', policiesOf(policy))
    const { ledger } = archived
    await ledger.changeSuspension({ agent, state: 'suspended', reason: 'odd refunds', by: 'operator' })
    await archived.nextWeek()
    await archived.nextWeek()
    await site.query('create table saved as table agent_suspension')
    await site.query('delete from agent_suspension')
    const fault = await faultOf(archived.archive())
    expect(fault).toMatchObject({
      code: 'log_broken',
      message: expect.stringContaining(`suspension of ${agent}`),
    })
    expect(await ledger.verify()).toMatchObject({ kind: 'broken' })
    await site.query('insert into agent_suspension table saved')
    expect((await archived.archive()).segments).toHaveLength(1)
    expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
    await site.query('delete from agent_suspension')
    expect(await ledger.verify(), 'it was recorded again').toMatchObject({ kind: 'broken' })
    await ledger.close()
    await site.remove()
  })
})

describeOnOnePostgres('G5: what archived calls left in the tables that deciding reads', (postgres) => {
  let site: LedgerSite
  let archived: ArchivedSite
  let first: number

  const closeAccount = { action: 'close_account', params: { account: 'A-1' } }
  const asked = async (callId: string) =>
    (await archived.ledger.decide(agent, { ...closeAccount, callId })).approval?.id ?? ''

  beforeAll(async () => {
    site = await ledgerSite(postgres)
    archived = await archivedSite(site, 'main', policiesOf(policy))
    const { ledger } = archived
    await knows(ledger, voter('ann'))
    await knows(ledger, voter('kim'))
    const spent = await ledger.decide(agent, refundFor('c1', 20, { callId: 'r1' }))
    first = spent.record.index
    await ledger.reportOutcome(agent, spent.id, { status: 'unknown' })
    await ledger.reportOutcome(agent, spent.id, { status: 'succeeded' })
    const failed = await ledger.decide(agent, refundFor('c1', 30))
    await ledger.reportOutcome(agent, failed.id, { status: 'failed' })
    const fine = await ledger.decide(agent, refundFor('c3', 0.003_333_333_333_333_333_5))
    expect(fine.effect).toBe('allow')
    await Promise.all(
      [1, 2, 3].map(() => ledger.decide(agent, { action: 'send_mail', params: {}, session: 's2' })),
    )
    await ledger.decide(agent, { action: 'read_page', params: {}, session: 's1' })
    await cast(ledger, voter('ann'), await asked('a1'), { vote: 'reject' })
    const granted = await asked('a2')
    const until = new Date(site.clock.now() + 60 * minute).toISOString()
    await cast(ledger, voter('ann'), granted, { vote: 'approve', standing: { uses: 5, until } })
    expect(await ledger.decide(agent, { ...closeAccount, approvalId: granted })).toMatchObject({
      effect: 'allow',
    })
    expect(await ledger.decide(agent, closeAccount)).toMatchObject({ effect: 'allow' })
    const leave = { starts: '2026-01-01T00:00:00Z', ends: '2026-12-01T00:00:00Z', reason: 'leave' }
    await ledger.delegations.give({
      from: 'ann@example.com',
      to: 'kim@example.com',
      by: 'operator',
      ...leave,
    })
    await archived.nextWeek()
    await archived.nextWeek()
    await archived.archive()
    // What follows is in the database.
    await ledger.decide(agent, refundFor('c1', 5, { callId: 'r2' }))
    for (const table of foldedTables) await site.query(`create table saved_${table} as table ${table}`)
  })
  afterEach(async () => {
    for (const table of foldedTables)
      await site.query(`truncate ${table}; insert into ${table} table saved_${table}`)
    expect(await readBack()).toMatchObject({ verified: true })
  })
  afterAll(async () => {
    await archived.ledger.close()
    await site.remove()
  })

  const readBack = () =>
    verifyStoredArchive({
      connection: site.database.config,
      ledger: 'main',
      env: {},
      now: site.clock.now(),
    })

  /** What is changed of archived calls shows when the archive is read back, and not before. */
  const isFound = async (statement: string, says: string) => {
    const changed = await site.query(`${statement} returning 1`)
    expect(changed.length, statement).toBeGreaterThan(0)
    expect(await archived.ledger.verify(), statement).toMatchObject({ kind: 'intact' })
    const fault = await faultOf(readBack())
    expect(fault.code).toBe('log_broken')
    expect(fault.message).toContain(says)
  }

  test.each([
    [
      'a use of a budget that is gone',
      `delete from counter_entry where releasable and amount = 20`,
      'counter_entry',
    ],
    ['a use of a budget, lowered', `update counter_entry set amount = 1 where amount = 20`, 'counter_entry'],
    [
      'a use of a budget, somebody else’s',
      `update counter_entry set key = sha256('c2') where amount = 20`,
      'counter_entry',
    ],
    [
      'a use of a budget, older',
      `update counter_entry set at = at - interval '1 day' where amount = 20`,
      'counter_entry',
    ],
    [
      'a use of a budget, counted for less time',
      `update counter_entry set window_ms = 1 where amount = 20`,
      'counter_entry',
    ],
    ['a use of a rate that is gone', `delete from counter_entry where not releasable`, 'counter_entry'],
    [
      'a use of a rate, lowered',
      `update counter_entry set amount = 0.5 where not releasable`,
      'counter_entry',
    ],
    [
      'a label of a session that is forgotten',
      `delete from session_mark where kind = 'label'`,
      'session_mark',
    ],
    [
      'an action of a session that is forgotten',
      `delete from session_mark where kind = 'action'`,
      'session_mark',
    ],
    ['a call id that can be used again', `delete from call where call_id = 'r1'`, 'call'],
    ['a call id with another answer', `update call set index = index + 1 where call_id = 'r1'`, 'call'],
    [
      'a rejected approval that is approved',
      `update approval set status = 'approved' where status = 'rejected'`,
      'approval',
    ],
    [
      'an approval that was used, approved again',
      `update approval set status = 'approved', consumed_by = null where status = 'consumed'`,
      'approval',
    ],
    ['a vote of somebody else', `update vote set person = 'eve@example.com'`, 'vote'],
    ['a use of a standing grant, given back', `delete from standing_use`, 'standing_use'],
    ['a standing grant for more uses', `update standing_grant set uses = 50`, 'standing_grant'],
    ['a delegation for longer', `update delegation set ends_at = '2029-01-01'`, 'delegation'],
    ['an outcome that is gone', `delete from outcome where status = 'succeeded'`, 'outcome'],
  ])('%s', async (_what, statement, table) => {
    await isFound(statement, `\`${table}\``)
  })

  test('a use of more decimal places than are added up', async () => {
    await isFound('update counter_entry set amount = 0.0033 where amount < 0.01', '`counter_entry`')
    await site.query('truncate counter_entry; insert into counter_entry table saved_counter_entry')
    await isFound('delete from counter_entry where amount < 0.01', '`counter_entry`')
    await site.query('truncate counter_entry; insert into counter_entry table saved_counter_entry')
    await isFound('update counter_entry set amount = 1e300 where amount < 0.01', '`counter_entry`')
  })

  test('a suspension whose record was archived, and of which no later record speaks', async () => {
    const options = { connection: site.database.config, now: site.clock.now() }
    const entry = { payload: 'none' } as StoredEntry
    const said = (state: 'suspended' | 'active', index: number) =>
      ({ kind: 'suspension', agent: 'mallory', state, index }) as LogRecord
    for (const isOver of [true, false]) {
      const folds = await ColdFolds.begin('main', options)
      folds.take(said('suspended', 0), entry)
      if (isOver) folds.take(said('active', 1), entry)
      // The tables have been compared with nothing: that is said only where no suspension is missed.
      const problem = isOver
        ? /^`\w+` has a row/
        : /^the suspension of mallory, record 0, was archived and not/
      expect(() => folds.check()).toThrow(problem)
      folds.close()
    }
  })

  test('a row that no record accounts for', async () => {
    await isFound(
      `insert into call (ledger, agent, call_id, index) values ('main', '${agent}', 'never', 1)`,
      '`call` has a row that no record accounts for',
    )
  })

  test('a table that is gone: nothing is called verified', async () => {
    await site.query('alter table archive_leaf rename to away')
    await expect(readBack()).rejects.toThrow('archive_leaf')
    await site.query('alter table away rename to archive_leaf')
  })

  test('a row that says what no record can', async () => {
    await isFound(
      `update approval set cancelled_by = 3 where status = 'consumed'`,
      'a row of a table that is folded from the records says what no record can say',
    )
  })

  describe('where an archived payload was erased, and nobody knows the key any more,', () => {
    beforeAll(() =>
      archived.ledger.erase({ target: { decision: `dec_${first}` }, reason: 'asked for', by: 'operator' }),
    )

    test('is found as before, but for whom it counts', async () => {
      const others = (amount: string) => `update counter_entry set amount = ${amount} where amount = 20`
      await isFound(others('19'), '`counter_entry`')
      await site.query('truncate counter_entry; insert into counter_entry table saved_counter_entry')
      await isFound(others('21'), '`counter_entry`')
      await site.query('truncate counter_entry; insert into counter_entry table saved_counter_entry')
      await isFound('delete from counter_entry where amount = 20', '`counter_entry`')
      await site.query('truncate counter_entry; insert into counter_entry table saved_counter_entry')
      await site.query(`update counter_entry set key = sha256('c2') where amount = 20`)
      expect(await readBack()).toMatchObject({ verified: true })
    })
  })

  test('what no counter counts any more may be gone, and is not more', async () => {
    site.clock.advance(31 * day)
    await site.query('update counter_entry set amount = amount + 1 where amount = 20')
    expect((await faultOf(readBack())).message).toContain('`counter_entry`')
    await site.query(`delete from counter_entry where at < now() + interval '100 years' and amount <> 5`)
    expect(await readBack()).toMatchObject({ verified: true })
  })
})
