import {
  decideCall,
  onOneLine,
  type DecisionAnswer,
  type DeterminingRule,
  type ShadowedDecision,
} from '@bailiwick/core'
import type { Command } from 'commander'
import { supposedCall, withCallOptions, type CallOptions } from './call-options.ts'
import { fine, type ExitCode } from './exit-codes.ts'
import type { CliPorts } from './ports.ts'
import type { Act } from './act.ts'

interface DecideOptions extends CallOptions {
  readonly json?: true
}

/** Adds `bailiwick decide`. */
export function addDecide(program: Command, act: Act): void {
  const command = program
    .command('decide')
    .description('Says what a policy decides for one call. Asks no service, and records nothing.')
    .requiredOption('--policy <file>', 'the policy file')
    .requiredOption('--action <name>', 'what the agent wants to do')
  withCallOptions(command)
    .option('--json', 'print the answer in the shape of the HTTP API')
    .addHelpText(
      'after',
      '\nExits with 0 whatever the effect: the effect is the answer. 2 for bad input.\n`bailiwick explain` takes the same options and says why.',
    )
    .action(act(decide))
}

/** An answer like the API's, of a decision that nobody recorded. */
type UnrecordedAnswer = Pick<
  DecisionAnswer,
  'effect' | 'reasons' | 'rules' | 'policy' | 'obligations' | 'shadow'
> & {
  readonly id: null
  readonly record: null
}

async function decide(ports: CliPorts, options: DecideOptions): Promise<ExitCode> {
  const { policy, parsed, facts } = await supposedCall(options)
  const decision = decideCall(policy, parsed, facts)
  const { effect, reasons, rules } = decision
  const allowed = effect === 'allow' ? decision : undefined
  const answer: UnrecordedAnswer = {
    id: null,
    effect,
    reasons,
    rules,
    policy: policy?.ref ?? null,
    record: null,
    ...(allowed === undefined || allowed.obligations.length === 0
      ? {}
      : { obligations: allowed.obligations }),
    ...(allowed?.shadow === undefined ? {} : { shadow: allowed.shadow }),
  }
  ports.out(options.json ? JSON.stringify(answer) : answerText(options.policy, answer))
  return fine
}

function answerText(file: string, answer: UnrecordedAnswer): string {
  const { effect, reasons, rules, policy, obligations = [], shadow } = answer
  const version =
    policy === null ? undefined : `policy ${policy.id}, version ${policy.version ?? 'not given'}`
  return [
    effect,
    ...reasons.map((reason) => `  ${onOneLine(reason)}`),
    ...rules.map((rule) => `  ${ruleText(file, rule)}`),
    ...(shadow === undefined ? [] : shadowLines(file, shadow)),
    ...obligations.map((obligation) => `  to do: ${onOneLine(obligationText(obligation))}`),
    ...(version === undefined ? [] : [`  ${onOneLine(version)}, sha256 ${policy?.sha256 ?? ''}`]),
  ].join('\n')
}

const shadowedWords = { deny: 'denied', escalate: 'escalated' } as const

function shadowLines(file: string, { effect, rules }: ShadowedDecision): string[] {
  return [
    `  would have been ${shadowedWords[effect]}, were the policy enforced`,
    ...rules.map((rule) => `    ${ruleText(file, rule)}`),
  ]
}

function obligationText(obligation: NonNullable<DecisionAnswer['obligations']>[number]): string {
  return obligation.kind === 'redact' ? `redact ${obligation.path}` : `notify ${obligation.channel}`
}

function ruleText(file: string, rule: DeterminingRule): string {
  const { id, line, condition, because, link } = rule
  const error = because === 'condition_error' ? ' (could not be evaluated, so it counts as matched)' : ''
  const shadow = rule.shadow === true ? ' (shadow mode: does not count)' : ''
  const place = rule.file === undefined ? `${file}:${line}` : `${rule.file}:${line}, extended by ${file},`
  const why = link === undefined ? '' : ` ${link}`
  return onOneLine(`${place} ${id}${condition === undefined ? '' : `: ${condition}`}${error}${shadow}${why}`)
}
