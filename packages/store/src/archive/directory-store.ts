import { createReadStream } from 'node:fs'
import { createHash, randomBytes } from 'node:crypto'
import { access, chmod, constants, lstat, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Fault } from '@bailiwick/core'
import { hasCode } from '../engine/errno.ts'
import { missingObject, type ArchiveStore, type PutFile, type ReadPart } from './store.ts'

const lockedMode = 0o444
const openMode = 0o600
const stepBytes = 1024 * 1024

/**
 * A directory as an archive. It is never made: where a disk is not mounted, records would go to another one. What must not change is read-only, which keeps from mistakes and not from whoever owns the
 * directory; use a store with object lock against those. A symbolic link inside of it is followed by nobody: it leads to files
 * that are none of the archive's. The directory itself may be one.
 */
export function directoryStore(url: URL): ArchiveStore {
  const root = fileURLToPath(url)
  // Keys come out of the database, too.
  const at = (key: string) => {
    const path = join(root, ...key.split('/'))
    if (path.startsWith(root.endsWith(sep) ? root : `${root}${sep}`)) return path
    throw missingObject(key, 'lies outside of the archive')
  }
  return {
    address: url.href,
    check: () => unlessUnavailable(root, () => isThere(root)),
    put: (key, file) =>
      unlessUnavailable(root, async () => {
        const path = at(key)
        await refuseLinks(root, key)
        return await put(root, path, file)
      }),
    read: (key, part) =>
      unlessUnavailable(root, async () => {
        const path = at(key)
        await refuseLinks(root, key)
        return await read(path, key, part)
      }),
    remove: (key) =>
      unlessUnavailable(root, async () => {
        const path = at(key)
        await refuseLinks(root, key)
        await rm(path, { force: true })
      }),
  }
}

// Whoever puts a link there between this look and what follows could as well change the object.
async function refuseLinks(root: string, key: string): Promise<void> {
  let path = root
  for (const part of key.split('/')) {
    path = join(path, part)
    const found = await lstat(path).catch((error: unknown) => {
      if (hasCode(error, 'ENOENT')) return undefined
      throw error
    })
    if (found === undefined) return
    if (found.isSymbolicLink()) throw missingObject(key, `is, or lies behind, the symbolic link \`${path}\``)
  }
}

// Written beside, synced, then renamed, and the directory synced: after a crash there is the whole file or none.
async function put(root: string, path: string, file: PutFile): Promise<null> {
  await isThere(root)
  await removeLeftovers(path)
  if (await isSame(path, file)) return null
  await makeDirectory(dirname(path), root)
  const beside = `${path}.${randomBytes(6).toString('hex')}.new`
  try {
    await copyInSteps(file.path, beside)
    await chmod(beside, file.keepUntil === undefined ? openMode : lockedMode)
    await sync(beside)
    await rename(beside, path)
    await sync(dirname(path))
  } catch (error) {
    // On a full disk every attempt would leave a file behind.
    await rm(beside, { force: true })
    throw error
  }
  return null
}

// Each step is on disk before the next: one that has to write a whole segment at once keeps the commits of a database that
// lies on it waiting until it has.
async function copyInSteps(from: string, to: string): Promise<void> {
  const target = await open(to, 'wx', openMode)
  try {
    for await (const chunk of createReadStream(from, { highWaterMark: stepBytes })) {
      await target.appendFile(chunk as Buffer)
      await target.datasync()
    }
  } finally {
    await target.close()
  }
}

// What a crash left of an earlier attempt: it may hold payloads, which an erasure would not find there. Attempts take turns;
// one that has lost its turn fails.
async function removeLeftovers(path: string): Promise<void> {
  const names = await readdir(dirname(path)).catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return []
    throw error
  })
  const isLeft = (name: string) => name.startsWith(`${basename(path)}.`) && name.endsWith('.new')
  for (const name of names.filter(isLeft)) await rm(join(dirname(path), name), { force: true })
}

async function isSame(path: string, { bytes, sha256 }: PutFile): Promise<boolean> {
  const found = await stat(path).catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return undefined
    throw error
  })
  if (found?.size !== bytes) return false
  const digest = createHash('sha256')
  for await (const chunk of createReadStream(path)) digest.update(chunk as Buffer)
  return digest.digest('hex') === sha256
}

async function read(path: string, key: string, { offset, bytes }: ReadPart): Promise<Buffer> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW).catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) throw missingObject(key, 'is not there')
    if (hasCode(error, 'ELOOP')) throw missingObject(key, 'is a symbolic link')
    throw error
  })
  try {
    const part = Buffer.alloc(bytes)
    let length = 0
    while (length < bytes) {
      const { bytesRead } = await file.read(part, length, bytes - length, offset + length)
      if (bytesRead === 0) throw missingObject(key, 'is shorter than it was')
      length += bytesRead
    }
    return part
  } finally {
    await file.close()
  }
}

async function isThere(root: string): Promise<void> {
  await access(root, constants.W_OK)
  if (!(await stat(root)).isDirectory()) throw Object.assign(new Error('no directory'), { code: 'ENOTDIR' })
}

async function makeDirectory(path: string, root: string): Promise<void> {
  const made = await mkdir(path, { recursive: true, mode: 0o700 })
  if (made === undefined) return
  // Every directory that was made stands in one that must not forget it.
  for (let dir = path; dir !== dirname(root) && dir !== dirname(dir); dir = dirname(dir)) await sync(dir)
  await sync(dirname(made))
}

async function sync(path: string): Promise<void> {
  const file = await open(path, 'r')
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}

async function unlessUnavailable<Result>(root: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (cause) {
    if (cause instanceof Fault) throw cause
    const why = cause instanceof Error && 'code' in cause ? ` (${String(cause.code)})` : ''
    throw new Fault('store_unavailable', `the archive in \`${root}\` cannot be used${why}`, {
      fix: 'Make the directory, or mount its disk, and check that it is writable and has space left; nothing has left the database.',
      cause,
    })
  }
}
