import { problemText } from '../model/problem.ts'
import { suiteTotals, type SuiteReport } from './report.ts'
import type { CaseResult } from './run.ts'
import { failureLines, onOneLine } from './text-report.ts'

/**
 * The reports as JUnit XML, as CI systems read it: a testsuite for each file, a testcase for each case.
 * A file that could not be run is one testcase with an error, so that CI does not take it for a pass.
 */
export function junitReport(suites: readonly SuiteReport[]): string {
  const { passed, failed, invalid } = suiteTotals(suites)
  const counts = { tests: passed + failed + invalid, failures: failed, errors: invalid }
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites${attributes({ name: 'bailiwick', ...counts })}>`,
    ...suites.flatMap(suiteElements),
    '</testsuites>',
    '',
  ].join('\n')
}

function suiteElements(suite: SuiteReport): string[] {
  const { passed, failed, invalid } = suiteTotals([suite])
  const counts = { tests: passed + failed + invalid, failures: failed, errors: invalid, skipped: 0 }
  const inside =
    suite.kind === 'ran' ? suite.report.cases.flatMap((one) => caseElements(suite, one)) : unrunnable(suite)
  return [`  <testsuite${attributes({ name: suite.file, ...counts })}>`, ...inside, '  </testsuite>']
}

function caseElements(suite: SuiteReport & { kind: 'ran' }, result: CaseResult): string[] {
  const { name, line, differences } = result
  const start = `    <testcase${attributes({ classname: suite.file, name, file: suite.file, line })}`
  if (result.passed) return [`${start}/>`]
  const detail = failureLines(suite.policy, result).join('\n')
  const failure = attributes({ message: differences.map(onOneLine).join('; '), type: 'decision' })
  return [`${start}>`, `      <failure${failure}>${escaped(detail)}</failure>`, '    </testcase>']
}

function unrunnable(suite: SuiteReport & { kind: 'invalid' }): string[] {
  const problems = suite.problems.map(({ file, problem }) => onOneLine(problemText(file, problem)))
  const start = `    <testcase${attributes({ classname: suite.file, name: 'can be run', file: suite.file })}>`
  const element = `<error${attributes({ message: problems[0] ?? '', type: 'invalid' })}>`
  return [start, `      ${element}${escaped(problems.join('\n'))}</error>`, '    </testcase>']
}

function attributes(values: Readonly<Record<string, string | number>>): string {
  return Object.entries(values)
    .map(([key, value]) => ` ${key}="${escaped(String(value))}"`)
    .join('')
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;',
}

// XML 1.0 has no way to write most control characters, half surrogate pairs, U+FFFE and U+FFFF.
function escaped(text: string): string {
  return text
    .replace(/[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu, '\u{FFFD}')
    .replace(/[&<>"'\t\n\r]/g, (character) => entities[character] ?? character)
}
