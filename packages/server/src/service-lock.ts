import { Fault, systemPorts } from '@bailiwick/core'
import { tryServiceLock, tryServiceShare, type HeldLock, type OpenedDatabase } from '@bailiwick/store'

const lockAttemptsMax = 60
const lockPauseMs = 500

/** The right to run a service on a database, for as long as it is not lost. */
export interface KeptLock {
  /** Resolves when the lock is lost for good; never where it is released. */
  readonly failed: Promise<Fault>
  release(): Promise<void>
}

/**
 * Takes the right to run a service on a database, and keeps it while the database restarts.
 *
 * @throws Fault `conflict` where somebody else has it
 */
export async function holdServiceLock(database: OpenedDatabase): Promise<KeptLock> {
  return keepLock(await onlyService(database), database)
}

// On a server several services may share a ledger; in an embedded data directory there is one, because
// its checkpoint and its database are started and stopped together.
async function onlyService(database: OpenedDatabase): Promise<HeldLock> {
  const lock = await serviceLock(database)
  if (lock !== undefined) return lock
  if (database.kind === 'server') {
    throw new Fault('conflict', `somebody has the database at ${database.place} to himself`, {
      fix: 'Wait where its log is being moved. Where it is the embedded one of a data directory, leave out DATABASE_URL and name that directory with --data.',
    })
  }
  throw new Fault('conflict', 'another service already runs on this data directory', {
    fix: 'Stop it first, or choose another data directory with --data.',
  })
}

function serviceLock({ kind, connection }: OpenedDatabase): Promise<HeldLock | undefined> {
  return kind === 'server' ? tryServiceShare(connection) : tryServiceLock(connection)
}

// A database that restarts after a crash drops the lock. Whoever gets it back in time goes on.
function keepLock(first: HeldLock, database: OpenedDatabase): KeptLock {
  const ended = new AbortController()
  let lock: HeldLock | undefined = first
  let fail: (fault: Fault) => void
  const failed = new Promise<Fault>((resolve) => {
    fail = resolve
  })
  const keep = async (): Promise<void> => {
    while (lock !== undefined && !ended.signal.aborted) {
      await lock.lost
      lock = await retaken(database, ended.signal)
    }
    if (ended.signal.aborted) return
    fail(
      new Fault('store_unavailable', 'the embedded database has stopped', {
        fix: 'Start the service again.',
      }),
    )
  }
  const kept = keep()
  return {
    failed,
    release: async () => {
      ended.abort()
      await lock?.release()
      await kept
      // It may have come back just as it was being let go.
      await lock?.release()
    },
  }
}

async function retaken(database: OpenedDatabase, ended: AbortSignal): Promise<HeldLock | undefined> {
  // A server is somebody else's to bring back, and the service waits for it.
  for (let attempt = 0; attempt < lockAttemptsMax || database.kind === 'server'; attempt++) {
    await systemPorts.sleep(lockPauseMs, ended)
    if (ended.aborted) return undefined
    // A database that is still recovering refuses; that is what the next attempt is for.
    await database.revive().catch(() => undefined)
    const lock = await serviceLock(database).catch(() => undefined)
    if (lock !== undefined) return lock
  }
  return undefined
}
