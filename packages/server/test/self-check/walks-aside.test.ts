import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type * as Store from '@bailiwick/store'
import { SelfCheck } from '../../src/self-check/self-check.ts'
import { HttpService, type Caller } from '../harness/http-service.ts'

// As it was built: sources have no thread.
const built = new URL('../../../store/dist/index.js', import.meta.url)
const { canWalkAside, WalksAside } = (await import(built.href)) as typeof Store

const call = { action: 'issue_refund', params: { amount: 1 } }
let service: HttpService
let agent: Caller
let aside: Store.WalksAside

beforeEach(async () => {
  service = await HttpService.open()
  agent = await service.agent()
  for (let n = 0; n < 12; n++) await agent.post('/v1/decisions', call)
  await service.ledger.checkpoint()
  aside = new WalksAside({ connection: { connectionString: service.database.url }, ledger: 'main' })
})
afterEach(async () => {
  await aside.close()
  await service.close()
})

describe('A walk in a thread of its own', () => {
  test('verifies step by step to the end of the log, and goes on as it grows', async () => {
    expect(canWalkAside()).toBe(true)
    const walk = aside.walk()
    const published = await service.ledger.checkpoints.published()
    const { size } = await service.ledger.head()
    let verified = 0
    for (let isAtEnd = false; !isAtEnd;) {
      const step = await walk.step(5, published)
      expect(step.broken).toBeUndefined()
      verified += step.verified
      isAtEnd = step.isAtEnd
    }
    expect(verified).toBe(size)
    await agent.post('/v1/decisions', call)
    expect(await walk.step(5, published)).toMatchObject({ verified: 1, isAtEnd: true })
  })

  test('finds what is broken, and the self-check on it halts the ledger', async () => {
    const checker = new SelfCheck({
      ledger: service.ledger,
      targets: new Map(),
      links: { consoleUrl: 'http://console.test' },
      seconds: 10,
      log: () => undefined,
      walk: (from) => aside.walk(from),
    })
    await checker.runOnce()
    expect(service.ledger.halted).toBeUndefined()
    await service.ledger.pool.query(`update log_batch set bodies = replace(bodies, '1', '2') where first = 7`)
    for (let round = 0; round < 4; round++) await checker.runOnce()
    expect(service.ledger.halted).toMatchObject({ code: 'log_broken' })
  })

  test('says that the archive is no archive, as a walk in the same thread does', async () => {
    await service.ledger.pool.query(
      `insert into archive_segment (ledger, first, stop, index, store, manifest, payloads) values ('main', 0, 3, 5, 'file:///nowhere', '{}', '{}')`,
    )
    await expect(aside.walk().step(5)).rejects.toMatchObject({ code: 'log_broken' })
    const lines: string[] = []
    const checker = new SelfCheck({
      ledger: service.ledger,
      targets: new Map(),
      links: { consoleUrl: 'http://console.test' },
      seconds: 10,
      log: (line) => lines.push(line),
      walk: (from) => aside.walk(from),
    })
    await checker.runOnce()
    expect(service.ledger.halted).toMatchObject({ code: 'log_broken' })
  })

  test('asks nothing of a thread that was ended, so that a stop waits for nobody', async () => {
    const walk = aside.walk()
    await walk.step(1)
    await aside.close()
    await expect(walk.step(1)).rejects.toThrow('was ended')
  })

  test('is started anew where its thread ends, and the end of one thread fails nothing that was asked of the next', async () => {
    // No tree of three records is without a hash: the thread does not survive it.
    const impossible = aside.walk({ size: 3, hashes: [] })
    await expect(impossible.step(1)).rejects.toThrow('instead of 64')
    // The next thread is asked as soon as the first one's error is known, which is before it has ended.
    expect((await aside.walk().step(5)).verified).toBeGreaterThan(0)
    await expect(impossible.step(1)).rejects.toThrow('instead of 64')
  })

  test('that cannot read says so, and goes on where it was', async () => {
    const walk = aside.walk()
    await walk.step(1)
    await service.ledger.pool.query(`alter table log_batch rename to hidden`)
    await expect(walk.step(5)).rejects.toMatchObject({ code: '42P01' })
    await service.ledger.pool.query(`alter table hidden rename to log_batch`)
    expect((await walk.step(5)).broken).toBeUndefined()
  })
})
