import { readFileSync } from 'node:fs'
import { decideCall, parseCall, parseInstant, parsePolicy, problemText } from '@bailiwick/core'
import type { CompiledPolicy, Instant } from '@bailiwick/core'
import type { PermittedCall } from './permitted.ts'

/** What the scorer of the data calls the three effects. */
export type Verdict = 'allow' | 'deny' | 'require_approval'

const verdicts = { allow: 'allow', deny: 'deny', escalate: 'require_approval' } as const

/**
 * A policy file, compiled.
 *
 * @throws Error with every problem where the file is no policy
 */
export function loadPolicy(path: string): CompiledPolicy {
  const parsed = parsePolicy(readFileSync(path, 'utf8'))
  if (parsed.kind === 'invalid') {
    throw new Error(parsed.problems.map((problem) => problemText(path, problem)).join('\n'))
  }
  return parsed.policy
}

/**
 * The policy's decision on one call, made by the same code as in the service. The clock stands at
 * `context.now` where the host of the data says what time it is, else at one fixed instant.
 */
export function verdictOn(policy: CompiledPolicy, call: PermittedCall): Verdict {
  const request = { action: call.tool, params: call.args, context: call.context }
  const decision = decideCall(policy, parseCall(policy.agentId, request), { now: clockOf(call) })
  return verdicts[decision.effect]
}

const fixedNow = Date.UTC(2026, 0, 1) as Instant

function clockOf({ context }: PermittedCall): Instant {
  const now = context['now']
  return typeof now === 'string' ? (parseInstant(now) ?? fixedNow) : fixedNow
}
