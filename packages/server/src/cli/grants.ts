import { onOneLine, type GrantView } from '@bailiwick/core'
import type { Command } from 'commander'
import type { Act } from './act.ts'
import { fine, type ExitCode } from './exit-codes.ts'
import { withExistingLedger, withLedger } from './open-ledger.ts'
import type { CliPorts } from './ports.ts'
import { withStoreOptions, type StoreOptions } from './settings.ts'

interface GrantsOptions extends StoreOptions {
  readonly json?: true
}

/** Adds `bailiwick grants`. */
export function addGrants(program: Command, act: Act): void {
  const grants = program
    .command('grants')
    .description('Standing grants: calls that are let through without asking people again.')
  withStoreOptions(grants.command('list'))
    .description('Lists those that are live, the newest first; never with parameters.')
    .option('--json', 'print {grants: [...]}')
    .action(act(list))
  withStoreOptions(grants.command('revoke'))
    .description('Ends one before its time: from the next decision on, people are asked again.')
    .argument('<id>', 'as `grants list` shows it')
    .requiredOption('--reason <text>', 'why; kept in the log')
    .option('--json', 'print {id, index}')
    .action(act(revoke))
}

async function list(ports: CliPorts, options: GrantsOptions): Promise<ExitCode> {
  const grants = await withExistingLedger(options, ports, (ledger) => ledger.grants.list())
  if (options.json) ports.out(JSON.stringify({ grants: grants.map(withoutParams) }))
  else ports.out(grants.length === 0 ? 'There are none.' : grants.map(line).join('\n'))
  return fine
}

async function revoke(
  ports: CliPorts,
  id: string,
  options: GrantsOptions & { readonly reason: string },
): Promise<ExitCode> {
  const revoked = await withLedger(options, ports, (ledger) =>
    ledger.grants.revoke(id, { by: 'operator', reason: options.reason }),
  )
  if (options.json) ports.out(JSON.stringify(revoked))
  else ports.out(`${onOneLine(id)} is revoked: from now on, people are asked again.`)
  return fine
}

// Nobody here can say what is sensitive, and who may see it.
function withoutParams({ params: _params, context: _context, mayRevoke: _mayRevoke, ...grant }: GrantView) {
  return grant
}

function line(grant: GrantView): string {
  const { id, agent, action, mayDiffer, uses, used, until, by } = grant
  const differing = mayDiffer.map(({ param, how }) => `${param} ${how === 'any' ? 'any' : 'up to'}`)
  const parts = [
    id,
    agent,
    action,
    differing.length === 0 ? 'nothing may differ' : `may differ: ${differing.join(', ')}`,
    `${uses - used} of ${uses} left`,
    `until ${until}`,
    `by ${by.map(({ person }) => person).join(', ')}`,
  ]
  return parts.map(onOneLine).join('  ')
}
