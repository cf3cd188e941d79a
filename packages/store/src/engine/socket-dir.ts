import { createHash } from 'node:crypto'
import { chown, lstat, mkdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Fault } from '@bailiwick/core'
import { hasCode } from './errno.ts'
import { fileOwner, type Privileges } from './privileges.ts'

/** The only port an embedded server has: part of its socket's name. */
export const embeddedPort = 5432

/** What an embedded server calls itself (`cluster_name`). */
export const embeddedClusterName = 'bailiwick-embedded'

// 108 bytes with the final zero on Linux, 104 on macOS and the BSDs.
const socketPathBytesMax = 103

/**
 * The directory for the cluster's socket: the cluster itself, which only its owner enters; where that makes
 * the path too long for a socket, a private directory below the system's temporary one.
 *
 * @throws Fault where that private directory is somebody else's
 */
export async function chooseSocketDir(clusterDir: string, privileges: Privileges): Promise<string> {
  if (fits(clusterDir)) return clusterDir
  const name = createHash('sha256').update(clusterDir).digest('hex').slice(0, 20)
  const dir = path.join(tmpdir(), `bailiwick-${name}`)
  if (!fits(dir)) {
    throw new Fault('store_unavailable', `no directory short enough for a socket: not even \`${dir}\``, {
      fix: 'Choose a BAILIWICK_DATA or a TMPDIR with a shorter path.',
    })
  }
  try {
    await mkdir(dir, { mode: 0o700 })
    if (privileges.kind === 'account') await chown(dir, privileges.account.uid, privileges.account.gid)
  } catch (cause) {
    if (!hasCode(cause, 'EEXIST')) throw cause
  }
  await checkPrivate(dir, fileOwner(privileges))
  return dir
}

function fits(dir: string): boolean {
  return Buffer.byteLength(path.join(dir, `.s.PGSQL.${embeddedPort}`)) <= socketPathBytesMax
}

/** Anyone may have made the name in a shared directory first, to listen in our place. */
async function checkPrivate(dir: string, owner: number): Promise<void> {
  const found = await lstat(dir)
  if (found.isDirectory() && found.uid === owner && (found.mode & 0o077) === 0) return
  throw new Fault('store_unavailable', `\`${dir}\` is not a private directory of user ${owner}`, {
    fix: 'Remove it, or choose a BAILIWICK_DATA with a shorter path.',
  })
}
