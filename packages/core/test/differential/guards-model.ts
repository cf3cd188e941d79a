import type { PolicyModel, Ref, RuleModel, Truth } from './model.ts'

/** A rule with all that the language has for rules. */
export interface GuardedRule extends RuleModel {
  readonly unless: Truth | undefined
  /** Names of windows. */
  readonly window: string | undefined
  readonly outside: string | undefined
  readonly environments: readonly string[] | undefined
  readonly shadow: boolean
}

export const week = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const

/** Times as the file writes them, such as `08:30`. */
export interface NamedWindow {
  readonly name: string
  readonly zone: string
  readonly days: readonly (typeof week)[number][]
  readonly from: string
  readonly to: string
}

/** What the params of an action have to be. */
export interface SchemaModel {
  readonly members: readonly MemberModel[]
  /** Whether members that the schema does not name are refused. */
  readonly closed: boolean
}

export interface MemberModel {
  readonly of: Ref
  readonly required: boolean
  /** The least number, or the most letters or items; nothing for a bool. */
  readonly bound: number
}

/** An entry of `actions`. */
export interface EntryModel {
  readonly pattern: string
  readonly roles: readonly string[] | undefined
  readonly environments: readonly string[] | undefined
  readonly window: string | undefined
  readonly params: SchemaModel | undefined
  readonly when: Truth | undefined
  readonly requires: Ref | undefined
  readonly redacts: boolean
  readonly notifies: boolean
}

/** A policy with everything that is told by one call; its plain `rules` are none. */
export interface GuardedPolicy extends PolicyModel {
  readonly mode: 'enforce' | 'shadow'
  readonly roles: readonly { readonly name: string; readonly agents: readonly string[] }[]
  readonly windows: readonly NamedWindow[]
  readonly environments: readonly string[] | undefined
  readonly guarded: readonly GuardedRule[]
  readonly entries: readonly EntryModel[]
}
