import { cp, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { inSchema } from '../../../store/src/migrate.ts'
import { cutTail } from '../../../store/test/harness/rewriting.ts'
import { agentId } from '../harness/policies.ts'
import { ServicePlace } from '../harness/service.ts'
import { cli } from './run-cli.ts'

let place: ServicePlace
let elsewhere: string
let pool: pg.Pool
const env = () => ({ BAILIWICK_CHECKPOINT_DIR: elsewhere, BAILIWICK_ANCHOR_SECONDS: '3600' })

beforeAll(async () => {
  place = await ServicePlace.onServer()
  elsewhere = join(place.dir, 'elsewhere')
  await (await place.start({ env: env() })).stop()
  pool = new pg.Pool(inSchema({ connectionString: place.databaseUrl }))
})
afterAll(async () => {
  await pool.end()
  await place.remove()
})

const decide = (count: number) =>
  place.onLedger(async (ledger) => {
    for (let at = 0; at < count; at++) {
      await ledger.decide(agentId, { action: 'issue_refund', params: { amount: 20 + at } })
    }
    return await ledger.checkpoint()
  })
const published = () => join(place.dataDir, 'checkpoints', 'main.checkpoint')
const log = (args: readonly string[], more: Record<string, string> = {}) =>
  cli(['log', ...args, '--data', place.dataDir], { DATABASE_URL: place.databaseUrl ?? '', ...more })

test('an old checkpoint that was put back, with the log cut off behind it, is found by the copies alone', async () => {
  const old = await decide(3)
  const size = Number(old.split('\n')[1])
  const note = await decide(4)
  const copy = join(elsewhere, 'main.checkpoint')
  await mkdir(elsewhere, { recursive: true })
  await writeFile(copy, note)
  expect((await log(['verify'], env())).code).toBe(0)
  await (await place.start({ env: env() })).stop()
  await cp(published(), copy)

  const query = async (text: string, values?: readonly unknown[]) =>
    (await pool.query(text, values === undefined ? [] : [...values])).rows
  await cutTail({ query }, 'main', size)
  await writeFile(published(), old)
  await decide(1)

  // Whoever looks at what lies here finds nothing wrong.
  expect((await log(['verify'])).code).toBe(0)
  const verified = await log(['verify', '--json'], env())
  expect(verified.code).toBe(1)
  expect(verified.json).toMatchObject({ intact: false })
  const grown = await log(['consistency', copy, String(size), '--json'])
  expect(grown.code).toBe(1)
  expect(grown.json).toMatchObject({ consistent: false })
  await expect(place.start({ env: env() })).rejects.toMatchObject({
    code: 'log_broken',
    message: expect.stringContaining('elsewhere/main.checkpoint'),
  })
  expect(await readFile(copy, 'utf8')).not.toBe(old)
})
