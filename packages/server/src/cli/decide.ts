import {
  decideCall,
  Fault,
  onOneLine,
  parseCall,
  parseInstant,
  type CompiledPolicy,
  type DecisionAnswer,
  type DeterminingRule,
  type Instant,
  type JsonObject,
} from '@bailiwick/core'
import { PolicyFault, readPolicy } from '@bailiwick/store'
import type { Command } from 'commander'
import { strictJson } from '../json/strict-json.ts'
import { fine, type ExitCode } from './exit-codes.ts'
import type { CliPorts } from './ports.ts'
import type { Act } from './act.ts'

interface DecideOptions {
  readonly policy: string
  readonly action: string
  readonly params: string
  readonly context?: string
  readonly agent?: string
  readonly now?: string
  readonly json?: true
}

/** Adds `bailiwick decide`. */
export function addDecide(program: Command, act: Act): void {
  program
    .command('decide')
    .description('Says what a policy decides for one call. Asks no service, and records nothing.')
    .requiredOption('--policy <file>', 'the policy file')
    .requiredOption('--action <name>', 'what the agent wants to do')
    .option('--params <json>', "the call's parameters, a JSON object", '{}')
    .option('--context <json>', 'what the host knows, a JSON object')
    .option('--agent <id>', "who calls; default the policy's agent_id")
    .option('--now <time>', 'when, such as 2026-01-31T12:00:00Z; default now')
    .option('--json', 'print the answer in the shape of the HTTP API')
    .addHelpText('after', '\nExits with 0 whatever the effect: the effect is the answer. 2 for bad input.')
    .action(act(decide))
}

/** An answer like the API's, of a decision that nobody recorded. */
type UnrecordedAnswer = Pick<DecisionAnswer, 'effect' | 'reasons' | 'rules' | 'policy'> & {
  readonly id: null
  readonly record: null
}

async function decide(ports: CliPorts, options: DecideOptions): Promise<ExitCode> {
  const policy = await validPolicy(options.policy)
  const agent = options.agent ?? policy.agentId
  const parsed = parseCall(agent, {
    action: options.action,
    params: jsonOption('--params', options.params),
    context: options.context === undefined ? {} : jsonOption('--context', options.context),
  })
  const binding = agent === policy.agentId ? policy : undefined
  const { effect, reasons, rules } = decideCall(binding, parsed, { now: instantOption(options.now) })
  const answer = { id: null, effect, reasons, rules, policy: binding?.ref ?? null, record: null }
  ports.out(options.json ? JSON.stringify(answer) : answerText(options.policy, answer))
  return fine
}

async function validPolicy(file: string): Promise<CompiledPolicy> {
  const parsed = await readPolicy(file)
  if (parsed.kind === 'invalid') throw new PolicyFault(parsed.problems.map((problem) => ({ file, problem })))
  return parsed.policy
}

// What is wrong inside the object is for the decision to say: a call with 1e999 is denied, as by the service.
function jsonOption(option: string, text: string): JsonObject {
  const read = strictJson(text)
  if (read.kind === 'read') return read.value as JsonObject
  const where = read.path === '' ? '' : `: \`${read.path}\``
  throw new Fault('bad_input', `${option}${where} ${read.message}`, {
    fix: `Pass a JSON object in quotes, such as ${option} '{"amount": 100}'.`,
  })
}

function instantOption(text: string | undefined): Instant {
  const now = text === undefined ? (Date.now() as Instant) : parseInstant(text)
  if (now !== undefined) return now
  throw new Fault('bad_input', `\`${text ?? ''}\` is no time`, {
    fix: 'Write --now as RFC 3339, such as 2026-01-31T12:00:00Z.',
  })
}

function answerText(file: string, { effect, reasons, rules, policy }: UnrecordedAnswer): string {
  const version =
    policy === null ? undefined : `policy ${policy.id}, version ${policy.version ?? 'not given'}`
  return [
    effect,
    ...reasons.map((reason) => `  ${onOneLine(reason)}`),
    ...rules.map((rule) => `  ${ruleText(file, rule)}`),
    ...(version === undefined ? [] : [`  ${onOneLine(version)}, sha256 ${policy?.sha256 ?? ''}`]),
  ].join('\n')
}

function ruleText(file: string, { id, line, condition, because }: DeterminingRule): string {
  const error = because === 'condition_error' ? ' (could not be evaluated, so it counts as matched)' : ''
  return onOneLine(`${file}:${line} ${id}${condition === undefined ? '' : `: ${condition}`}${error}`)
}
