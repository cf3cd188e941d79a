import type { CompiledCondition } from '@bailiwick/cel'
import type { RuleId } from './ids.ts'
import type { Json } from './json.ts'
import type { PolicyRef } from './decision.ts'

/** A pattern for action names: a whole name, `*` standing for any run of characters. */
export interface ActionPattern {
  readonly text: string
  matches(action: string): boolean
}

/** An entry of `allowed_actions` or `forbidden_actions`. */
export interface ListedAction {
  readonly id: RuleId
  readonly pattern: ActionPattern
  readonly line: number
}

/** The type of a declared fact. `number` is any finite JSON number. */
export type FactType = 'number' | 'bool' | 'string' | 'list<string>' | 'list<number>'

/** A name that conditions may use, and where its value comes from. */
export interface FactDeclaration {
  readonly name: string
  readonly type: FactType
  /** `params`: the model's word. `context`: the host's. */
  readonly source: 'params' | 'context'
  /** The path below the source; `['customer', 'is_vip']` for `context.customer.is_vip`. */
  readonly path: readonly string[]
  /** The actions for which the fact exists; undefined: all. */
  readonly for: readonly ActionPattern[] | undefined
  /** Used where the value is absent (not where it is ill-typed), and only if the author wrote one. */
  readonly default: Json | undefined
  /** Not declared by the author: read from `params.<name>` because no fact of that name exists. */
  readonly inferred: boolean
  readonly line: number
}

/** A rule with a condition. Order in the file carries no meaning: there are no priorities. */
export interface ConditionRule {
  readonly id: RuleId
  readonly effect: 'deny' | 'escalate'
  /** The actions it speaks of; undefined: all. */
  readonly on: readonly ActionPattern[] | undefined
  /** Undefined: always matches. */
  readonly condition: CompiledCondition | undefined
  /** The names of facts that the condition uses. */
  readonly facts: readonly string[]
  /** The approval route, where the effect is `escalate`. */
  readonly route: string | undefined
  /** Shown instead of the usual reason, where the author wrote one. */
  readonly reason: string | undefined
  readonly line: number
}

/** What an escalation's `action` means. */
export interface ApprovalRoute {
  readonly name: string
  /** `role:NAME` or `person:EMAIL`; empty: the roles `approver` and `administrator`. */
  readonly approvers: readonly string[]
  readonly quorum: number
  readonly deadlineMs: number
}

/** A policy that has been read, checked and compiled; immutable. */
export interface CompiledPolicy {
  readonly ref: PolicyRef
  readonly agentId: string
  readonly domain: string | undefined
  readonly allowed: readonly ListedAction[]
  readonly forbidden: readonly ListedAction[]
  readonly facts: ReadonlyMap<string, FactDeclaration>
  readonly rules: readonly ConditionRule[]
  readonly routes: ReadonlyMap<string, ApprovalRoute>
  /** The file's text, kept so that decisions can be replayed and people can read what decided. */
  readonly source: string
}
