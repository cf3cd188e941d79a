import { Fault, type VerifyResult } from '@bailiwick/core'
import {
  hasEmbeddedDatabase,
  openDatabase,
  readCheckpoint,
  stopIfUnused,
  verifyStoredLog,
  verifyWithoutDatabase,
} from '@bailiwick/store'
import type { Command } from 'commander'
import { fine, negative, type ExitCode } from './exit-codes.ts'
import type { CliPorts } from './ports.ts'
import type { Act } from './act.ts'
import { addVerifyPage, repeated, verifyBundleFile, type BundleOptions } from './log-bundle.ts'
import { addLogConsistency } from './log-consistency.ts'
import { addLogProve } from './log-prove.ts'
import { storePlace, withStoreOptions, type StoreOptions, type StorePlace } from './settings.ts'

interface LogOptions extends StoreOptions, Partial<BundleOptions> {
  readonly json?: true
}

const ledger = 'main'

/** Adds `bailiwick log`. */
export function addLog(program: Command, act: Act): void {
  const log = program.command('log').description('The tamper-evident log.')
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
    .option('--json', 'print {intact, size, root, checkpoint, erased} or {intact, index, problem, fix}')
    .addHelpText(
      'after',
      '\nExits with 0 where the log is intact, 1 where it is broken, 2 where there is none to verify.',
    )
    .action(act(verify))
  withStoreOptions(log.command('checkpoint'))
    .description('Prints the signed checkpoint that was published last.')
    .option('--json', 'print {note, size}')
    .action(act(checkpoint))
  addLogProve(log, act)
  addLogConsistency(log, act)
  addVerifyPage(log, act)
}

async function verify(ports: CliPorts, options: LogOptions): Promise<ExitCode> {
  const { bundle, key } = options
  if (bundle !== undefined) return await verifyBundleFile(ports, { ...options, bundle })
  if (key !== undefined)
    throw new Fault('bad_input', '`--key` is for --bundle', { fix: 'Add --bundle FILE.' })
  const result = await verified(storePlace(options, ports))
  if (result.kind === 'broken') {
    const { index, problem, fix } = result
    if (options.json) ports.out(JSON.stringify({ intact: false, index, problem, fix }))
    else ports.out(`The log is broken: ${problem}\n${fix}`)
    return negative
  }
  const { size, root, erased } = result
  const held = result.checkpoint ?? null
  if (options.json) ports.out(JSON.stringify({ intact: true, size, root, checkpoint: held, erased }))
  else ports.out(`The log is intact: ${size} records, root ${root}\n${heldText(held, erased)}`)
  return fine
}

function heldText(held: { readonly size: number } | null, erased: number): string {
  const payloads = erased === 0 ? '' : `, ${erased} of them with an erased payload`
  if (held !== null) return `Held against the checkpoint at ${held.size} records${payloads}.`
  return `No checkpoint was published: a cut-off tail would not be noticed${payloads}.`
}

async function verified(place: StorePlace): Promise<VerifyResult> {
  const { dataDir, databaseUrl } = place
  // Opening an embedded database would make one where there is none.
  if (databaseUrl === undefined && !(await hasEmbeddedDatabase(dataDir))) {
    const result = await verifyWithoutDatabase(dataDir, ledger)
    if (result !== undefined) return result
    throw new Fault('not_found', `there is no log in \`${dataDir}\``, {
      fix: 'Name the data directory of the service with --data, or its database with DATABASE_URL.',
    })
  }
  const database = await openDatabase({ dataDir, databaseUrl })
  try {
    return await verifyStoredLog({ connection: database.connection, dataDir, ledger })
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
