import { charactersPerStep, evaluationStepsMax, itemsPerStep } from './limits.ts'

/**
 * The state of one evaluation: how much of the budget is left, and which error messages are our own. The
 * library's own messages quote values of the call, which may be personal data, so only ours are shown.
 */
export class Run {
  #stepsLeft = evaluationStepsMax
  readonly #ours = new Map<string, 'whole' | 'predicate'>()

  /** Starts the next evaluation. */
  begin(): void {
    this.#stepsLeft = evaluationStepsMax
    if (this.#ours.size > 0) this.#ours.clear() // Clearing an empty map allocates a new table.
  }

  /** Whether the evaluation took more steps than it may; its result then counts for nothing. */
  get exhausted(): boolean {
    return this.#stepsLeft < 0
  }

  /** Takes `steps` from the budget. @throws when it is used up */
  charge(steps: number): void {
    this.#stepsLeft -= steps
    if (this.#stepsLeft < 0) throw this.failure('takes too many steps')
  }

  /** Takes the steps that reading a text of this length costs. @throws when the budget is used up */
  chargeText(length: number): void {
    this.charge(Math.ceil(length / charactersPerStep))
  }

  /** Takes the steps that copying or counting this many items costs. @throws when the budget is used up */
  chargeItems(count: number): void {
    this.charge(Math.ceil(count / itemsPerStep))
  }

  /** An error to throw, whose message is a predicate for the part of the condition that failed: `is missing`. */
  failure(predicate: string): Error {
    this.#ours.set(predicate, 'predicate')
    return new Error(predicate)
  }

  /** An error to throw, whose message is a whole sentence. */
  sentence(message: string): Error {
    this.#ours.set(message, 'whole')
    return new Error(message)
  }

  /** How much of a sentence a message is, or undefined where it is not ours. */
  formOf(message: string): 'whole' | 'predicate' | undefined {
    return this.#ours.get(message)
  }
}
