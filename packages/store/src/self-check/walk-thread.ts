// The entry of the thread that walks along a log: it takes steps and answers them, one after the other.
import { setPriority, constants } from 'node:os'
import { parentPort, workerData } from 'node:worker_threads'
import pg from 'pg'
import { frontierOf, frontierText } from '../archive/make-segment.ts'
import { restingPace } from '../archive/pace.ts'
import { inSchema } from '../migrate.ts'
import { sentError } from '../verify/thread-messages.ts'
import { LogWalk } from './log-walk.ts'
import type { StepAnswer, StepRequest, WalkThreadData } from './walks-aside.ts'

function serve(port: NonNullable<typeof parentPort>, { connection, ledger }: WalkThreadData): void {
  // One connection, which is made anew where it was lost.
  const pool = new pg.Pool({ ...inSchema(connection), max: 1 })
  pool.on('error', () => undefined)
  // A tenth of the time or so: on two processors a third one at work is felt by the other two.
  const pace = restingPace(9)
  const stepped = async ({ id, from, last, records, checkpoint }: StepRequest): Promise<StepAnswer> => {
    const walk = new LogWalk({ client: pool, ledger, pace }, frontierOf(from), last)
    // What was sent as a Buffer has come as plain bytes.
    const known = checkpoint && { ...checkpoint, root: Buffer.from(checkpoint.root) }
    try {
      const step = await walk.step(records, known)
      return { id, kind: 'stepped', step, frontier: frontierText(walk.frontier), last: walk.last }
    } catch (error) {
      const reached = { frontier: frontierText(walk.frontier), last: walk.last }
      return { id, kind: 'failed', error: sentError(error), ...reached }
    }
  }
  port.on('message', (request: StepRequest) => {
    // It answers whatever goes wrong, and does not reject.
    void stepped(request).then((answer) => port.postMessage(answer, []))
  })
}

if (parentPort !== null) {
  // On Linux this lowers the priority of the thread and not of the process: no decision waits for what is checked.
  if (process.platform === 'linux') setPriority(0, constants.priority.PRIORITY_LOW)
  serve(parentPort, workerData as WalkThreadData)
}
