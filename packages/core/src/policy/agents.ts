import type { CompiledPolicy } from '../model/policy.ts'
import { patternsMeet } from './pattern.ts'

/** Two policies that could both bind an agent. */
export interface AgentOverlap {
  readonly policy: CompiledPolicy
  readonly other: CompiledPolicy
  /** What `policy` says that it binds, and `other` may bind, too. */
  readonly agent: string
}

/** Which policy binds which agent. */
export interface BoundAgents {
  for(agent: string): CompiledPolicy | undefined
  /** Nothing is bound as long as there is one: an agent has one policy. */
  readonly overlaps: readonly AgentOverlap[]
}

/** Ties agents to policies, by `agent_id` and by the names and patterns of `agents`. */
export function bindAgents(policies: readonly CompiledPolicy[]): BoundAgents {
  const overlaps = overlapsOf(policies)
  const byName = new Map<string, CompiledPolicy>()
  const byPattern = policies.filter((policy) => policy.agents.some(({ exact }) => !exact))
  for (const policy of policies) {
    for (const { text, exact } of policy.agents) if (exact) byName.set(text, policy)
  }
  return {
    overlaps,
    for: (agent) => {
      if (overlaps.length > 0) return undefined
      return (
        byName.get(agent) ??
        byPattern.find((policy) => policy.agents.some((pattern) => pattern.matches(agent)))
      )
    },
  }
}

function overlapsOf(policies: readonly CompiledPolicy[]): readonly AgentOverlap[] {
  return policies.flatMap((policy, at) =>
    policies.slice(0, at).flatMap((other) => {
      const agent = policy.agents.find((own) => other.agents.some((theirs) => patternsMeet(own, theirs)))
      return agent === undefined ? [] : [{ policy, other, agent: agent.text }]
    }),
  )
}
