import { execFile } from 'node:child_process'
import { chown, mkdir, readdir, readFile, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'
import { vi } from 'vitest'
import { findPostgres, type PostgresBinaries } from '../../src/engine/binaries.ts'
import { serverEnvironment } from '../../src/engine/cluster.ts'
import { openEmbedded, type EmbeddedPostgres } from '../../src/engine/embedded.ts'
import { whileConnected } from '../../src/engine/one-connection.ts'
import { choosePrivileges, commandWith } from '../../src/engine/privileges.ts'

/** A primary whose commits wait until its standby has them on disk. */
export interface PrimaryWithStandby {
  readonly primary: pg.ClientConfig
  readonly standby: pg.ClientConfig
  /** Kills every process of the primary, as a host that dies does. */
  killPrimary(): Promise<void>
  /** Makes the standby the primary; resolves once it takes writes. */
  promote(): Promise<void>
}

/** The PostgreSQL of this machine, where it can copy a server; npm's cannot. */
export async function binariesWithBackup(): Promise<PostgresBinaries | undefined> {
  const binaries = await findPostgres('installed').catch(() => undefined)
  if (binaries === undefined) return undefined
  const found = await stat(path.join(binaries.binDir, 'pg_basebackup')).catch(() => undefined)
  return found === undefined ? undefined : binaries
}

/** Starts both below `dir`, with every setting that durability hangs on as it is in earnest. */
export async function primaryWithStandby(
  dir: string,
  binaries: PostgresBinaries,
): Promise<PrimaryWithStandby> {
  const primary = await openEmbedded({ dataDir: path.join(dir, 'primary'), binaries })
  const standbyDir = path.join(dir, 'standby')
  await copyServer(primary, path.join(dir, 'primary', 'postgres'), standbyDir, binaries)
  const standby = await openEmbedded({ dataDir: standbyDir, binaries })
  const ask = (of: pg.ClientConfig, text: string) =>
    whileConnected(
      new pg.Client(of),
      async (client) => (await client.query(text)).rows as { found: unknown }[],
    )
  await ask(primary.connection, `alter system set synchronous_standby_names = '*'`)
  await ask(primary.connection, 'select pg_reload_conf()')
  await vi.waitFor(
    async () => {
      const rows = await ask(
        primary.connection,
        `select 1 as found from pg_stat_replication where sync_state = 'sync'`,
      )
      if (rows.length === 0) throw new Error('nothing is replicated synchronously')
    },
    { timeout: 20_000 },
  )
  return {
    primary: primary.connection,
    standby: standby.connection,
    killPrimary: () => killAll(primary.pid),
    promote: async () => {
      await ask(standby.connection, 'select pg_promote(true, 30) as found')
    },
  }
}

async function copyServer(
  from: EmbeddedPostgres,
  clusterDir: string,
  to: string,
  binaries: PostgresBinaries,
): Promise<void> {
  const owner = await stat(clusterDir)
  const privileges = await choosePrivileges(owner)
  await mkdir(to, { mode: 0o700 })
  if (privileges.kind === 'account') await chown(to, privileges.account.uid, privileges.account.gid)
  const { host, port, user } = from.connection
  const command = commandWith(privileges, path.join(binaries.binDir, 'pg_basebackup'), [
    `--host=${String(host)}`,
    `--port=${String(port)}`,
    `--username=${String(user)}`,
    `--pgdata=${path.join(to, 'postgres')}`,
    '--checkpoint=fast',
    '--wal-method=stream',
    '--write-recovery-conf',
    '--no-sync',
  ])
  await promisify(execFile)(command.file, command.args, {
    ...command.options,
    cwd: '/',
    env: serverEnvironment(),
  })
  // The primary's claim on its socket, which lies beside its files, came along.
  await rm(path.join(to, 'postgres', `.s.PGSQL.${String(port)}.lock`), { force: true })
}

// The children first are found, then all are killed: those of a dead parent finish what they are at.
async function killAll(postmaster: number): Promise<void> {
  const pids = [postmaster]
  for (const entry of await readdir('/proc')) {
    if (!/^[0-9]+$/.test(entry)) continue
    const text = await readFile(`/proc/${entry}/stat`, 'utf8').catch(() => '')
    const parent = Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[1])
    if (parent === postmaster) pids.push(Number(entry))
  }
  for (const pid of pids) process.kill(pid, 'SIGKILL')
}
