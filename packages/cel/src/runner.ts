import type { Compiled } from './compile.ts'
import { exhausted, Frame } from './frame.ts'
import type { Outcome } from './frame.ts'
import { evaluationStepsMax } from './limits.ts'
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
