import { Worker } from 'node:worker_threads'
import { emptyFrontier, type Checkpoint, type Frontier } from '@bailiwick/core'
import type pg from 'pg'
import { frontierText, type FrontierText } from '../archive/make-segment.ts'
import { receivedError, type SentError } from '../verify/thread-messages.ts'
import type { Walk, WalkStep } from './log-walk.ts'

/** What the thread is started with. */
export interface WalkThreadData {
  readonly connection: pg.ClientConfig
  readonly ledger: string
}

/** A step that is asked of the thread. It keeps nothing from one to the next, so that it may end at any time. */
export interface StepRequest {
  readonly id: number
  readonly from: FrontierText
  /** Where the last batch before it begins. */
  readonly last: number
  readonly records: number
  readonly checkpoint: Checkpoint | undefined
}

/** What became of a step, and how far it has come. */
export type StepAnswer = { readonly id: number; readonly frontier: FrontierText; readonly last: number } & (
  | { readonly kind: 'stepped'; readonly step: WalkStep }
  | { readonly kind: 'failed'; readonly error: SentError }
)

interface Asked {
  readonly resolve: (answer: StepAnswer) => void
  readonly reject: (error: Error) => void
}

/** Whether a thread can be started: it needs what was built, and sources are not. */
export function canWalkAside(): boolean {
  return import.meta.url.endsWith('.js')
}

/**
 * Walks along a log in a thread of their own, with a low priority and a connection of its own: hashing what was written
 * keeps no decision waiting. The thread starts with the first step; one that has ended is started anew.
 */
export class WalksAside {
  readonly #data: WalkThreadData
  readonly #asked = new Map<number, Asked>()
  #worker: Worker | undefined
  #lastId = 0
  #closed = false

  constructor(data: WalkThreadData) {
    this.#data = data
  }

  /** @param from the tree of records that are known to be right */
  walk(from: Frontier = emptyFrontier): Walk {
    let known: Pick<StepRequest, 'from' | 'last'> = { from: frontierText(from), last: from.size - 1 }
    return {
      step: async (records, checkpoint) => {
        const answer = await this.#ask(known, records, checkpoint)
        // As far as it came is verified, also where it failed then.
        known = { from: answer.frontier, last: answer.last }
        if (answer.kind === 'failed') throw receivedError(answer.error)
        return answer.step
      },
    }
  }

  /** Ends the thread; a step under way is rejected, and so is every later one. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#worker?.terminate()
  }

  #ask(
    known: Pick<StepRequest, 'from' | 'last'>,
    records: number,
    checkpoint: Checkpoint | undefined,
  ): Promise<StepAnswer> {
    if (this.#closed) return Promise.reject(new Error('the thread that checks the log was ended'))
    const worker = (this.#worker ??= this.#start())
    const id = (this.#lastId += 1)
    return new Promise((resolve, reject) => {
      this.#asked.set(id, { resolve, reject })
      worker.postMessage({ id, ...known, records, checkpoint } satisfies StepRequest, [])
    })
  }

  #start(): Worker {
    const worker = new Worker(new URL('./walk-thread.js', import.meta.url), {
      workerData: this.#data,
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: 128 },
    })
    worker.on('message', (answer: StepAnswer) => {
      this.#asked.get(answer.id)?.resolve(answer)
      this.#asked.delete(answer.id)
    })
    const fail = (error: unknown) => {
      // An error is followed by the end, which must not fail what was asked of the next thread.
      if (this.#worker !== worker) return
      this.#worker = undefined
      for (const { reject } of this.#asked.values()) {
        reject(error instanceof Error ? error : new Error('the thread that checks the log has ended'))
      }
      this.#asked.clear()
    }
    worker.on('error', fail)
    worker.on('exit', fail)
    // It keeps no process running.
    worker.unref()
    return worker
  }
}
