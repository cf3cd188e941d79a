import { Fault, onOneLine } from '@bailiwick/core'
import {
  createLogKeyHere,
  encryptLogKeys,
  forgetKey,
  isSignedBy,
  readCheckpoint,
  readKnownKeys,
  readLogKeys,
  rememberRetiredKey,
  retireLogKey,
  rotateLogKey,
  type Ledger,
} from '@bailiwick/store'
import type { Command } from 'commander'
import { logKeySettings } from '../log-key-settings.ts'
import type { Act } from './act.ts'
import { fine, type ExitCode } from './exit-codes.ts'
import { withLedger } from './open-ledger.ts'
import type { CliPorts } from './ports.ts'
import { storePlace, withStoreOptions, type StoreOptions } from './settings.ts'

interface KeyOptions extends StoreOptions {
  readonly json?: true
}

const ledgerName = 'main'
const keysJson = 'print {keys: [verifierKey, …]}, the current one first'

/** Adds `bailiwick log key`. */
export function addLogKey(log: Command, act: Act): void {
  const key = log.command('key').description("The keys that sign the log's checkpoints.")
  withStoreOptions(key.command('show'))
    .description('Prints the public keys, the current one first: what auditors need to check a checkpoint.')
    .option('--json', keysJson)
    .action(act(show))
  withStoreOptions(key.command('create'))
    .description(
      'Makes a key in this data directory for a log that is signed elsewhere, or whose key is lost.',
    )
    .option('--json', keysJson)
    .action(act(create))
  withStoreOptions(key.command('rotate'))
    .description('Makes a new key. The old one signs as well until it is retired.')
    .option('--json', keysJson)
    .action(act(rotate))
  withStoreOptions(key.command('retire'))
    .description('Ends the use of the old key after `rotate`, or of a lost one that is named.')
    .argument('[key]', 'the verifier key of one that is lost')
    .option('--json', keysJson)
    .action(act(retire))
  withStoreOptions(key.command('encrypt'))
    .description('Encrypts the private keys under the passphrase in BAILIWICK_LOG_KEY_PASSPHRASE(_FILE).')
    .option('--json', 'print {encrypted}')
    .action(act(encrypt))
}

async function show(ports: CliPorts, options: KeyOptions): Promise<ExitCode> {
  const { dataDir } = storePlace(options, ports)
  const { verifierKeys } = await readLogKeys(dataDir, ledgerName, await logKeySettings(ports.env))
  if (verifierKeys.length === 0) {
    throw new Fault('not_found', `there is no key of a log in \`${dataDir}\``, {
      fix: 'Start the service once, or name its data directory with --data.',
    })
  }
  return printKeys(verifierKeys, options, ports)
}

async function create(ports: CliPorts, options: KeyOptions): Promise<ExitCode> {
  const { dataDir } = storePlace(options, ports)
  await createLogKeyHere(dataDir, ledgerName, await logKeySettings(ports.env))
  return await recorded(ports, options)
}

async function rotate(ports: CliPorts, options: KeyOptions): Promise<ExitCode> {
  const { dataDir } = storePlace(options, ports)
  await rotateLogKey(dataDir, ledgerName, await logKeySettings(ports.env))
  const code = await recorded(ports, options)
  if (options.json === undefined) {
    ports.err(
      'A running service signs with both keys from its next checkpoint on. Publish the new one, then `log key retire`.',
    )
  }
  return code
}

// Opening the ledger records keys that are not known yet, so a command that was stopped before is finished by any other.
async function recorded(ports: CliPorts, options: KeyOptions): Promise<ExitCode> {
  const keys = await withLedger(options, ports, async ({ checkpoints }) => checkpoints.verifierKeys)
  return printKeys(keys, options, ports)
}

async function retire(ports: CliPorts, lost: string | undefined, options: KeyOptions): Promise<ExitCode> {
  const { dataDir } = storePlace(options, ports)
  const settings = await logKeySettings(ports.env)
  const keys = await withLedger(options, ports, async (ledger) => {
    const own = ledger.checkpoints.verifierKeys
    if (lost !== undefined && !own.includes(lost)) return await retireLost(ledger, dataDir, lost)
    const note = (await readCheckpoint(dataDir, ledgerName, settings))?.note ?? ''
    const retired = await retireLogKey(dataDir, ledgerName, settings, (key) => isSignedBy(note, key))
    // The file first: a crash in between leaves a key that no longer signs and is not recorded as retired, and this
    // command finishes that when the key is named.
    await noteRetired(ledger, retired)
    return own.filter((key) => key !== retired)
  })
  return printKeys(keys, options, ports)
}

async function retireLost(ledger: Ledger, dataDir: string, key: string): Promise<readonly string[]> {
  const known = await readKnownKeys(ledger.pool, ledger.name)
  if (!known.includes(key)) {
    throw new Fault('not_found', 'the log knows no such key', { fix: 'See the `key` records of the log.' })
  }
  // Copies of checkpoints that it signed are held against the log for as long as they are kept.
  await rememberRetiredKey(dataDir, ledger.name, key)
  await noteRetired(ledger, key)
  return ledger.checkpoints.verifierKeys
}

async function noteRetired(ledger: Ledger, verifierKey: string): Promise<void> {
  await ledger.note({ kind: 'key', event: 'retired', verifierKey, by: 'operator' })
  await forgetKey(ledger.pool, ledger.name, verifierKey)
}

async function encrypt(ports: CliPorts, options: KeyOptions): Promise<ExitCode> {
  const { dataDir } = storePlace(options, ports)
  await encryptLogKeys(dataDir, ledgerName, await logKeySettings(ports.env))
  ports.out(
    options.json === undefined
      ? 'The private keys are encrypted. The service needs the passphrase from now on.'
      : JSON.stringify({ encrypted: true }),
  )
  return fine
}

function printKeys(keys: readonly string[], options: KeyOptions, ports: CliPorts): ExitCode {
  ports.out(options.json === undefined ? keys.map(onOneLine).join('\n') : JSON.stringify({ keys }))
  return fine
}
