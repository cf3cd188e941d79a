import { Fault, type BrokenLog, type VerifyResult } from '@bailiwick/core'
import {
  hasEmbeddedDatabase,
  leavesKeysUnopened,
  openDatabase,
  stopIfUnused,
  verifyStoredArchive,
  verifyStoredLog,
  verifyWithoutDatabase,
} from '@bailiwick/store'
import type { Command } from 'commander'
import { checkpointCopies } from '../anchors/settings.ts'
import type { Act } from './act.ts'
import { fine, negative, type ExitCode } from './exit-codes.ts'
import type { CliPorts } from './ports.ts'
import { repeated, verifyBundleFile, type BundleOptions } from './log-bundle.ts'
import { payloadKeySettings } from '../payload-key-settings.ts'
import { ProgressBar } from './progress-bar.ts'
import { storePlace, withStoreOptions, type StoreOptions, type StorePlace } from './settings.ts'

interface VerifyCommandOptions extends StoreOptions, Partial<BundleOptions> {
  readonly json?: true
  readonly workers?: string
  readonly cold?: true
}

const ledger = 'main'
const workersMax = 64

/** Adds `bailiwick log verify` to `bailiwick log`. */
export function addLogVerify(log: Command, act: Act): void {
  withStoreOptions(log.command('verify'))
    .description(
      'Recomputes the whole log and names the first bad place. Changes nothing; the service may run.',
    )
    .option(
      '--bundle <file>',
      'check one record instead, by a proof bundle or tlog-proof: offline, without a log',
    )
    .option(
      '--key <vkey>',
      "with --bundle: the log's key, or a file of keys, from somebody you trust",
      repeated,
    )
    .option('--workers <number>', 'threads and connections to use (default: one for each core, up to 4)')
    .option('--cold', 'read back and verify every archived segment too')
    .option(
      '--json',
      'print {intact, size, root, checkpoint, erased, archived, seconds} or {intact, index, problem, fix, seconds}; archived is {records, verified}',
    )
    .addHelpText(
      'after',
      '\nExits with 0 where the log is intact, 1 where it is broken, 2 where there is none to verify or it has moved elsewhere.',
    )
    .action(act(verify))
}

async function verify(ports: CliPorts, options: VerifyCommandOptions): Promise<ExitCode> {
  const { bundle, key } = options
  if (bundle !== undefined) return await verifyBundleFile(ports, { ...options, bundle })
  if (key !== undefined)
    throw new Fault('bad_input', '`--key` is for --bundle', { fix: 'Add --bundle FILE.' })
  const workers = workersIn(options)
  const start = performance.now()
  const { result, archived, unopened } = await verified(
    storePlace(options, ports),
    { workers, cold: options.cold },
    ports,
  )
  const seconds = Math.round(performance.now() - start) / 1000
  if (result.kind === 'broken') {
    const { index, problem, fix } = result
    if (options.json) ports.out(JSON.stringify({ intact: false, index, problem, fix, seconds }))
    else ports.out(`The log is broken: ${problem}\n${fix}`)
    return negative
  }
  const { size, root, erased } = result
  const held = result.checkpoint ?? null
  if (options.json) {
    ports.out(JSON.stringify({ intact: true, size, root, checkpoint: held, erased, archived, seconds }))
  } else {
    const text = `${heldText(held, erased)}${archivedText(archived)}${unopened ? unopenedText : ''}`
    ports.out(`The log is intact: ${size} records, root ${root}\n${text}`)
  }
  return fine
}

function workersIn({ workers: text }: VerifyCommandOptions): number | undefined {
  if (text === undefined) return undefined
  const workers = /^[1-9][0-9]?$/.test(text) ? Number(text) : Number.NaN
  if (workers <= workersMax) return workers
  throw new Fault('bad_input', `\`${text}\` is no number of workers`, {
    fix: `Give a number from 1 to ${workersMax} with --workers, or leave it out.`,
  })
}

function heldText(held: { readonly size: number } | null, erased: number): string {
  const payloads = erased === 0 ? '' : `, ${erased} of them with an erased payload`
  if (held !== null) return `Held against the checkpoint at ${held.size} records${payloads}.`
  return `No checkpoint was published: a cut-off tail would not be noticed${payloads}.`
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

const unopenedText =
  '\nNot checked without the payload key that payloads are sealed under: whether the keys of people are theirs, and what people are found by. Give it with BAILIWICK_PAYLOAD_KEY_FILE.'

interface How {
  readonly workers: number | undefined
  readonly cold: true | undefined
}

interface Verified {
  readonly result: VerifyResult
  readonly archived: Archived
  /** Whether keys of people were not opened, because this process has not the payload key that they are wrapped under. */
  readonly unopened: boolean
}

async function verified(
  { dataDir, databaseUrl }: StorePlace,
  { workers, cold }: How,
  ports: CliPorts,
): Promise<Verified> {
  const copies = checkpointCopies(ports.env)
  const payloadKey = await payloadKeySettings(ports.env)
  // Opening an embedded database would make one where there is none.
  if (databaseUrl === undefined && !(await hasEmbeddedDatabase(dataDir))) {
    const result = await verifyWithoutDatabase(dataDir, ledger, copies)
    if (result !== undefined) return { result, archived: { records: 0, verified: true }, unopened: false }
    throw new Fault('not_found', `there is no log in \`${dataDir}\``, {
      fix: 'Name the data directory of the service with --data, or its database with DATABASE_URL.',
    })
  }
  const database = await openDatabase({ dataDir, databaseUrl })
  const bar = ports.progress && new ProgressBar(ports.progress, () => performance.now())
  try {
    const { connection } = database
    const result = await verifyStoredLog({
      connection,
      dataDir,
      ledger,
      checkpointCopies: copies,
      payloadKey,
      workers,
      onProgress: (done, size) => bar?.show(done, size),
    })
    if (result.kind === 'broken')
      return { result, archived: { records: 0, verified: false }, unopened: false }
    const archived = await archiveOrProblem({
      connection,
      ledger,
      env: cold === true ? ports.env : undefined,
      workers,
    })
    if ('kind' in archived)
      return { result: archived, archived: { records: 0, verified: false }, unopened: false }
    const unopened = await leavesKeysUnopened(connection, ledger, payloadKey)
    return { result: { ...result, erased: result.erased + archived.erased }, archived, unopened }
  } finally {
    bar?.end()
    await stopIfUnused(database)
  }
}

// What is wrong in the archive is said as what is wrong in the database is, also to whoever reads JSON.
async function archiveOrProblem(
  options: Parameters<typeof verifyStoredArchive>[0],
): Promise<Awaited<ReturnType<typeof verifyStoredArchive>> | BrokenLog> {
  try {
    return await verifyStoredArchive(options)
  } catch (fault) {
    if (!(fault instanceof Fault) || fault.code !== 'log_broken') throw fault
    return { kind: 'broken', index: null, problem: fault.message, fix: fault.fix }
  }
}
