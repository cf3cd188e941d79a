import {
  Fault,
  needsOf,
  parseCall,
  parseInstant,
  type CompiledPolicy,
  type Facts,
  type Instant,
  type Json,
  type JsonObject,
  type LookupResult,
  type ParsedCall,
} from '@bailiwick/core'
import { PolicyFault, readPolicy } from '@bailiwick/store'
import type { Command } from 'commander'
import { strictJson } from '../json/strict-json.ts'

/** A call and what is known when it is made, as options give them. */
export interface CallOptions {
  readonly policy: string
  readonly action: string
  readonly params?: string
  readonly context?: string
  readonly agent?: string
  readonly now?: string
  readonly env?: string
  readonly session?: string
  readonly label?: readonly string[]
  readonly past?: readonly string[]
  readonly used?: readonly string[]
  readonly lookup?: readonly string[]
  readonly supports?: readonly string[]
}

/** A call that nobody has made, with the policy that would decide it. */
export interface SupposedCall {
  /** Undefined where the policy of the file does not bind the agent. */
  readonly policy: CompiledPolicy | undefined
  readonly parsed: ParsedCall
  readonly facts: Facts
}

/** What callers carry out that use `govern`. */
const supportsDefault: readonly string[] = ['redact']

/** Adds the options that describe a call and its surroundings, but for `--policy` and `--action`. */
export function withCallOptions(command: Command): Command {
  return command
    .option('--params <json>', "the call's parameters, a JSON object; default {}")
    .option('--context <json>', 'what the host knows, a JSON object')
    .option('--agent <id>', "who calls; default the policy's agent_id, or the first of its agents")
    .option('--session <name>', 'the session that the call is part of')
    .option('--label <label>', 'a label that the session has; can be repeated', more)
    .option('--past <action>', 'an action that was allowed in the session; can be repeated', more)
    .option('--env <name>', 'the environment, such as prod')
    .option('--used <counter=number>', 'what is used of a budget or rate; can be repeated; default 0', more)
    .option('--lookup <fact=json>', 'what looking a fact up came to; can be repeated; default failed', more)
    .option('--supports <kind>', 'an obligation that the caller carries out, or none; default redact', more)
    .option('--now <time>', 'when, such as 2026-01-31T12:00:00Z; default now')
}

function more(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value]
}

/**
 * The call that the options describe.
 *
 * @throws PolicyFault for a policy with errors; Fault `bad_input` for options that describe no call
 */
export async function supposedCall(options: CallOptions): Promise<SupposedCall> {
  const policy = await validPolicy(options.policy)
  const agent = options.agent ?? policy.agentId
  const supports = options.supports ?? supportsDefault
  const parsed = parseCall(agent, {
    action: options.action,
    params: jsonOption('--params', options.params ?? '{}'),
    context: options.context === undefined ? {} : jsonOption('--context', options.context),
    session: options.session,
    supports: supports.filter((kind) => kind !== 'none'),
  })
  const binds = policy.agents.some((pattern) => pattern.matches(agent))
  return { policy: binds ? policy : undefined, parsed, facts: factsOption(policy, parsed, options) }
}

async function validPolicy(file: string): Promise<CompiledPolicy> {
  const parsed = await readPolicy(file)
  if (parsed.kind === 'invalid') throw new PolicyFault(parsed.problems.map((problem) => ({ file, problem })))
  return parsed.policy
}

function factsOption(policy: CompiledPolicy, { call, supports }: ParsedCall, options: CallOptions): Facts {
  const { env, session, label = [], past = [] } = options
  if (session === undefined && (label.length > 0 || past.length > 0)) {
    throw new Fault(
      'bad_input',
      '--label and --past say what a session has been through, but none is named',
      {
        fix: 'Name it with --session.',
      },
    )
  }
  const lookups = lookupsOption(policy, options.lookup ?? [])
  const used = usedOption(policy, options.used ?? [])
  const counters = needsOf(policy, call, { env, lookups }).counters.map(
    ({ counter, key }) => [key, used.get(counter) ?? 0] as const,
  )
  return {
    now: instantOption(options.now),
    env,
    lookups,
    supports,
    counters: new Map(counters),
    session: session === undefined ? undefined : { labels: unique(label), actions: unique(past) },
  }
}

function unique(items: readonly string[]): readonly string[] {
  return [...new Set(items)]
}

function usedOption(policy: CompiledPolicy, written: readonly string[]): ReadonlyMap<string, number> {
  const ids: readonly string[] = policy.counters.map(({ id }) => id)
  return new Map(
    written.map((text) => {
      const [id, number] = assignment('--used', text, '--used refunds-24h=1900')
      const amount = number.trim() === '' ? Number.NaN : Number(number)
      if (!(amount >= 0) || amount === Number.POSITIVE_INFINITY) {
        throw new Fault('bad_input', `--used: \`${number}\` is not a number of 0 or more`, {
          fix: 'Write what has been used of the budget or rate, such as --used refunds-24h=1900.',
        })
      }
      // A misspelt name would leave the counter unused, and another question would be answered.
      if (!ids.includes(id)) throw notInPolicy('--used', `budget or rate \`${id}\``, ids)
      return [id, amount] as const
    }),
  )
}

function lookupsOption(
  policy: CompiledPolicy,
  written: readonly string[],
): ReadonlyMap<string, LookupResult> | undefined {
  if (written.length === 0) return undefined
  const names = [...policy.facts.values()].filter(({ source }) => source === 'lookup').map(({ name }) => name)
  return new Map(
    written.map((text) => {
      const [name, json] = assignment('--lookup', text, `--lookup 'tier="gold"'`)
      if (!names.includes(name)) throw notInPolicy('--lookup', `fact \`${name}\` that is looked up`, names)
      return [name, { kind: 'value', value: anyJson('--lookup', json) }] as const
    }),
  )
}

function notInPolicy(option: string, what: string, known: readonly string[]): Fault {
  return new Fault('bad_input', `${option}: the policy has no ${what}`, {
    fix: known.length === 0 ? 'Leave the option out: the policy has none.' : `It has ${known.join(', ')}.`,
  })
}

function assignment(option: string, text: string, example: string): readonly [string, string] {
  const at = text.indexOf('=')
  if (at > 0) return [text.slice(0, at), text.slice(at + 1)]
  throw new Fault('bad_input', `${option}: \`${text}\` gives nothing a value`, {
    fix: `Write a name, \`=\` and a value, such as ${example}.`,
  })
}

// What is wrong inside the object is for the decision to say: a call with 1e999 is denied, as by the service.
function jsonOption(option: string, text: string): JsonObject {
  return anyJson(option, text) as JsonObject
}

function anyJson(option: string, text: string): Json {
  const read = strictJson(text)
  if (read.kind === 'read') return read.value as Json
  const where = read.path === '' ? '' : `: \`${read.path}\``
  throw new Fault('bad_input', `${option}${where} ${read.message}`, {
    fix:
      option === '--lookup'
        ? `Write the value as JSON, such as --lookup 'tier="gold"'.`
        : `Pass a JSON object in quotes, such as ${option} '{"amount": 100}'.`,
  })
}

function instantOption(text: string | undefined): Instant {
  const now = text === undefined ? (Date.now() as Instant) : parseInstant(text)
  if (now !== undefined) return now
  throw new Fault('bad_input', `\`${text ?? ''}\` is no time`, {
    fix: 'Write --now as RFC 3339, such as 2026-01-31T12:00:00Z.',
  })
}
