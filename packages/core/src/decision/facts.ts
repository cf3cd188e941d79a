import type { Given } from '../model/plan.ts'
import type { CompiledPolicy, FactDeclaration } from '../model/policy.ts'
import { existsFor, factReader } from '../policy/readers.ts'

/** What is absent of the named facts, said for a person, and whose word it would have been. Empty where nothing is. */
export function absentFacts(
  names: readonly string[],
  policy: CompiledPolicy,
  given: Given,
): readonly string[] {
  return names.flatMap((name) => {
    const fact = policy.facts.get(name)
    if (fact === undefined) return []
    const { action } = given.call
    if (!existsFor(fact, action)) return [`${name} does not exist for ${action}`]
    return factReader(fact)(given) === undefined ? [absenceText(fact, given)] : []
  })
}

function absenceText(fact: FactDeclaration, { facts }: Given): string {
  const { name, source, path } = fact
  switch (source) {
    case 'params':
      return `params.${path.join('.')} is absent (the model's word)`
    case 'context':
      return `context.${path.join('.')} is absent (the host's word)`
    case 'lookup': {
      const found = facts.lookups?.get(name)
      const why = found?.kind === 'failed' ? found.why : 'nobody has'
      return `${name} could not be looked up in ${lookupPlace(fact)}: ${why}`
    }
    default: {
      const never: never = source
      return never
    }
  }
}

function lookupPlace({ lookup }: FactDeclaration): string {
  if (lookup === undefined) return 'its source'
  if (lookup.kind === 'sql') return lookup.source
  const [start] = lookup.url
  return typeof start === 'string' ? new URL(start).host : 'its source'
}
