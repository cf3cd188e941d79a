import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Ledger, loadPolicies, openDatabase, type OpenedDatabase } from '@bailiwick/store'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { makeDataDir } from '../../../store/test/harness/cluster-copy.ts'
import { makeTestDir, removeTestDir } from '../../../store/test/harness/data-dir.ts'
import { cli, exampleFile } from './run-cli.ts'

const agent = 'customer-support-agent-v2'
let dataDir: string
let database: OpenedDatabase
let ledger: Ledger
let early: { size: string; frontier: Buffer }

beforeAll(async () => {
  dataDir = await makeTestDir()
  await makeDataDir(dataDir)
  database = await openDatabase({ dataDir })
  const policies = await loadPolicies(exampleFile('policies'))
  const { connection } = database
  ledger = await Ledger.open({ connection, policies, dataDir, consoleUrl: 'http://127.0.0.1:7420' })
  for (const amount of [100, 600]) await ledger.decide(agent, { action: 'issue_refund', params: { amount } })
  early = await head()
  for (const amount of [1, 2, 3]) await ledger.decide(agent, { action: 'issue_refund', params: { amount } })
  await ledger.checkpoint()
  await sql('create table kept_batch as select * from log_batch')
  await sql('create table kept_head as select * from ledger_head')
  await sql('create table kept_term as select * from log_term')
})

afterAll(async () => {
  await ledger.close()
  await database.leave()
  await removeTestDir(dataDir)
})

async function sql(text: string, values?: unknown[]): Promise<void> {
  await ledger.pool.query(text, values)
}

async function head(): Promise<{ size: string; frontier: Buffer }> {
  const { rows } = await ledger.pool.query<{ size: string; frontier: Buffer }>(
    'select size, frontier from ledger_head',
  )
  if (rows[0] === undefined) throw new Error('no head')
  return rows[0]
}

const verify = (...args: readonly string[]) => cli(['log', 'verify', '--data', dataDir, ...args])

/** Everything that a read-only command must leave as it is. */
async function state(): Promise<unknown> {
  const { rows } = await ledger.pool.query('select count(*) from log_entry')
  const files = await Promise.all(
    ['checkpoint', 'key', 'vkey'].map((name) =>
      readFile(join(dataDir, 'checkpoints', `main.${name}`), 'utf8'),
    ),
  )
  return { rows, files }
}

describe('bailiwick log verify', () => {
  afterEach(async () => {
    await sql('delete from log_batch; delete from ledger_head; delete from log_term')
    await sql('insert into log_batch select * from kept_batch')
    await sql('insert into ledger_head select * from kept_head')
    await sql('insert into log_term select * from kept_term')
  })

  test('says that an intact log is intact, and changes nothing', async () => {
    const before = await state()
    const run = await verify('--json')
    expect(run).toMatchObject({ code: 0, err: '' })
    expect(run.json).toMatchObject({ intact: true, size: 6, checkpoint: { size: 6 }, erased: 0 })
    expect(run.json).toHaveProperty('seconds', expect.any(Number))
    expect((await verify()).out).toMatch(/^The log is intact: 6 records, root [0-9a-f]{64}\n/)
    expect(await state()).toEqual(before)
  })

  test('takes a number of workers, and nothing else for one', async () => {
    for (const workers of ['1', '2', '12']) {
      expect((await verify('--json', '--workers', workers)).json).toMatchObject({ intact: true, size: 6 })
    }
    for (const workers of ['0', '-1', '65', 'all', '1.5']) {
      const run = await verify(`--workers=${workers}`)
      expect(run).toMatchObject({ code: 2, out: '' })
      expect(run.err).toContain('is no number of workers')
    }
  })

  test.each([
    [
      'a changed effect',
      `update log_batch set records = replace(records, 'escalate', 'allow') where first = 2`,
      2,
    ],
    [
      'a changed term',
      `update log_term set term = 'effect=deny' where first = 2 and term = 'effect=escalate'`,
      2,
    ],
    ['a time of infinity', `update log_batch set at = 'infinity' where first = 3`, 3],
    [
      'a changed leaf hash',
      `update log_batch set leaf_hashes = set_byte(leaf_hashes, 0, get_byte(leaf_hashes, 0) # 1) where first = 4`,
      4,
    ],
    ['a changed parameter', `update log_batch set bodies = replace(bodies, '600', '601') where first = 2`, 2],
    ['a removed record', 'delete from log_batch where first = 3', 3],
    [
      'a record before the first',
      `insert into log_batch select ledger, -1, at, leaf_hashes, records, salts, bodies from log_batch where first = 0`,
      -1,
    ],
    ['a cut-off tail', 'delete from log_batch where first >= 3', 3],
    ['a removed head', 'delete from ledger_head', 0],
    ['an emptied log', 'delete from log_batch; delete from ledger_head; delete from log_term', 0],
  ])('finds %s and names the index', async (_, statement, index) => {
    await sql(statement)
    const run = await verify('--json')
    expect(run.code).toBe(1)
    expect(run.json).toMatchObject({ intact: false, index })
    expect((await verify()).out).toContain(`record ${index}`)
  })

  test.each([0, 1, 2, 3, 4, 5])('finds one changed character anywhere in record %i', async (index) => {
    const { rows } = await ledger.pool.query<{ length: number }>(
      'select length(record) from log_entry where index = $1',
      [index],
    )
    const length = rows[0]?.length ?? 0
    for (const at of [1, Math.floor(length / 2), length]) {
      await sql(
        `update log_batch set records = overlay(k.records placing chr(ascii(substr(k.records, $2, 1)) # 1) from $2 for 1)
        from kept_batch k where k.first = log_batch.first and k.first = $1`,
        [index, at],
      )
      const run = await verify('--json')
      expect(run.code).toBe(1)
      expect(run.json).toMatchObject({ intact: false, index })
    }
  })

  test('finds a tail that was cut off together with the head, by the checkpoint', async () => {
    await sql('delete from log_batch where first >= $1', [early.size])
    await sql('delete from log_term where first >= $1', [early.size])
    await sql('update ledger_head set size = $1, frontier = $2', [early.size, early.frontier])
    const run = await verify()
    expect(run.code).toBe(1)
    expect(run.out).toContain(
      `record ${early.size} and what followed it was cut off: the checkpoint counts 6 records`,
    )
  })

  test('takes a checkpoint that was tampered with for a broken log', async () => {
    const file = join(dataDir, 'checkpoints', 'main.checkpoint')
    const note = await readFile(file, 'utf8')
    try {
      await writeFile(file, note.replace('\n6\n', '\n3\n'))
      const run = await verify('--json')
      expect(run.code).toBe(1)
      expect(run.json).toMatchObject({ intact: false, index: null })
      expect((await cli(['log', 'checkpoint', '--data', dataDir])).code).toBe(1)
    } finally {
      await writeFile(file, note)
    }
  })

  test('says that without a checkpoint a cut-off tail would not be noticed', async () => {
    const file = join(dataDir, 'checkpoints', 'main.checkpoint')
    const note = await readFile(file, 'utf8')
    try {
      await rm(file)
      const run = await verify()
      expect(run.code).toBe(0)
      expect(run.out).toContain('No checkpoint was published')
    } finally {
      await writeFile(file, note)
    }
  })

  test('prints the published checkpoint', async () => {
    const run = await cli(['log', 'checkpoint', '--data', dataDir])
    expect(run.code).toBe(0)
    expect(run.out.split('\n').slice(0, 2)).toEqual(['bailiwick.local/main', '6'])
  })

  test('makes no database where there is none', async () => {
    const empty = await makeTestDir()
    try {
      expect(await cli(['log', 'verify', '--data', empty])).toMatchObject({ code: 2, out: '' })
      await expect(readFile(join(empty, 'postgres', 'PG_VERSION'))).rejects.toThrow('ENOENT')
    } finally {
      await removeTestDir(empty)
    }
  })
})

describe('keys and people, while the log is open elsewhere', () => {
  const data = () => ['--data', dataDir]

  test('a key is made, listed without its secret, and revoked', async () => {
    const made = await cli(['keys', 'create', '--agent', agent, '--json', ...data()])
    expect(made).toMatchObject({ code: 0, err: '' })
    const { key, id } = made.json as { key: string; id: string }
    expect(key).toMatch(/^bw_[0-9a-f]{16}_[A-Za-z0-9_-]{43}$/)

    const listed = await cli(['keys', 'list', '--json', ...data()])
    expect(listed.json).toMatchObject({ keys: [{ id, agent, revokedAt: null }] })
    expect(listed.out).not.toContain(key.slice(-43))

    expect((await cli(['keys', 'revoke', id, ...data()])).code).toBe(0)
    expect((await cli(['keys', 'list', ...data()])).out).toContain('revoked')
    expect((await cli(['keys', 'revoke', 'none', ...data()])).err).toContain('no key `none`')
    expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
  })

  test('a person is added with roles, listed, and gets a link', async () => {
    const added = await cli([
      'people',
      'add',
      'Ann@Example.com',
      '--role',
      'approver',
      '--role',
      'ops',
      '--json',
      ...data(),
    ])
    expect(added.json).toEqual({ id: 'ann@example.com', roles: ['approver', 'ops'] })
    expect((await cli(['people', 'list', ...data()])).out).toContain('ann@example.com  approver, ops')

    const link = await cli(['people', 'link', 'ann@example.com', ...data()], { BAILIWICK_PORT: '7999' })
    expect(link.out).toMatch(/^http:\/\/localhost:7999\/sign-in#token=[A-Za-z0-9_-]{43}\n$/)
    const other = await cli(['people', 'link', 'ann@example.com', ...data()], {
      BAILIWICK_URL: 'https://b.example/',
    })
    expect(other.out).toContain('https://b.example/sign-in#token=')
    expect((await cli(['people', 'link', 'bob@example.com', ...data()])).code).toBe(2)
    expect((await cli(['people', 'add', 'nobody', ...data()])).code).toBe(2)
  })

  test('a role that is nearly one of the service is refused, and one that no policy names is said to be so', async () => {
    const add = (role: string) => cli(['people', 'add', 'joe@example.com', '--role', role, ...data()])
    const refused = await add('aprover')
    expect(refused).toMatchObject({ code: 2, out: '' })
    expect(refused.err).toContain('did you mean `approver`?\nThe service knows viewer, approver,')
    expect((await cli(['people', 'list', ...data()])).out).not.toContain('joe@example.com')
    const later = await add('night-shift')
    expect(later).toMatchObject({ code: 0, out: 'joe@example.com  night-shift\n' })
    expect(later.err).toContain('no policy names the role `night-shift`')
    expect((await add('approver')).err).toBe('')
  })

  test('a person who is known keeps every role when none is named', async () => {
    const add = (...args: readonly string[]) => cli(['people', 'add', 'Eve@example.com', ...args, ...data()])
    const unknown = await add()
    expect(unknown).toMatchObject({ code: 2, out: '' })
    expect(unknown.err).toContain('`eve@example.com` needs a role')
    expect(unknown.err).toContain('`approver` is the usual one')
    expect((await cli(['people', 'list', ...data()])).out).not.toContain('eve@example.com')

    expect((await add('--role', 'approver', '--role', 'ops')).code).toBe(0)
    const refused = await add()
    expect(refused).toMatchObject({ code: 2, out: '' })
    expect(refused.err).toContain('`eve@example.com` already has the roles `approver`, `ops`')
    expect(refused.err).toContain('--role, at least one')
    expect((await cli(['people', 'list', ...data()])).out).toContain('eve@example.com  approver, ops')

    expect((await add('--role', 'ops')).out).toBe('eve@example.com  ops\n')
  })
})

describe('commands that only read, where there is no log', () => {
  test.each([
    ['people', 'list'],
    ['keys', 'list'],
    ['agents', 'list'],
    ['agents', 'owners'],
    ['grants', 'list'],
    ['deliveries', 'list'],
    ['hold', 'list'],
    ['log', 'search'],
    ['payload-key', 'show'],
  ])('%s %s says so, and makes nothing', async (...args) => {
    const empty = await makeTestDir()
    try {
      const place = join(empty, 'new')
      const run = await cli([...args, '--data', place])
      expect(run).toMatchObject({ code: 2, out: '' })
      expect(run.err).toContain(`there is no log in \`${place}\``)
      expect(await readdir(empty)).toEqual([])
    } finally {
      await removeTestDir(empty)
    }
  })
})

describe('keys and people, where there is no log yet', () => {
  test('start one, and say so before anything else, once', async () => {
    const empty = await makeTestDir()
    try {
      const data = ['--data', join(empty, 'new')]
      const made = await cli(['keys', 'create', '--agent', agent, ...data])
      expect(made.code).toBe(0)
      expect(made.out).toMatch(/^bw_\S+\n$/)
      expect(made.err.split('\n')[0]).toBe(
        `started a new log in \`${join(empty, 'new')}\`; was another data directory meant? (--data or BAILIWICK_DATA)`,
      )
      expect(await cli(['people', 'list', ...data])).toMatchObject({
        code: 0,
        out: 'There is nobody.\n',
        err: '',
      })
    } finally {
      await removeTestDir(empty)
    }
  })
})
