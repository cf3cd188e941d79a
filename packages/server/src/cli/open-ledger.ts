import { Access, Ledger, migrate, openDatabase, stopIfUnused, type PolicySet } from '@bailiwick/store'
import type { CliPorts } from './ports.ts'
import { serviceUrl, storePlace, type StoreOptions } from './settings.ts'

// Nothing is decided here, so no policy is in force, and none is recorded.
const noPolicies: PolicySet = { for: () => undefined, all: [], warnings: [] }

/**
 * Does something with the access list of the ledger that the service uses, whether or not the service
 * runs, and lets go of everything afterwards. A database that somebody else uses goes on running.
 */
export async function withAccess<Result>(
  options: StoreOptions,
  ports: CliPorts,
  work: (access: Access) => Promise<Result>,
): Promise<Result> {
  const { dataDir, databaseUrl } = storePlace(options, ports)
  const database = await openDatabase({ dataDir, databaseUrl })
  try {
    const { connection } = database
    await migrate(connection)
    const ledger = await Ledger.open({
      connection,
      policies: noPolicies,
      dataDir,
      consoleUrl: serviceUrl(ports),
    })
    try {
      return await work(new Access(ledger))
    } finally {
      await ledger.close()
    }
  } finally {
    await stopIfUnused(database)
  }
}
