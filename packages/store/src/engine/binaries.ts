import { execFile } from 'node:child_process'
import { readdir, realpath } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { Fault } from '@bailiwick/core'
import { hasCode } from './errno.ts'
import { npmBinDir } from './npm-binaries.ts'

/** PostgreSQL programs that can run here. */
export interface PostgresBinaries {
  /** Absolute; holds `postgres` and `initdb`. */
  readonly binDir: string
  /** The major version, such as 15. */
  readonly version: number
  /** `configured`: named by BAILIWICK_POSTGRES_BIN. */
  readonly origin: 'configured' | 'installed' | 'npm'
}

/** The oldest major version that the store's SQL is written for. */
export const oldestVersion = 15

/**
 * PostgreSQL programs to run: the ones BAILIWICK_POSTGRES_BIN names, else the preferred source, else the other
 * one. Among installed ones the newest wins.
 *
 * @param major the only version that will do, because a data directory was made by it
 * @throws Fault where there are none, or where BAILIWICK_POSTGRES_BIN names none
 */
export async function findPostgres(
  prefer: 'installed' | 'npm' = 'installed',
  major?: number,
): Promise<PostgresBinaries> {
  const configured = process.env['BAILIWICK_POSTGRES_BIN']
  if (configured !== undefined && configured !== '') return configuredPostgres(configured, major)

  const sources = [installedPostgres, npmPostgres]
  if (prefer === 'npm') sources.reverse()
  for (const source of sources) {
    const found = (await source()).find(({ version }) => major === undefined || version === major)
    if (found !== undefined) return found
  }
  throw new Fault('store_unavailable', `no PostgreSQL ${major ?? `${oldestVersion} or newer`} was found`, {
    fix: `Install PostgreSQL ${major ?? `${oldestVersion} or newer`}, set BAILIWICK_POSTGRES_BIN to its bin directory, or set DATABASE_URL to a server.`,
  })
}

async function configuredPostgres(binDir: string, major: number | undefined): Promise<PostgresBinaries> {
  const version = await versionIn(binDir)
  if (version !== undefined && version >= oldestVersion && (major === undefined || version === major)) {
    return { binDir: path.resolve(binDir), version, origin: 'configured' }
  }
  const wanted = major === undefined ? `${oldestVersion} or newer` : `${major}, which made the data directory`
  const found = version === undefined ? 'no PostgreSQL that runs' : `PostgreSQL ${version}`
  throw new Fault('bad_input', `BAILIWICK_POSTGRES_BIN names \`${binDir}\`, which holds ${found}`, {
    fix: `Set it to the directory that holds \`postgres\` and \`initdb\` of PostgreSQL ${wanted}, or unset it.`,
  })
}

async function npmPostgres(): Promise<readonly PostgresBinaries[]> {
  const binDir = await npmBinDir()
  const version = binDir === undefined ? undefined : await versionIn(binDir)
  if (binDir === undefined || version === undefined) return []
  return [{ binDir, version, origin: 'npm' }]
}

async function installedPostgres(): Promise<readonly PostgresBinaries[]> {
  const found = new Map<string, PostgresBinaries>()
  for (const binDir of await installedDirs()) {
    const program = await realPathOf(path.join(binDir, 'postgres'))
    if (program === undefined) continue
    // Packagers link single programs into a common directory; the rest is beside the real one.
    const realDir = path.dirname(program)
    const version = found.has(realDir) ? undefined : await versionIn(realDir)
    if (version === undefined || version < oldestVersion) continue
    found.set(realDir, { binDir: realDir, version, origin: 'installed' })
  }
  return [...found.values()].sort((a, b) => b.version - a.version)
}

/** Where packagers put PostgreSQL: Debian, Red Hat, Homebrew, Postgres.app, and its own default. */
async function installedDirs(): Promise<readonly string[]> {
  const versioned: readonly (readonly [string, RegExp])[] = [
    ['/usr/lib/postgresql', /^\d+$/],
    ['/usr', /^pgsql-\d+$/],
    ['/opt/homebrew/opt', /^postgresql(@\d+)?$/],
    ['/usr/local/opt', /^postgresql(@\d+)?$/],
    ['/Applications/Postgres.app/Contents/Versions', /^\d+$/],
  ]
  const dirs = (process.env['PATH'] ?? '').split(path.delimiter).filter((dir) => path.isAbsolute(dir))
  for (const [parent, name] of versioned) {
    const names = await namesIn(parent)
    dirs.push(...names.filter((entry) => name.test(entry)).map((entry) => path.join(parent, entry, 'bin')))
  }
  dirs.push('/usr/local/pgsql/bin')
  return dirs
}

async function namesIn(dir: string): Promise<readonly string[]> {
  try {
    return await readdir(dir)
  } catch (cause) {
    if (hasCode(cause, 'ENOENT', 'ENOTDIR', 'EACCES')) return []
    throw cause
  }
}

async function realPathOf(file: string): Promise<string | undefined> {
  try {
    return await realpath(file)
  } catch (cause) {
    if (hasCode(cause, 'ENOENT', 'ENOTDIR', 'EACCES', 'ELOOP')) return undefined
    throw cause
  }
}

/** The major version of the programs in `binDir`; undefined where one is missing or does not run. */
async function versionIn(binDir: string): Promise<number | undefined> {
  try {
    // Both at once: every start of the service waits for them.
    const [{ stdout }] = await Promise.all([versionText(binDir, 'postgres'), versionText(binDir, 'initdb')])
    const match = /\(PostgreSQL\) (\d+)/.exec(stdout)
    return match === null ? undefined : Number(match[1])
  } catch {
    // Missing, built for another system, or short of a library: whichever it is, it cannot serve us.
    return undefined
  }
}

function versionText(binDir: string, program: string): Promise<{ readonly stdout: string }> {
  return promisify(execFile)(path.join(binDir, program), ['--version'], { timeout: 20_000 })
}
