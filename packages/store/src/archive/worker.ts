import { Worker } from 'node:worker_threads'
import { Fault, type FaultCode } from '@bailiwick/core'
import {
  putSegment,
  readBackSegment,
  walkFrontiers,
  type FrontierText,
  type PutSegment,
  type ReadBackTask,
  type SegmentTask,
  type WalkTask,
} from './make-segment.ts'

/** What the thread is asked. */
export type ThreadTask =
  | { readonly kind: 'put'; readonly task: SegmentTask }
  | { readonly kind: 'read-back'; readonly task: ReadBackTask }
  | { readonly kind: 'walk'; readonly task: WalkTask }

/** What it answers: errors lose their class on the way. */
export type ThreadAnswer =
  | { readonly kind: 'done'; readonly result: unknown }
  | { readonly kind: 'fault'; readonly code: FaultCode; readonly message: string; readonly fix: string }

// Built, each module is a file of its own that a thread can run. From its sources, as in tests, this package runs
// where it is imported.
const threadFile = new URL('archive-thread.js', import.meta.url)
const isBuilt = import.meta.url.endsWith('.js')

/** `putSegment` in a thread of its own with a low priority: hashing and packing keep no decision waiting. */
export async function putSegmentAside(task: SegmentTask, signal?: AbortSignal): Promise<PutSegment> {
  return isBuilt ? ((await inThread({ kind: 'put', task }, signal)) as PutSegment) : await putSegment(task)
}

/** `readBackSegment` in a thread of its own. */
export async function readBackSegmentAside(task: ReadBackTask, signal?: AbortSignal): Promise<FrontierText> {
  return isBuilt
    ? ((await inThread({ kind: 'read-back', task }, signal)) as FrontierText)
    : await readBackSegment(task)
}

/** `walkFrontiers` in a thread of its own. */
export async function walkFrontiersAside(
  task: WalkTask,
  signal?: AbortSignal,
): Promise<readonly FrontierText[]> {
  if (!isBuilt) return await walkFrontiers(task)
  return (await inThread({ kind: 'walk', task }, signal)) as readonly FrontierText[]
}

/** The fault of a run that was told to end. */
export function stopped(): Fault {
  return new Fault('store_unavailable', 'archiving was stopped', {
    fix: 'The next run goes on where it was.',
  })
}

function inThread(task: ThreadTask, signal: AbortSignal | undefined): Promise<unknown> {
  if (signal?.aborted === true) return Promise.reject(stopped())
  return new Promise((resolve, reject) => {
    const thread = new Worker(threadFile, { workerData: task })
    thread.once('message', (answer: ThreadAnswer) => {
      if (answer.kind === 'done') resolve(answer.result)
      else reject(new Fault(answer.code, answer.message, { fix: answer.fix }))
    })
    thread.once('error', reject)
    const stop = () => {
      reject(stopped())
      void thread.terminate()
    }
    signal?.addEventListener('abort', stop, { once: true })
    thread.once('exit', (code) => {
      signal?.removeEventListener('abort', stop)
      reject(new Error(`the archiving thread ended with ${code}`))
    })
  })
}
