import { Worker } from 'node:worker_threads'
import { Fault } from '@bailiwick/core'
import { hasCode } from '../engine/errno.ts'
import type { FactHand, Runner } from './runner.ts'
import type { StoredPart } from './stored-facts.ts'
import { receivedError, type ThreadAnswer, type ThreadData, type ThreadRequest } from './thread-messages.ts'
import type { Window, WindowResult } from './window.ts'

interface Asked {
  readonly resolve: (answer: ThreadAnswer) => void
  readonly reject: (error: Error) => void
  readonly hand: FactHand | undefined
}

/** Whether threads can be started: they need what was built, and sources are not. */
export function canStartThreads(): boolean {
  return import.meta.url.endsWith('.js')
}

/** A runner in a thread of its own, on a connection of its own. */
export class ThreadRunner implements Runner {
  readonly #worker: Worker
  readonly #asked = new Map<number, Asked>()
  #lastId = 0
  #failure: Error | undefined

  /** @throws DataCloneError where the connection is described by what cannot be sent, such as a function */
  constructor(data: ThreadData) {
    this.#worker = new Worker(new URL('./thread.js', import.meta.url), {
      workerData: data,
      // What the process loads at its start is not for its threads.
      execArgv: [],
      // What is read lives for one batch: more room would be filled with what is over, and no time is won.
      resourceLimits: { maxYoungGenerationSizeMb: 12, maxOldGenerationSizeMb: 128 },
    })
    this.#worker.on('message', (answer: ThreadAnswer) => this.#take(answer))
    this.#worker.on('error', (error) => this.#fail(failureOf(error)))
    this.#worker.on('exit', () => this.#fail(new Error('a thread of verification has ended')))
  }

  async window(window: Window): Promise<WindowResult> {
    const answer = await this.#ask((id) => ({ id, kind: 'window', window }))
    if (answer.kind !== 'window') throw new Error('a thread of verification has answered something else')
    return answer.result
  }

  async stored(part: StoredPart, hand: FactHand): Promise<boolean> {
    const answer = await this.#ask((id) => ({ id, kind: 'stored', part }), hand)
    return answer.kind === 'stored' && answer.isWhole
  }

  async agree(facts: Uint8Array<ArrayBuffer>): Promise<boolean> {
    const answer = await this.#ask((id) => ({ id, kind: 'agree', facts }), undefined, [facts.buffer])
    return answer.kind === 'agree' && answer.agree
  }

  async close(): Promise<void> {
    if (this.#failure !== undefined) return
    const ended = new Promise((resolve) => this.#worker.once('exit', resolve))
    this.#worker.postMessage({ kind: 'close' } satisfies ThreadRequest, [])
    await ended
  }

  #ask(
    request: (id: number) => ThreadRequest,
    hand?: FactHand,
    given: readonly ArrayBuffer[] = [],
  ): Promise<ThreadAnswer> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    const id = (this.#lastId += 1)
    return new Promise((resolve, reject) => {
      this.#asked.set(id, { resolve, reject, hand })
      this.#worker.postMessage(request(id), [...given])
    })
  }

  #take(answer: ThreadAnswer): void {
    const asked = this.#asked.get(answer.id)
    if (answer.kind === 'facts') {
      asked?.hand?.(answer.facts)
      return
    }
    this.#asked.delete(answer.id)
    if (answer.kind === 'failed') asked?.reject(receivedError(answer.error))
    else asked?.resolve(answer)
  }

  #fail(error: Error): void {
    this.#failure ??= error
    for (const { reject } of this.#asked.values()) reject(this.#failure)
    this.#asked.clear()
  }
}

function failureOf(error: unknown): Error {
  if (hasCode(error, 'ERR_WORKER_OUT_OF_MEMORY')) {
    return new Fault('too_large', 'a batch of the log is too large for a thread of verification', {
      fix: 'Verify with one worker: `bailiwick log verify --workers 1`.',
      cause: error,
    })
  }
  return error instanceof Error ? error : new Error(String(error))
}
