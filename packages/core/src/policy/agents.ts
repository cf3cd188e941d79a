import type { CompiledPolicy, NamePattern } from '../model/policy.ts'

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
      const agent = policy.agents.find((own) => other.agents.some((theirs) => meet(own, theirs)))
      return agent === undefined ? [] : [{ policy, other, agent: agent.text }]
    }),
  )
}

/** Whether some name matches both patterns. */
function meet({ text: one, exact }: NamePattern, { text: other, exact: otherExact }: NamePattern): boolean {
  const reached = new Set<number>()
  const open: (readonly [number, number])[] = [[0, 0]]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [at, otherAt] = next
    const key = at * (other.length + 1) + otherAt
    if (reached.has(key)) continue
    reached.add(key)
    if (at === one.length && otherAt === other.length) return true
    const star = !exact && one[at] === '*'
    const otherStar = !otherExact && other[otherAt] === '*'
    // A star may stand for nothing, or for whatever the other text has next.
    if (star) open.push([at + 1, otherAt])
    if (otherStar) open.push([at, otherAt + 1])
    if (star && otherAt < other.length && !otherStar) open.push([at, otherAt + 1])
    if (otherStar && at < one.length && !star) open.push([at + 1, otherAt])
    if (!star && !otherStar && at < one.length && one[at] === other[otherAt]) open.push([at + 1, otherAt + 1])
  }
  return false
}
