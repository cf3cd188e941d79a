import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { ServicePlace } from './service.ts'

const cli = fileURLToPath(new URL('../../bundle/main.js', import.meta.url))
// A child whose test is killed must not outlive it: its standard input then ends.
const endWithParent = `data:text/javascript,process.stdin.resume().once('end',()=>process.exit()).unref()`

/** A process of its own, as it was built, that ends with the test. */
export function startNode(
  file: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): ChildProcess {
  if (!existsSync(cli)) throw new Error('the service has not been built: run `npm run build`')
  return spawn(process.execPath, ['--import', endWithParent, file, ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], TMPDIR: process.env['TMPDIR'], ...env },
  })
}

/** The service as users run it, `bailiwick serve`, in a process that can be killed. */
export class ServiceProcess {
  readonly url: string
  readonly signInUrl: string | undefined
  readonly #child: ChildProcess

  private constructor(
    child: ChildProcess,
    announced: { readonly url: string; readonly signInUrl: string | null },
  ) {
    this.#child = child
    this.url = announced.url
    this.signInUrl = announced.signInUrl ?? undefined
  }

  /** Resolves once it answers. */
  static async start(place: ServicePlace, port = 0): Promise<ServiceProcess> {
    const args = [
      'serve',
      '--policies',
      place.policies,
      '--data',
      place.dataDir,
      '--port',
      String(port),
      '--json',
    ]
    const { databaseUrl } = place
    // The tests' servers do not sync.
    const env = databaseUrl === undefined ? {} : { DATABASE_URL: databaseUrl, BAILIWICK_ALLOW_UNSAFE: '1' }
    const child = startNode(cli, args, env)
    let complaints = ''
    child.stderr?.on('data', (chunk: Buffer) => {
      complaints += chunk.toString()
    })
    const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })
    const first = await Promise.race([once(lines, 'line'), once(child, 'exit').then(() => undefined)])
    if (first === undefined) throw new Error(`the service ended: ${complaints}`)
    return new ServiceProcess(child, JSON.parse(String(first[0])))
  }

  get port(): number {
    return Number(new URL(this.url).port)
  }

  /** `kill -9`: resolves when it is gone. Its PostgreSQL runs on. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL')
  }

  /** As an operator stops it; the exit code. */
  async stop(): Promise<number | null> {
    await this.#end('SIGTERM')
    return this.#child.exitCode
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const ended = once(this.#child, 'exit')
    this.#child.kill(signal)
    await ended
  }
}
