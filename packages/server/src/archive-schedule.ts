import type { Instant } from '@bailiwick/core'
import { keepPartitions, type Ledger } from '@bailiwick/store'
import type { ArchiveSettings } from './archive-settings.ts'
import { repeat, type Repetition } from './repeat.ts'

/** Partitions are made weeks ahead and records leave weeks late, so an hour more or less means nothing. */
const everyMs = 60 * 60 * 1000

type Connection = Parameters<typeof keepPartitions>[0]

interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly log: (line: string) => void
}

/**
 * Makes partitions ahead and, where there is an archive, archives what is no longer hot; once an hour. Several services
 * on one log may do so: they take turns. Stopping ends a run at its next step.
 */
export function archiveOnSchedule(
  ledger: Ledger,
  connection: Connection,
  settings: ArchiveSettings,
  { env, log }: Surroundings,
): Repetition {
  const ended = new AbortController()
  const failed = (what: string) => (error: unknown) =>
    ended.signal.aborted
      ? undefined
      : log(`${what}: ${error instanceof Error ? error.message : String(error)}`)
  const partitions = repeat(
    everyMs,
    () => keepPartitions(connection, settings.partition, Date.now() as Instant),
    failed('partitions'),
  )
  const { store, hotMs, retentionMs } = settings
  const archiving = repeat(
    everyMs,
    async () => {
      if (store === undefined) return
      const before = await ledger.coldBefore(hotMs)
      await ledger.archive({ store: store.address, env, before, keepMs: retentionMs, signal: ended.signal })
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
