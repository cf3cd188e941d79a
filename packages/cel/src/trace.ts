import type { Compiled } from './compile.ts'
import { Frame } from './frame.ts'
import type { Outcome } from './frame.ts'
import { runIn } from './runner.ts'
import { childrenOf } from './syntax.ts'
import type { Node } from './syntax.ts'
import { CelFailure } from './value.ts'
import type { CelValue } from './value.ts'

/** How often the values of a part are kept that a comprehension evaluates again and again. */
const keptMax = 20

/** What became of a part of an expression. `not evaluated`: something before it had settled the result. */
export type TracedResult =
  | { readonly kind: 'value'; readonly value: CelValue }
  | { readonly kind: 'error'; readonly message: string }
  | { readonly kind: 'not evaluated' }

/** A part of an expression with what became of it. */
export interface TracedPart {
  readonly node: Node
  /** The part as written, from `node.start` to `node.end`. */
  readonly text: string
  /** What it came to; the last time, where it was evaluated several times. */
  readonly result: TracedResult
  /** How often it was evaluated. */
  readonly count: number
  /** What it came to each time, the first 20 times, where it was evaluated several times. */
  readonly results: readonly TracedResult[]
  readonly parts: readonly TracedPart[]
}

/** Evaluates with every part observed. Never throws. */
export function traceOf(source: string, root: Node, observed: Compiled, input: unknown): TracedPart {
  const seen = new Map<object, { count: number; last: Outcome; readonly kept: Outcome[] }>()
  const frame = new Frame(observed.slots, (node, outcome) => {
    const known = seen.get(node)
    if (known === undefined) {
      seen.set(node, { count: 1, last: outcome, kept: [outcome] })
      return
    }
    known.count += 1
    known.last = outcome
    if (known.kept.length < keptMax) known.kept.push(outcome)
  })
  const whole = runIn(frame, observed, input)
  const part = (node: Node): TracedPart => {
    const found = seen.get(node)
    return {
      node,
      text: source.slice(node.start, node.end),
      result: found === undefined ? { kind: 'not evaluated' } : resultOf(found.last),
      count: found?.count ?? 0,
      results: found === undefined || found.count === 1 ? [] : found.kept.map(resultOf),
      parts: childrenOf(node).map(part),
    }
  }
  return { ...part(root), result: resultOf(whole) }
}

function resultOf(outcome: Outcome): TracedResult {
  if (outcome instanceof CelFailure) return { kind: 'error', message: outcome.message }
  return { kind: 'value', value: outcome }
}
