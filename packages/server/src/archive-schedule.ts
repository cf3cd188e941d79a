import { setTimeout } from 'node:timers/promises'
import { Fault } from '@bailiwick/core'
import { archiveHeldUp, closedStores, keepPartitions, type Ledger } from '@bailiwick/store'
import type { ArchiveSettings } from './archive-settings.ts'
import { closedStoreAdvice, heldUpAdvice } from './archive-words.ts'
import { repeat, type Repetition } from './repeat.ts'

/** Partitions are made weeks ahead and records leave weeks late, so an hour more or less means nothing. */
const everyMs = 60 * 60 * 1000
/** A bucket that is away must not keep a service from starting. */
const answerMsMax = 3_000

type Connection = Parameters<typeof keepPartitions>[0]

/** What of a ledger is scheduled. */
type Scheduled = Pick<Ledger, 'archive' | 'coldBefore' | 'name' | 'now' | 'pool'>

interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly log: (line: string) => void
  /** What repeats a step; default: a timer. */
  readonly every?: typeof repeat | undefined
}

/**
 * Makes partitions ahead and, where there is an archive, archives what is no longer hot; once an hour. Several services
 * on one log may do so: they take turns. What is held up by an approval is said, once for each. Stopping ends a run at its
 * next step.
 */
export function archiveOnSchedule(
  ledger: Scheduled,
  connection: Connection,
  settings: ArchiveSettings,
  { env, log, every = repeat }: Surroundings,
): Repetition {
  const ended = new AbortController()
  const failed = (what: string) => (error: unknown) =>
    ended.signal.aborted
      ? undefined
      : log(`${what}: ${error instanceof Error ? error.message : String(error)}`)
  const partitions = every(
    everyMs,
    () => keepPartitions(connection, settings.partition, ledger.now()),
    failed('partitions'),
  )
  const { store, hotMs, retentionMs } = settings
  let said: string | undefined
  const archiving = every(
    everyMs,
    async () => {
      if (store === undefined) return
      const before = await ledger.coldBefore(hotMs)
      await ledger.archive({ store: store.address, env, before, keepMs: retentionMs, signal: ended.signal })
      const heldUp = await archiveHeldUp(ledger.pool, ledger.name, before)
      if (heldUp !== undefined && heldUp.approval !== said) {
        const { what, fix } = heldUpAdvice(heldUp, ledger.now())
        log(`archive: ${what}. ${fix}`)
      }
      said = heldUp?.approval
    },
    failed('archive'),
  )
  return {
    stop: async () => {
      ended.abort()
      await Promise.all([partitions.stop(), archiving.stop()])
    },
  }
}

/** Says, in a line for each, what the archive lacks as it is now. The service starts all the same. */
export async function sayArchiveTroubles(
  ledger: Ledger,
  settings: ArchiveSettings,
  log: (line: string) => void,
): Promise<void> {
  await sayClosedStores(ledger, settings, log)
  await sayUnusableStore(settings, log)
}

/**
 * Says loudly which records of the log cannot be read here, because their archive is not configured. The service starts all
 * the same: what it decides on does not lie there.
 */
async function sayClosedStores(
  ledger: Ledger,
  { store }: ArchiveSettings,
  log: (line: string) => void,
): Promise<void> {
  for (const closed of await closedStores(ledger.pool, ledger.name, store)) {
    const { what, fix } = closedStoreAdvice(closed, store)
    log(`archive: ${what}. ${fix}`)
  }
}

/**
 * Says once, in one line, that the archive cannot be used as it is now, so that nobody learns it only when the first records
 * are to leave. Writes nothing there, waits for three seconds at the most, and never fails: the service decides without an
 * archive. What only writing would show, such as a full disk, shows when records are archived.
 */
export async function sayUnusableStore(
  { store }: Pick<ArchiveSettings, 'store'>,
  log: (line: string) => void,
  waitMs = answerMsMax,
): Promise<void> {
  if (store === undefined) return
  const answered = new AbortController()
  const looked = store.check().then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error : new Error(String(error))),
  )
  const late = setTimeout(waitMs, undefined, { signal: answered.signal }).then(
    () =>
      new Fault('store_unavailable', `the archive in \`${store.address}\` has not answered in time`, {
        fix: 'Check the endpoint and the network; nothing has left the database.',
      }),
    () => undefined,
  )
  const found = await Promise.race([looked, late])
  answered.abort()
  if (found === undefined) return
  const fix = found instanceof Fault ? ` ${found.fix}` : ''
  log(`archive: ${found.message}.${fix}`)
}
