import { Fault, onOneLine } from '@bailiwick/core'
import { Access, lastPolicies } from '@bailiwick/store'
import type { Command } from 'commander'
import { fine, type ExitCode } from './exit-codes.ts'
import { withAccess, withExistingLedger, withLedger } from './open-ledger.ts'
import type { CliPorts } from './ports.ts'
import { withStates, type StatedKey } from '../key-state.ts'
import type { Act } from './act.ts'
import { withStoreOptions, type StoreOptions } from './settings.ts'

interface KeysOptions extends StoreOptions {
  readonly json?: true
}

interface RotateOptions extends KeysOptions {
  readonly overlap: string
  readonly expires?: string
}

/** Adds `bailiwick keys`. */
export function addKeys(program: Command, act: Act): void {
  const keys = program.command('keys').description('API keys, each bound to one agent.')
  withStoreOptions(keys.command('create'))
    .description('Makes a key. It is shown this once.')
    .requiredOption('--agent <id>', "the agent, as in its policy's agent_id")
    .option('--expires <time>', 'how long it is good for, such as 90d; for ever unless given')
    .option('--json', 'print {key, id, agent, expiresAt}')
    .action(act(create))
  withStoreOptions(keys.command('rotate'))
    .description('Makes a key that takes the place of another, which stays good for a while.')
    .argument('<id>', 'the old key, as `keys list` shows it')
    .option('--overlap <time>', 'how long the old key stays good, such as 24h; 0h: not at all', '24h')
    .option(
      '--expires <time>',
      'how long the new key is good for, such as 90d; unless given, as long as the old one was made for',
    )
    .option('--json', 'print {key, id, agent, expiresAt, replaces, oldEndsAt}')
    .action(act(rotate))
  withStoreOptions(keys.command('list'))
    .description('Lists keys, without their secrets.')
    .option(
      '--json',
      'print {keys: [{id, prefix, agent, createdAt, expiresAt, revokedAt, state, lastUsedAt, replaces}]}',
    )
    .action(act(list))
  withStoreOptions(keys.command('revoke'))
    .description('Makes a key useless from the next request on.')
    .argument('<id>', 'as `keys list` shows it')
    .option('--json', 'print {id, revoked}')
    .action(act(revoke))
}

async function create(
  ports: CliPorts,
  options: KeysOptions & { readonly agent: string; readonly expires?: string },
): Promise<ExitCode> {
  const lifetimeMs = options.expires === undefined ? undefined : timeOption('--expires', options.expires)
  const { made, isGoverned } = await withLedger(options, ports, async (ledger) => {
    const policies = await lastPolicies(ledger.pool, ledger.name)
    return {
      made: await new Access(ledger).createKey(options.agent, { lifetimeMs, by: 'operator' }),
      isGoverned:
        policies.length === 0 ||
        policies.some(({ agents }) => agents.some((pattern) => pattern.matches(options.agent))),
    }
  })
  if (!isGoverned)
    ports.err(
      `No policy that is in force governs \`${onOneLine(made.agent)}\`: all that it asks for is denied. Check the spelling.`,
    )
  if (options.json) {
    ports.out(JSON.stringify(made))
    return fine
  }
  ports.out(made.key)
  ports.err(
    `The key ${made.id} speaks for ${onOneLine(made.agent)}${untilText(made.expiresAt)}. It is not shown again.`,
  )
  return fine
}

async function rotate(ports: CliPorts, id: string, options: RotateOptions): Promise<ExitCode> {
  const overlapMs = timeOption('--overlap', options.overlap)
  const lifetimeMs = options.expires === undefined ? undefined : timeOption('--expires', options.expires)
  const made = await withAccess(options, ports, (access) =>
    access.rotateKey(id, { overlapMs, lifetimeMs, by: 'operator' }),
  )
  if (options.json) {
    ports.out(JSON.stringify(made))
    return fine
  }
  ports.out(made.key)
  ports.err(
    `The key ${made.id} speaks for ${onOneLine(made.agent)}${untilText(made.expiresAt)}. It is not shown again. ` +
      `The key ${onOneLine(id)} ends ${made.oldEndsAt}.`,
  )
  return fine
}

function untilText(expiresAt: string | null): string {
  return expiresAt === null ? '' : ` until ${expiresAt}`
}

const unitMs = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const

function timeOption(option: string, text: string): number {
  const [, count, unit] = /^(\d{1,5})([mhd])$/.exec(text) ?? []
  if (count !== undefined && (unit === 'm' || unit === 'h' || unit === 'd'))
    return Number(count) * unitMs[unit]
  throw new Fault('bad_input', `\`${text}\` is no time`, {
    fix: `Write ${option} as a number and m, h or d, such as 24h or 90d.`,
  })
}

async function list(ports: CliPorts, options: KeysOptions): Promise<ExitCode> {
  const keys = await withExistingLedger(options, ports, async (ledger) =>
    withStates(await new Access(ledger).listKeys(), ledger.now()),
  )
  if (options.json) {
    ports.out(JSON.stringify({ keys }))
    return fine
  }
  ports.out(keys.length === 0 ? 'There are no keys.' : keys.map(keyText).join('\n'))
  return fine
}

function keyText(key: StatedKey): string {
  const { id, agent, createdAt, lastUsedAt } = key
  const used = lastUsedAt === null ? 'never used' : `last used ${lastUsedAt}`
  return [id, agent, createdAt, stateText(key), used].map(onOneLine).join('  ')
}

function stateText({ state, expiresAt, revokedAt }: StatedKey): string {
  if (state === 'revoked') return `revoked ${revokedAt}`
  if (state === 'ended') return `ended ${expiresAt}`
  return expiresAt === null ? 'in use' : `in use, ends ${expiresAt}`
}

async function revoke(ports: CliPorts, id: string, options: KeysOptions): Promise<ExitCode> {
  await withAccess(options, ports, (access) => access.revokeKey(id, { by: 'operator' }))
  ports.out(options.json ? JSON.stringify({ id, revoked: true }) : `The key ${onOneLine(id)} is revoked.`)
  return fine
}
