import { expect } from 'vitest'
import { parsePolicy } from '../../src/policy/compile.ts'
import type { CompiledPolicy } from '../../src/model/policy.ts'
import type { Problem } from '../../src/model/problem.ts'
import type { Facts, ToolCall } from '../../src/model/call.ts'
import type { ActionName, AgentId, Instant } from '../../src/model/ids.ts'
import type { JsonObject } from '../../src/model/json.ts'

/** The policy of a text that has to be valid. */
export function policyOf(text: string): CompiledPolicy {
  const parsed = parsePolicy(text)
  if (parsed.kind === 'invalid') expect(parsed.problems).toEqual([])
  if (parsed.kind === 'valid') return parsed.policy
  throw new Error('the policy is invalid')
}

/** Everything there is to say about a text, as `line:column severity message; fix`. */
export function problemsOf(text: string): readonly string[] {
  const parsed = parsePolicy(text)
  return (parsed.kind === 'valid' ? parsed.warnings : parsed.problems).map(lineOf)
}

function lineOf({ line, column, severity, message, fix }: Problem): string {
  return `${line}:${column} ${severity} ${message}; ${fix}`
}

/** A call of the agent `a`. */
export function call(action: string, params: JsonObject = {}, context: JsonObject = {}): ToolCall {
  return { agent: 'a' as AgentId, action: action as ActionName, params, context }
}

/** Nothing but the time. */
export const facts: Facts = { now: Date.UTC(2026, 0, 1) as Instant }
