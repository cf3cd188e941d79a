import { archiveSettings } from '../archive-settings.ts'
import { writeFile } from 'node:fs/promises'
import { Fault, openCheckpoint, sealedKeys, tlogProofText, type ProofBundle } from '@bailiwick/core'
import {
  openDatabase,
  proveRecord,
  recordIndex,
  stopIfUnused,
  withStoredProofs,
  type ProofSource,
} from '@bailiwick/store'
import type { Command } from 'commander'
import type { Act } from './act.ts'
import { fine, type ExitCode } from './exit-codes.ts'
import { refuseNowhere, withLedger } from './open-ledger.ts'
import type { CliPorts } from './ports.ts'
import { recordOneReading, recordReveal, revealReason } from './recorded-reading.ts'
import { storePlace, withStoreOptions, type StoreOptions, type StorePlace } from './settings.ts'

interface ProveCommandOptions extends StoreOptions {
  readonly out?: string
  readonly withPayload?: true
  readonly reason?: string
  readonly format: string
}

/** Adds `bailiwick log prove`. */
export function addLogProve(log: Command, act: Act): void {
  withStoreOptions(log.command('prove'))
    .description('Writes a proof that one record is in the published log; anybody can check it offline.')
    .argument('<id>', 'the id of a decision, such as dec_12, or the index of a record')
    .option('--out <file>', 'where to write it; standard output')
    .option(
      '--with-payload',
      'put the payload into it, with nothing masked: params, context, what was looked up; takes --reason',
    )
    .option('--reason <text>', 'with --with-payload: why; recorded with what was shown')
    .option('--format <format>', '`bundle` (JSON) or `tlog-proof` (C2SP; never has a payload)', 'bundle')
    .action(act(prove))
}

async function prove(ports: CliPorts, id: string, options: ProveCommandOptions): Promise<ExitCode> {
  const { format, withPayload = false } = options
  if (format !== 'bundle' && format !== 'tlog-proof') {
    throw new Fault('bad_input', `there is no format \`${format}\``, { fix: 'Use bundle or tlog-proof.' })
  }
  if (format === 'tlog-proof' && withPayload) {
    throw new Fault('bad_input', 'a tlog-proof has no place for a payload', {
      fix: 'Leave out --with-payload, or --format.',
    })
  }
  const reason = revealReason('--with-payload', withPayload, options.reason)
  const index = recordIndex(id)
  const bundle = await withStore(storePlace(options, ports), ports, async (source) => {
    const proven = await proveRecord(source, index, { withPayload })
    // Here, where the database is open: an embedded one need not be started again.
    if (reason === undefined) await recordOneReading(options, ports, 'export', index)
    else await withLedger(options, ports, (ledger) => recordReveal(ledger, [index], null, reason))
    return proven
  })
  const text = format === 'bundle' ? `${JSON.stringify(bundle, null, 2)}\n` : tlogProofText(bundle)
  if (withPayload && bundle.payload.state === 'erased') {
    ports.err(`the payload of record ${index} has been erased, and the bundle says so`)
  }
  if (bundle.payload.state === 'included' && sealedKeys(bundle.payload.body) !== undefined) {
    ports.err(
      `the payload of record ${index} is sealed, and the record commits to it as it is stored: the bundle proves that it is this one, and nobody can read it out of the bundle; \`bailiwick log search --unmasked\` shows what it says`,
    )
  }
  if (options.out === undefined) ports.out(text.trimEnd())
  else await written(ports, options.out, text, bundle)
  return fine
}

async function written(ports: CliPorts, file: string, text: string, bundle: ProofBundle): Promise<void> {
  try {
    // It may hold a payload.
    await writeFile(file, text, { mode: 0o600 })
  } catch (cause) {
    throw new Fault('bad_input', `\`${file}\` cannot be written`, {
      fix: 'Name another file with --out.',
      cause,
    })
  }
  const { origin, size } = openCheckpoint(bundle.checkpoint ?? '', bundle.verifierKeys)
  ports.out(
    `Wrote ${file}: record ${bundle.index} of ${origin}, in a log of ${size} records; payload ${bundle.payload.state}`,
  )
}

/** Makes proofs of the log that is stored at a place, and lets go of its database afterwards. */
export async function withStore<Result>(
  { dataDir, databaseUrl }: StorePlace,
  { env }: CliPorts,
  work: (source: ProofSource) => Promise<Result>,
): Promise<Result> {
  await refuseNowhere({ dataDir, databaseUrl })
  const archive = archiveSettings(env).store
  const database = await openDatabase({ dataDir, databaseUrl })
  try {
    return await withStoredProofs({ connection: database.connection, dataDir, archive }, work)
  } finally {
    await stopIfUnused(database)
  }
}
