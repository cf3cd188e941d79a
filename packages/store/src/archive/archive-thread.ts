import { setPriority, constants } from 'node:os'
import { parentPort, workerData } from 'node:worker_threads'
import { Fault, unreachable } from '@bailiwick/core'
import { putSegment, readBackSegment, walkFrontiers } from './make-segment.ts'
import type { ThreadAnswer, ThreadTask } from './worker.ts'

// Runs only as a thread. On Linux this lowers the priority of the thread and not of the process.
if (parentPort !== null) {
  if (process.platform === 'linux') setPriority(0, constants.priority.PRIORITY_LOW)
  parentPort.postMessage(await answer(workerData as ThreadTask), [])
}

async function answer(asked: ThreadTask): Promise<ThreadAnswer> {
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
