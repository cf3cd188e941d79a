import { Fault } from '@bailiwick/core'
import { readCheckpoint } from '@bailiwick/store'
import type { Command } from 'commander'
import { fine, type ExitCode } from './exit-codes.ts'
import { addLogVerify } from './log-verify.ts'
import type { CliPorts } from './ports.ts'
import type { Act } from './act.ts'
import { logKeySettings } from '../log-key-settings.ts'
import { addVerifyPage } from './log-bundle.ts'
import { addLogArchive } from './log-archive.ts'
import { addLogConsistency } from './log-consistency.ts'
import { addLogKey } from './log-key.ts'
import { addLogProve } from './log-prove.ts'
import { addLogSearch } from './log-search.ts'
import { storePlace, withStoreOptions, type StoreOptions } from './settings.ts'

interface LogOptions extends StoreOptions {
  readonly json?: true
}

const ledger = 'main'

/** Adds `bailiwick log`. */
export function addLog(program: Command, act: Act): void {
  const log = program.command('log').description('The tamper-evident log.')
  addLogVerify(log, act)
  withStoreOptions(log.command('checkpoint'))
    .description('Prints the signed checkpoint that was published last.')
    .option('--json', 'print {note, size}')
    .action(act(checkpoint))
  addLogKey(log, act)
  addLogProve(log, act)
  addLogConsistency(log, act)
  addVerifyPage(log, act)
  addLogArchive(log, act)
  addLogSearch(log, act)
}

async function checkpoint(ports: CliPorts, options: LogOptions): Promise<ExitCode> {
  const { dataDir } = storePlace(options, ports)
  const published = await readCheckpoint(dataDir, ledger, await logKeySettings(ports.env))
  if (published === undefined) {
    throw new Fault('not_found', `no checkpoint was published in \`${dataDir}\``, {
      fix: 'Start the service once, or name its data directory with --data.',
    })
  }
  const { note, checkpoint: content } = published
  ports.out(options.json ? JSON.stringify({ note, size: content.size }) : note.trimEnd())
  return fine
}
