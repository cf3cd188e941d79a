// The entry of a thread that verifies parts of a log: it takes requests and answers them, one after the other.
import { parentPort, workerData } from 'node:worker_threads'
import { connectedTo, runnerOn, type Runner } from './runner.ts'
import { sentError, type ThreadAnswer, type ThreadData, type ThreadRequest } from './thread-messages.ts'

function serve(port: NonNullable<typeof parentPort>, { connection, snapshot, settings }: ThreadData): void {
  const answer = (message: ThreadAnswer, given: readonly ArrayBuffer[] = []): void =>
    port.postMessage(message, [...given])
  const client = connectedTo(snapshot, connection)
  const runner = client.then((connected) => runnerOn(connected, settings))
  // Every request reports it.
  runner.catch(() => undefined)
  port.on('message', (request: ThreadRequest) => {
    if (request.kind === 'close') {
      port.close()
      client.then((connected) => connected.end()).catch((error: unknown) => error)
      return
    }
    const { id } = request
    runner
      .then((ready) => answered(ready, request, answer))
      .catch((error: unknown) => answer({ id, kind: 'failed', error: sentError(error) }))
  })
}

async function answered(
  runner: Runner,
  request: Exclude<ThreadRequest, { readonly kind: 'close' }>,
  answer: (message: ThreadAnswer, given?: readonly ArrayBuffer[]) => void,
): Promise<void> {
  const { id } = request
  if (request.kind === 'window') {
    const result = await runner.window(request.window)
    answer({ id, kind: 'window', result }, [result.facts.buffer])
    return
  }
  if (request.kind === 'agree') {
    answer({ id, kind: 'agree', agree: await runner.agree(request.facts) })
    return
  }
  const isWhole = await runner.stored(request.part, (facts) =>
    answer({ id, kind: 'facts', facts }, [facts.buffer]),
  )
  answer({ id, kind: 'stored', isWhole })
}

if (parentPort !== null) serve(parentPort, workerData as ThreadData)
