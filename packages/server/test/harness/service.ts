import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  BailiwickClient,
  openCheckpoint,
  systemPorts,
  type ApprovalView,
  type Checkpoint,
} from '@bailiwick/core'
import { Access, Ledger, loadPolicies, openDatabase, stopIfUnused, type PayloadKey } from '@bailiwick/store'
import { vi } from 'vitest'
import { makeDataDir } from '../../../store/test/harness/cluster-copy.ts'
import { makeTestDir, removeTestDir } from '../../../store/test/harness/data-dir.ts'
import { testDatabase, type TestDatabase } from '../../../store/test/harness/postgres.ts'
import { openEmbedded } from '../../../store/src/engine/embedded.ts'
import { readPostmasterFile, servesCluster } from '../../../store/src/engine/postmaster-file.ts'
import { startService, type RunningService, type ServiceOptions } from '../../src/service.ts'
import { eventually } from './eventually.ts'
import { agentId, writePolicy, type PolicyVariant } from './policies.ts'

/** A PostgreSQL server that a test kills. */
interface OwnServer {
  killServer(): void
  startServer(): Promise<void>
}

/** A directory with a policy and a data directory, on which services are started. */
export class ServicePlace {
  readonly dir: string
  readonly dataDir: string
  readonly policies: string
  /** A PostgreSQL server's address; undefined: the embedded one. */
  readonly databaseUrl: string | undefined
  /** What the services that run in this process wrote to their log. */
  readonly lines: string[] = []
  readonly #started: RunningService[] = []

  readonly #database: TestDatabase | undefined

  private constructor(dir: string, policies: string, database: TestDatabase | undefined) {
    this.dir = dir
    this.dataDir = join(dir, 'data')
    this.policies = policies
    this.databaseUrl = database?.url
    this.#database = database
  }

  /** With an embedded cluster that is made already. */
  static async make(variant: PolicyVariant = {}): Promise<ServicePlace> {
    const place = await ServicePlace.empty(variant)
    await makeDataDir(place.dataDir)
    return place
  }

  /** Without a data directory: the first service makes it. */
  static async empty(variant: PolicyVariant = {}): Promise<ServicePlace> {
    const dir = await makeTestDir()
    return new ServicePlace(dir, await writePolicy(dir, variant), undefined)
  }

  /** The same on a PostgreSQL server, where no cluster has to be made first. */
  static async onServer(variant: PolicyVariant = {}): Promise<ServicePlace> {
    vi.stubEnv('BAILIWICK_ALLOW_UNSAFE', '1') // The tests' server does not sync.
    const dir = await makeTestDir()
    return new ServicePlace(dir, await writePolicy(dir, variant), await testDatabase())
  }

  /** The same on a server of its own, which can be killed: `kill -9` of its first process, and starting it again. */
  static async onOwnServer(variant: PolicyVariant = {}): Promise<ServicePlace & OwnServer> {
    const dir = await makeTestDir()
    // Nobody takes it for the embedded one of a data directory.
    const settings = { cluster_name: 'own' }
    const start = () => openEmbedded({ dataDir: join(dir, 'server'), settings })
    let server = await start()
    const { host, user, database } = server.connection
    const url = `postgresql://${user}@${encodeURIComponent(host ?? '')}/${database}`
    const owned: TestDatabase = { config: server.connection, url, drop: () => server.stop() }
    const place = new ServicePlace(dir, await writePolicy(dir, variant), owned)
    return Object.assign(place, {
      killServer: () => void process.kill(server.pid, 'SIGKILL'),
      startServer: async () => {
        server = await start()
      },
    })
  }

  /** How services here are started, unless a test says otherwise. */
  options(over: Partial<ServiceOptions> = {}): ServiceOptions {
    const { policies, dataDir, databaseUrl } = this
    return {
      policies,
      dataDir,
      databaseUrl,
      port: 0,
      host: '127.0.0.1',
      env: {},
      log: (line) => this.lines.push(line),
      ...over,
    }
  }

  /** A service in this process; stopped at the end of the test at the latest. */
  async start(over: Partial<ServiceOptions> = {}): Promise<RunningService> {
    const service = await startService(this.options(over))
    this.#started.push(service)
    return service
  }

  /**
   * The embedded PostgreSQL that runs here, if one does. Only looks: an opener would clear away the file of one that was
   * killed, and by that file the service knows that it was.
   */
  async postgresPid(): Promise<number | undefined> {
    const clusterDir = join(this.dataDir, 'postgres')
    const pid = (await readPostmasterFile(clusterDir))?.pid
    return pid !== undefined && (await servesCluster(pid, clusterDir)) ? pid : undefined
  }

  /** The checkpoint as anyone finds it on disk. */
  async checkpoint(): Promise<Checkpoint | undefined> {
    const read = (ending: string) =>
      readFile(join(this.dataDir, 'checkpoints', `main.${ending}`), 'utf8').catch(() => undefined)
    const [note, key] = [await read('checkpoint'), await read('vkey')]
    return note === undefined || key === undefined ? undefined : openCheckpoint(note, [key.trim()])
  }

  /** Does something on the ledger from outside the service, as the command line does. */
  async onLedger<Result>(use: (ledger: Ledger) => Promise<Result>, payloadKey?: PayloadKey): Promise<Result> {
    const { dataDir, policies, databaseUrl } = this
    const database = await openDatabase({ dataDir, databaseUrl })
    try {
      const { connection } = database
      const opened = {
        connection,
        policies: await loadPolicies(policies),
        dataDir,
        consoleUrl: 'http://localhost',
        payloadKey,
      }
      const ledger = await Ledger.open(opened)
      try {
        return await use(ledger)
      } finally {
        await ledger.close()
      }
    } finally {
      await stopIfUnused(database)
    }
  }

  /** A key for the agent of the policy. */
  async createKey(): Promise<string> {
    return await this.onLedger(async (ledger) => (await new Access(ledger).createKey(agentId)).key)
  }

  async remove(): Promise<void> {
    for (const service of this.#started) await service.stop().catch(() => undefined)
    await this.#database?.drop()
    await removeTestDir(this.dir)
    vi.unstubAllEnvs()
  }
}

/** A client whose pauses are short, because its test waits for them. */
export function impatientClient(url: string, key: string): BailiwickClient {
  const sleep = (ms: number, signal?: AbortSignal) => systemPorts.sleep(Math.min(ms, 50), signal)
  return new BailiwickClient({ url, key, ports: { ...systemPorts, sleep } })
}

/** A person who uses the API as the console does. */
export interface SignedIn {
  vote(approval: string, vote: 'approve' | 'reject'): Promise<number>
  pending(): Promise<readonly ApprovalView[]>
  /** The approval that waits, once one does. */
  oneWaiting(): Promise<ApprovalView>
  /** Sends a page's form that has nothing to fill in. */
  submit(url: string): Promise<number>
  /** The same session on a service that has moved. */
  at(url: string): SignedIn
}

/** Uses up a sign-in link. */
export async function signIn(signInUrl: string): Promise<SignedIn> {
  const { origin, hash } = new URL(signInUrl)
  const response = await fetch(`${origin}/v1/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin },
    body: JSON.stringify({ token: hash.slice('#token='.length) }),
  })
  if (!response.ok) throw new Error(`signing in: ${response.status} ${await response.text()}`)
  const cookie = response.headers.get('set-cookie')?.split(';')[0] ?? ''
  return signedIn(origin, cookie)
}

function signedIn(origin: string, cookie: string): SignedIn {
  const headers = { cookie, origin, 'content-type': 'application/json' }
  const pending = async (): Promise<readonly ApprovalView[]> => {
    const response = await fetch(`${origin}/v1/approvals?status=pending`, { headers })
    const { approvals } = (await response.json()) as { approvals: readonly ApprovalView[] }
    return approvals
  }
  return {
    pending,
    oneWaiting: () => eventually('an approval that waits', async () => (await pending())[0]),
    vote: async (approval, vote) => {
      const shown = await fetch(`${origin}/v1/approvals/${approval}`, { headers })
      const { digest } = (await shown.json()) as ApprovalView
      const body = JSON.stringify({ vote, digest })
      return (await fetch(`${origin}/v1/approvals/${approval}/votes`, { method: 'POST', headers, body }))
        .status
    },
    submit: async (url) => (await fetch(url, { method: 'POST', headers: { cookie, origin } })).status,
    // The cookie of a service names its port.
    at: (url) => signedIn(new URL(url).origin, cookie.replace(/_\d+=/, `_${new URL(url).port}=`)),
  }
}
