import { Fault } from '@bailiwick/core'

/**
 * Waits for something to be ended; false where a `conflict` or `approval_closed` says that it was ended, or that something
 * stands in the way, already.
 */
export async function unlessEnded(ending: Promise<unknown>): Promise<boolean> {
  try {
    await ending
    return true
  } catch (error) {
    if (!(error instanceof Fault) || !['conflict', 'approval_closed'].includes(error.code)) throw error
    return false
  }
}
