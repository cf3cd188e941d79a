import type { Decision, DenyCode, DeterminingRule, Effect } from '../model/decision.ts'
import { Fault } from '../model/fault.ts'
import type { CompiledPolicy } from '../model/policy.ts'
import type { Facts } from '../model/call.ts'
import { needsOf } from '../decision/needs.ts'
import { parseCall, type ParsedCall } from '../execution/call.ts'
import { decideCall } from '../execution/decide-call.ts'
import type { Expectation, PolicyTestCase, PolicyTestSuite } from './suite.ts'

/** What the policy said to a case. */
export interface ActualDecision {
  readonly effect: Effect
  readonly code: DenyCode | null
  readonly reasons: readonly string[]
  readonly rules: readonly DeterminingRule[]
  /** What a policy in shadow mode would have done; absent where nothing else. */
  readonly shadow?: 'deny' | 'escalate' | undefined
}

/** One case and what became of it. */
export interface CaseResult {
  readonly name: string
  /** One-based line of the case in its file. */
  readonly line: number
  readonly passed: boolean
  readonly expected: Expectation
  /** Null where the call is none that could be decided. */
  readonly actual: ActualDecision | null
  /** What differs, in one sentence each; empty where it passed. */
  readonly differences: readonly string[]
}

/** Every case of a policy test, in the order of the file. */
export interface PolicyTestReport {
  readonly cases: readonly CaseResult[]
  readonly passed: number
  readonly failed: number
}

/**
 * Decides every case by the policy and compares. Pure. The calls are those of the policy's own agent
 * unless a case names another, without an approval, checked and decided as the service would.
 */
export function runPolicyTest(policy: CompiledPolicy, suite: PolicyTestSuite): PolicyTestReport {
  const cases = suite.cases.map((testCase) => runCase(policy, testCase))
  const passed = cases.filter((result) => result.passed).length
  return { cases, passed, failed: cases.length - passed }
}

function runCase(policy: CompiledPolicy, testCase: PolicyTestCase): CaseResult {
  const { name, line, expect: expected } = testCase
  const decision = decideCase(policy, testCase)
  if (decision instanceof Fault) {
    const differences = [`the call could not be decided: ${decision.message}`]
    return { name, line, passed: false, expected, actual: null, differences }
  }
  const { effect, reasons, rules } = decision
  const shadow = effect === 'allow' ? decision.shadow?.effect : undefined
  const actual: ActualDecision = {
    effect,
    code: effect === 'deny' ? decision.code : null,
    reasons,
    rules,
    ...(shadow === undefined ? {} : { shadow }),
  }
  const differences = [...unknownNames(policy, testCase), ...differencesOf(expected, actual)]
  return { name, line, passed: differences.length === 0, expected, actual, differences }
}

/** What callers carry out that use `govern`. */
const governs: readonly string[] = ['redact']

function decideCase(policy: CompiledPolicy, testCase: PolicyTestCase): Decision | Fault {
  const { agent = policy.agentId, action, params, context, session, supports = governs } = testCase
  try {
    const parsed = parseCall(agent, { action, params, context, session: session?.id, supports })
    return decideCall(policy, parsed, factsOf(policy, parsed, testCase))
  } catch (fault) {
    if (fault instanceof Fault) return fault
    throw fault
  }
}

function factsOf(policy: CompiledPolicy, { call, supports }: ParsedCall, testCase: PolicyTestCase): Facts {
  const { now, env, session, lookups } = testCase
  const counters = needsOf(policy, call, { env, lookups }).counters.map(
    ({ counter, key }) => [key, testCase.counters?.get(counter) ?? 0] as const,
  )
  return { now, env, session, lookups, supports, counters: new Map(counters) }
}

// A misspelt name would leave the counter unused, and the case would test something else.
function unknownNames(policy: CompiledPolicy, { counters, lookups }: PolicyTestCase): string[] {
  const known = new Set(policy.counters.map(({ id }) => String(id)))
  const lookedUp = [...policy.facts.values()]
    .filter(({ source }) => source === 'lookup')
    .map(({ name }) => name)
  return [
    ...[...(counters?.keys() ?? [])]
      .filter((id) => !known.has(id))
      .map((id) => `the policy has no budget and no rate \`${id}\``),
    ...[...(lookups?.keys() ?? [])]
      .filter((name) => !lookedUp.includes(name))
      .map((name) => `the policy looks no fact \`${name}\` up`),
  ]
}

function differencesOf(expected: Expectation, actual: ActualDecision): string[] {
  const differences: string[] = []
  if (expected.effect !== actual.effect) {
    differences.push(`expected ${expected.effect}, got ${actual.effect}`)
  }
  if (expected.reason !== undefined && !actual.reasons.includes(expected.reason)) {
    differences.push(`expected the reason ${quoted([expected.reason])}, got ${quoted(actual.reasons)}`)
  }
  if (expected.shadow !== undefined && expected.shadow !== (actual.shadow ?? 'none')) {
    differences.push(`expected the shadow ${expected.shadow}, got ${actual.shadow ?? 'none'}`)
  }
  if (expected.rules !== undefined && !sameIds(expected.rules, actual.rules)) {
    const came = actual.rules.map(({ id }) => id)
    differences.push(`expected the rules ${listed(expected.rules)}, got ${listed(came)}`)
  }
  return differences
}

function sameIds(expected: readonly string[], actual: readonly DeterminingRule[]): boolean {
  const wanted = [...new Set(expected)].sort()
  const came = [...new Set(actual.map(({ id }) => String(id)))].sort()
  return wanted.length === came.length && wanted.every((id, at) => id === came[at])
}

function quoted(texts: readonly string[]): string {
  return texts.map((text) => `"${text}"`).join(', ')
}

function listed(ids: readonly string[]): string {
  return ids.length === 0 ? '(none)' : ids.join(', ')
}
