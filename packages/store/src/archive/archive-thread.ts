import { setPriority, constants } from 'node:os'
import { parentPort, workerData } from 'node:worker_threads'
import type { ThreadTask } from './worker.ts'

// Runs only as a thread. On Linux this lowers the priority of the thread and not of the process.
if (parentPort !== null) {
  if (process.platform === 'linux') setPriority(0, constants.priority.PRIORITY_LOW)
  // Not before: what a task needs takes most of a second of a processor to load, and decisions would wait for it.
  const { answerTask } = await import('./thread-task.ts')
  parentPort.postMessage(await answerTask(workerData as ThreadTask), [])
}
