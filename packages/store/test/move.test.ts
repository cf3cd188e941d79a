import { randomBytes } from 'node:crypto'
import { readdir, rm } from 'node:fs/promises'
import path from 'node:path'
import { Fault } from '@bailiwick/core'
import pg from 'pg'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Access } from '../src/access.ts'
import { tryArchiveTurns } from '../src/archive/turns.ts'
import { whileConnected } from '../src/engine/one-connection.ts'
import { tryServiceShare } from '../src/engine/service-lock.ts'
import { Ledger, type LedgerOptions } from '../src/ledger.ts'
import { inSchema, migrate } from '../src/migrate.ts'
import { moveLog, type MoveOptions, type MoveStep } from '../src/move/move-log.ts'
import { PayloadKey } from '../src/sealing/payload-key.ts'
import { verifyStoredLog } from '../src/verify.ts'
import { makeTestDir, removeTestDir } from './harness/data-dir.ts'
import {
  cast,
  agent,
  escalated,
  faultOf,
  policiesOf,
  refund,
  supportPolicy,
  voter,
} from './harness/ledger.ts'
import { describeOnOnePostgres, testDatabase, type TestDatabase } from './harness/postgres.ts'

const budget = `
budgets:
  - { id: each, on: issue_refund, sum: refund_amount, window: 24h, max: 100000, effect: deny }
`
const tables = [
  'log_batch',
  'log_term',
  'call',
  'outcome',
  'approval',
  'vote',
  'counter_entry',
  'session_mark',
  'notice_cursor',
  'outbox',
  'api_key',
  'person',
]

describeOnOnePostgres('moving a log', (postgres) => {
  let dataDir: string
  let source: TestDatabase
  let target: TestDatabase
  const opened = new Set<Ledger>()

  beforeEach(async () => {
    dataDir = await makeTestDir()
    source = await postgres.createDatabase()
    // From one version of PostgreSQL to another, where there are two.
    const other = postgres.flavour === 'installed' ? 'npm' : 'installed'
    target = await testDatabase(other).catch(() => testDatabase())
    await migrate(source.config)
  })
  afterEach(async () => {
    await Promise.allSettled([...opened].map((ledger) => ledger.close()))
    opened.clear()
    await source.drop()
    await target.drop()
    await removeTestDir(dataDir)
  })

  async function open(
    database: TestDatabase,
    dir = dataDir,
    more: Partial<LedgerOptions> = {},
  ): Promise<Ledger> {
    const policies = policiesOf(supportPolicy(budget))
    const consoleUrl = 'http://console.test'
    const connection = database.config
    const options = { connection, policies, dataDir: dir, ledger: 'main', consoleUrl, ...more }
    const ledger = await Ledger.open(options)
    opened.add(ledger)
    return ledger
  }

  /** A log with something in every table that is moved. */
  async function lived(): Promise<Ledger> {
    const ledger = await open(source)
    const access = new Access(ledger)
    await access.createKey(agent)
    await access.setPerson('ann@example.com', ['approver'])
    await access.signIn(await access.createSignInToken('ann@example.com'))
    for (let amount = 1; amount <= 40; amount++) {
      const session = amount % 3 === 0 ? 'talk' : undefined
      const { id } = await ledger.decide(agent, refund(amount, { callId: `call-${amount}`, session }))
      if (amount % 2 === 0)
        await ledger.reportOutcome(agent, id, { status: 'succeeded', detail: 'it\'s "\\done\\"' })
    }
    const approval = await escalated(ledger, { callId: 'big' })
    await cast(ledger, voter('ann'), approval, { vote: 'approve', comment: 'fine, \u{1F600} {"a":1}' })
    await escalated(ledger, { callId: 'waits' })
    await query(source, `insert into notice_cursor values ('main', 'notices', 7)`)
    await query(
      source,
      `insert into outbox (id, ledger, record_index, kind, target, body) values ('m1', 'main', 3, 'k', 'slack', '{"a":"\\\\"}')`,
    )
    return ledger
  }

  const options = (more: Partial<MoveOptions> = {}): MoveOptions => ({
    source: source.config,
    target: target.config,
    from: 'the old place',
    to: 'the new place',
    dataDir,
    ...more,
  })
  const move = (more?: Partial<MoveOptions>) => moveLog(options(more))

  async function expectAlike(): Promise<void> {
    for (const table of tables) {
      const all = `select t::text as line from ${table} t order by t::text collate "C"`
      const here = await query(source, all)
      expect(here.length, table).toBeGreaterThan(0)
      expect(await query(target, all), table).toEqual(here)
    }
  }

  test('takes everything along, record by record, and leaves sessions behind; the log goes on there', async () => {
    const ledger = await lived()
    await ledger.close()
    const steps: MoveStep[] = []
    const progress: (readonly [number, number])[] = []
    const moved = await move({
      onStep: (step) => steps.push(step),
      onProgress: (done, all) => progress.push([done, all]),
    })
    expect(moved.before).toBe(false)
    expect(steps).toEqual([
      'claimed',
      'begun',
      'closed',
      'copied',
      'compared',
      'verified',
      'decided',
      'opened',
      'finished',
    ])
    const [done, all] = progress.at(-1) ?? []
    expect(done).toBe(all)
    await expectAlike()
    expect(await query(target, 'select from session')).toEqual([])

    const there = await open(target)
    expect((await there.head()).size).toBe(moved.size)
    const answer = await there.decide(agent, refund(1))
    expect(answer.record.index).toBe(moved.size)
    // What was decided before is known there: the call is not decided again.
    expect(await there.decide(agent, refund(7, { callId: 'call-7' }))).toMatchObject({ replayed: true })
    await there.close()
    // The same key signs, and what it signed before is contained.
    expect(await verifyStoredLog({ connection: target.config, dataDir })).toMatchObject({
      kind: 'intact',
      checkpoint: { size: moved.size + 1 },
    })
  })

  test('takes the keys of people along: what is sealed is read in the new place, and erased there', async () => {
    const payloadKey = new PayloadKey(randomBytes(32).toString('hex'))
    const sealing = { payloadKey, policies: policiesOf(supportPolicy('subject: context.customer')) }
    const ledger = await open(source, dataDir, sealing)
    await ledger.sealing.start()
    const { id } = await ledger.decide(agent, refund(7, { context: { customer: 'cu-ann' } }))
    await ledger.close()
    await move()
    const there = await open(target, dataDir, sealing)
    expect((await there.decision(id)).context).toEqual({ customer: 'cu-ann' })
    expect(await there.replay(id)).toMatchObject({ same: true })
    await there.erase({ target: { subject: 'cu-ann' }, reason: 'request 18', by: 'operator' })
    expect(await there.decision(id)).toMatchObject({ context: null, erased: true })
    expect(await there.verify()).toMatchObject({ kind: 'intact' })
  })

  test('closes the old place for whoever opens it, whoever has it open, and whatever writes to it', async () => {
    const ledger = await lived()
    const before = await head(source)
    await ledger.checkpoint()
    await move()
    expect(await faultOf(ledger.decide(agent, refund(5)))).toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('has moved to the new place'),
      fix: expect.stringContaining('DATABASE_URL'),
    })
    expect(await faultOf(ledger.checkpoint())).toMatchObject({ code: 'conflict' })
    expect(await faultOf(open(source))).toMatchObject({ code: 'conflict' })
    const elsewhere = path.join(dataDir, 'other')
    expect(await faultOf(open(source, elsewhere))).toMatchObject({ code: 'conflict' })
    await query(source, 'update ledger_head set size = size + 1')
    expect(await head(source)).toEqual(before)
  })

  test('leaves an old place that is broken where it was changed, and never called intact', async () => {
    const ledger = await lived()
    expect(await verifyStoredLog({ connection: source.config, dataDir })).toMatchObject({ kind: 'intact' })
    await ledger.close()
    const { size } = await move()
    const verified = (where = dataDir) => verifyStoredLog({ connection: source.config, dataDir: where })
    const left = await faultOf(verified())
    expect(left).toMatchObject({ code: 'conflict', fix: expect.stringContaining('DATABASE_URL') })
    expect(left.message).toMatch(
      new RegExp(
        `has moved to the new place; .* the ${size} records here .*, and with the checkpoint at ${size}$`,
      ),
    )
    const elsewhere = await faultOf(verified(path.join(dataDir, 'other')))
    expect(elsewhere.message).toMatch(new RegExp(`the ${size} records here agree with each other$`))
    const there = await open(target)
    await there.decide(agent, refund(5))
    await there.checkpoint()
    await there.close()
    const fault = await faultOf(verified())
    expect(fault).toMatchObject({ code: 'conflict', fix: expect.stringContaining('DATABASE_URL') })
    expect(fault.message).toContain(
      `the ${size} records here agree with each other, and the checkpoint counts`,
    )
    await query(source, `update log_batch set records = replace(records, '"allow"', '"deny"')`)
    expect(await verified()).toMatchObject({ kind: 'broken' })
  })

  test('done again says that it was done, and changes nothing', async () => {
    await (await lived()).close()
    const { size, root } = await move()
    const there = await open(target)
    await there.decide(agent, refund(1))
    expect(await move()).toEqual({ size: size + 1, root: expect.not.stringMatching(root), before: true })
    // To a third place it cannot go from here: it is not here any more.
    const third = await testDatabase()
    expect(await faultOf(move({ target: third.config }))).toMatchObject({ code: 'conflict' })
    await third.drop()
  })

  test('loses nothing that was acknowledged while it began, whoever goes on calling', async () => {
    const ledger = await lived()
    await ledger.checkpoint()
    let over = false
    const acknowledged: string[] = []
    const refused: unknown[] = []
    const callers = Array.from({ length: 16 }, async (_, caller) => {
      for (let n = 0; !over; n++) {
        const decided = ledger.decide(agent, refund(1, { callId: `${caller}-${n}` }))
        await decided.then(
          ({ id }) => acknowledged.push(id),
          (fault: unknown) => refused.push(fault),
        )
        if (refused.length > 0) await new Promise((resolve) => setImmediate(resolve))
      }
    })
    await move()
    over = true
    await Promise.all(callers)
    expect(acknowledged.length).toBeGreaterThan(0)
    expect(refused.length).toBeGreaterThan(0)
    expect(refused.every((fault) => fault instanceof Fault)).toBe(true)
    await expectAlike()
    const there = await open(target)
    for (const id of acknowledged) expect((await there.decision(id)).effect).toBe('allow')
  })

  describe('that fails', () => {
    const early = ['claimed', 'begun', 'closed', 'compared', 'verified', 'copied'] as const
    test.each(postgres.flavour === 'installed' ? early : early.slice(-1))(
      'after the step `%s` leaves the log where it is, open for those who have it open, and a later run takes over',
      async (at) => {
        const ledger = await lived()
        await ledger.checkpoint()
        const onStep = (step: MoveStep) => {
          if (step === at) throw new Error('stopped here')
        }
        await expect(move({ onStep })).rejects.toThrow('stopped here')
        expect(await faultOf(open(target))).toMatchObject({ code: 'store_unavailable' })
        // What has been copied may not be what is there any more: a payload was erased, and a message delivered.
        await ledger.decide(agent, refund(9, { callId: 'since' }))
        const [settled] = (await query(
          source,
          `select split_part(split_part(record, '"decision":"', 2), '"', 1) as id from log_entry where kind = 'outcome' order by index limit 1`,
        )) as { id: string }[]
        await ledger.erase({ target: { decision: settled?.id ?? '' }, reason: 'asked for', by: 'operator' })
        const { size } = await ledger.head()
        await query(source, `update outbox set id = 'm2'`)
        await ledger.close()
        expect(await move()).toMatchObject({ size, before: false })
        await expectAlike()
        expect((await (await open(target)).decide(agent, refund(9))).effect).toBe('allow')
      },
    )

    test('after it was decided leaves the log at the target, which opens by itself', async () => {
      const ledger = await lived()
      await ledger.close()
      const onStep = (step: MoveStep) => {
        if (step === 'decided') throw new Error('stopped here')
      }
      await expect(move({ onStep })).rejects.toThrow('stopped here')
      expect(await faultOf(open(source))).toMatchObject({ code: 'conflict' })
      // Another data directory does not know.
      expect(await faultOf(open(target, path.join(dataDir, 'other')))).toMatchObject({
        code: 'store_unavailable',
      })
      expect((await (await open(target)).decide(agent, refund(3))).effect).toBe('allow')
      expect((await move()).before).toBe(true)
    })
  })

  describe('is refused', () => {
    test('where a service runs on the log, which goes on', async () => {
      const ledger = await lived()
      await ledger.checkpoint()
      const service = await tryServiceShare(source.config)
      expect(await faultOf(move())).toMatchObject({
        code: 'conflict',
        fix: expect.stringContaining('Stop every service'),
      })
      expect((await ledger.decide(agent, refund(1))).effect).toBe('allow')
      await service?.release()
      expect((await move()).before).toBe(false)
    })

    test('where somebody archives or erases in the archive, and they where it is being moved', async () => {
      await (await lived()).close()
      await whileConnected(new pg.Client(inSchema(source.config)), async (client) => {
        expect(await tryArchiveTurns(client, 'main')).toBe(true)
        expect(await faultOf(move())).toMatchObject({
          code: 'conflict',
          message: expect.stringContaining('somebody archives this log'),
        })
      })
      let others: boolean | undefined
      const onStep = async (step: MoveStep) => {
        if (step !== 'copied') return
        others = await whileConnected(new pg.Client(inSchema(source.config)), (client) =>
          tryArchiveTurns(client, 'main'),
        )
      }
      const seen: Promise<void>[] = []
      await move({ onStep: (step) => void seen.push(onStep(step)) })
      await Promise.all(seen)
      expect(others).toBe(false)
    })

    test('where the target has a log, or keys of another one', async () => {
      await (await lived()).close()
      await migrate(target.config)
      const otherDir = path.join(dataDir, 'other')
      const there = await open(target, otherDir)
      await there.decide(agent, refund(1))
      const before = await head(target)
      expect(await faultOf(move())).toMatchObject({
        code: 'conflict',
        message: 'the new place already has a log `main`, which is open',
        // Nobody is told to drop a log that is in use.
        fix: expect.not.stringContaining('drop'),
      })
      expect(await head(target)).toEqual(before)
      await query(target, 'delete from ledger_head')
      await query(target, `insert into person values ('bob@example.com', '{}', now())`)
      expect(await faultOf(move())).toMatchObject({
        code: 'conflict',
        message: expect.stringContaining('`person`'),
      })
      expect((await (await open(source)).decide(agent, refund(1))).effect).toBe('allow')
    })

    test('onto itself', async () => {
      await (await lived()).close()
      expect(await faultOf(move({ target: source.config }))).toMatchObject({ code: 'conflict' })
      expect((await (await open(source)).decide(agent, refund(1))).effect).toBe('allow')
    })

    test('where there is no log, or the data directory is another one', async () => {
      expect(await faultOf(move())).toMatchObject({ code: 'not_found' })
      await (await lived()).close()
      const other = await makeTestDir()
      expect(await faultOf(move({ dataDir: other }))).toMatchObject({
        code: 'not_found',
        fix: expect.stringContaining('--data'),
      })
      expect(await readdir(other)).toEqual([])
      await rm(other, { recursive: true })
    })

    test('where the log is broken, or behind its checkpoint', async () => {
      const ledger = await lived()
      await ledger.close()
      await query(source, `update log_batch set records = replace(records, 'allow', 'deny') where first = 6`)
      expect(await faultOf(move())).toMatchObject({
        code: 'log_broken',
        message: expect.stringContaining('record'),
      })
      expect(await query(source, 'select move_state from ledger_head')).toEqual([{ move_state: null }])
      await query(source, `update ledger_head set size = 1`)
      expect(await faultOf(move())).toMatchObject({ code: 'log_broken' })
    })
  })

  test('of an attempt that was begun with another data directory is settled by that one only', async () => {
    await (await lived()).close()
    await query(
      source,
      `update ledger_head set move_id = 'x', move_state = 'leaving', move_other = 'the new place'`,
    )
    const fault = await faultOf(open(source))
    expect(fault).toMatchObject({ code: 'conflict', message: expect.stringContaining('does not know') })
  })

  async function query(database: TestDatabase, text: string): Promise<unknown[]> {
    const client = new pg.Client(inSchema(database.config))
    await client.connect()
    try {
      return (await client.query<Record<string, unknown>>(text)).rows
    } finally {
      await client.end()
    }
  }

  const head = (database: TestDatabase) => query(database, 'select size, frontier from ledger_head')
})
