import { flag, listOf, number, object, oneOf, orNull, text } from './shape.ts'
import type { Shape, Shaped } from './shape.ts'

/** What a policy says of a call. */
export const effect = oneOf('allow', 'deny', 'escalate')
export type Effect = Shaped<typeof effect>

const ruleMembers = {
  id: text,
  effect,
  condition: orNull(text),
  detail: orNull(text),
  route: orNull(text),
  line: number,
  file: orNull(text),
  link: orNull(text),
  shadow: orNull(flag),
}

/** A rule that took part in a decision. */
export const determiningRule = object({ ...ruleMembers, because: oneOf('matched', 'condition_error') })
export type DeterminingRule = Shaped<typeof determiningRule>

/** What every decision says of itself. */
export const reasonsAndRules = { reasons: listOf(text), rules: listOf(determiningRule) }

/** A part of a condition, as written, and what it came to. */
export interface ExplainedPart {
  readonly text: string
  /** Null where it came to nothing. */
  readonly value: string | null
  /** Why it came to nothing; null where nobody asked. */
  readonly error: string | null
  readonly parts: readonly ExplainedPart[]
}

// The service sends no tree that is deeper than a condition may be.
const part: Shape<ExplainedPart> = (value, path) =>
  object({ text, value: orNull(text), error: orNull(text), parts: listOf(part) })(value, path)

const explainedRule = object({
  ...ruleMembers,
  because: oneOf('matched', 'condition_error', 'not_matched'),
  parts: listOf(part),
})

const explainedFact = object({
  name: text,
  value: orNull(text),
  from: text,
  source: oneOf('params', 'context', 'lookup'),
  note: orNull(text),
})

const explainedCounter = object({
  id: text,
  limit: text,
  used: orNull(number),
  amount: orNull(number),
  masked: orNull(flag),
  max: number,
})

/** Why a call was decided as it was. */
export const explanation = object({
  same: flag,
  differences: listOf(text),
  effect,
  rules: listOf(explainedRule),
  rulesElsewhere: number,
  facts: listOf(explainedFact),
  counters: listOf(explainedCounter),
  session: orNull(object({ labels: listOf(text), actions: listOf(text) })),
  changes: listOf(object({ change: text, effect, reason: text })),
})

export type Explanation = Shaped<typeof explanation>
/** A rule that speaks of the action, and what became of it. */
export type ExplainedRule = Shaped<typeof explainedRule>
/** A fact that rules of the action use. */
export type ExplainedFact = Shaped<typeof explainedFact>
/** A budget or rate that counts the action. */
export type ExplainedCounter = Shaped<typeof explainedCounter>
/** One change, and the effect that the call would have had with it. */
export type ExplainedChange = Explanation['changes'][number]
