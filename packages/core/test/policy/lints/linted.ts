import { expect } from 'vitest'
import { parsePolicy } from '../../../src/policy/compile.ts'
import type { Problem } from '../../../src/model/problem.ts'

/** What is said of a policy that has to be valid, as `line:column code message`. */
export function warningsOf(text: string): readonly string[] {
  const parsed = parsePolicy(text)
  expect(parsed.kind === 'invalid' ? parsed.problems : []).toEqual([])
  return parsed.kind === 'valid' ? parsed.warnings.map(lineOf) : []
}

/** The codes of what is said of a policy that has to be valid. */
export function codesOf(text: string): readonly string[] {
  return warningsOf(text).map((line) => line.split(' ')[1] ?? '')
}

/** The first problem of a policy that has an error. */
export function errorOf(text: string): string | undefined {
  const parsed = parsePolicy(text)
  return parsed.kind === 'invalid' ? parsed.problems.map(lineOf)[0] : undefined
}

function lineOf({ line, column, code = '', message, fix }: Problem): string {
  return `${line}:${column} ${code} ${message}; ${fix}`
}

/** A policy for two actions with facts of each type; rules follow on line 9. */
const head = `agent_id: a
allowed_actions: [refund, mail]
facts:
  amount: { type: number, from: context.amount }
  tier: { type: string, from: context.tier }
  paused: { type: bool, from: context.paused }
  tags: { type: list<string>, from: context.tags }
rules:
  - { on: mail, condition: "amount > 7 && tier == 'x' && paused && size(tags) > 3", effect: deny, mode: shadow }
`

/** Rules of one line each, in flow style. */
export function withRules(...rules: readonly string[]): string {
  return `${head}${rules.map((rule) => `  - { ${rule} }\n`).join('')}`
}
