import { Fault, type VerifyResult } from '@bailiwick/core'
import {
  hasEmbeddedDatabase,
  openDatabase,
  readCheckpoint,
  stopIfUnused,
  verifyStoredArchive,
  verifyStoredLog,
  verifyWithoutDatabase,
} from '@bailiwick/store'
import type { Command } from 'commander'
import { fine, negative, type ExitCode } from './exit-codes.ts'
import type { CliPorts } from './ports.ts'
import type { Act } from './act.ts'
import { addLogArchive } from './log-archive.ts'
import { addLogSearch } from './log-search.ts'
import { storePlace, withStoreOptions, type StoreOptions, type StorePlace } from './settings.ts'

interface LogOptions extends StoreOptions {
  readonly json?: true
}

interface VerifyLogOptions extends LogOptions {
  readonly cold?: true
}

const ledger = 'main'

/** Adds `bailiwick log`. */
export function addLog(program: Command, act: Act): void {
  const log = program.command('log').description('The tamper-evident log.')
  withStoreOptions(log.command('verify'))
    .description(
      'Recomputes the whole log and names the first bad place. Changes nothing; the service may run.',
    )
    .option('--cold', 'read back and verify every archived segment too')
    .option(
      '--json',
      'print {intact, size, root, checkpoint, erased, archived} or {intact, index, problem, fix}; archived is {records, verified}',
    )
    .addHelpText(
      'after',
      '\nExits with 0 where the log is intact, 1 where it is broken, 2 where there is none to verify.',
    )
    .action(act(verify))
  withStoreOptions(log.command('checkpoint'))
    .description('Prints the signed checkpoint that was published last.')
    .option('--json', 'print {note, size}')
    .action(act(checkpoint))
  addLogArchive(log, act)
  addLogSearch(log, act)
}

async function verify(ports: CliPorts, options: VerifyLogOptions): Promise<ExitCode> {
  const { result, archived } = await verified(storePlace(options, ports), options.cold === true, ports)
  if (result.kind === 'broken') {
    const { index, problem, fix } = result
    if (options.json) ports.out(JSON.stringify({ intact: false, index, problem, fix }))
    else ports.out(`The log is broken: ${problem}\n${fix}`)
    return negative
  }
  const { size, root, erased } = result
  const held = result.checkpoint ?? null
  if (options.json)
    ports.out(JSON.stringify({ intact: true, size, root, checkpoint: held, erased, archived }))
  else
    ports.out(
      `The log is intact: ${size} records, root ${root}\n${heldText(held, erased)}${archivedText(archived)}`,
    )
  return fine
}

/** What is known of the records that have left the database. */
interface Archived {
  readonly records: number
  /** Whether all of them were read back and verified. */
  readonly verified: boolean
}

function archivedText({ records, verified: whole }: Archived): string {
  if (records === 0) return ''
  return whole
    ? `\nThe first ${records} of them lie in cold storage, and were read back from there.`
    : `\nThe first ${records} of them lie in cold storage and were not read: the rest follows on the hashes that were kept of them. Read them with --cold.`
}

function heldText(held: { readonly size: number } | null, erased: number): string {
  const payloads = erased === 0 ? '' : `, ${erased} of them with an erased payload`
  if (held !== null) return `Held against the checkpoint at ${held.size} records${payloads}.`
  return `No checkpoint was published: a cut-off tail would not be noticed${payloads}.`
}

async function verified(
  place: StorePlace,
  cold: boolean,
  { env }: CliPorts,
): Promise<{ readonly result: VerifyResult; readonly archived: Archived }> {
  const { dataDir, databaseUrl } = place
  // Opening an embedded database would make one where there is none.
  if (databaseUrl === undefined && !(await hasEmbeddedDatabase(dataDir))) {
    const result = await verifyWithoutDatabase(dataDir, ledger)
    if (result !== undefined) return { result, archived: { records: 0, verified: true } }
    throw new Fault('not_found', `there is no log in \`${dataDir}\``, {
      fix: 'Name the data directory of the service with --data, or its database with DATABASE_URL.',
    })
  }
  const database = await openDatabase({ dataDir, databaseUrl })
  try {
    const { connection } = database
    const result = await verifyStoredLog({ connection, dataDir, ledger })
    if (result.kind === 'broken') return { result, archived: { records: 0, verified: false } }
    const archived = await verifyStoredArchive(connection, ledger, cold ? env : undefined)
    return { result: { ...result, erased: result.erased + archived.erased }, archived }
  } finally {
    await stopIfUnused(database)
  }
}

async function checkpoint(ports: CliPorts, options: LogOptions): Promise<ExitCode> {
  const { dataDir } = storePlace(options, ports)
  const published = await readCheckpoint(dataDir, ledger)
  if (published === undefined) {
    throw new Fault('not_found', `no checkpoint was published in \`${dataDir}\``, {
      fix: 'Start the service once, or name its data directory with --data.',
    })
  }
  const { note, checkpoint: content } = published
  ports.out(options.json ? JSON.stringify({ note, size: content.size }) : note.trimEnd())
  return fine
}
