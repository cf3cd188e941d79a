import { charactersPerStep, evaluationStepsMax, itemsPerStep } from './limits.ts'
import { CelFailure } from './value.ts'
import type { CelValue } from './value.ts'

/** What an evaluation gives: a value, or why there is none. */
export type Outcome = CelValue | CelFailure

/** A part of an expression, ready to run. */
export type Evaluate = (frame: Frame) => Outcome

/** An evaluation that took more steps than it may. Whatever the rest of it says, it counts for nothing. */
export const exhausted: CelFailure = new CelFailure('the condition takes too many steps')

/** The state of one evaluation. */
export class Frame {
  /** What the names are read from. */
  input: unknown = undefined
  /** What is left of the budget; below zero, the evaluation is over. */
  steps = evaluationStepsMax
  /** The variables of comprehensions, and names that were read before. */
  readonly slots: (Outcome | undefined)[]
  /** Whether an evaluation goes on; a second one at the same time needs a frame of its own. */
  busy = false
  /** Told of every part that was evaluated, where an explanation is wanted. */
  readonly observe: ((node: object, outcome: Outcome) => void) | undefined

  constructor(slots: number, observe?: (node: object, outcome: Outcome) => void) {
    this.slots = Array.from({ length: slots }, () => undefined)
    this.observe = observe
  }

  /** Takes steps from the budget. @returns whether the evaluation may go on */
  charge(steps: number): boolean {
    this.steps -= steps
    return this.steps >= 0
  }

  /** Takes the steps that reading a text of this length costs. @returns whether the evaluation may go on */
  chargeText(length: number): boolean {
    return length < charactersPerStep || this.charge(Math.ceil(length / charactersPerStep))
  }

  /** Takes the steps that copying or counting this many items costs. @returns whether the evaluation may go on */
  chargeItems(count: number): boolean {
    return count < itemsPerStep || this.charge(Math.ceil(count / itemsPerStep))
  }
}
