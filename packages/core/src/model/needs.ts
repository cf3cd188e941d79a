import type { CounterKey, RuleId } from './ids.ts'
import type { Json } from './json.ts'
import type { CounterWindow } from './window.ts'

/** What has to be gathered before a call can be decided. Pure data, worked out from policy and call. */
export interface DecisionNeeds {
  /** Whether it matters what the call's session has done. */
  readonly session: boolean
  /** Whether a standing grant could let the call through. */
  readonly standing: boolean
  readonly lookups: readonly LookupNeed[]
  /** The counters whose use has to be known. One whose amount or key cannot be told is not among them. */
  readonly counters: readonly CounterNeed[]
}

/** What has been used of one counter: the sum of amounts under `key` since `windowStart(window, now)`. */
export interface CounterNeed {
  readonly counter: RuleId
  readonly key: CounterKey
  /** What this call would use: finite, 0 or more. */
  readonly amount: number
  readonly window: CounterWindow
}

/** One fact to look up for this call, its arguments filled in. */
export type LookupNeed =
  | {
      readonly kind: 'http'
      readonly fact: string
      readonly url: string
      readonly select: readonly string[]
      readonly timeoutMs: number
      readonly cacheMs: number
    }
  | {
      readonly kind: 'sql'
      readonly fact: string
      readonly source: string
      readonly text: string
      readonly args: readonly Json[]
      readonly timeoutMs: number
      readonly cacheMs: number
    }
