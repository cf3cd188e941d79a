import { readFile, stat, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { getRequestListener } from '@hono/node-server'
import { createLogKey, loadLogKey, openCheckpoint, signCheckpoint, systemPorts } from '@bailiwick/core'
import { Access, ApprovalWaits, Ledger, loadPolicies, migrate } from '@bailiwick/store'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { makeTestDir, removeTestDir } from '../../../store/test/harness/data-dir.ts'
import { testDatabase, type TestDatabase } from '../../../store/test/harness/postgres.ts'
import { createApp } from '../../src/http/app.ts'
import { cli, exampleFile } from './run-cli.ts'

const agent = 'customer-support-agent-v2'
let dir: string
let database: TestDatabase
let ledger: Ledger
let server: Server
let url: string
let key: string
let early: string
let late: string

beforeAll(async () => {
  vi.stubEnv('BAILIWICK_ALLOW_UNSAFE', '1') // The tests' server does not sync.
  dir = await makeTestDir()
  database = await testDatabase()
  await migrate(database.config)
  const policies = await loadPolicies(exampleFile('policies'))
  const opened = { connection: database.config, policies, dataDir: dir, consoleUrl: 'http://127.0.0.1:7420' }
  ledger = await Ledger.open(opened)
  const decide = (amount: number) => ledger.decide(agent, { action: 'issue_refund', params: { amount } })
  for (let amount = 1; amount <= 4; amount++) await decide(amount)
  early = join(dir, 'early.checkpoint')
  await writeFile(early, await ledger.checkpoint())
  await Promise.all(Array.from({ length: 300 }, (_, amount) => decide(amount)))
  late = join(dir, 'late.checkpoint')
  await writeFile(late, await ledger.checkpoint())
  key = ledger.checkpoints.verifierKey
  const app = createApp({
    ledger,
    access: new Access(ledger),
    waits: new ApprovalWaits(ledger, systemPorts),
    consoleFiles: new Map(),
    log: () => undefined,
  })
  const answer = getRequestListener(app.fetch)
  server = createServer((request, response) => void answer(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})

afterAll(async () => {
  await new Promise((resolve) => server.close(resolve))
  await ledger.close()
  await database.drop()
  await removeTestDir(dir)
  vi.unstubAllEnvs()
})

const log = (...args: readonly string[]) =>
  cli(['log', ...args, '--data', dir], { DATABASE_URL: database.url })
/** Without a log, as an auditor has it. */
const offline = (args: readonly string[], input = '') => cli(['log', 'verify', ...args], {}, { input })

async function bundleFile(...args: readonly string[]): Promise<string> {
  const file = join(dir, `bundle-${args.join('')}`)
  expect(await log('prove', ...args, '--out', file)).toMatchObject({ code: 0 })
  return file
}

describe('bailiwick log consistency', () => {
  test('proves that the log has only grown, between checkpoints and sizes, stored or served', async () => {
    for (const where of [[], ['--url', url, '--key', key]]) {
      const run = await log('consistency', early, late, ...where)
      expect(run).toMatchObject({ code: 0, err: '' })
      expect(run.out).toMatch(/^The log of 305 records continues the log of 5\.\n[A-Za-z0-9+/=]{44}\n/)
      const json = await log('consistency', early, '256', '--json', ...where)
      expect(json.json).toMatchObject({ consistent: true, from: 5, to: 256, published: 305 })
    }
  })

  test('finds a checkpoint of another history, also where its signature is right', async () => {
    const pem = await readFile(join(dir, 'checkpoints', 'main.key'), 'utf8')
    const { signer } = loadLogKey(ledger.checkpoints.origin, pem)
    const { origin } = ledger.checkpoints
    const forked = join(dir, 'forked')
    await writeFile(forked, signCheckpoint({ origin, size: 100, root: Buffer.alloc(32, 1) }, signer))
    const ahead = join(dir, 'ahead')
    await writeFile(ahead, signCheckpoint({ origin, size: 400, root: Buffer.alloc(32, 1) }, signer))
    for (const where of [[], ['--url', url, '--key', key]]) {
      for (const [a, b] of [
        [forked, late],
        [early, forked],
        [forked, '200'],
        [early, ahead],
      ] as const) {
        const run = await log('consistency', a, b, ...where)
        expect(run).toMatchObject({ code: 1, err: '' })
        expect(run.out).toMatch(/^Not proven: /)
      }
    }
    const json = await log('consistency', forked, late, '--json')
    expect(json.json).toMatchObject({
      consistent: false,
      problem: expect.stringContaining('does not continue'),
    })
  })

  test('says of a later checkpoint that has fewer records what that may mean, and not that nobody can ask so', async () => {
    for (const where of [[], ['--url', url, '--key', key]]) {
      expect(await log('consistency', late, early, ...where)).toMatchObject({
        code: 1,
        err: '',
        out: 'Not proven: the second checkpoint has fewer records than the first, 5 and not 305\nIf it was fetched later, keep both: it is a stale copy, or the log was rewound. Otherwise give them the other way round.\n',
      })
      // No size was signed: the order is a slip.
      expect(await log('consistency', late, '5', ...where)).toMatchObject({ code: 2, out: '' })
      expect(await log('consistency', early, early, ...where)).toMatchObject({ code: 0 })
    }
    const { json } = await log('consistency', late, early, '--json')
    expect(json).toMatchObject({ consistent: false, problem: expect.stringContaining('fewer records') })
  })

  test('believes no checkpoint that another key signed', async () => {
    const { verifierKey } = loadLogKey('x', createLogKey('x').privateKeyPem)
    const run = await log('consistency', early, late, '--url', url, '--key', verifierKey)
    expect(run).toMatchObject({ code: 1 })
    expect(openCheckpoint(await readFile(late, 'utf8'), [key]).size).toBe(305)
  })

  test.each([
    [['6', '5'], 'no proof'],
    [['0', '5'], 'no proof'],
    [['5', '306'], 'the published log has 305 records, and not 306'],
    [['5', 'nowhere'], 'neither a size nor a file'],
    [['5', '6', '--url', 'http://127.0.0.1:1', '--key', 'x+00000000+AAAA'], 'no answer from'],
    [['5', '6', '--url', 'http://127.0.0.1:1'], "only with the log's key"],
  ])('%j is no answer: %s', async (args, why) => {
    const run = await log('consistency', ...args)
    expect(run).toMatchObject({ code: 2, out: '' })
    expect(run.err).toContain(why)
  })
})

describe('bailiwick log verify-page', () => {
  test('prints one whole page, the same that a service serves', async () => {
    const { code, out } = await cli(['log', 'verify-page'])
    expect(code).toBe(0)
    expect(out).toMatch(/^<!doctype html>[^]*<\/html>\n$/)
    expect(await (await fetch(`${url}/log/verify.html`)).text()).toBe(out)
  })
})

describe('bailiwick log prove', () => {
  test('writes a bundle that `log verify --bundle` checks without a log', async () => {
    const file = join(dir, 'one.json')
    const run = await log('prove', 'dec_3', '--out', file)
    expect(run).toMatchObject({ code: 0, err: '' })
    expect(run.out).toMatch(
      /^Wrote .*one\.json: record 3 of .*, in a log of \d+ records; payload withheld\n$/,
    )
    const verified = await offline(['--bundle', file, '--key', key])
    expect(verified).toMatchObject({ code: 0, err: '' })
    expect(verified.out).toMatch(/^Proven: record 3 is in the log .* as it was signed at \d+ records\./)
    expect(verified.out).toContain(`decision, dec_3, ${agent}, issue_refund, allow, Action approved`)
    expect(verified.out).toContain(`signed by ${key}`)
    expect(verified.out).not.toContain('in the bundle itself')
  })

  test('writes to standard output, and with the payload only where that is asked for', async () => {
    const withheld = await log('prove', '3')
    expect(withheld.json).toMatchObject({ index: 3, payload: { state: 'withheld' } })
    const included = await log('prove', '3', '--with-payload', '--reason', 'an audit')
    expect(included.json).toMatchObject({ payload: { state: 'included' } })
    const run = await offline(['--bundle', '-', '--key', key, '--json'], included.out)
    expect(run.json).toMatchObject({ proven: true, index: 3, payload: 'committed', keys: 'given' })
    // Who had a payload put into a bundle is in the log, before the bundle is.
    const reading = await log('prove', '307')
    expect((reading.json as { record: string }).record).toContain('"kind":"read"')
    expect((reading.json as { record: string }).record).toContain('"what":"reveal"')
    const file = await bundleFile('3', '--with-payload', '--reason', 'an audit')
    expect((await stat(file)).mode & 0o777).toBe(0o600)
  })

  test('says that a payload was erased', async () => {
    const erased =
      'update log_batch set bodies = $2, salts = decode(repeat($3, 32), $4), erased = $5 where first = $1'
    const { rows } = await ledger.pool.query('select bodies, salts, erased from log_batch where first = 2')
    await ledger.pool.query(erased, [2, '', '00', 'hex', '{2}'])
    try {
      const run = await log('prove', '2', '--with-payload', '--reason', 'an audit')
      expect(run.json).toMatchObject({ payload: { state: 'erased' } })
      expect(run.err).toMatch(/has been erased/)
      const verified = await offline(['--bundle', '-', '--key', key], run.out)
      expect(verified.out).toContain('the payload has been erased, by the word of whoever made the bundle')
    } finally {
      const { bodies, salts } = rows[0] as { bodies: string; salts: Buffer }
      await ledger.pool.query("update log_batch set bodies = $1, salts = $2, erased = '{}' where first = 2", [
        bodies,
        salts,
      ])
    }
  })

  test('writes a tlog-proof, too', async () => {
    const file = await bundleFile('dec_5', '--format', 'tlog-proof')
    expect(await readFile(file, 'utf8')).toMatch(/^c2sp\.org\/tlog-proof@v1\nextra .*\nindex 5\n/)
    expect((await offline(['--bundle', file, '--key', key])).code).toBe(0)
    const keyless = await offline(['--bundle', file])
    expect(keyless.code).toBe(2)
    expect(keyless.err).toContain('this proof brings no key')
  })

  test.each([
    [['dec_x'], 'names no record'],
    [['99999'], 'there is no record 99999'],
    [['3', '--format', 'pdf'], 'there is no format'],
    [['3', '--format', 'tlog-proof', '--with-payload'], 'no place for a payload'],
    [['3', '--with-payload'], 'for a reason only'],
    [['3', '--out', '/nowhere/x'], 'cannot be written'],
  ])('%j is no answer: %s', async (args, why) => {
    const run = await log('prove', ...args)
    expect(run).toMatchObject({ code: 2, out: '' })
    expect(run.err).toContain(why)
  })

  test('makes no log where there is none', async () => {
    const run = await cli(['log', 'prove', '3', '--data', join(dir, 'empty')])
    expect(run.code).toBe(2)
    expect(run.err).toContain('there is no log')
    await expect(stat(join(dir, 'empty'))).rejects.toMatchObject({ code: 'ENOENT' })
  })
})

describe('bailiwick log verify --bundle', () => {
  test('without a key calls nothing proven: whoever made the bundle may have made its key', async () => {
    const run = await offline(['--bundle', await bundleFile('4')])
    expect(run.code).toBe(1)
    expect(run.out).toMatch(/^Not proven by the log: the key in the bundle itself says that record 4 is in/)
    const json = await offline(['--bundle', await bundleFile('4'), '--json'])
    expect(json).toMatchObject({ code: 1, json: { proven: false, keys: 'bundled', index: 4 } })
  })

  test('takes keys from a file, several of them, and refuses a bundle that none of them signed', async () => {
    const other = createLogKey('example.com/other').verifierKey
    const file = join(dir, 'keys')
    await writeFile(file, `${other}\n${key}\n`)
    const bundle = await bundleFile('6')
    expect((await offline(['--bundle', bundle, '--key', file])).code).toBe(0)
    expect((await offline(['--bundle', bundle, '--key', other, '--key', key])).code).toBe(0)
    const refused = await offline(['--bundle', bundle, '--key', other])
    expect(refused).toMatchObject({ code: 1, err: '' })
    expect(refused.out).toMatch(/^Not proven: the note is not signed by any of the keys given\n/)
    expect((await offline(['--bundle', bundle, '--key', join(dir, 'absent')])).code).toBe(2)
  })

  test('names what does not hold', async () => {
    const text = await readFile(await bundleFile('7'), 'utf8')
    const changed = text.replace('issue_refund', 'issue_refunds')
    const run = await offline(['--bundle', '-', '--key', key], changed)
    expect(run.code).toBe(1)
    expect(run.out).toContain('does not lead from the record to the root that was signed')
    const json = await offline(['--bundle', '-', '--key', key, '--json'], changed)
    expect(json.json).toMatchObject({ proven: false, problem: expect.any(String), fix: expect.any(String) })
  })

  test('is bad input where there is no bundle, and a key needs one', async () => {
    for (const args of [
      ['--bundle', join(dir, 'absent')],
      ['--bundle', early],
      ['--key', key],
    ]) {
      expect((await offline(args)).code).toBe(2)
    }
    expect((await offline(['--bundle', '-'], ' '.repeat(5 * 1024 * 1024))).code).toBe(2)
  })
})
