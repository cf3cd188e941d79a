import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { makeDataDir } from '../packages/store/test/harness/cluster-copy.ts'
import { makeTestDir, removeTestDir } from '../packages/store/test/harness/data-dir.ts'
import { neutralEnvironment, ROOT } from './workspace.ts'

/** A service as `npm start` runs it, on its own data and port, for as long as a test needs it. */
export interface TemporaryService {
  /** `127.0.0.1:PORT` */
  readonly address: string
  /** What lets the command line find this service. */
  readonly environment: Readonly<Record<string, string>>
  /** Ends it and removes its data. */
  stop(): Promise<void>
}

const READY_WITHIN_MS = 60_000

/**
 * Starts the built service and waits until it is ready.
 *
 * @throws with all that it printed, where it ends or is not ready in time
 */
export async function startTemporaryService(policies: string): Promise<TemporaryService> {
  const port = await freePort()
  const data = await makeTestDir()
  await makeDataDir(data)
  const address = `127.0.0.1:${port}`
  const environment = { BAILIWICK_DATA: data, BAILIWICK_PORT: String(port) }
  const main = path.join(ROOT, 'packages/server/bundle/main.js')
  const child = spawn(process.execPath, [main, 'serve', '--policies', policies], {
    cwd: ROOT,
    env: { ...neutralEnvironment(), ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let printed = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      printed += chunk
    })
  }
  const ended = once(child, 'close')
  const stop = async () => {
    child.kill('SIGTERM')
    await ended
    await removeTestDir(data)
  }

  if (await isReady(address, () => child.exitCode === null && child.signalCode === null))
    return { address, environment, stop }
  await stop()
  throw new Error(
    `the service did not become ready; build it first with \`npm run build\`. It printed:\n${printed}`,
  )
}

async function isReady(address: string, isRunning: () => boolean): Promise<boolean> {
  const deadline = Date.now() + READY_WITHIN_MS
  while (isRunning() && Date.now() < deadline) {
    const answered = await fetch(`http://${address}/readyz`).then(
      (response) => response.ok,
      () => false,
    )
    if (answered) return true
    await pause(50)
  }
  return false
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('the system gave no port')
  return address.port
}
