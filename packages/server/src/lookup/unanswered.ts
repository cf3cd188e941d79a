import type { CompiledPolicy, FactDeclaration } from '@bailiwick/core'
import { sourceKey, type LookupSettings } from './settings.ts'

/**
 * What to tell the operator about facts that no lookup here can answer, one line for each: every call that needs one
 * is denied or escalated.
 */
export function unansweredFacts(
  policies: readonly CompiledPolicy[],
  settings: LookupSettings,
): readonly string[] {
  const lines = policies.flatMap((policy) =>
    [...policy.facts.values()].flatMap((fact) => {
      const missing = missingSource(fact, settings)
      const at = `\`${policy.agentId}\`: the fact \`${fact.name}\` in line ${fact.line}`
      return missing === undefined ? [] : [`lookups: ${at} cannot be looked up; ${missing}`]
    }),
  )
  return [...new Set(lines)]
}

/** What to set; undefined where the fact is not looked up, or can be. */
function missingSource({ lookup }: FactDeclaration, settings: LookupSettings): string | undefined {
  if (lookup === undefined) return undefined
  if (lookup.kind === 'sql') {
    const key = sourceKey(lookup.source)
    if (key === undefined) return 'name its source with letters, digits and hyphens'
    return settings.databases.has(key) ? undefined : `set BAILIWICK_SOURCE_${key}`
  }
  const [start] = lookup.url
  const origin = typeof start === 'string' && URL.canParse(start) ? new URL(start).origin : 'its origin'
  if (settings.origins.has(origin)) return undefined
  // Only an origin in a private network may be asked without encryption, and the plain list cannot say so.
  return origin.startsWith('http:')
    ? `add "${origin}": {"private": true} to the JSON object in BAILIWICK_LOOKUP_HOSTS`
    : `add ${origin} to BAILIWICK_LOOKUP_HOSTS`
}
