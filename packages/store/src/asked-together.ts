/**
 * Answers many questions with few queries: those of one turn of the event loop go together, and those that come while a
 * query is under way go together in the next one. So however many ask, one query runs at a time.
 */
export class AskedTogether<Question, Answer> {
  readonly #answer: (questions: readonly Question[]) => Promise<readonly Answer[]>
  readonly #atOnce: number
  #asked: Asked<Question, Answer>[] = []
  #busy = false

  /**
   * @param answer answers in the order of the questions
   * @param atOnce how many questions one query may answer
   */
  constructor(answer: (questions: readonly Question[]) => Promise<readonly Answer[]>, atOnce: number) {
    this.#answer = answer
    this.#atOnce = atOnce
  }

  /** The answer as of a query that is sent after this was asked. Rejects where that query fails. */
  ask(question: Question): Promise<Answer> {
    const answered = new Promise<Answer>((resolve, reject) => {
      this.#asked.push({ question, resolve, reject })
    })
    if (!this.#busy) {
      this.#busy = true
      void this.#answerAll()
    }
    return answered
  }

  async #answerAll(): Promise<void> {
    while (this.#asked.length > 0) {
      await new Promise((resolve) => setImmediate(resolve))
      const asked = this.#asked.splice(0, this.#atOnce)
      try {
        const answers = await this.#answer(asked.map(({ question }) => question))
        for (const [at, { resolve }] of asked.entries()) resolve(answers[at] as Answer)
      } catch (error) {
        for (const { reject } of asked) reject(error)
      }
    }
    this.#busy = false
  }
}

interface Asked<Question, Answer> {
  readonly question: Question
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: unknown) => void
}
