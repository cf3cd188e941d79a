import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Instant } from '@bailiwick/core'
import { openArchiveStore } from '../../src/archive/open-store.ts'
import type { ArchiveStore } from '../../src/archive/store.ts'
import type { ArchiveReport } from '../../src/archive/run.ts'
import { Ledger, type ArchiveRequest, type LedgerOptions } from '../../src/ledger.ts'
import type { PolicySet } from '../../src/policies.ts'
import { keepPartitions } from '../../src/log/partitions.ts'
import { agent, minute, policiesOf, refund, supportPolicy, type LedgerSite } from './ledger.ts'

export const day = 24 * 60 * minute

/** A ledger that archives into a directory beside its data, a partition a week. */
export interface ArchivedSite {
  readonly ledger: Ledger
  readonly store: string
  /** Another process on the same log, with this archive open. */
  another(archive?: ArchiveStore): Promise<Ledger>
  /** Has `count` refunds decided, one batch each, an hour apart. */
  live(count: number): Promise<void>
  /** Moves on to the next week, with its partitions made. */
  nextWeek(): Promise<void>
  /** Archives everything that is older than `days`. */
  archive(more?: Partial<ArchiveRequest>, by?: Ledger): Promise<ArchiveReport>
  before(days: number): Instant
}

export async function archivedSite(
  site: LedgerSite,
  name: string,
  policies: PolicySet = policiesOf(supportPolicy()),
  more: Partial<LedgerOptions> = {},
): Promise<ArchivedSite> {
  const directory = join(site.dataDir, `archive-${name}`)
  await mkdir(directory, { recursive: true })
  const store = pathToFileURL(directory).href
  const open = (archive: ArchiveStore = openArchiveStore(store, {})) =>
    Ledger.open({
      connection: site.database.config,
      policies,
      dataDir: site.dataDir,
      ledger: name,
      consoleUrl: 'http://console.test/',
      now: site.clock.now,
      archive,
      ...more,
    })
  await keepPartitions(site.database.config, 'week', site.clock.now())
  const ledger = await open()
  const before = (days: number) => (site.clock.now() - days * day) as Instant
  return {
    ledger,
    store,
    another: open,
    live: async (count) => {
      for (let at = 0; at < count; at++) {
        await ledger.decide(agent, refund(100, { callId: `call-${site.clock.now()}-${at}` }))
        site.clock.advance(60 * minute)
      }
    },
    nextWeek: async () => {
      site.clock.advance(7 * day)
      await keepPartitions(site.database.config, 'week', site.clock.now())
    },
    archive: (more = {}, by = ledger) =>
      by.archive({ store, env: {}, before: before(7), keepMs: 184 * day, rest: 0, ...more }),
    before,
  }
}
