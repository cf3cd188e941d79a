import { randomBytes } from 'node:crypto'
import { open, readFile, rename, rm } from 'node:fs/promises'
import { hasCode } from '../engine/errno.ts'

/** The text of a file, or undefined where there is none. */
export async function textIfThere(path: string): Promise<string | undefined> {
  return await readFile(path, 'utf8').catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return undefined
    throw error
  })
}

/** Written beside, synced, then renamed: a crash leaves the old file or the new one, never half of one. */
export async function writeDurably(path: string, content: string | Buffer): Promise<void> {
  // A name of its own: two processes may share a process id across containers, and two ledgers a process.
  const beside = `${path}.${randomBytes(6).toString('hex')}.new`
  try {
    const file = await open(beside, 'w', 0o600)
    try {
      await file.writeFile(content)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(beside, path)
  } catch (error) {
    // On a full disk every attempt would leave a file behind.
    await rm(beside, { force: true })
    throw error
  }
}
