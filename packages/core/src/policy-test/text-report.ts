import type { DeterminingRule } from '../model/decision.ts'
import { besideFile, problemText } from '../model/problem.ts'
import { suiteTotals, type SuiteReport } from './report.ts'
import type { ActualDecision, CaseResult } from './run.ts'
import type { Expectation } from './suite.ts'

/** The reports for people: every case on a line, and under a failed one what was expected and what came. */
export function textReport(suites: readonly SuiteReport[]): string {
  const { passed, failed, invalid } = suiteTotals(suites)
  const files = suites.map((suite) => suiteLines(suite).join('\n'))
  const total = [`${passed} passed`, `${failed} failed`]
  if (invalid > 0) total.push(`${invalid} ${invalid === 1 ? 'file' : 'files'} could not be run`)
  return `${[...files, total.join(', ')].join('\n\n')}\n`
}

function suiteLines(suite: SuiteReport): string[] {
  if (suite.kind === 'invalid') {
    const problems = suite.problems.map(({ file, problem }) => `  ${onOneLine(problemText(file, problem))}`)
    return [onOneLine(suite.file), ...problems]
  }
  return [onOneLine(suite.file), ...suite.report.cases.flatMap((result) => caseLines(suite, result))]
}

function caseLines(suite: SuiteReport & { kind: 'ran' }, result: CaseResult): string[] {
  if (result.passed) return [`  ✓ ${onOneLine(result.name)}`]
  return [
    `  ✗ ${onOneLine(result.name)} (${onOneLine(suite.file)}:${result.line})`,
    ...failureLines(suite.policy, result).map((line) => `      ${line}`),
  ]
}

/** What was expected and what came, for one failed case. */
export function failureLines(policy: string, { expected, actual, differences }: CaseResult): string[] {
  return [
    ...differences.map(onOneLine),
    `expected  ${expectationText(expected)}`,
    ...(actual === null ? [] : actualLines(policy, actual)),
  ]
}

function expectationText({ effect, reason, rules, shadow }: Expectation): string {
  const parts: string[] = [effect]
  if (reason !== undefined) parts.push(`"${onOneLine(reason)}"`)
  if (rules !== undefined) parts.push(`by ${rules.length === 0 ? 'no rule' : rules.join(', ')}`)
  if (shadow !== undefined) parts.push(`in the shadow of ${shadow}`)
  return parts.join(' ')
}

function actualLines(policy: string, { effect, reasons, rules }: ActualDecision): string[] {
  const why = reasons.map((reason) => `"${onOneLine(reason)}"`).join(', ')
  return [`got       ${effect} ${why}`, ...rules.map((rule) => `          ${ruleText(policy, rule)}`)]
}

function ruleText(policy: string, { id, file, line, condition, detail }: DeterminingRule): string {
  const parts = [`${id} (${file === undefined ? policy : besideFile(policy, file)}:${line})`]
  if (condition !== undefined) parts.push(`: ${condition}`)
  if (detail !== undefined) parts.push(`; could not be evaluated: ${detail}`)
  return onOneLine(parts.join(''))
}

/** The text with control characters written out, so that a file cannot write to somebody's terminal. */
export function onOneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0
    return `\\u{${code.toString(16)}}`
  })
}
