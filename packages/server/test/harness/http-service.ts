import { join } from 'node:path'
import { systemPorts, type Instant } from '@bailiwick/core'
import { Access, ApprovalWaits, Ledger, loadPolicies, migrate, passkeyFactor } from '@bailiwick/store'
import { expect } from 'vitest'
import { makeTestDir, removeTestDir } from '../../../store/test/harness/data-dir.ts'
import { testDatabase, type TestDatabase } from '../../../store/test/harness/postgres.ts'
import { createChannels, type Channels } from '../../src/channels/channels.ts'
import { channelSettings } from '../../src/channels/settings.ts'
import { isAllowedCallback } from '../../src/channels/webhook-channel.ts'
import { createApp } from '../../src/http/app.ts'
import type { ConsoleFiles } from '../../src/http/console-files.ts'
import { logReadingFrom } from '../../src/http/log-tiles.ts'
import { Masking } from '../../src/http/masking.ts'
import { LocalAccounts } from '../../src/identity/local-accounts.ts'
import { Passwords } from '../../src/identity/passwords.ts'
import { Sealing } from '../../src/identity/sealing.ts'
import { secondFactorSetting } from '../../src/identity/settings.ts'
import { holdToContract, routeOf } from './contract.ts'
import { agentId, writePolicy, type PolicyVariant } from './policies.ts'

/** The address that requests name as theirs. */
export const base = 'http://console.test'

/** What a request carries. */
export interface Sending {
  /** Sent as JSON. */
  readonly json?: unknown
  /** Sent as it is, instead of `json`. */
  readonly raw?: string | Uint8Array<ArrayBuffer> | ReadableStream
  readonly headers?: Readonly<Record<string, string | undefined>>
  readonly signal?: AbortSignal
}

/** An answer, read and held to the contract. */
export interface Answer {
  readonly status: number
  readonly type: string
  readonly headers: Headers
  readonly text: string
  // oxlint-disable-next-line typescript/no-explicit-any -- tests compare fields of what came
  readonly body: any
}

/** Somebody who sends requests. */
export interface Caller {
  get(path: string, sending?: Sending): Promise<Answer>
  post(path: string, json: unknown, sending?: Sending): Promise<Answer>
  send(method: string, path: string, sending?: Sending): Promise<Answer>
  /** Votes with the digest that the approval has, unless `json` says another. */
  vote(approval: string, json: object, sending?: Sending): Promise<Answer>
  /** What authenticates the caller. */
  readonly secret: string
}

type Headings = Readonly<Record<string, string>>
type Environment = Readonly<Record<string, string | undefined>>

/** The HTTP application on a database of its own, without a port. */
export class HttpService {
  readonly app: ReturnType<typeof createApp>
  readonly ledger: Ledger
  readonly access: Access
  readonly sealing: Sealing
  readonly accounts: LocalAccounts
  readonly database: TestDatabase
  readonly dir: string
  readonly policies: string
  /** What the application wrote to the service's log. */
  readonly lines: string[]
  /** How far the service's clock is ahead. */
  readonly clock: { aheadMs: number }
  /** Method, path pattern and status of every answer from a described endpoint. */
  readonly exercised = new Set<string>()
  /** The channels that the environment names; their worker runs only when it is told to. */
  readonly channels: Channels
  readonly #secrets = new Set<string>()
  /** What waits for people here. */
  readonly waits: ApprovalWaits
  readonly #env: Environment
  /** Whose database and directory these are, where they are another one's. */
  readonly #isOther: boolean
  #closed = false

  private constructor(
    parts: Pick<HttpService, 'ledger' | 'database' | 'dir' | 'policies' | 'clock'>,
    env: Environment,
    isOther = false,
  ) {
    this.ledger = parts.ledger
    this.database = parts.database
    this.dir = parts.dir
    this.policies = parts.policies
    this.clock = parts.clock
    this.lines = []
    this.#env = env
    this.#isOther = isOther
    this.access = new Access(parts.ledger, {
      secondFactors: [passkeyFactor(parts.ledger, 'http://localhost')],
      demandsSecondFactor: secondFactorSetting(env),
    })
    this.sealing = new Sealing(Buffer.alloc(32, 7))
    this.accounts = new LocalAccounts({
      access: this.access,
      passwords: new Passwords(),
      sealing: this.sealing,
      now: () => parts.ledger.now(),
      issuer: 'Bailiwick',
      log: (line) => void this.lines.push(line),
    })
    this.waits = new ApprovalWaits(parts.ledger, { ...systemPorts, now: () => parts.ledger.now() })
    const masking = new Masking(parts.ledger)
    const log = (line: string) => void this.lines.push(line)
    const settings = channelSettings(env)
    const { ledger } = parts
    this.channels = createChannels({ ledger, access: this.access, masking, settings, url: base, log })
    this.app = createApp({
      ledger: parts.ledger,
      access: this.access,
      waits: this.waits,
      signIn: { accounts: this.accounts, proxies: 1 },
      consoleFiles,
      cosigned: () => this.ledger.checkpoint(),
      logReading: logReadingFrom(env),
      masking,
      channels: this.channels.answers,
      log,
    })
  }

  /** @param env what names the channels, and says whether a password alone is enough */
  static async open(variant: PolicyVariant = {}, env: Environment = {}): Promise<HttpService> {
    const database = await testDatabase()
    const dir = await makeTestDir()
    const policies = await writePolicy(dir, variant)
    await migrate(database.config)
    const clock = { aheadMs: 0 }
    const ledger = await openLedger(database, dir, policies, clock, env)
    return new HttpService({ ledger, database, dir, policies, clock }, env)
  }

  /** Another process's view of the same ledger. */
  otherLedger(): Promise<Ledger> {
    return openLedger(this.database, this.dir, this.policies, this.clock)
  }

  /** Another process on the same database, which its caller closes first; under another policy, where one is given. */
  async other(variant?: PolicyVariant): Promise<HttpService> {
    const { database, dir, clock } = this
    const policies =
      variant === undefined ? this.policies : await writePolicy(join(dir, 'another-policy'), variant)
    const ledger = await openLedger(database, dir, policies, clock, this.#env)
    return new HttpService({ ledger, database, dir, policies, clock }, this.#env, true)
  }

  readonly anyone: Caller = this.caller({}, '')

  /** An agent with a key. */
  async agent(id = agentId): Promise<Caller & { readonly keyId: string }> {
    const { key, id: keyId } = await this.access.createKey(id)
    this.#secrets.add(key).add(key.slice(-43))
    return { ...this.caller({ authorization: `Bearer ${key}` }, key), keyId }
  }

  /** A signed-in person. */
  async person(id = 'pat@example.com', roles: readonly string[] = ['approver']): Promise<Caller> {
    await this.access.setPerson(id, roles)
    const token = await this.signInToken(id)
    const signedIn = await this.anyone.post('/v1/session', { token })
    expect(signedIn.status).toBe(200)
    const session = /bailiwick_session=([^;]+)/.exec(signedIn.headers.get('set-cookie') ?? '')?.[1] ?? ''
    this.#secrets.add(session)
    return this.caller({ cookie: `bailiwick_session=${session}`, origin: base }, session)
  }

  async signInToken(id: string): Promise<string> {
    const token = await this.access.createSignInToken(id)
    this.#secrets.add(token)
    return token
  }

  /** A caller that authenticates by these headers. */
  caller(own: Headings, secret: string): Caller {
    const send = (method: string, path: string, sending: Sending = {}) =>
      this.#send(method, path, sending, own)
    return {
      secret,
      send,
      get: (path, sending) => send('GET', path, sending),
      post: (path, json, sending) => send('POST', path, { json, ...sending }),
      vote: async (approval, json, sending) =>
        send('POST', `/v1/approvals/${approval}/votes`, {
          json: { digest: await this.#digestOf(approval), ...json },
          ...sending,
        }),
    }
  }

  // Looked up beside the API, so that looking is not recorded.
  async #digestOf(approval: string): Promise<string> {
    const found = await this.ledger.approval(approval, {}).catch(() => undefined)
    return found?.digest ?? '0'.repeat(64)
  }

  async logSize(): Promise<number> {
    return (await this.ledger.head()).size
  }

  async #send(method: string, path: string, sending: Sending, own: Headings): Promise<Answer> {
    const body = sending.raw ?? (sending.json === undefined ? undefined : JSON.stringify(sending.json))
    const headers = new Headers({ host: new URL(base).host, ...own })
    if (body !== undefined) headers.set('content-type', 'application/json')
    for (const [name, value] of Object.entries(sending.headers ?? {})) {
      if (value === undefined) headers.delete(name)
      else headers.set(name, value)
    }
    const request = new Request(base + path, {
      method,
      headers,
      ...(sending.signal === undefined ? {} : { signal: sending.signal }),
      ...(body === undefined ? {} : { body }),
      ...(body instanceof ReadableStream ? { duplex: 'half' } : {}),
    })
    const response = await this.app.request(request)
    const type = response.headers.get('content-type') ?? ''
    const text = await response.text()
    const { pathname } = new URL(request.url)
    const { status } = response
    if (method !== 'HEAD') holdToContract({ method, pathname, status, type, text })
    const route = routeOf(method, pathname)
    if (route !== undefined) this.exercised.add(`${route.method} ${route.path} ${status}`)
    this.#refuseSecrets(text, response.headers)
    return {
      status,
      type,
      headers: response.headers,
      text,
      body: type.includes('json') && text ? JSON.parse(text) : undefined,
    }
  }

  // Whatever was asked, no secret comes back; only signing in hands one out, in its cookie.
  #refuseSecrets(text: string, headers: Headers): void {
    const others = [...headers].filter(([name]) => name !== 'set-cookie').flat()
    for (const secret of this.#secrets) {
      expect([text, ...others, ...this.lines].join('\n').includes(secret), 'a secret got out').toBe(false)
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#refuseSecrets('', new Headers())
    this.waits.close()
    await this.ledger.close().catch(() => undefined)
    if (this.#isOther) return
    await this.database.drop()
    await removeTestDir(this.dir)
  }
}

const consoleFiles: ConsoleFiles = new Map([
  [
    '/index.html',
    { bytes: Buffer.from('<!doctype html><title>Bailiwick</title>'), type: 'text/html; charset=utf-8' },
  ],
  ['/assets/app.js', { bytes: Buffer.from('0'), type: 'text/javascript; charset=utf-8' }],
])

async function openLedger(
  database: TestDatabase,
  dataDir: string,
  policies: string,
  clock: { readonly aheadMs: number },
  env: Environment = {},
): Promise<Ledger> {
  const { callbacks } = channelSettings(env)
  return await Ledger.open({
    connection: database.config,
    policies: await loadPolicies(policies),
    dataDir,
    consoleUrl: base,
    now: () => (Date.now() + clock.aheadMs) as Instant,
    allowsCallback: callbacks && ((url) => isAllowedCallback(callbacks, url)),
  })
}

/** The requests that `send` makes are refused with this status and problem, and leave the log as it was. */
export async function expectRefused(
  service: HttpService,
  send: () => Promise<Answer>,
  status: number,
  code: string,
): Promise<Answer> {
  const before = await service.logSize()
  const answer = await send()
  expect({ status: answer.status, type: answer.body?.type, text: answer.text }).toMatchObject({
    status,
    type: `urn:bailiwick:problem:${code}`,
  })
  expect(await service.logSize(), 'a refused request was recorded').toBe(before)
  return answer
}
