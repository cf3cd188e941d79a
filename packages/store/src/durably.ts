import { randomBytes } from 'node:crypto'
import { open, rename, rm } from 'node:fs/promises'

/** Writes a file beside, syncs it, then renames it: a crash leaves the old file or the new one, never half of one. */
export async function durably(path: string, text: string): Promise<void> {
  // A name of its own: two processes may share a process id across containers, and two ledgers a process.
  const beside = `${path}.${randomBytes(6).toString('hex')}.new`
  try {
    const file = await open(beside, 'w', 0o600)
    try {
      await file.writeFile(text)
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
