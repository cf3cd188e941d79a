import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import pg from 'pg'
import { openEmbedded } from '../../packages/store/dist/engine/embedded.js'
import { runningPostmaster } from '../../packages/store/dist/engine/postmaster-file.js'
import { stopPostmaster } from '../../packages/store/dist/engine/postmaster.js'
import { agent, policyText } from './policy.mjs'

const cli = fileURLToPath(new URL('../../packages/server/bundle/main.js', import.meta.url))
// A service must not outlive a campaign that is killed: its standard input then ends.
const endWithParent = `data:text/javascript,process.stdin.resume().once('end',()=>process.exit()).unref()`

/** A service with its database, in processes of their own that can be killed: on the embedded engine, or on a server. */
export class Site {
  engine
  dir
  dataDir
  /** How to connect to the database, whoever runs it. */
  connection
  /** What the services wrote to standard error. */
  complaints = ''
  #env
  #child
  #port = 0
  #clusterDir

  constructor(engine, dir) {
    this.engine = engine
    this.dir = dir
    this.dataDir = join(dir, 'data')
    const home = engine === 'embedded' ? this.dataDir : join(dir, 'server')
    this.#clusterDir = join(home, 'postgres')
    this.connection = {
      host: this.#clusterDir,
      port: 5432,
      user: 'bailiwick',
      database: 'bailiwick',
      connectionTimeoutMillis: 10_000,
    }
    const { PATH, HOME, TMPDIR } = process.env
    const url = `postgresql://bailiwick@${encodeURIComponent(this.#clusterDir)}:5432/bailiwick`
    this.#env = { PATH, HOME, TMPDIR, ...(engine === 'server' && { DATABASE_URL: url }) }
  }

  /** An empty one. */
  static async make(engine) {
    const site = new Site(engine, await mkdtemp(join(await realpath(tmpdir()), 'bailiwick-crash-')))
    await mkdir(join(site.dir, 'policies'))
    await writeFile(join(site.dir, 'policies', 'crash.yaml'), policyText)
    await site.startServer()
    return site
  }

  get url() {
    return `http://127.0.0.1:${this.#port}`
  }

  /** Starts the PostgreSQL server, or adopts it; on the embedded engine that is the service's own work. */
  async startServer() {
    if (this.engine !== 'server') return
    // A server like any other, durable as the embedded one is; only its name says that it is nobody's own.
    await openEmbedded({ dataDir: join(this.dir, 'server'), settings: { cluster_name: 'server' } })
  }

  /** Starts the service, resolves once it answers, and gives the link to sign in, where there is one. */
  async startService() {
    const args = ['serve', '--policies', join(this.dir, 'policies'), '--data', this.dataDir, '--json']
    const child = spawn(
      process.execPath,
      ['--import', endWithParent, cli, ...args, '--port', String(this.#port)],
      { stdio: ['pipe', 'pipe', 'pipe'], env: this.#env },
    )
    child.stderr.on('data', (chunk) => {
      this.complaints = (this.complaints + chunk).slice(-20_000)
    })
    const lines = createInterface({ input: child.stdout })
    const first = await Promise.race([once(lines, 'line'), once(child, 'exit').then(() => undefined)])
    if (first === undefined) throw new Error(`the service ended: ${this.complaints}`)
    const { url, signInUrl } = JSON.parse(first[0])
    this.#port = Number(new URL(url).port)
    this.#child = child
    return signInUrl
  }

  /** A key for the agent. */
  async createKey() {
    return JSON.parse(await this.runCli('keys', 'create', '--agent', agent, '--json')).key
  }

  /** What a command printed. @throws where it does not end with 0 */
  async runCli(...args) {
    const { stdout } = await promisify(execFile)(process.execPath, [cli, ...args, '--data', this.dataDir], {
      env: this.#env,
    })
    return stdout
  }

  /** Whether the service's process lives. */
  get serviceRuns() {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null
  }

  async killService() {
    if (!this.serviceRuns) return
    const ended = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await ended
  }

  /** As an operator stops it; its exit code. */
  async stopService() {
    const ended = once(this.#child, 'exit')
    this.#child.kill('SIGTERM')
    await ended
    return this.#child.exitCode
  }

  async killPostmaster() {
    const running = await runningPostmaster(this.#clusterDir)
    if (running === undefined) throw new Error('there is no PostgreSQL to kill')
    process.kill(running.pid, 'SIGKILL')
  }

  /** Kills one process that serves a connection, whichever: PostgreSQL then ends all of them and recovers. */
  async killBackend(random) {
    const { rows } = await this.query(
      `select pid from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid() order by pid`,
    )
    const chosen = rows[Math.floor(random() * rows.length)]
    if (chosen === undefined) return false
    process.kill(chosen.pid, 'SIGKILL')
    return true
  }

  async query(text, values) {
    const client = new pg.Client({ ...this.connection, options: '-c search_path=bailiwick' })
    client.on('error', () => undefined)
    try {
      await client.connect()
      return await client.query(text, values)
    } finally {
      await client.end()
    }
  }

  /** Waits until the service says that it is ready. */
  async ready(withinMs = 60_000) {
    const until = Date.now() + withinMs
    for (;;) {
      const answer = await fetch(`${this.url}/readyz`, { signal: AbortSignal.timeout(2_000) }).catch(
        () => undefined,
      )
      if (answer?.status === 200) return
      if (!this.serviceRuns) throw new Error(`the service ended: ${this.complaints}`)
      if (Date.now() > until)
        throw new Error(`the service was not ready within ${withinMs} ms: ${this.complaints}`)
      await delay(25)
    }
  }

  /** Ends whatever runs; removes everything, or leaves it for people to look at. */
  async remove({ keep = false } = {}) {
    await this.killService()
    const running = await runningPostmaster(this.#clusterDir)
    if (running !== undefined) await stopPostmaster(running.pid, this.#clusterDir)
    if (!keep) await rm(this.dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
  }
}
