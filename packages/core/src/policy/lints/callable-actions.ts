import type { CompiledPolicy, FactDeclaration, NamePattern } from '../../model/policy.ts'
import { namePattern, patternsMeet } from '../pattern.ts'
import { existsFor } from '../readers.ts'
import type { PolicySource } from '../sources.ts'

type Lists = Pick<CompiledPolicy, 'allowed' | 'parentsAllow' | 'forbidden'>

/** The actions that a policy lets through its lists, as far as they can be told by name. */
export class CallableActions {
  /** Those that the policy names somewhere. */
  readonly names: readonly string[]
  /** Whether a pattern allows others that nobody has named. */
  readonly isOpen: boolean
  readonly #lists: Lists
  readonly #patterns: readonly NamePattern[]

  constructor(lists: Lists, sources: readonly PolicySource[]) {
    this.#lists = lists
    this.#patterns = lists.allowed.map(({ pattern }) => pattern).filter(({ exact }) => !exact)
    this.isOpen = this.#patterns.length > 0
    const named = new Set([
      ...lists.allowed.map(({ pattern }) => pattern.text),
      ...sources.flatMap(writtenActions),
    ])
    this.names = [...named].filter((name) => !name.includes('*') && this.isCallable(name))
  }

  /** Whether the lists let an action through. */
  isCallable(action: string): boolean {
    const { allowed, parentsAllow, forbidden } = this.#lists
    if (forbidden.some(({ pattern }) => pattern.matches(action))) return false
    return [allowed, ...parentsAllow].every((list) => list.some(({ pattern }) => pattern.matches(action)))
  }

  /** The named actions that patterns cover. */
  coveredBy(on: readonly NamePattern[] | undefined): readonly string[] {
    if (on === undefined) return this.names
    return this.names.filter((name) => on.some((pattern) => pattern.matches(name)))
  }

  /** Whether patterns may cover actions that nobody has named. */
  mayCoverOthers(on: readonly NamePattern[] | undefined): boolean {
    if (!this.isOpen || on === undefined) return this.isOpen
    return on.some((pattern) => !pattern.exact && this.#letsThrough(pattern))
  }

  /** The named actions for which a fact exists. */
  withFact(fact: FactDeclaration): readonly string[] {
    return this.names.filter((name) => existsFor(fact, name))
  }

  // A forbidden pattern that is wider than it leaves nothing of it.
  #letsThrough(pattern: NamePattern): boolean {
    if (this.#lists.forbidden.some((forbidden) => forbidden.pattern.matches(pattern.text))) return false
    return this.#patterns.some((allowed) => patternsMeet(allowed, pattern))
  }
}

function writtenActions({ content }: PolicySource): readonly string[] {
  const rules = [
    ...(content.escalation_rules ?? []),
    ...(content.rules ?? []),
    ...(content.budgets ?? []),
    ...(content.rates ?? []),
    ...(content.flows ?? []),
  ]
  return [
    ...Object.keys(content.actions ?? {}),
    ...Object.values(content.facts ?? {}).flatMap((fact) => [fact.for ?? []].flat()),
    ...rules.flatMap((rule) => [rule.on ?? []].flat()),
  ]
}

/** Whether one list of patterns covers all that another covers, as far as their texts tell. */
export function coversPatterns(
  wide: readonly NamePattern[] | undefined,
  narrow: readonly NamePattern[] | undefined,
): boolean {
  if (wide === undefined) return true
  if (narrow === undefined) return wide.some(({ text }) => text === '*')
  // A `*` in the text of one is covered only by a `*` of the other.
  return narrow.every(({ text }) => wide.some((pattern) => namePattern(pattern.text).matches(text)))
}
