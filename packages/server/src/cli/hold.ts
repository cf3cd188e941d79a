import { onOneLine } from '@bailiwick/core'
import type { StandingHold } from '@bailiwick/store'
import type { Command } from 'commander'
import type { Act } from './act.ts'
import { fine, type ExitCode } from './exit-codes.ts'
import { withExistingLedger, withLedger } from './open-ledger.ts'
import type { CliPorts } from './ports.ts'
import { withStoreOptions, type StoreOptions } from './settings.ts'

interface HoldOptions extends StoreOptions {
  readonly json?: true
}

interface ReasonOptions extends HoldOptions {
  readonly reason: string
}

/** Adds `bailiwick hold`. */
export function addHold(program: Command, act: Act): void {
  const hold = program
    .command('hold')
    .description('Legal holds: while one stands, nothing is archived away, erased or deleted.')
  withStoreOptions(hold.command('place'))
    .description('Places a hold. The log says so.')
    .argument('<name>', 'what it is called, without white space, such as case-2026-17')
    .requiredOption('--reason <text>', 'why')
    .option('--json', 'print {hold, index}; index is null where it stood already')
    .action(act(change('placed')))
  withStoreOptions(hold.command('lift'))
    .description('Lifts a hold. The log says so.')
    .argument('<name>', 'as `hold list` shows it')
    .requiredOption('--reason <text>', 'why')
    .option('--json', 'print {hold, index}')
    .action(act(change('lifted')))
  withStoreOptions(hold.command('list'))
    .description('Lists the holds that stand.')
    .option('--json', 'print {holds: [{name, reason, since, by}]}')
    .action(act(list))
}

function change(event: 'placed' | 'lifted') {
  return async (ports: CliPorts, name: string, options: ReasonOptions): Promise<ExitCode> => {
    const { index } = await withLedger(options, ports, (ledger) =>
      ledger.changeHold({ hold: name, event, reason: options.reason, by: 'operator' }),
    )
    if (options.json) ports.out(JSON.stringify({ hold: name, index }))
    else ports.out(`The hold ${onOneLine(name)} ${index === null ? 'stood already' : `is ${event}`}.`)
    return fine
  }
}

async function list(ports: CliPorts, options: HoldOptions): Promise<ExitCode> {
  const holds = await withExistingLedger(options, ports, (ledger) => ledger.holds())
  if (options.json) ports.out(JSON.stringify({ holds }))
  else ports.out(holds.length === 0 ? 'No hold stands.' : holds.map(line).join('\n'))
  return fine
}

function line({ name, reason, since, by }: StandingHold): string {
  const parts = [
    name,
    since === null ? 'since an unknown time' : `since ${since}`,
    by ?? 'by somebody',
    reason ?? '',
  ]
  return parts.map(onOneLine).join('  ')
}
