import type { CallModel, PolicyModel, Ref, RuleModel, Truth } from './model.ts'

/** A budget or a rate. */
export interface CounterModel extends Pick<RuleModel, 'id' | 'effect' | 'route' | 'on'> {
  readonly kind: 'budget' | 'rate'
  /** What is added up; undefined: calls are counted. */
  readonly sum: Ref | undefined
  /** Counted apart for each combination of these. */
  readonly per: readonly (Ref | 'agent' | 'action')[]
  readonly window: WindowModel
  readonly max: number
}

export type WindowModel =
  | { readonly kind: 'sliding'; readonly hours: number }
  | { readonly kind: 'calendar'; readonly unit: 'day' | 'week' | 'month'; readonly zone: string }

/** A rule about what happened earlier in the session. */
export interface FlowModel extends Pick<RuleModel, 'id' | 'effect' | 'route' | 'on'> {
  readonly after: { readonly label: string } | { readonly action: string }
  readonly unless: Truth | undefined
}

/** A policy that also looks at what happened before. */
export interface HistoryPolicy extends PolicyModel {
  readonly counters: readonly CounterModel[]
  readonly flows: readonly FlowModel[]
  /** What an action leaves behind in its session. */
  readonly labels: readonly { readonly action: string; readonly labels: readonly string[] }[]
}

/** One call of a history, and what becomes of it if it is allowed. */
export interface HistoryCall extends CallModel {
  readonly session: string | undefined
  /** Whether nobody has read what was used of the counters. */
  readonly unread: boolean
  /** Whether the run fails, so that budgets get back what the call took. */
  readonly fails: boolean
}
