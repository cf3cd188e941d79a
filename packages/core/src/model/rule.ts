import type { CelFailure, ConditionResult, Node, TracedPart } from '@bailiwick/cel'
import type { Given } from './call.ts'
import type { RuleId } from './ids.ts'
import type { Json } from './json.ts'
import type { Lookup } from './lookup.ts'
import type { CounterWindow, TimeWindow } from './window.ts'

/** A pattern for names of actions or agents: a whole name, `*` standing for any run of characters. */
export interface NamePattern {
  readonly text: string
  /** Whether it stands for one name only. */
  readonly exact: boolean
  matches(name: string): boolean
}

/** Where something stands: in the policy file itself, or in one that it extends. */
export interface Standing {
  readonly line: number
  /** Seen from the policy file; undefined: that file itself. */
  readonly file: string | undefined
}

/** The type of a declared fact. `number` is any finite JSON number. */
export type FactType = 'number' | 'bool' | 'string' | 'list<string>' | 'list<number>'

/** Where a fact's value comes from. `params`: the model's word. `context`: the host's. `lookup`: another system's. */
export type FactSource = 'params' | 'context' | 'lookup'

/** A name that conditions may use, and where its value comes from. */
export interface FactDeclaration extends Standing {
  readonly name: string
  readonly type: FactType
  readonly source: FactSource
  /** The path below the source; `['customer', 'is_vip']` for `context.customer.is_vip`. Empty for a lookup. */
  readonly path: readonly string[]
  /** How it is looked up, where `source` is `lookup`. */
  readonly lookup: Lookup | undefined
  /** The actions for which the fact exists; undefined: all. */
  readonly for: readonly NamePattern[] | undefined
  /** Used where the value is absent (not where it is ill-typed), and only if the author wrote one. */
  readonly default: Json | undefined
  /** What its number counts, such as `USD`; for people only. */
  readonly unit?: string | undefined
  /** Not declared by the author: read from `params.<name>` because no fact of that name exists. */
  readonly inferred: boolean
}

/** A condition that has been checked and reads what it needs from the call itself. */
export interface Condition {
  readonly source: string
  /** The names it uses, each once, in order of first use. */
  readonly uses: readonly string[]
  /** The tree, with the type of every part. */
  readonly ast: Node
  /** Evaluates. Never throws; an error counts as matched. */
  evaluate(given: Given): ConditionResult
  /** As `evaluate`, cheaper: true, false, or why neither, which counts as true. */
  readonly outcome: (given: Given) => boolean | CelFailure
  /** Evaluates slowly, and tells what became of every part. Never throws. */
  trace(given: Given): TracedPart
}

/** What rules, flows, budgets and rates have in common. Order in the file carries no meaning. */
export interface RuleBase extends Standing {
  readonly id: RuleId
  readonly effect: 'deny' | 'escalate'
  /** The actions it speaks of; undefined: all. */
  readonly on: readonly NamePattern[] | undefined
  /** The approval route, where the effect is `escalate`. */
  readonly route: string | undefined
  /** Shown instead of the usual reason, where the author wrote one. */
  readonly reason: string | undefined
  /** Where people can read why it is there. */
  readonly link: string | undefined
  /** In shadow mode: a match is listed and does not count. */
  readonly shadow: boolean
}

/** A rule with a condition. It matches where everything that is given here holds. */
export interface ConditionRule extends RuleBase {
  /** Undefined: always true. */
  readonly condition: Condition | undefined
  /** Undefined: never true. */
  readonly unless: Condition | undefined
  /** The names of facts that condition and `unless` use. */
  readonly facts: readonly string[]
  /** Inside this window only. */
  readonly window: TimeWindow | undefined
  /** Outside this window only. */
  readonly outside: TimeWindow | undefined
  /** In these environments only; undefined: in all. */
  readonly environments: readonly string[] | undefined
}

/** A rule about what happened earlier in the session. */
export interface FlowRule extends RuleBase {
  readonly after:
    | { readonly kind: 'label'; readonly label: string }
    | { readonly kind: 'action'; readonly pattern: NamePattern }
  readonly unless: Condition | undefined
  /** The names of facts that `unless` uses. */
  readonly facts: readonly string[]
}

/**
 * A budget or a rate: what may be used up in a window. It matches where what has been used and the call's
 * amount together pass `max`.
 */
export interface Counter extends RuleBase {
  readonly kind: 'budget' | 'rate'
  /** What its keys begin with: the policy's id, a space, and its own; without the first, where policies share it by `extends`. */
  readonly name: string
  /** What one call uses; undefined: 1. */
  readonly sum: ValueExpression | undefined
  /** Counted apart for each combination of these values; empty: all calls together. */
  readonly per: readonly ValueExpression[]
  readonly window: CounterWindow
  readonly max: number
  /** The names of facts that `sum` and `per` use. */
  readonly facts: readonly string[]
}

/** A value that a budget sums or is kept apart by: the name of a fact, or a path below `params` or `context`. */
export interface ValueExpression {
  readonly source: string
  /** The root name that it reads. */
  readonly root: string
  /** The path below the root; empty for a fact. */
  readonly path: readonly string[]
}
