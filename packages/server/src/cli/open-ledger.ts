import {
  Access,
  hasEmbeddedDatabase,
  keepPartitions,
  Ledger,
  migrate,
  openDatabase,
  readCheckpoint,
  stopIfUnused,
  type LogKeySettings,
  type PolicySet,
} from '@bailiwick/store'
import { Fault, onOneLine, type Instant } from '@bailiwick/core'
import { checkpointCopies } from '../anchors/settings.ts'
import { archiveSettings, type ArchiveSettings } from '../archive-settings.ts'
import { logKeySettings } from '../log-key-settings.ts'
import { payloadKeySettings } from '../payload-key-settings.ts'
import type { CliPorts } from './ports.ts'
import { serviceUrl, storePlace, type StoreOptions, type StorePlace } from './settings.ts'

// Nothing is decided here, so no policy is in force, and none is recorded.
const noPolicies: PolicySet = { for: () => undefined, all: [], warnings: [] }

/** Does something with the access list of the ledger that the service uses, as `withLedger` does. */
export async function withAccess<Result>(
  options: StoreOptions,
  ports: CliPorts,
  work: (access: Access) => Promise<Result>,
): Promise<Result> {
  return await withLedger(options, ports, (ledger) => work(new Access(ledger)))
}

/**
 * Does something with the ledger that the service uses, whether or not the service runs, and lets go of everything
 * afterwards. A database that somebody else uses goes on running. Where there was no log, one is started, and standard
 * error says so: a key in the wrong log opens nothing.
 */
export async function withLedger<Result>(
  options: StoreOptions,
  ports: CliPorts,
  work: (ledger: Ledger, archive: ArchiveSettings) => Promise<Result>,
): Promise<Result> {
  const archive = archiveSettings(ports.env)
  const place = storePlace(options, ports)
  const { dataDir, databaseUrl } = place
  const logKey = await logKeySettings(ports.env)
  const payloadKey = await payloadKeySettings(ports.env)
  const news = await newsOf(place, logKey)
  const database = await openDatabase({ dataDir, databaseUrl })
  try {
    const { connection } = database
    await migrate(connection)
    await keepPartitions(connection, archive.partition, Date.now() as Instant)
    const ledger = await Ledger.open({
      connection,
      policies: noPolicies,
      dataDir,
      consoleUrl: serviceUrl(ports),
      logKey,
      checkpointCopies: checkpointCopies(ports.env),
      archive: archive.store,
      payloadKey,
    })
    if (news !== undefined) ports.err(onOneLine(news))
    try {
      return await work(ledger, archive)
    } finally {
      await ledger.close()
    }
  } finally {
    await stopIfUnused(database)
  }
}

/**
 * Does something with the ledger that is there, as `withLedger` does: what only reads starts no log.
 *
 * @throws Fault `not_found` where there is none
 */
export async function withExistingLedger<Result>(
  options: StoreOptions,
  ports: CliPorts,
  work: (ledger: Ledger, archive: ArchiveSettings) => Promise<Result>,
): Promise<Result> {
  await refuseNowhere(storePlace(options, ports))
  return await withLedger(options, ports, work)
}

/** @throws Fault `not_found` where there is no log: opening an embedded database would make one */
export async function refuseNowhere({ dataDir, databaseUrl }: StorePlace): Promise<void> {
  if (databaseUrl !== undefined || (await hasEmbeddedDatabase(dataDir))) return
  throw new Fault('not_found', `there is no log in \`${dataDir}\``, {
    fix: 'Name the data directory of the service with --data, or its database with DATABASE_URL.',
  })
}

const otherPlace = 'was another data directory meant? (--data or BAILIWICK_DATA)'

/** What opening this place will do for the first time; undefined where it was open before. */
async function newsOf(
  { dataDir, databaseUrl }: StorePlace,
  settings: LogKeySettings,
): Promise<string | undefined> {
  if (databaseUrl === undefined) {
    const known = await hasEmbeddedDatabase(dataDir)
    return known ? undefined : `started a new log in \`${dataDir}\`; ${otherPlace}`
  }
  // The server may have the log already; what is new is a key and a checkpoint of it here.
  const known = (await readCheckpoint(dataDir, 'main', settings)) !== undefined
  return known ? undefined : `\`${dataDir}\` holds no checkpoint of this log; ${otherPlace}`
}
