import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Ledger, loadPolicies, migrate, tryServiceLock } from '@bailiwick/store'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { makeTestDir, removeTestDir } from '../../../store/test/harness/data-dir.ts'
import { testDatabase, type TestDatabase } from '../../../store/test/harness/postgres.ts'
import { startNode } from '../harness/service-process.ts'
import { impatientClient, ServicePlace } from '../harness/service.ts'
import { cli, exampleFile } from './run-cli.ts'

const agent = 'customer-support-agent-v2'
const mover = fileURLToPath(new URL('../harness/mover-process.mjs', import.meta.url))

const refund = (amount: number) => ({ action: 'issue_refund', params: { amount } })

describe('bailiwick migrate-to', () => {
  let place: ServicePlace
  let target: TestDatabase
  beforeEach(async () => {
    vi.stubEnv('BAILIWICK_ALLOW_UNSAFE', '1') // The tests' server does not sync.
    place = await ServicePlace.make()
    target = await testDatabase()
  })
  afterEach(async () => {
    await place.remove()
    await target.drop()
  })

  const migrateTo = (...args: readonly string[]) =>
    cli(['migrate-to', target.url, '--data', place.dataDir, ...args])

  test('moves the log of an embedded database to a server, where the service goes on; the old place is closed', async () => {
    const before = await place.start()
    const key = await place.createKey()
    const first = await impatientClient(before.url, key).check('issue_refund', { amount: 20 })
    const busy = await migrateTo('--json')
    expect(busy).toMatchObject({ code: 2, json: { error: { code: 'conflict' } } })
    expect((await impatientClient(before.url, key).check('issue_refund', { amount: 21 })).effect).toBe(
      'allow',
    )
    await before.stop()

    const moved = await migrateTo('--json')
    expect(moved).toMatchObject({ code: 0 })
    expect(moved.json).toMatchObject({
      size: expect.any(Number),
      root: expect.stringMatching(/^[0-9a-f]{64}$/),
    })
    expect(moved.err).toContain('the log at the target is verified')
    expect(moved.out + moved.err).not.toContain('postgresql://')
    expect(await place.postgresPid()).toBeUndefined()

    const left = await cli(['log', 'verify', '--data', place.dataDir])
    expect(left).toMatchObject({ code: 2, out: '' })
    expect(left.err).toMatch(
      /the log `main` has moved to \S+; this one is closed; the \d+ records here agree/,
    )
    expect(left.err).toContain('Set DATABASE_URL to that server')

    // The key, the checkpoint and what was decided are there.
    const { size } = moved.json as { size: number }
    const after = await place.start({ databaseUrl: target.url })
    const client = impatientClient(after.url, key)
    expect((await client.check('issue_refund', { amount: 22 })).record.index).toBeGreaterThanOrEqual(size)
    const seen = await fetch(`${after.url}/v1/decisions/${first.id}`, {
      headers: { authorization: `Bearer ${key}` },
    })
    expect(await seen.json()).toMatchObject({ id: first.id, params: { amount: 20 } })
    await after.stop()
    const verified = await cli(['log', 'verify', '--data', place.dataDir, '--json'], {
      DATABASE_URL: target.url,
    })
    expect(verified).toMatchObject({ code: 0 })
    expect((verified.json as { checkpoint: { size: number } }).checkpoint.size).toBeGreaterThan(size)

    await expect(place.start()).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('moved'),
    })
    const again = await migrateTo()
    expect(again).toMatchObject({ code: 0 })
    expect(again.out).toContain('had moved to')
  })

  test('makes nothing where there is no log, and says what is wrong with the address', async () => {
    const none = await migrateTo('--json')
    expect(none).toMatchObject({ code: 2, json: { error: { code: 'not_found' } } })
    await place.start()
    const bad = await cli(['migrate-to', 'mysql://u:hunter2@h/d', '--data', place.dataDir])
    expect(bad.code).toBe(2)
    expect(bad.err).toContain('no PostgreSQL URL')
    expect(bad.err).not.toContain('hunter2')
  })
})

describe('moving a log', () => {
  let dataDir: string
  let source: TestDatabase
  let target: TestDatabase
  beforeEach(async () => {
    dataDir = await makeTestDir()
    source = await testDatabase()
    target = await testDatabase()
    await migrate(source.config)
  })
  afterEach(async () => {
    await source.drop()
    await target.drop()
    await removeTestDir(dataDir)
  })

  /** One decision at this side, as a service that is started on it would record it; undefined where it is refused. */
  async function decideAt({ config: connection }: TestDatabase): Promise<number | undefined> {
    const policies = await loadPolicies(exampleFile('policies'))
    const opening = Ledger.open({ connection, policies, dataDir, consoleUrl: 'http://127.0.0.1:7420' })
    const ledger = await opening.catch(() => undefined)
    try {
      return (await ledger?.decide(agent, refund(10)))?.record.index
    } finally {
      await ledger?.close()
    }
  }

  async function run(at: string): Promise<NodeJS.Signals | null> {
    const options = { source: source.config, target: target.config, from: 'here', to: 'there', dataDir }
    const child = startNode(mover, [JSON.stringify(options), at])
    child.stderr?.pipe(process.stderr)
    await once(child, 'exit')
    return child.signalCode
  }

  // The database notices a moment later that whoever moved the log is gone.
  async function untilAlone(): Promise<void> {
    await vi.waitUntil(async () => {
      const lock = await tryServiceLock(source.config)
      await lock?.release()
      return lock !== undefined
    })
  }

  test.each([
    ...['claimed', 'begun', 'closed', 'copying', 'copied', 'compared', 'verified'].map(
      (at) => [at, 'source'] as const,
    ),
    ...['decided', 'opened', 'finished'].map((at) => [at, 'target'] as const),
  ])(
    'that is killed with `kill -9` at `%s` leaves one side that takes records, the %s; run again, it comes to its end',
    async (at, side) => {
      for (let amount = 0; amount < 3; amount++) await decideAt(source)
      expect(await run(at)).toBe('SIGKILL')
      await untilAlone()
      // The wrong side is asked first, and after the right one.
      const [right, wrong] = side === 'source' ? [source, target] : [target, source]
      expect(await decideAt(wrong)).toBeUndefined()
      const index = await decideAt(right)
      expect(index).toBeGreaterThan(0)
      expect(await decideAt(wrong)).toBeUndefined()

      expect(await run('never')).toBeNull()
      expect(await decideAt(source)).toBeUndefined()
      expect(await decideAt(target)).toBe((index ?? 0) + 1)
    },
  )
})
