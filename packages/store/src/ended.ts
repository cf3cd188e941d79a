import { Fault } from '@bailiwick/core'

/** Waits for something to be ended; false where a `conflict` says that it was ended, or stands in the way, already. */
export async function unlessEnded(ending: Promise<unknown>): Promise<boolean> {
  try {
    await ending
    return true
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 'conflict') throw error
    return false
  }
}
