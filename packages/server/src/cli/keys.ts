import { onOneLine } from '@bailiwick/core'
import type { Command } from 'commander'
import { fine, type ExitCode } from './exit-codes.ts'
import { withAccess } from './open-ledger.ts'
import type { CliPorts } from './ports.ts'
import type { Act } from './act.ts'
import { withStoreOptions, type StoreOptions } from './settings.ts'

interface KeysOptions extends StoreOptions {
  readonly json?: true
}

/** Adds `bailiwick keys`. */
export function addKeys(program: Command, act: Act): void {
  const keys = program.command('keys').description('API keys, each bound to one agent.')
  withStoreOptions(keys.command('create'))
    .description('Makes a key. It is shown this once.')
    .requiredOption('--agent <id>', "the agent, as in its policy's agent_id")
    .option('--json', 'print {key, id, agent}')
    .action(act(create))
  withStoreOptions(keys.command('list'))
    .description('Lists keys, without their secrets.')
    .option('--json', 'print {keys: [{id, agent, createdAt, revokedAt}]}')
    .action(act(list))
  withStoreOptions(keys.command('revoke'))
    .description('Makes a key useless from the next request on.')
    .argument('<id>', 'as `keys list` shows it')
    .option('--json', 'print {id, revoked}')
    .action(act(revoke))
}

async function create(ports: CliPorts, options: KeysOptions & { readonly agent: string }): Promise<ExitCode> {
  const { key, id, agent } = await withAccess(options, ports, (access) => access.createKey(options.agent))
  if (options.json) {
    ports.out(JSON.stringify({ key, id, agent }))
    return fine
  }
  ports.out(key)
  ports.err(`The key ${id} speaks for ${onOneLine(agent)}. It is not shown again.`)
  return fine
}

async function list(ports: CliPorts, options: KeysOptions): Promise<ExitCode> {
  const keys = await withAccess(options, ports, (access) => access.listKeys())
  if (options.json) {
    ports.out(JSON.stringify({ keys }))
    return fine
  }
  const lines = keys.map(({ id, agent, createdAt, revokedAt }) =>
    [id, agent, createdAt, revokedAt === null ? 'in use' : `revoked ${revokedAt}`].map(onOneLine).join('  '),
  )
  ports.out(lines.length === 0 ? 'There are no keys.' : lines.join('\n'))
  return fine
}

async function revoke(ports: CliPorts, id: string, options: KeysOptions): Promise<ExitCode> {
  await withAccess(options, ports, (access) => access.revokeKey(id))
  ports.out(options.json ? JSON.stringify({ id, revoked: true }) : `The key ${onOneLine(id)} is revoked.`)
  return fine
}
