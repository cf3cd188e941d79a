import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmod,
  cp,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  statfs,
  utimes,
  writeFile,
} from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { Fault } from '@bailiwick/core'
import pg from 'pg'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { findPostgres, type PostgresBinaries } from '../src/engine/binaries.ts'
import { openEmbedded, type EmbeddedPostgres } from '../src/engine/embedded.ts'
import { openDatabase } from '../src/engine/open.ts'
import { processExists } from '../src/engine/postmaster-file.ts'
import { choosePrivileges } from '../src/engine/privileges.ts'
import { Ledger } from '../src/ledger.ts'
import { migrate } from '../src/migrate.ts'
import { verifyStoredLog } from '../src/verify.ts'
import { makeTestDir, removeTestDir } from './harness/data-dir.ts'
import { agent, faultOf, policiesOf, refund, supportPolicy } from './harness/ledger.ts'

let dataDir: string
const undo: (() => Promise<unknown>)[] = []

beforeEach(async () => {
  dataDir = await makeTestDir()
})
afterEach(async () => {
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
  await removeTestDir(dataDir)
  for (const step of undo.splice(0).reverse()) await step()
})

const clusterOf = (dir = dataDir) => path.join(dir, 'postgres')
const pidFileOf = (dir = dataDir) => path.join(clusterOf(dir), 'postmaster.pid')
const run = promisify(execFile)

/** A data directory with a cluster that holds one row, and no server. */
async function kept(binaries?: PostgresBinaries): Promise<EmbeddedPostgres> {
  const server = await openEmbedded({ dataDir, ...(binaries && { binaries }) })
  await query(server.connection, 'create table kept as select 7 as n')
  await server.stop()
  return server
}

/** Opens it, and finds the row. */
async function expectKept(dir = dataDir): Promise<EmbeddedPostgres> {
  const server = await openEmbedded({ dataDir: dir })
  expect(await query(server.connection, 'select n from kept')).toEqual([{ n: 7 }])
  return server
}

/** Every file below with its size and the time of its last change, but for PostgreSQL's own words. */
async function filesBelow(dir: string): Promise<Record<string, string>> {
  const files: Record<string, string> = {}
  for (const name of (await readdir(dir, { recursive: true })).sort()) {
    const { size, mtimeMs } = await stat(path.join(dir, name))
    if (name !== 'postgres.log') files[name] = `${size} ${mtimeMs}`
  }
  return files
}

async function refused(opening: Promise<unknown>, message: RegExp): Promise<Fault> {
  const fault = await faultOf(opening)
  expect(fault.message).toMatch(message)
  return fault
}

describe('a server that was killed with all of its openers', () => {
  test.each([
    ['names a process that is gone', (dead: number) => `${dead}\n/elsewhere`],
    ['names a program that has its number now', () => `${process.pid}\n`],
    ['was never filled', () => ''],
    ['was filled with zeros', () => '\0'.repeat(64)],
    ['holds half of a number and no more', (dead: number) => String(dead).slice(0, 2)],
    ['holds something else', () => 'not a number\n'],
    ['names the first process of all', () => '1\n'],
    ['names no process', () => '-7\n'],
  ])('is started again where its pid file %s', async (_, text) => {
    await kept()
    await writeFile(pidFileOf(), text(await deadPid()))
    const anHourAgo = new Date(Date.now() - 3_600_000)
    await utimes(pidFileOf(), anHourAgo, anHourAgo)
    const server = await expectKept()
    expect(server.startedHere).toBe(true)
  })

  test('is started again where its number has gone to the server of another data directory, which runs on', async () => {
    await kept()
    const otherDir = await makeTestDir()
    undo.push(() => removeTestDir(otherDir))
    const other = await openEmbedded({ dataDir: otherDir })
    const text = await readFile(pidFileOf(otherDir), 'utf8')
    await writeFile(pidFileOf(), text.replaceAll(otherDir, dataDir))
    const server = await expectKept()
    expect(server.pid).not.toBe(other.pid)
    await server.stop()
    expect(await query(other.connection, 'select 1 as n')).toEqual([{ n: 1 }])
  })

  test('recovers once for all who come meanwhile', async () => {
    const before = await openEmbedded({ dataDir })
    await query(before.connection, 'create table kept as select 7 as n')
    await query(
      before.connection,
      `create table much as select repeat('x', 500) from generate_series(1, 100000)`,
    )
    process.kill(before.pid, 'SIGKILL')
    const servers = await Promise.all([expectKept(), expectKept(), expectKept()])
    expect(new Set(servers.map(({ pid }) => pid)).size).toBe(1)
    expect(await query(before.connection, 'select count(*)::int as n from much')).toEqual([{ n: 100_000 }])
  })

  test('is brought back by whoever has it open, in the same place; one that was stopped is not', async () => {
    const database = await openDatabase({ dataDir })
    await query(database.connection, 'create table kept as select 7 as n')
    await database.revive()
    process.kill(Number.parseInt(await readFile(pidFileOf(), 'utf8'), 10), 'SIGKILL')
    await vi.waitFor(async () => expect((await faultOrRows(database.connection)).length).toBe(0), 20_000)
    await database.revive()
    expect(await query(database.connection, 'select n from kept')).toEqual([{ n: 7 }])
    await database.stop()
    await database.revive()
    expect(await faultOrRows(database.connection)).toEqual([])
  })
})

describe('a data directory', () => {
  test('that was copied while its server ran is refused and left alone; the original runs on', async () => {
    const original = await openEmbedded({ dataDir })
    const copy = await makeTestDir()
    undo.push(() => removeTestDir(copy))
    await cp(dataDir, copy, { recursive: true, filter: (file) => !file.includes('.s.PGSQL') })
    const before = await filesBelow(copy)
    const fault = await refused(
      openEmbedded({ dataDir: copy }),
      /was copied from .* while PostgreSQL ran there/,
    )
    expect(fault.fix).toContain('copy again')
    expect(await filesBelow(copy)).toEqual(before)
    expect(await query(original.connection, 'select 1 as n')).toEqual([{ n: 1 }])
    // The same where the original has been killed since.
    process.kill(original.pid, 'SIGKILL')
    await refused(openEmbedded({ dataDir: copy }), /was copied/)
    await rm(pidFileOf(copy))
    const opened = await openEmbedded({ dataDir: copy })
    await opened.stop()
  })

  test('that was copied while no server ran, or moved after its server was killed, opens', async () => {
    await kept()
    const copy = path.join(dataDir, 'copy')
    await mkdir(copy)
    await cp(clusterOf(), clusterOf(copy), { recursive: true })
    const server = await expectKept(copy)
    process.kill(server.pid, 'SIGKILL')
    await vi.waitUntil(() => !processExists(server.pid))
    const moved = path.join(dataDir, 'moved')
    await rename(copy, moved)
    await (await expectKept(moved)).stop()
  })

  test('whose version file is garbage is refused and left alone', async () => {
    await kept()
    await writeFile(path.join(clusterOf(), 'PG_VERSION'), 'fifteen\n')
    const before = await filesBelow(dataDir)
    await refused(openEmbedded({ dataDir }), /no PostgreSQL cluster that can be read/)
    expect(await filesBelow(dataDir)).toEqual(before)
  })

  test('that others may read is refused in the words of PostgreSQL', async () => {
    await kept()
    await chmod(clusterOf(), 0o755)
    await refused(openEmbedded({ dataDir }), /does not start: .*invalid permissions/)
  })

  test('that belongs to somebody else is refused', async () => {
    vi.spyOn(process, 'getuid').mockReturnValue(4711)
    const fault = await refused(
      choosePrivileges({ uid: 4712, gid: 4712 }),
      /belongs to user 4712, not to 4711/,
    )
    expect(fault.fix).toContain('Run as the user who owns it')
    expect(await choosePrivileges({ uid: 4711, gid: 4711 })).toEqual({ kind: 'self', uid: 4711 })
  })

  describe('made by one major version of PostgreSQL', () => {
    test.each([
      ['installed', 'npm'],
      ['npm', 'installed'],
    ] as const)('(%s) is refused to another (%s), and left alone', async (makes, opens) => {
      const [maker, opener] = [await findPostgres(makes), await findPostgres(opens)]
      if (maker.version === opener.version)
        return console.error('*** NOT TESTED: only one PostgreSQL is here ***')
      await kept(maker)
      const before = await filesBelow(dataDir)
      const made = new RegExp(`was made by PostgreSQL ${maker.version}, which is not found here`)
      const fault = await refused(openEmbedded({ dataDir, binaries: opener }), made)
      expect(fault.fix).toMatch(/pg_dump/)
      vi.stubEnv('BAILIWICK_POSTGRES_BIN', opener.binDir)
      await refused(openDatabase({ dataDir }), new RegExp(`holds PostgreSQL ${opener.version}`))
      expect(await filesBelow(dataDir)).toEqual(before)
      // The right one is found by itself, whichever is preferred for a new directory.
      vi.unstubAllEnvs()
      expect((await expectKept()).version).toBe(maker.version)
    })
  })
})

test('an embedded server is not to be had by DATABASE_URL, for it is stopped by others', async () => {
  const database = await openDatabase({ dataDir })
  const databaseUrl = `postgresql://bailiwick@${encodeURIComponent(clusterOf())}:5432/bailiwick`
  const other = await makeTestDir()
  undo.push(() => removeTestDir(other))
  const fault = await refused(
    openDatabase({ dataDir: other, databaseUrl }),
    /is the embedded one of a data directory/,
  )
  expect(fault).toMatchObject({ code: 'conflict', fix: expect.stringContaining('--data') })
  expect(await query(database.connection, 'select 1 as n')).toEqual([{ n: 1 }])
})

const canMount = await mounts()
if (!canMount)
  console.error('*** NOT TESTED: full and read-only disks, because nothing can be mounted here ***')

describe.runIf(canMount)('a disk', () => {
  /** A file system of its own, in memory. */
  async function mounted(megabytes: number): Promise<string> {
    const dir = await makeTestDir()
    await run('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=0700`, 'none', dir])
    undo.push(async () => {
      await run('mount', ['-o', 'remount,rw', dir])
      for (const name of await readdir(dir)) await removeTestDir(path.join(dir, name))
      await run('umount', [dir])
      await rm(dir, { recursive: true })
    })
    return dir
  }

  test('that is too small for a cluster is said to be full, and keeps nothing of it', async () => {
    const small = path.join(await mounted(16), 'data')
    const fault = await refused(openDatabase({ dataDir: small }), /cluster cannot be made: .*No space left/)
    expect(fault.fix).toContain('Free disk space')
    expect(await readdir(small)).toEqual([])
  })

  test('that only reads is refused, with and without a cluster, and nothing is changed', async () => {
    const disk = await mounted(200)
    const full = path.join(disk, 'full')
    await (await openDatabase({ dataDir: full })).stop()
    await mkdir(path.join(disk, 'empty'))
    await run('mount', ['-o', 'remount,ro', disk])
    const before = await filesBelow(disk)
    for (const name of ['full', 'empty', 'new']) {
      const fault = await refused(
        openDatabase({ dataDir: path.join(disk, name) }),
        /cannot be (written|used|made)/,
      )
      expect(fault.code).toBe('store_unavailable')
    }
    expect(await filesBelow(disk)).toEqual(before)
  })

  test('that fills up under a log loses nothing that was acknowledged; with room again, the log goes on', async () => {
    const disk = await mounted(220)
    const data = path.join(disk, 'data')
    const first = await openDatabase({ dataDir: data })
    await migrate(first.connection)
    const opening = {
      policies: policiesOf(supportPolicy()),
      dataDir: data,
      consoleUrl: 'http://console.test',
    }
    const ledger = await Ledger.open({ ...opening, connection: first.connection })
    const { bavail, bsize } = await statfs(disk)
    await writeFile(path.join(disk, 'ballast'), Buffer.alloc(bavail * bsize - 512 * 1024))

    const acknowledged: string[] = []
    let fault: unknown
    for (let n = 0; fault === undefined && n < 20_000; n += 64) {
      const calls = Array.from({ length: 64 }, (_, at) =>
        ledger.decide(agent, refund(1, { context: { note: `${n + at}`.padEnd(2_000, 'x') } })),
      )
      for (const call of await Promise.allSettled(calls)) {
        if (call.status === 'fulfilled') acknowledged.push(call.value.id)
        else fault = call.reason
      }
    }
    expect(fault).toMatchObject({ code: 'store_unavailable' })
    await ledger.close().catch((error: unknown) => expect(error).toBeInstanceOf(Error))
    await first.stop()
    // Too full even to start: said, and not gone on about for a minute.
    const opened = await openDatabase({ dataDir: data }).catch((error: unknown) => error)
    if (opened instanceof Fault)
      expect(opened.message).toMatch(/No space left|does not start|does not answer/)
    else await (opened as Awaited<ReturnType<typeof openDatabase>>).stop()

    await rm(path.join(disk, 'ballast'))
    const again = await openDatabase({ dataDir: data })
    const { connection } = again
    const after = await Ledger.open({ ...opening, connection })
    for (const id of acknowledged) expect((await after.decision(id)).effect).toBe('allow')
    expect((await after.decide(agent, refund(1))).effect).toBe('allow')
    expect(await verifyStoredLog({ connection, dataDir: data })).toMatchObject({ kind: 'intact' })
    await after.close()
    await again.stop()
  })
})

async function mounts(): Promise<boolean> {
  const dir = await makeTestDir()
  try {
    await run('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'none', dir])
    await run('umount', [dir])
    return true
  } catch {
    return false
  } finally {
    await rm(dir, { recursive: true })
  }
}

async function deadPid(): Promise<number> {
  const child = spawn('true')
  await once(child, 'exit')
  return child.pid ?? Number.NaN
}

async function query(connection: pg.ClientConfig, text: string): Promise<unknown[]> {
  const client = new pg.Client(connection)
  client.on('error', () => undefined)
  try {
    await client.connect()
    return (await client.query<Record<string, unknown>>(text)).rows
  } finally {
    await client.end()
  }
}

/** The rows, or none where nobody answers. */
const faultOrRows = (connection: pg.ClientConfig) => query(connection, 'select 1 as n').catch(() => [])
