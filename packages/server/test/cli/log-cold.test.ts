import { mkdir, rename, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Instant } from '@bailiwick/core'
import { keepPartitions, Ledger, loadPolicies, migrate, type ArchiveStore } from '@bailiwick/store'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { makeTestDir, removeTestDir } from '../../../store/test/harness/data-dir.ts'
import { testDatabase, type TestDatabase } from '../../../store/test/harness/postgres.ts'
import { archiveSettings } from '../../src/archive-settings.ts'
import { Masking } from '../../src/http/masking.ts'
import { cli, exampleFile } from './run-cli.ts'

const agent = 'customer-support-agent-v2'
const longAgo = 200 * 24 * 60 * 60 * 1000
let dir: string
let database: TestDatabase

beforeAll(async () => {
  vi.stubEnv('BAILIWICK_ALLOW_UNSAFE', '1') // The tests' server does not sync.
  dir = await makeTestDir()
  await mkdir(join(dir, 'archive'))
  database = await testDatabase()
  await migrate(database.config)
  const now = () => (Date.now() - longAgo) as Instant
  await keepPartitions(database.config, 'week', now())
  const policies = await loadPolicies(exampleFile('policies'))
  const ledger = await Ledger.open({
    connection: database.config,
    policies,
    dataDir: dir,
    consoleUrl: 'http://127.0.0.1:7420',
    now,
  })
  for (const ticket of ['T-1', 'T-2', 'T-3']) {
    await ledger.decide(agent, { action: 'issue_refund', params: { amount: 5 }, context: { ticket } })
  }
  await ledger.decide(agent, { action: 'delete_account', params: {} })
  await ledger.close()
})

afterAll(async () => {
  await database.drop()
  await removeTestDir(dir)
  vi.unstubAllEnvs()
})

const run = (...args: readonly string[]) =>
  cli([...args, '--data', dir], {
    DATABASE_URL: database.url,
    BAILIWICK_ARCHIVE: pathToFileURL(join(dir, 'archive')).href,
  })

const found = (text: string) =>
  text
    .trim()
    .split('\n')
    .map(
      (line) =>
        JSON.parse(line) as {
          record: { kind: string; index: number; what?: string }
          payload: unknown
          cold: boolean
        },
    )

describe('bailiwick hold', () => {
  test('places, lists and lifts, and archives and erases nothing meanwhile', async () => {
    const placed = await run('hold', 'place', 'case-7', '--reason', 'court order')
    expect(placed).toMatchObject({ code: 0, out: 'The hold case-7 is placed.\n' })
    expect((await run('hold', 'place', 'case-7', '--reason', 'again')).out).toContain('stood already')
    expect((await run('hold', 'list', '--json')).json).toMatchObject({
      holds: [{ name: 'case-7', reason: 'court order', by: 'operator' }],
    })
    const refused = await run('log', 'archive')
    expect(refused.code).not.toBe(0)
    expect(refused.err).toContain('case-7')
    const erased = await run('erase', '--decision', 'dec_1', '--reason', 'request 1', '--yes')
    expect(erased.code).not.toBe(0)
    expect(erased.err).toContain('case-7')
    expect(await run('hold', 'lift', 'case-7', '--reason', 'settled')).toMatchObject({ code: 0 })
    expect((await run('hold', 'list')).out).toBe('No hold stands.\n')
    expect((await run('hold', 'lift', 'case-7', '--reason', 'settled')).err).toContain('case-7')
    expect((await run('hold', 'place', 'case-8', '--reason', ' ')).code).not.toBe(0)
  })
})

describe('bailiwick log archive', () => {
  test('says what it would do, does it, and finds nothing left to do', async () => {
    const planned = await run('log', 'archive', '--dry-run', '--json')
    const { segments } = planned.json as { segments: { first: number; end: number }[] }
    expect(segments[0]).toMatchObject({ first: 0 })
    const early = await run('log', 'archive', '--before', '2020-01-01')
    expect(early.out).toContain('Nothing before')
    expect((await run('log', 'archive', '--before', 'yesterday')).err).toContain('is no date')
    expect((await run('log', 'archive', '--before', '2999-01-01')).err).toContain('is no date that is past')
    const done = await run('log', 'archive', '--json')
    expect(done).toMatchObject({ code: 0 })
    expect((done.json as { segments: unknown }).segments).toMatchObject(segments)
    expect((await run('log', 'archive')).out).toContain('Nothing before')
    const nowhere = await cli(['log', 'archive', '--data', dir], { DATABASE_URL: database.url })
    expect(nowhere.err).toContain('BAILIWICK_ARCHIVE')
  })

  test('leaves a log that verifies, with its archive', async () => {
    expect(await run('log', 'verify')).toMatchObject({ code: 0 })
    expect(await run('log', 'verify', '--cold')).toMatchObject({ code: 0 })
  })

  test('leaves tables that `log verify --cold` alone compares with what was archived', async () => {
    const client = new pg.Client(database.config)
    await client.connect()
    await client.query(
      `insert into bailiwick.call (ledger, agent, call_id, index) values ('main', $1, 'never', 0)`,
      [agent],
    )
    expect(await run('log', 'verify')).toMatchObject({ code: 0 })
    const problem = '`call` has a row that no record accounts for'
    const broken = await run('log', 'verify', '--cold', '--json')
    expect(broken).toMatchObject({ code: 1, json: { intact: false, index: null, problem } })
    expect((await run('log', 'verify', '--cold')).out).toContain(`The log is broken: ${problem}`)
    await client.query('delete from bailiwick.call')
    await client.end()
  })
})

test('an archive that is not there is no broken log: it cannot be read', async () => {
  await rename(join(dir, 'archive'), join(dir, 'away'))
  for (const isThere of [false, true]) {
    if (isThere) await mkdir(join(dir, 'archive'))
    const absent = await run('log', 'verify', '--cold')
    expect(absent.code).toBe(2)
    expect(absent.err).toMatch(/^bailiwick: the newest segment of the archive in `file:.*` is not there/m)
    expect(absent.err).toContain('Mount the disk of the archive')
  }
  await rmdir(join(dir, 'archive'))
  await rename(join(dir, 'away'), join(dir, 'archive'))
  expect(await run('log', 'verify', '--cold')).toMatchObject({ code: 0 })
})

describe('bailiwick log search', () => {
  test('finds archived records with their payloads, and records who looked at what', async () => {
    const refunds = await run('log', 'search', '--action', 'issue_refund', '--json')
    expect(found(refunds.out)).toHaveLength(3)
    expect(found(refunds.out).every(({ cold }) => cold)).toBe(true)
    const one = await run('log', 'search', '--text', 'T-2', '--json')
    const [, seen] = found(one.out)
    expect(seen ?? found(one.out)[0]).toMatchObject({ cold: true })
    const readings = found((await run('log', 'search', '--json')).out).filter(
      ({ record }) => record.kind === 'read',
    )
    expect(readings[0]?.record).toMatchObject({ what: 'search', person: 'operator' })
    expect(readings).toHaveLength(2)
  })

  test('keeps that a text was searched for, and not which: it may be a name that nobody could erase', async () => {
    await run('log', 'search', '--text', 'T-2')
    await run('log', 'search', '--text', 'T-2', '--unmasked', '--reason', 'ticket 7')
    const seen = found((await run('log', 'search', '--json', '--unmasked', '--reason', 'a look')).out)
    const payloads = seen.filter(({ record }) => record.kind === 'read').map(({ payload }) => payload)
    expect(payloads).toContainEqual({ filter: { text: true }, reason: null })
    expect(payloads).toContainEqual({ filter: { text: true }, reason: 'ticket 7' })
    expect(JSON.stringify(payloads)).not.toContain('T-2')
  })

  test('says so where nothing is found, and what is wrong with what was asked', async () => {
    expect((await run('log', 'search', '--agent', 'nobody')).out).toBe('Nothing was found.\n')
    expect((await run('log', 'search', '--effect', 'maybe')).err).toContain('is no effect')
    expect((await run('log', 'search', '--limit', '0')).err).toContain('is no limit')
    expect((await run('log', 'search', '--from', 'soon')).err).toContain('is no date')
    const closed = await cli(['log', 'search', '--data', dir], { DATABASE_URL: database.url })
    expect(closed.err).toContain('BAILIWICK_ARCHIVE')
  })
})

describe('bailiwick erase', () => {
  test('erases an archived decision, and says where it was', async () => {
    const [first] = found(
      (await run('log', 'search', '--text', 'T-1', '--json', '--action', 'issue_refund')).out,
    )
    const id = `dec_${first?.record.index}`
    const erased = await run('erase', '--decision', id, '--reason', 'request 1', '--yes')
    expect(erased).toMatchObject({ code: 0 })
    expect(erased.out).toContain(`In cold storage: records ${first?.record.index}.`)
    expect((await run('log', 'search', '--text', 'T-1', '--action', 'issue_refund')).out).toBe(
      'Nothing was found.\n',
    )
    expect(await run('log', 'verify', '--cold')).toMatchObject({ code: 0 })
  })
})

describe('a log whose older part is archived', () => {
  test('has proofs of what was archived, of what was not, and of how the log has grown', async () => {
    const all = found((await run('log', 'search', '--json')).out)
    const [hot, cold] = [all.find((each) => !each.cold), all.find((each) => each.cold)]
    const bundle = join(dir, 'bundle.json')
    for (const index of [hot?.record.index, cold?.record.index]) {
      expect(await run('log', 'prove', String(index), '--out', bundle)).toMatchObject({ code: 0 })
      expect(
        await run('log', 'verify', '--bundle', bundle, '--key', join(dir, 'checkpoints/main.vkey')),
      ).toMatchObject({
        code: 0,
      })
    }
    const size = (hot?.record.index ?? 0) + 1
    expect(await run('log', 'consistency', '2', String(size))).toMatchObject({ code: 0 })
  })

  test('leaves what was decided as readable as it was, although its policy is archived and no longer in force', async () => {
    const env = { BAILIWICK_ARCHIVE: pathToFileURL(join(dir, 'archive')).href }
    const policies = { for: () => undefined, all: [], warnings: [] }
    const opened = (archive: ArchiveStore | undefined) =>
      Ledger.open({
        connection: database.config,
        policies,
        dataDir: dir,
        consoleUrl: 'http://127.0.0.1',
        archive,
      })
    const ledger = await opened(archiveSettings(env).store)
    const [refund] = found(
      (await run('log', 'search', '--text', 'T-2', '--action', 'issue_refund', '--json')).out,
    )
    const view = await ledger.decision(`dec_${refund?.record.index}`)
    expect((await new Masking(ledger).forPeople(view)).params).toEqual({ amount: 5 })
    await ledger.close()
    // Where the archive is not open nobody can say what was sensitive.
    const closed = await opened(undefined)
    expect((await new Masking(closed).forPeople(view)).params).toEqual({ amount: '•••' })
    await closed.close()
  })
})
