import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, readdir, readFile, readlink, rm, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { Fault } from '@bailiwick/core'
import pg from 'pg'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { findPostgres } from '../src/engine/binaries.ts'
import { openEmbedded, type EmbeddedOptions, type EmbeddedPostgres } from '../src/engine/embedded.ts'
import { createMissingLinks } from '../src/engine/npm-binaries.ts'
import { openDatabase, stopIfUnused, unfitness, type ServerFacts } from '../src/engine/open.ts'
import { processExists, runningPostmaster } from '../src/engine/postmaster-file.ts'
import { tryServiceLock } from '../src/engine/service-lock.ts'
import { makeTestDir, removeTestDir } from './harness/data-dir.ts'
import { describeOnPostgres, testDatabase } from './harness/postgres.ts'

let dataDir: string

beforeEach(async () => {
  dataDir = await makeTestDir()
})

afterEach(async () => {
  vi.unstubAllEnvs()
  await removeTestDir(dataDir)
})

const deepName = path.join('d'.repeat(60), 'e'.repeat(60))
const isRoot = process.getuid?.() === 0

describeOnPostgres('an embedded PostgreSQL', ({ flavour }) => {
  test('starts in an empty directory, durable, reachable through its socket only, and keeps its data', async () => {
    const binaries = await findPostgres(flavour)
    const first = await openEmbedded({ dataDir, binaries })
    expect(first).toMatchObject({ startedHere: true, adopted: false, version: binaries.version })
    expect(
      await ask(
        first,
        `select current_setting('fsync') as fsync, current_setting('synchronous_commit') as commit,
           current_setting('listen_addresses') as tcp, current_setting('server_encoding') as encoding,
           current_setting('timezone') as zone, current_setting('lc_collate', true) is not null as c,
           current_database() as database`,
      ),
    ).toMatchObject({
      fsync: 'on',
      commit: 'on',
      tcp: '',
      encoding: 'UTF8',
      zone: 'UTC',
      database: 'bailiwick',
    })
    expect((await stat(String(first.connection.host))).mode & 0o077).toBe(0)
    await ask(first, 'create table kept as select 7 as n')

    await Promise.all([first.stop(), first.stop()])
    await first.stop()
    await gone(first.pid)

    const second = await openEmbedded({ dataDir, binaries })
    expect(second.startedHere).toBe(true)
    expect(await ask(second, 'select n from kept')).toEqual({ n: 7 })
    await second.stop()
  })
})

describe('another process', () => {
  test('that is killed leaves its server running, and the next opener adopts it', async () => {
    const child = await openInChild()
    child.process.kill('SIGKILL')
    await once(child.process, 'exit')

    const adopter = await openEmbedded({ dataDir })
    expect(adopter).toMatchObject({ pid: child.pid, adopted: true, startedHere: false })
    await ask(adopter, 'select 1 as n')
    await adopter.stop()
    await adopter.stop()
    await gone(child.pid)
  })

  test('that opens the directory at the same moment gets the same server', async () => {
    const [child, ...here] = await Promise.all([
      openInChild(),
      openEmbedded({ dataDir }),
      openEmbedded({ dataDir }),
    ])
    const all = [child, ...here]
    expect(new Set(all.map(({ pid }) => pid)).size).toBe(1)
    expect(all.filter(({ adopted }) => !adopted)).toHaveLength(1)
    child.process.kill('SIGKILL')
    await once(child.process, 'exit')
    await ask(here[0], 'select 1 as n')
    await here[0].stop()
  })

  test.runIf(process.platform === 'linux')(
    'that starts the server does not share its terminal signals with it',
    async () => {
      const { pid } = await openEmbedded({ dataDir })
      const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]?.split(' ') ?? []
      expect({ group: Number(fields[2]), session: Number(fields[3]) }).toEqual({ group: pid, session: pid })
    },
  )
})

describe('what a crash leaves behind', () => {
  test('a half-made cluster of a killed process is removed, and a whole one is made', async () => {
    const gone = spawn('true')
    await once(gone, 'exit')
    const abandoned = `postgres.making-${gone.pid}-aaaa`
    const stillMaking = `postgres.making-${process.pid}-bbbb`
    for (const name of [abandoned, stillMaking]) {
      await mkdir(path.join(dataDir, name))
      await writeFile(path.join(dataDir, name, 'PG_VERSION'), '15\n')
    }
    const server = await openEmbedded({ dataDir })
    await ask(server, 'select 1 as n')
    const left = await readdir(dataDir)
    expect(left).not.toContain(abandoned)
    expect(left).toContain(stillMaking)
  })

  test('a pid file that names a living program that is no PostgreSQL does not keep the server from starting', async () => {
    const before = await openEmbedded({ dataDir })
    await before.stop()
    await writeFile(
      path.join(dataDir, 'postgres', 'postmaster.pid'),
      `${process.pid}\n${dataDir}/postgres\n1\n5432\n${dataDir}/postgres\n\n  1 2\nready   \n`,
    )
    const server = await openEmbedded({ dataDir })
    expect(server.startedHere).toBe(true)
    expect(server.pid).not.toBe(process.pid)
  })

  test('a killed server recovers what it acknowledged', async () => {
    const before = await openEmbedded({ dataDir })
    await ask(before, 'create table acknowledged as select 1 as n')
    process.kill(before.pid, 'SIGKILL')
    await gone(before.pid)
    const after = await openEmbedded({ dataDir })
    expect(after.startedHere).toBe(true)
    expect(await ask(after, 'select n from acknowledged')).toEqual({ n: 1 })
  })
})

describe('a directory', () => {
  test('whose path is too long for a socket gets a private one elsewhere', async () => {
    const server = await openEmbedded({ dataDir: path.join(dataDir, deepName) })
    const socketDir = String(server.connection.host)
    expect(socketDir.startsWith(dataDir)).toBe(false)
    expect((await stat(socketDir)).mode & 0o777).toBe(0o700)
    const again = await openEmbedded({ dataDir: path.join(dataDir, deepName) })
    expect(again).toMatchObject({ adopted: true, pid: server.pid })
    await server.stop()

    await chmod(socketDir, 0o755)
    await expectFault(openEmbedded({ dataDir: path.join(dataDir, deepName) }), /not a private directory/)
    await rm(socketDir, { recursive: true })
  })

  test('whose name has a space, a quote and a comma works', async () => {
    const odd = path.join(dataDir, `it's "a", b`)
    await ask(await openEmbedded({ dataDir: odd }), 'select 1 as n')
  })

  test('made by a PostgreSQL that is not here is refused, and told which one made it', async () => {
    await mkdir(path.join(dataDir, 'postgres'))
    await writeFile(path.join(dataDir, 'postgres', 'PG_VERSION'), '9\n')
    await expectFault(openEmbedded({ dataDir }), /made by PostgreSQL 9/, /Install PostgreSQL 9/)
  })

  test('that holds something else is refused and left alone', async () => {
    await mkdir(path.join(dataDir, 'postgres'))
    await writeFile(path.join(dataDir, 'postgres', 'letter.txt'), 'dear')
    await expectFault(openEmbedded({ dataDir }), /no PostgreSQL cluster/)
    expect(await readdir(dataDir)).toEqual(['postgres'])
  })

  test('that cannot be made is refused', async () => {
    await writeFile(path.join(dataDir, 'file'), '')
    await expectFault(openEmbedded({ dataDir: path.join(dataDir, 'file', 'data') }), /cannot be made/)
  })

  test('with a broken configuration is refused with the words of PostgreSQL', async () => {
    await (await openEmbedded({ dataDir })).stop()
    await writeFile(path.join(dataDir, 'postgres', 'postgresql.conf'), 'no_such_setting = 1\n')
    await expectFault(openEmbedded({ dataDir }), /does not start: .*no_such_setting/)
  })
})

describe.runIf(isRoot)('root', () => {
  test('runs PostgreSQL in a user namespace, where the files stay its own', async () => {
    const { server, uid } = await openAs('namespace')
    if (server === undefined) return console.error('*** NOT TESTED: user namespaces are not allowed here ***')
    expect(uid).toBe(0)
    expect(await readlink(`/proc/${server.pid}/ns/user`)).not.toBe(await readlink('/proc/self/ns/user'))
    await server.stop()
    await gone(server.pid)
  })

  test('runs PostgreSQL as an ordinary user where there are no user namespaces, and later as the same', async () => {
    const { server, uid } = await openAs('account')
    expect(uid).toBeGreaterThan(0)
    await server?.stop()
    // Whatever the machine allows by then: the files belong to that user.
    const again = await openEmbedded({ dataDir })
    expect((await stat(`/proc/${again.pid}`)).uid).toBe(uid)
  })

  test('is told when that ordinary user cannot reach the directory', async () => {
    const hidden = path.join(dataDir, 'hidden')
    await mkdir(hidden, { mode: 0o700 })
    await expectFault(
      openEmbedded({ dataDir: path.join(hidden, 'data'), rootMode: 'account' }),
      /cannot reach/,
      /Run as a normal user/,
    )
  })
})
if (!isRoot) console.error('*** NOT TESTED: running as root, because these tests do not ***')

describe('PostgreSQL programs', () => {
  test('named by BAILIWICK_POSTGRES_BIN are used, and nothing else in their stead', async () => {
    const { binDir, version } = await findPostgres()
    vi.stubEnv('BAILIWICK_POSTGRES_BIN', binDir)
    expect(await findPostgres('npm')).toEqual({ binDir, version, origin: 'configured' })
    vi.stubEnv('BAILIWICK_POSTGRES_BIN', dataDir)
    await expectFault(findPostgres(), /which holds no PostgreSQL that runs/)
  })

  test('of a version that nobody has are not found', async () => {
    await expectFault(findPostgres('installed', 99), /no PostgreSQL 99 was found/)
  })

  test('from npm get their missing library links, by several at once', async () => {
    const lib = path.join(dataDir, 'native', 'lib')
    await mkdir(lib, { recursive: true })
    await writeFile(path.join(lib, 'libx.so.1.2'), 'library')
    const entries = ['libx.so', 'libx.so.1'].map((name) => ({
      source: 'native/lib/libx.so.1.2',
      target: `native/lib/${name}`,
    }))
    await writeFile(path.join(dataDir, 'native', 'pg-symlinks.json'), JSON.stringify(entries))
    await Promise.all([1, 2, 3].map(() => createMissingLinks(dataDir)))
    expect(await readlink(path.join(lib, 'libx.so'))).toBe('libx.so.1.2')
    expect(await readFile(path.join(lib, 'libx.so.1'), 'utf8')).toBe('library')

    await rm(lib, { recursive: true })
    await expectFault(createMissingLinks(dataDir), /is missing/, /npm rebuild/)
  })
})

describe('a server named by DATABASE_URL', () => {
  test('is opened, and left alone by stop', async () => {
    const { url } = await testDatabase()
    const database = await openDatabase({ databaseUrl: url, dataDir, allowUnsafe: true })
    expect(database).toMatchObject({ kind: 'server', startedHere: false })
    expect(database.serverVersion).toMatch(/^\d+\.\d+$/)
    await database.stop()
    expect(await stopIfUnused(database)).toBe(false)
    expect(await query(database.connection, 'select 1 as n')).toEqual({ n: 1 })
  })

  test('that does not wait for the disk is refused', async () => {
    const { url } = await testDatabase()
    await expectFault(openDatabase({ databaseUrl: url, dataDir }), /has fsync off/)
  })

  test('that is too old, not UTF8, a standby or forgetful is unfit, and one that is none of it is fit', () => {
    const fit: ServerFacts = {
      versionNumber: 150_000,
      version: '15.0',
      encoding: 'UTF8',
      fsync: 'on',
      synchronousCommit: 'local',
      readOnly: 'off',
      clusterName: '',
    }
    expect(unfitness(fit, false)).toBeUndefined()
    expect(unfitness({ ...fit, versionNumber: 140_013, version: '14.13' }, true)?.why).toBe(
      'is PostgreSQL 14.13',
    )
    expect(unfitness({ ...fit, encoding: 'SQL_ASCII' }, true)?.why).toBe('has the encoding SQL_ASCII')
    expect(unfitness({ ...fit, readOnly: 'on' }, true)?.why).toBe('only reads')
    expect(unfitness({ ...fit, synchronousCommit: 'off' }, false)?.why).toBe('has synchronous_commit off')
    expect(unfitness({ ...fit, synchronousCommit: 'off', fsync: 'off' }, true)).toBeUndefined()
  })

  test.each([
    ['that nobody listens at', 'postgresql://u:hunter2@127.0.0.1:1/db', /127\.0\.0\.1:1\/db/],
    ['that cannot be read', 'postgresql://u:hunter2@[bad/db', /^`DATABASE_URL` is no PostgreSQL URL$/],
    ['that is none', 'nonsense-hunter2', /^`DATABASE_URL` is no PostgreSQL URL$/],
    ['of another database', 'mysql://u:hunter2@host/db', /^`DATABASE_URL` is no PostgreSQL URL$/],
    ['whose port is no number', 'postgresql://u:hunter2@host:hunter2/db', /DATABASE_URL|host/],
  ])('%s is refused without a word of the password', async (_, databaseUrl, message) => {
    const fault = await expectFault(openDatabase({ databaseUrl, dataDir }), message)
    expect(JSON.stringify([fault.message, fault.fix, String(fault.stack), fault.cause])).not.toContain(
      'hunter2',
    )
  })
})

describe('one data directory', () => {
  test('has one service at a time', async () => {
    const database = await openDatabase({ dataDir })
    const lock = await tryServiceLock(database.connection)
    expect(await tryServiceLock(database.connection)).toBeUndefined()
    await lock?.release()
    const next = await tryServiceLock(database.connection)
    expect(next).toBeDefined()
    await database.stop()
    await next?.lost
    await next?.release()
  })

  test('is stopped by the last one out, not by one who leaves others behind', async () => {
    const command = await openDatabase({ dataDir })
    const service = await openDatabase({ dataDir })
    expect(await stopIfUnused(command)).toBe(false)
    expect(await query(service.connection, 'select 1 as n')).toEqual({ n: 1 })
    expect(await stopIfUnused(service)).toBe(true)
    expect(await stopIfUnused(service)).toBe(false)
    expect(await runningPostmaster(path.join(dataDir, 'postgres'))).toBeUndefined()
  })

  test('can be opened by one while another closes it', async () => {
    for (let round = 0; round < 3; round += 1) {
      const leaving = await openDatabase({ dataDir })
      const [arriving] = await Promise.all([openDatabase({ dataDir }), stopIfUnused(leaving)])
      expect(await query(arriving.connection, 'select 1 as n')).toEqual({ n: 1 })
      await arriving.stop()
    }
  })
})

async function openInChild(): Promise<{ process: ChildProcess; pid: number; adopted: boolean }> {
  const opener = new URL('./harness/opener.mjs', import.meta.url).pathname
  const engine = new URL('../src/engine/embedded.ts', import.meta.url).pathname
  const child = spawn(process.execPath, [opener, engine, dataDir], { stdio: ['pipe', 'pipe', 'inherit'] })
  const [line]: Buffer[] = await once(child.stdout, 'data')
  const said: unknown = JSON.parse(String(line))
  expect(said).toEqual({ pid: expect.any(Number), adopted: expect.any(Boolean) })
  return { process: child, ...(said as { pid: number; adopted: boolean }) }
}

async function openAs(rootMode: NonNullable<EmbeddedOptions['rootMode']>) {
  try {
    const server = await openEmbedded({ dataDir, rootMode })
    await ask(server, 'select 1 as n')
    return { server, uid: (await stat(path.join(dataDir, 'postgres'))).uid }
  } catch (cause) {
    if (rootMode === 'namespace' && cause instanceof Fault) return { server: undefined, uid: undefined }
    throw cause
  }
}

function ask(server: EmbeddedPostgres, statement: string): Promise<unknown> {
  return query(server.connection, statement)
}

async function query(connection: pg.ClientConfig, statement: string): Promise<unknown> {
  const client = new pg.Client(connection)
  try {
    await client.connect()
    const { rows } = await client.query<Record<string, unknown>>(statement)
    return rows[0]
  } finally {
    await client.end()
  }
}

async function gone(pid: number): Promise<void> {
  await vi.waitUntil(() => !processExists(pid), { timeout: 20_000 })
}

async function expectFault(work: Promise<unknown>, message: RegExp, fix = /./): Promise<Fault> {
  const fault = await work.then(
    () => undefined,
    (cause: unknown) => cause,
  )
  if (!(fault instanceof Fault)) throw new Error(`expected a Fault like ${message}, got ${String(fault)}`)
  expect(fault.message).toMatch(message)
  expect(fault.fix).toMatch(fix)
  return fault
}
