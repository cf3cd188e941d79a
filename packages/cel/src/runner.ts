import type { Compiled } from './compile.ts'
import { exhausted, Frame } from './frame.ts'
import type { Outcome } from './frame.ts'
import { evaluationStepsMax } from './limits.ts'
import { phraseOf } from './kinds.ts'
import { CelFailure } from './value.ts'

const faulty = new CelFailure('the condition could not be evaluated')

/** Runs what was compiled. Never throws. One frame serves all evaluations that do not overlap. */
export function runnerOf(compiled: Compiled): (input: unknown) => Outcome {
  const own = new Frame(compiled.slots)
  return (input) => {
    if (own.busy) return runIn(new Frame(compiled.slots), compiled, input)
    return runIn(own, compiled, input)
  }
}

/**
 * As `runnerOf`, for what comes to a bool. Conditions are many, and each is little: what they keep between evaluations
 * is what makes many of them slow, so those that need no slots of their own share `frame`, and what `runIn` does stands
 * here once more instead of being called.
 */
export function boolRunnerOf(compiled: Compiled, frame: Frame): (input: unknown) => boolean | CelFailure {
  const { evaluate, slots } = compiled
  const own = slots === 0 ? frame : new Frame(slots)
  return (input) => {
    if (own.busy) return boolOf(runIn(new Frame(slots), compiled, input))
    own.busy = true
    own.input = input
    own.steps = evaluationStepsMax
    let outcome: Outcome
    try {
      outcome = evaluate(own)
      if (own.steps < 0) outcome = exhausted
    } catch {
      outcome = faulty
    }
    if (slots > 0) own.slots.fill(undefined)
    own.input = undefined
    own.busy = false
    return outcome === true || outcome === false ? outcome : boolOf(outcome)
  }
}

function boolOf(outcome: Outcome): boolean | CelFailure {
  if (typeof outcome === 'boolean' || outcome instanceof CelFailure) return outcome
  return new CelFailure(`the condition is ${phraseOf(outcome)}, not a bool`)
}

/** Runs what was compiled in a frame, and leaves nothing of the input in it. Never throws. */
export function runIn(frame: Frame, { evaluate, slots }: Compiled, input: unknown): Outcome {
  frame.busy = true
  frame.input = input
  frame.steps = evaluationStepsMax
  let outcome: Outcome
  try {
    outcome = evaluate(frame)
    // A budget that ran out counts, whatever `||` made of it.
    if (frame.steps < 0) outcome = exhausted
  } catch {
    // What is given may be hostile: a proxy may throw wherever it is read.
    outcome = faulty
  }
  for (let slot = 0; slot < slots; slot++) frame.slots[slot] = undefined
  frame.input = undefined
  frame.busy = false
  return outcome
}
