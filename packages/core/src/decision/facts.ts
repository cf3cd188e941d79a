import type { Facts, ToolCall } from '../model/call.ts'
import type { Json, JsonObject } from '../model/json.ts'
import type { CompiledPolicy, ConditionRule, FactDeclaration } from '../model/policy.ts'

/** Whether a fact exists for an action: outside its `for`, it has no value and no default. */
export function existsFor(fact: FactDeclaration, action: string): boolean {
  return fact.for === undefined || fact.for.some((pattern) => pattern.matches(action))
}

/**
 * The values that a rule's condition reads, and no others. A fact that is absent is left out, so that
 * the condition fails instead of comparing with something made up.
 */
export function conditionValues(
  policy: CompiledPolicy,
  uses: readonly string[],
  call: ToolCall,
  facts: Facts,
): ReadonlyMap<string, unknown> {
  const values = new Map<string, unknown>()
  for (const name of uses) {
    const value = valueOf(name, policy, call, facts)
    if (value !== undefined) values.set(name, value)
  }
  return values
}

function valueOf(name: string, policy: CompiledPolicy, call: ToolCall, facts: Facts): unknown {
  switch (name) {
    case 'params':
      return call.params
    case 'context':
      return call.context
    case 'agent':
      return call.agent
    case 'action':
      return call.action
    case 'now':
      return new Date(facts.now)
    default: {
      const fact = policy.facts.get(name)
      return fact && existsFor(fact, call.action) ? factValue(fact, call) : undefined
    }
  }
}

/** What a fact is for this call, or undefined where nothing says so. */
function factValue(fact: FactDeclaration, call: ToolCall): Json | undefined {
  const value = valueAt(fact.source === 'params' ? call.params : call.context, fact.path)
  return value === undefined ? fact.default : value
}

/** What is absent, said for a person: `params.amount is absent`. Empty where nothing is. */
export function absentFacts(policy: CompiledPolicy, rule: ConditionRule, call: ToolCall): readonly string[] {
  return rule.facts.flatMap((name) => {
    const fact = policy.facts.get(name)
    if (!fact) return []
    if (!existsFor(fact, call.action)) return [`${name} does not exist for ${call.action}`]
    return factValue(fact, call) === undefined ? [`${fact.source}.${fact.path.join('.')} is absent`] : []
  })
}

// Own properties only: a path must never reach what JavaScript objects inherit.
function valueAt(root: JsonObject, path: readonly string[]): Json | undefined {
  let value: Json | undefined = root
  for (const name of path) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
    if (!Object.hasOwn(value, name)) return undefined
    value = (value as JsonObject)[name]
  }
  return value
}
