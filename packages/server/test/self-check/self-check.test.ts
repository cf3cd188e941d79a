import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Ledger } from '@bailiwick/store'
import type { Target } from '../../src/delivery/targets.ts'
import { SelfCheck } from '../../src/self-check/self-check.ts'
import { selfCheckSeconds } from '../../src/self-check/settings.ts'
import { HttpService, type Caller } from '../harness/http-service.ts'

const call = { action: 'issue_refund', params: { amount: 1 } }
const targets = new Map<string, Target>([
  ['pager', { kind: 'slack', url: new URL('https://hooks.example.com/pager'), allowPrivate: false }],
  ['chat', { kind: 'slack', url: new URL('https://hooks.example.com/chat'), allowPrivate: false }],
])

let service: HttpService
let agent: Caller
let lines: string[]

beforeEach(async () => {
  service = await HttpService.open()
  agent = await service.agent()
  lines = []
  for (let n = 0; n < 12; n++) await agent.post('/v1/decisions', call)
  await service.ledger.checkpoint()
})
afterEach(() => service.close())

function check(ledger = service.ledger, seconds: number | undefined = 10): SelfCheck {
  const links = { consoleUrl: 'http://console.test' }
  return new SelfCheck({
    ledger,
    targets,
    links,
    seconds,
    log: (line) => lines.push(line),
    oldRecordsPerRound: 5,
  })
}

async function rounds(checker: SelfCheck, count = 12): Promise<void> {
  for (let round = 0; round < count; round++) await checker.runOnce()
}

const sql = (text: string, values: unknown[] = []) => service.ledger.pool.query(text, values)
const alarms = async () =>
  (
    await sql(
      `select record_index::int as index, target from outbox where kind = 'log.broken' order by target`,
    )
  ).rows

describe('G5: the self-check', () => {
  test('finds nothing in a log that nobody touched, round after round, while it grows', async () => {
    const checker = check()
    for (let round = 0; round < 10; round++) {
      await agent.post('/v1/decisions', call)
      await checker.runOnce()
      if (round % 3 === 0) await service.ledger.checkpoint()
    }
    expect(service.ledger.halted).toBeUndefined()
    expect(lines).toEqual([])
    expect(await alarms()).toEqual([])
    expect((await service.anyone.get('/readyz')).status).toBe(200)
  })

  test.each([
    [
      'a changed record',
      `update log_batch set records = replace(records, '"allow"', '"deny"') where first = 7`,
      7,
    ],
    ['a changed payload', `update log_batch set bodies = replace(bodies, '1', '2') where first = 7`, 7],
    [
      'a changed salt',
      `update log_batch set salts = set_byte(salts, 0, get_byte(salts, 0) # 1) where first = 7`,
      7,
    ],
    ['a changed time', `update log_batch set at = at + interval '1 microsecond' where first = 7`, 7],
    ['a term that is gone', `delete from log_term where first = 7 and term like 'agent=%'`, 7],
    ['a record that is gone', 'delete from log_batch where first = 7', 7],
    [
      'records that changed places',
      'update log_batch set first = -first where first = 7; update log_batch set first = 7 where first = 8; update log_batch set first = 8 where first = -7',
      null,
    ],
    [
      'a last record that is gone',
      'delete from log_batch where first = (select max(first) from log_batch)',
      null,
    ],
    ['a head that was rewound', 'update ledger_head set size = size - 1', null],
    [
      'a head with other hashes',
      'update ledger_head set frontier = set_byte(frontier, 0, get_byte(frontier, 0) # 1)',
      null,
    ],
  ])('finds %s, halts, and tells every target once, also after a restart', async (_what, change, index) => {
    const checker = check()
    await checker.runOnce()
    await sql('alter table log_batch drop constraint if exists log_batch_pkey')
    await sql(change)
    await rounds(checker)
    expect(service.ledger.halted?.code).toBe('log_broken')
    expect(lines.join('\n')).toContain('the log is broken, and nothing is decided on it')
    const told = await alarms()
    expect(told.map(({ target }) => String(target))).toEqual(['chat', 'pager'])
    if (index !== null) expect(told[0]).toMatchObject({ index })
    // The same trouble, found by the next starts: verifying everything may name an earlier place, and then no other.
    const counts: number[] = []
    for (let start = 0; start < 2; start++) {
      const restarted = await service.otherLedger().catch((fault: unknown) => fault)
      if (restarted instanceof Ledger) {
        expect(restarted.halted?.code).toBe('log_broken')
        await rounds(check(restarted), 3)
        expect(restarted.halted?.code).toBe('log_broken')
        await restarted.close()
      } else {
        // What contradicts the published checkpoint is not opened at all.
        expect(restarted).toMatchObject({ code: 'log_broken' })
      }
      counts.push((await alarms()).length)
    }
    expect(counts[0]).toBeLessThanOrEqual(told.length + targets.size)
    expect(counts[1]).toBe(counts[0])
  })

  test('finds a row that begins inside a batch, wherever one reading ends and the next begins', async () => {
    for (let n = 0; n < 6; n++) {
      await Promise.all(Array.from({ length: 4 }, () => agent.post('/v1/decisions', call)))
    }
    const { rows: batches } = await sql(
      `select first::int as first, length(leaf_hashes) / 32 as count from log_batch where length(leaf_hashes) > 32 order by first`,
    )
    expect(batches.length).toBeGreaterThan(1)
    for (const batch of batches) {
      const forged = batch.first + 1
      const other = await service.otherLedger()
      await sql(
        `insert into log_batch (ledger, first, at, leaf_hashes, records, salts, bodies)
        select ledger, $2, at, leaf_hashes, records, salts, bodies from log_batch where first = $1`,
        [batch.first, forged],
      )
      await rounds(check(other), 40)
      expect(other.halted?.code, `row ${forged}`).toBe('log_broken')
      await sql('delete from log_batch where first = $1', [forged])
      expect(await other.resume()).toMatchObject({ kind: 'intact' })
      await other.close()
    }
  })

  test('halts where the published checkpoint is of another log, and where it is none', async () => {
    await writeFile(join(service.dir, 'checkpoints', 'main.checkpoint'), 'x')
    await rounds(check(), 2)
    expect(service.ledger.halted?.code).toBe('log_broken')
    expect(await alarms()).toHaveLength(2)
  })

  test('once halted, nothing is decided, voted, reported or signed, and readiness says why', async () => {
    const { body: before } = await agent.post('/v1/decisions', call)
    const { body: open } = await agent.post('/v1/decisions', {
      action: 'issue_refund',
      params: { amount: 600 },
    })
    const person = await service.person()
    const checker = check()
    await sql('delete from log_batch where first = 5')
    await rounds(checker)
    const answers = [
      await agent.post('/v1/decisions', call),
      await agent.post(`/v1/decisions/${before.id}/outcome`, { status: 'succeeded' }),
      await person.vote(open.approval.id, { vote: 'approve' }),
      await service.anyone.get('/v1/log/checkpoint'),
      await service.anyone.get('/readyz'),
    ]
    for (const { status, body } of answers) {
      expect({ status, type: body.type }).toEqual({ status: 503, type: 'urn:bailiwick:problem:log_broken' })
      expect(body.detail).toContain('record 5 is missing')
      expect(body.fix).toContain('bailiwick log verify')
    }
    expect((await service.anyone.get('/healthz')).status).toBe(200)
    expect((await agent.get(`/v1/decisions/${before.id}`)).status).toBe(200)
  })

  test('after a restart verifies all of it, and goes on only where the log was mended', async () => {
    await sql('create table kept as select * from log_batch where first = 5')
    await sql('delete from log_batch where first = 5')
    await rounds(check())
    const stillBroken = await service.otherLedger()
    await rounds(check(stillBroken), 3)
    await expect(
      stillBroken.note({ kind: 'access', event: 'key_created', subject: 'k', grants: [] }),
    ).rejects.toThrow('the log is broken')
    await stillBroken.close()

    await sql('insert into log_batch select * from kept')
    // With the self-check switched off, a log that was found broken is verified all the same.
    for (const seconds of [undefined, 10]) {
      const mended = await service.otherLedger()
      if (seconds === undefined) expect(mended.halted?.code).toBe('log_broken')
      await rounds(check(mended, seconds), 3)
      expect(mended.halted).toBeUndefined()
      await mended.note({ kind: 'access', event: 'key_created', subject: 'k', grants: [] })
      await mended.close()
    }
  })

  test('takes a database that cannot be read for no answer: it says so, and halts nothing', async () => {
    const checker = check()
    await service.ledger.pool.end()
    await expect(checker.runOnce()).rejects.toThrow()
    expect(service.ledger.halted).toBeUndefined()
    const mark = join(service.dir, 'checkpoints', 'main.broken')
    await expect(readFile(mark)).rejects.toMatchObject({ code: 'ENOENT' })
  })
})

test('BAILIWICK_SELF_CHECK is off, or a number of seconds', () => {
  expect(selfCheckSeconds({})).toBe(10)
  expect(selfCheckSeconds({ BAILIWICK_SELF_CHECK: '' })).toBe(10)
  expect(selfCheckSeconds({ BAILIWICK_SELF_CHECK: '3600' })).toBe(3600)
  expect(selfCheckSeconds({ BAILIWICK_SELF_CHECK: 'off' })).toBeUndefined()
  for (const text of ['0', '-1', '1.5', 'on', '86401', '1e3', ' 5']) {
    expect(() => selfCheckSeconds({ BAILIWICK_SELF_CHECK: text }), text).toThrow('neither `off` nor')
  }
})
