import { Fault } from '@bailiwick/core'

/** Waits for something to be ended, and lets it pass that somebody else has ended it meanwhile. */
export async function unlessEnded(ending: Promise<unknown>): Promise<void> {
  try {
    await ending
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 'conflict') throw error
  }
}
