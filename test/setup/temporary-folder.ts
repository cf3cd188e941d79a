import { accessSync, constants, statfsSync } from 'node:fs'

const memory = '/dev/shm'
/** Several times what a run has been seen to hold at once. */
const bytesNeeded = 2 * 1024 ** 3

/**
 * Where tests keep what they write, if not in the usual place: in memory, where there is enough of it. Tests kill
 * processes and never the machine, so what has been written outlives them in either place; and the many databases that
 * they start wait for no disk.
 */
export function temporaryFolder(): string | undefined {
  try {
    accessSync(memory, constants.W_OK | constants.X_OK)
    const { bavail, bsize } = statfsSync(memory)
    return bavail * bsize >= bytesNeeded ? memory : undefined
  } catch {
    return undefined
  }
}
