import { spawn, type ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import pg from 'pg'
import { Ledger } from '../src/ledger.ts'
import { inSchema } from '../src/migrate.ts'
import { cast, agent, decisionRecords, ledgerSite, voter, type LedgerSite } from './harness/ledger.ts'
import { testDatabase } from './harness/postgres.ts'
import { racing, refunded, refundFor } from './harness/uses.ts'

/** What a caller was told. */
interface Told {
  readonly race?: string
  /** The reason of a suspension that it has changed, with the index of its record. */
  readonly suspension?: string
  readonly index?: number
  readonly id?: string
  readonly effect?: string
  readonly replayed?: boolean
  readonly fault?: string
  readonly recorded?: string
}

const name = 'processes'
const program = fileURLToPath(new URL('./harness/replica-process.mjs', import.meta.url))

/** One of the processes, with all that its callers were told. */
class ReplicaProcess {
  readonly told: Told[] = []
  url = ''
  readonly #child: ChildProcessByStdio<Writable, Readable, null>

  private constructor(site: LedgerSite) {
    const at = JSON.stringify({ connection: site.database.config, dataDir: site.dataDir, ledger: name })
    this.#child = spawn(process.execPath, [program, at], { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#child.stdin.on('error', () => undefined) // It may be dead.
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      const told = JSON.parse(line) as Told & { url?: string }
      if (told.url === undefined) this.told.push(told)
      else this.url = told.url
    })
  }

  static async start(site: LedgerSite): Promise<ReplicaProcess> {
    const started = new ReplicaProcess(site)
    await vi.waitFor(() => expect(started.url).not.toBe(''), { timeout: 100_000 })
    return started
  }

  get answered(): Told[] {
    return this.told.filter(({ id }) => id !== undefined)
  }

  do(what: object): void {
    this.#child.stdin.write(`${JSON.stringify(what)}\n`)
  }

  /** Waits until so many more of its callers have been answered. */
  async answers(more: number): Promise<void> {
    const before = this.answered.length
    await vi.waitFor(() => expect(this.answered.length).toBeGreaterThanOrEqual(before + more), {
      timeout: 20_000,
    })
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child.kill(signal)
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const exit = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await exit
  }
}

/** The index that a decision's id names. */
function indexOf(id = ''): number {
  return Number(id.replace('dec_', ''))
}

describe('G3, G4, G11: three processes with 64 callers each on one ledger', () => {
  let site: LedgerSite
  let running: ReplicaProcess[] = []
  const ended: ReplicaProcess[] = []
  /** To look at what they have done, and to vote. */
  let looker: Ledger
  beforeAll(async () => {
    site = await ledgerSite({ createDatabase: () => testDatabase() })
    running = await Promise.all([1, 2, 3].map(() => ReplicaProcess.start(site)))
    looker = await Ledger.open({
      connection: site.database.config,
      dataDir: site.dataDir,
      ledger: name,
      policies: racing(),
      consoleUrl: 'http://console.test',
    })
    await sequencer()
  })
  afterAll(async () => {
    await Promise.all([...running, ...ended].map((each) => each.kill()))
    await looker.close()
    await site.remove()
  })

  /** The process that is the sequencer, once one of those that run is, other than `not`. */
  async function sequencer(not?: ReplicaProcess): Promise<ReplicaProcess> {
    return await vi.waitFor(
      async () => {
        const [row] = await site.query<{ url: string | null }>(
          'select url from sequencer where ledger = $1',
          [name],
        )
        const found = running.find(({ url }) => url === row?.url)
        if (found === undefined || found === not) throw new Error('there is none')
        return found
      },
      { timeout: 20_000, interval: 20 },
    )
  }

  async function raced(race: { readonly name: string; readonly request: object }, times: number) {
    for (const each of running) each.do({ race, times })
    const told = () => running.flatMap((each) => each.told.filter(({ race: of }) => of === race.name))
    await vi.waitFor(() => expect(told()).toHaveLength(times * running.length), { timeout: 20_000 })
    return told()
  }

  async function expectNothingLost(): Promise<void> {
    // What is answered from here on may be recorded after the look.
    const told = [...running, ...ended].flatMap(({ answered }) => answered)
    const recorded = new Map(
      (await decisionRecords(site, looker)).map(({ id, effect }) => [String(id), effect]),
    )
    for (const { id = '', effect } of told) expect(recorded.get(id)).toBe(effect)
    // Each answer that nobody else had had is a record of its own.
    const fresh = told.filter(({ replayed }) => replayed !== true)
    expect(new Set(fresh.map(({ id }) => id)).size).toBe(fresh.length)
    for (const used of (await refunded(site, looker)).values()) expect(used).toBeLessThanOrEqual(1000)
    expect(await looker.verify()).toMatchObject({ kind: 'intact' })
  }

  test('decide each call id once, use each approval once, and never exceed a budget', async () => {
    for (const each of running) each.do({ load: true })
    const request = { ...refundFor('ann', 7), callId: 'raced' }
    const calls = await raced({ name: 'call', request }, 10)
    expect(new Set(calls.map(({ id }) => id)).size).toBe(1)
    expect(calls.filter(({ replayed }) => replayed === false)).toHaveLength(1)

    const close = { action: 'close_account', params: { account: 'ann' } }
    const { approval } = await looker.decide(agent, close)
    await cast(looker, voter('ann'), approval?.id ?? '', { vote: 'approve' })
    const uses = await raced({ name: 'use', request: { ...close, approvalId: approval?.id } }, 10)
    expect(uses.filter(({ effect }) => effect === 'allow')).toHaveLength(1)
    expect(uses.filter(({ effect }) => effect === 'deny')).toHaveLength(29)

    await Promise.all(running.map((each) => each.answers(200)))
    expect(running.flatMap(({ told }) => told.filter(({ fault }) => fault !== undefined))).toEqual([])
    await expectNothingLost()
  })

  test('deny a suspended agent in each of them after the record of its suspension, whichever of them suspends it', async () => {
    for (const each of running) each.do({ load: 'reads' })
    const allowedBetween = (from: number, to: number) => (each: ReplicaProcess) =>
      each.answered.filter(({ id, effect }) => effect === 'allow' && from < indexOf(id) && indexOf(id) < to)
    let from = 0
    for (const [at, through] of running.entries()) {
      await Promise.all(running.map((each) => each.answers(80)))
      const suspended = await changed(through, { state: 'suspended', reason: `incident ${at}` })
      for (const each of running) expect(allowedBetween(from, suspended)(each)).not.toEqual([])
      await Promise.all(running.map((each) => each.answers(80)))
      const next = running[(at + 1) % running.length] as ReplicaProcess
      const resumed = await changed(next, { state: 'active', reason: `looked into ${at}` })
      await Promise.all(running.map((each) => each.answers(80)))
      for (const each of running) expect(allowedBetween(suspended, resumed)(each)).toEqual([])
      const between = (await decisionRecords(site, looker)).filter(
        ({ index }) => suspended < index && index < resumed,
      )
      expect(between.length).toBeGreaterThan(40)
      expect(new Set(between.map(({ effect }) => effect))).toEqual(new Set(['deny']))
      from = resumed
    }
    for (const each of running) {
      expect(each.told.filter(({ fault }) => fault !== undefined)).toEqual([])
      each.do({ load: true })
    }
  })

  /** Suspends the agent through a process, or ends it, and returns the index of the record that says so. */
  async function changed(
    through: ReplicaProcess,
    change: { readonly state: 'suspended' | 'active'; readonly reason: string },
  ): Promise<number> {
    through.do({ suspension: change })
    return await vi.waitFor(
      () => {
        const done = through.told.find(({ suspension }) => suspension === change.reason)
        if (typeof done?.index !== 'number') throw new Error('it is not recorded')
        return done.index
      },
      { timeout: 20_000, interval: 20 },
    )
  }

  test('go on without the one that writes while it is stopped, and it does not write for them again', async () => {
    const stopped = await sequencer()
    stopped.signal('SIGSTOP')
    const others = running.filter((each) => each !== stopped)
    const next = await sequencer(stopped)
    await Promise.all(others.map((each) => each.answers(100)))
    stopped.signal('SIGCONT')
    await stopped.answers(100)
    expect(await sequencer()).toBe(next)
    await expectNothingLost()
  })

  test('go on without the one that writes whenever it is killed inside a commit, until one is left', async () => {
    for (let left = running.length; left > 1; left--) {
      const killed = await sequencer()
      const release = await holdHead()
      await killed.kill()
      running = running.filter((each) => each !== killed)
      ended.push(killed)
      // Its batch is committed now, and nobody is left to tell.
      await release()
      await sequencer(killed)
      await Promise.all(running.map((each) => each.answers(200)))
    }
    for (const each of running) each.do({ load: false })
    for (const { told } of running) {
      for (const { fault, recorded } of told) {
        if (fault !== undefined) expect([fault, recorded]).toEqual(['store_unavailable', 'unknown'])
      }
    }
    await expectNothingLost()
  })

  /** Holds the ledger's head until a batch of somebody waits for it. What lets it go writes nothing. */
  async function holdHead(): Promise<() => Promise<void>> {
    const client = new pg.Client(inSchema(site.database.config))
    await client.connect()
    await client.query('begin')
    await client.query('select 1 from ledger_head where ledger = $1 for update', [name])
    await vi.waitFor(async () => {
      const rows = await site.query(
        `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      )
      expect(rows).not.toHaveLength(0)
    })
    return async () => {
      await client.query('rollback')
      await client.end()
    }
  }
})
