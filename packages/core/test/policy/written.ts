import { expect } from 'vitest'
import { parsePolicy, type ParsedPolicy } from '../../src/policy/compile.ts'
import type { CompiledPolicy } from '../../src/model/policy.ts'
import type { Problem } from '../../src/model/problem.ts'
import type { Facts, ToolCall } from '../../src/model/call.ts'
import type { ActionName, AgentId, Instant, SessionId } from '../../src/model/ids.ts'
import type { JsonObject } from '../../src/model/json.ts'

/** Texts by the paths under which a policy extends them. */
export type Files = Readonly<Record<string, string>>

/** The policy of a text that has to be valid. */
export function policyOf(text: string, files: Files = {}): CompiledPolicy {
  const parsed = parse(text, files)
  if (parsed.kind === 'invalid') expect(parsed.problems).toEqual([])
  if (parsed.kind === 'valid') return parsed.policy
  throw new Error('the policy is invalid')
}

/** Everything there is to say about a text, as `line:column severity message; fix`. */
export function problemsOf(text: string, files: Files = {}): readonly string[] {
  const parsed = parse(text, files)
  return (parsed.kind === 'valid' ? parsed.warnings : parsed.problems).map(lineOf)
}

function parse(text: string, files: Files): ParsedPolicy {
  return parsePolicy(text, { load: (path) => (Object.hasOwn(files, path) ? files[path] : undefined) })
}

function lineOf({ file, line, column, severity, message, fix }: Problem): string {
  return `${file === undefined ? '' : `${file}:`}${line}:${column} ${severity} ${message}; ${fix}`
}

/** A call of the agent `a`. */
export function call(action: string, params: JsonObject = {}, context: JsonObject = {}): ToolCall {
  return { agent: 'a' as AgentId, action: action as ActionName, params, context }
}

/** The same call, by another agent. */
export function by(agent: string, given: ToolCall): ToolCall {
  return { ...given, agent: agent as AgentId }
}

/** The same call, in a session. */
export function inSession(given: ToolCall, session = 's-1'): ToolCall {
  return { ...given, session: session as SessionId }
}

/** Nothing but the time. */
export const facts: Facts = { now: Date.UTC(2026, 0, 1) as Instant }

/** Nothing but the time. */
export function at(time: string): Facts {
  return { now: Date.parse(time) as Instant }
}
