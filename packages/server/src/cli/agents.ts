import { onOneLine, personIdOf } from '@bailiwick/core'
import { Access, agentsOf, changeOwner, everyAgent, ownersOf, type KnownAgent } from '@bailiwick/store'
import type { Command } from 'commander'
import type { Act } from './act.ts'
import { fine, type ExitCode } from './exit-codes.ts'
import { withExistingLedger, withLedger } from './open-ledger.ts'
import type { CliPorts } from './ports.ts'
import { withStoreOptions, type StoreOptions } from './settings.ts'

interface AgentsOptions extends StoreOptions {
  readonly json?: true
}

type ChangeOptions = AgentsOptions & { readonly reason: string }

/** Adds `bailiwick agents`. */
export function addAgents(program: Command, act: Act): void {
  const agents = program.command('agents').description('Agents, and suspending them.')
  withStoreOptions(agents.command('list'))
    .description('Lists agents that have keys or are suspended.')
    .option('--json', 'print {agents: [{agent, policy, keys, suspension}]}')
    .action(act(list))
  withStoreOptions(agents.command('suspend'))
    .description('Denies everything that the agent asks for, from its next decision on.')
    .argument('<agent>', `its id, or '${everyAgent}' for every agent`)
    .requiredOption('--reason <text>', 'why; told to the agent with every denial')
    .option('--json', 'print {agent, state, index}; index is null where it was so already')
    .action(act((ports, agent: string, options: ChangeOptions) => change(ports, agent, 'suspended', options)))
  withStoreOptions(agents.command('resume'))
    .description('Lets a suspended agent be decided by its policy again.')
    .argument('<agent>', `its id, or '${everyAgent}'`)
    .requiredOption('--reason <text>', 'why; kept in the log')
    .option('--json', 'print {agent, state, index}; index is null where it was so already')
    .action(act((ports, agent: string, options: ChangeOptions) => change(ports, agent, 'active', options)))
  withStoreOptions(agents.command('owners'))
    .description('Lists who stands behind which agent, and so may not vote on what it asks for.')
    .option('--json', 'print {owners: [{agent, person}]}')
    .action(act(listOwners))
  const owning = [
    [
      'own',
      'owner_added',
      'Makes a person stand behind an agent, who then may not vote on what it asks for.',
    ],
    ['disown', 'owner_removed', 'Ends that.'],
  ] as const
  for (const [name, event, description] of owning) {
    withStoreOptions(agents.command(name))
      .description(description)
      .argument('<agent>', 'its id')
      .argument('<email>', 'the person')
      .action(
        act(async (ports, agent: string, person: string, options: StoreOptions) => {
          const isKnown = await withLedger(options, ports, async (ledger) => {
            await changeOwner(ledger, event, { agent, person })
            return (await new Access(ledger).people()).some(({ id }) => id === personIdOf(person))
          })
          const now = event === 'owner_added' ? 'stands' : 'no longer stands'
          ports.out(`${onOneLine(person)} ${now} behind ${onOneLine(agent)}.`)
          if (!isKnown && event === 'owner_added')
            ports.out('Nobody has that address here yet. If it is misspelt, `agents disown` it.')
          return fine
        }),
      )
  }
}

async function listOwners(ports: CliPorts, options: AgentsOptions): Promise<ExitCode> {
  const owners = await withExistingLedger(options, ports, ownersOf)
  if (options.json) ports.out(JSON.stringify({ owners }))
  else if (owners.length === 0) ports.out('Nobody is said to stand behind an agent.')
  else ports.out(owners.map(({ agent, person }) => [agent, person].map(onOneLine).join('  ')).join('\n'))
  return fine
}

async function list(ports: CliPorts, options: AgentsOptions): Promise<ExitCode> {
  const agents = await withExistingLedger(options, ports, (ledger) => agentsOf(ledger, new Access(ledger)))
  if (options.json) ports.out(JSON.stringify({ agents }))
  else
    ports.out(
      agents.length === 0
        ? 'No agent has a key or is suspended.'
        : agents.map((each) => agentText(each, areAllSuspended(agents))).join('\n'),
    )
  return fine
}

function areAllSuspended(agents: readonly KnownAgent[]): boolean {
  return agents.some(({ agent, suspension }) => agent === everyAgent && suspension !== null)
}

function agentText({ agent, keys, suspension }: KnownAgent, areAll: boolean): string {
  const free = areAll ? 'suspended with all agents' : 'active'
  const state =
    suspension === null
      ? free
      : `suspended since ${suspension.since} by ${suspension.by}: ${suspension.reason}`
  return [agent, `${keys} ${keys === 1 ? 'key' : 'keys'}`, state].map(onOneLine).join('  ')
}

async function change(
  ports: CliPorts,
  agent: string,
  state: 'suspended' | 'active',
  options: ChangeOptions,
): Promise<ExitCode> {
  const { index, areAll, isKnown } = await withLedger(options, ports, async (ledger) => {
    const known = await agentsOf(ledger, new Access(ledger))
    const changed = await ledger.changeSuspension({ agent, state, reason: options.reason, by: 'operator' })
    const agents = await agentsOf(ledger, new Access(ledger))
    const isSeen = agent === everyAgent || known.some((each) => each.agent === agent)
    return { ...changed, areAll: areAllSuspended(agents), isKnown: isSeen }
  })
  if (options.json) {
    ports.out(JSON.stringify({ agent, state, index }))
    return fine
  }
  const who = agent === everyAgent ? 'Every agent' : `The agent ${onOneLine(agent)}`
  const already = index === null ? ' already' : ''
  ports.out(
    state === 'suspended'
      ? `${who} is${already} suspended.`
      : areAll
        ? `${who} is${already} not suspended by its name, and still is with all agents: \`bailiwick agents resume '*'\` ends that.`
        : `${who} is${already} free to act as its policy says.`,
  )
  // Whoever stops an agent in a hurry may have mistyped it.
  if (!isKnown)
    ports.err(`No key and no decision is of an agent \`${onOneLine(agent)}\`: see \`bailiwick agents list\`.`)
  return fine
}
