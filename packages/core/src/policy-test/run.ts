import type { Decision, DenyCode, DeterminingRule, Effect } from '../model/decision.ts'
import { Fault } from '../model/fault.ts'
import type { CompiledPolicy } from '../model/policy.ts'
import { decideCall } from '../execution/decide-call.ts'
import { callOf, factsOf, saidInVain } from './given.ts'
import type { Expectation, PolicyTestCase, PolicyTestSuite } from './suite.ts'

/** What the policy said to a case. */
export interface ActualDecision {
  readonly effect: Effect
  readonly code: DenyCode | null
  readonly reasons: readonly string[]
  readonly rules: readonly DeterminingRule[]
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
 * Decides every case by the policy and compares. Pure. The calls are those of the policy's own agent, unless a case
 * names another, without an approval, checked and decided as the service would. Unless a case says otherwise, nothing
 * has happened in their session and nothing has been used of budgets and rates.
 */
export function runPolicyTest(policy: CompiledPolicy, suite: PolicyTestSuite): PolicyTestReport {
  const cases = suite.cases.map((testCase) => runCase(policy, testCase))
  const passed = cases.filter((result) => result.passed).length
  return { cases, passed, failed: cases.length - passed }
}

function runCase(policy: CompiledPolicy, testCase: PolicyTestCase): CaseResult {
  const { name, line, expect: expected, given } = testCase
  const decision = decideCase(policy, testCase)
  if (decision instanceof Fault) {
    const differences = [`the call could not be decided: ${decision.message}`]
    return { name, line, passed: false, expected, actual: null, differences }
  }
  const { effect, reasons, rules } = decision
  const actual = { effect, code: effect === 'deny' ? decision.code : null, reasons, rules }
  const differences = [...saidInVain(policy, given), ...differencesOf(expected, actual)]
  return { name, line, passed: differences.length === 0, expected, actual, differences }
}

function decideCase(policy: CompiledPolicy, testCase: PolicyTestCase): Decision | Fault {
  try {
    const parsed = callOf(policy, testCase)
    return decideCall(policy, parsed, factsOf(policy, parsed, testCase))
  } catch (fault) {
    if (fault instanceof Fault) return fault
    throw fault
  }
}

function differencesOf(expected: Expectation, actual: ActualDecision): string[] {
  const differences: string[] = []
  if (expected.effect !== actual.effect) {
    differences.push(`expected ${expected.effect}, got ${actual.effect}`)
  }
  if (expected.reason !== undefined && !actual.reasons.includes(expected.reason)) {
    differences.push(`expected the reason ${quoted([expected.reason])}, got ${quoted(actual.reasons)}`)
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
