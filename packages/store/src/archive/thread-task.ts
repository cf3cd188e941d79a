import { Fault, unreachable } from '@bailiwick/core'
import { putSegment, readBackSegment, walkFrontiers } from './make-segment.ts'
import type { ThreadAnswer, ThreadTask } from './worker.ts'

/** Does what a thread is asked. What it throws beside a `Fault` ends the thread. */
export async function answerTask(asked: ThreadTask): Promise<ThreadAnswer> {
  try {
    return { kind: 'done', result: await resultOf(asked) }
  } catch (error) {
    if (error instanceof Fault)
      return { kind: 'fault', code: error.code, message: error.message, fix: error.fix }
    throw error
  }
}

async function resultOf(asked: ThreadTask): Promise<unknown> {
  switch (asked.kind) {
    case 'put':
      return await putSegment(asked.task)
    case 'read-back':
      return await readBackSegment(asked.task)
    case 'walk':
      return await walkFrontiers(asked.task)
    default:
      return unreachable(asked)
  }
}
