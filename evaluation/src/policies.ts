import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import {
  decideCall,
  needsOf,
  parseCall,
  parseInstant,
  parsePolicy,
  problemText,
  type CompiledPolicy,
  type Decision,
  type Facts,
  type Instant,
  type SessionFact,
} from '@bailiwick/core'
import type { PermittedCall } from './permitted.ts'

/** What the scorer of the data calls the three effects. */
export type Verdict = 'allow' | 'deny' | 'require_approval'

const verdicts = { allow: 'allow', deny: 'deny', escalate: 'require_approval' } as const

/** The session of a call that is the first one in it. */
export const newSession: SessionFact = { labels: [], actions: [] }

/**
 * A policy file, compiled, with what it extends.
 *
 * @throws Error with every problem where the file is no policy
 */
export function loadPolicy(path: string): CompiledPolicy {
  const load = (file: string): string | undefined => {
    const beside = join(dirname(path), file)
    return existsSync(beside) ? readFileSync(beside, 'utf8') : undefined
  }
  const parsed = parsePolicy(readFileSync(path, 'utf8'), { load })
  if (parsed.kind === 'invalid') {
    throw new Error(parsed.problems.map((problem) => problemText(path, problem)).join('\n'))
  }
  return parsed.policy
}

/**
 * The policy's decision on one call, made by the same code as in the service. The clock stands at `context.now` where
 * the host of the data says what time it is, else at one fixed instant. Nothing has been used of budgets and rates.
 */
export function decisionOn(
  policy: CompiledPolicy,
  call: PermittedCall,
  session: SessionFact = newSession,
): Decision {
  const request = { action: call.tool, params: call.args, context: call.context, session: 'evaluation' }
  const parsed = parseCall(policy.agentId, request)
  const facts: Facts = { now: clockOf(call), session }
  const counters = new Map(needsOf(policy, parsed.call, facts).counters.map(({ key }) => [key, 0] as const))
  return decideCall(policy, parsed, { ...facts, counters })
}

/** The decision as the scorer of the data calls it. */
export function verdictOf({ effect }: Decision): Verdict {
  return verdicts[effect]
}

/** The verdict on a call that is the first one of its session. */
export function verdictOn(policy: CompiledPolicy, call: PermittedCall): Verdict {
  return verdictOf(decisionOn(policy, call))
}

/** What a session is after a decision: a call that was not allowed leaves nothing behind. */
export function sessionAfter(session: SessionFact, decision: Decision): SessionFact {
  if (decision.effect !== 'allow' || decision.leaves === undefined) return session
  const { labels, action } = decision.leaves
  return {
    labels: [...new Set([...session.labels, ...labels])],
    actions: [...new Set([...session.actions, action])],
  }
}

const fixedNow = Date.UTC(2026, 0, 1) as Instant

function clockOf({ context }: PermittedCall): Instant {
  const now = context['now']
  return typeof now === 'string' ? (parseInstant(now) ?? fixedNow) : fixedNow
}
