import { randomInt } from 'node:crypto'
import {
  Fault,
  parseRecord,
  type BailiwickClient,
  type DecisionAnswer,
  type DecisionRecord,
} from '@bailiwick/core'
import type { Ledger } from '@bailiwick/store'
import { afterEach, expect, test } from 'vitest'
import { agentId } from '../harness/policies.ts'
import { ServiceProcess } from '../harness/service-process.ts'
import { impatientClient, ServicePlace } from '../harness/service.ts'

const killsMax = 20
const callersMax = 32
/** How many acknowledgements may pass between two kills. */
const ackGapMax = 150

const undo: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

/** What a caller was told: from here on it has to be in the log. */
interface Acknowledged {
  readonly action: string
  readonly params: object
  readonly answer: DecisionAnswer
}

/** Something that ran, and the record that the database showed at that moment. */
interface Ran {
  readonly callId: string
  readonly decision: string
  readonly recordThen: string | undefined
  readonly at: number
}

/** The callers, what they were told, and a gate that is shut while the service is down. */
class Load {
  readonly acknowledged: Acknowledged[] = []
  readonly ran: Ran[] = []
  readonly outcomes: string[] = []
  readonly faults: Fault[] = []
  #over = false
  #up: Promise<void> = Promise.resolve()
  #open = (): void => undefined
  #watchers: { readonly count: number; readonly reached: () => void }[] = []
  readonly #client: BailiwickClient
  readonly #ledger: Ledger

  constructor(client: BailiwickClient, ledger: Ledger) {
    this.#client = client
    this.#ledger = ledger
  }

  shut(): void {
    this.#up = new Promise((resolve) => {
      this.#open = resolve
    })
  }

  open(): void {
    this.#open()
  }

  /** Ends every caller after the call that it is making. */
  end(): void {
    this.#over = true
  }

  /** Resolves as soon as so many answers have come. */
  reaches(count: number): Promise<void> {
    return new Promise((reached) => {
      this.#watchers.push({ count, reached })
    })
  }

  /** One caller: each call is repeated, under the same call id, until it has an answer. */
  async caller(name: string, random: () => number): Promise<void> {
    for (let n = 0; !this.#over; n++) {
      const kind = Math.floor(random() * 4)
      for (let answered = false; !answered && !this.#over;) {
        await this.#up
        answered = await this.#tried(() => this.#call(kind, `${name}-${n}`))
      }
    }
  }

  async #tried(call: () => Promise<void>): Promise<boolean> {
    try {
      await call()
      return true
    } catch (fault) {
      if (!(fault instanceof Fault)) throw fault
      this.faults.push(fault)
      return false
    }
  }

  async #call(kind: number, callId: string): Promise<void> {
    if (kind === 0) return await this.#check('delete_account', { account: callId })
    if (kind === 1) return await this.#check('issue_refund', { amount: 600, order_id: callId })
    if (kind === 2) return await this.#check('issue_refund', { amount: 20, order_id: callId })
    return await this.#govern(callId)
  }

  async #check(action: string, params: { readonly [name: string]: string | number }): Promise<void> {
    this.#acknowledge({ action, params, answer: await this.#client.check(action, params) })
  }

  async #govern(callId: string): Promise<void> {
    const [action, params] = ['issue_refund', { amount: 30, order_id: callId }]
    const run = async ({ decision }: { decision: DecisionAnswer }) => {
      const recordThen = await recordAt(this.#ledger, decision.record.index)
      this.ran.push({ callId, decision: decision.id, recordThen, at: Date.now() })
    }
    const governed = await this.#client.govern(action, params, run, { callId })
    this.#acknowledge({ action, params, answer: governed.decision })
    if (governed.kind === 'ran' && governed.outcomeRecorded) this.outcomes.push(governed.decision.id)
  }

  #acknowledge(told: Acknowledged): void {
    this.acknowledged.push(told)
    this.#watchers = this.#watchers.filter(({ count, reached }) => {
      if (this.acknowledged.length < count) return true
      reached()
      return false
    })
  }
}

test('`kill -9` of the service at 20 random moments under load loses nothing that was acknowledged, and nothing ran unrecorded', async () => {
  const seed = Number(process.env['BAILIWICK_TEST_SEED'] ?? randomInt(2 ** 31))
  const again = `BAILIWICK_TEST_SEED=${seed}`
  const place = await ServicePlace.make()
  undo.push(() => place.remove())
  let service = await ServiceProcess.start(place)
  undo.push(() => service.kill())
  const postgres = await place.postgresPid()
  const key = await place.createKey()

  await place.onLedger(async (ledger) => {
    const load = new Load(impatientClient(service.url, key), ledger)
    const random = randomFrom(seed)
    const callers = Promise.all(
      Array.from({ length: callersMax }, (_, n) => load.caller(`caller-${n}`, randomFrom(seed + n + 1))),
    )
    for (let kill = 0; kill < killsMax; kill++) {
      const moment = load.reaches(load.acknowledged.length + 1 + Math.floor(random() * ackGapMax))
      await Promise.race([moment, callers])
      load.shut()
      await service.kill()
      expect(await place.postgresPid(), `${again}: the PostgreSQL outlives kill ${kill}`).toBe(postgres)
      service = await ServiceProcess.start(place, service.port)
      load.open()
    }
    await load.reaches(load.acknowledged.length + callersMax)
    load.end()
    await callers
    await expectAllInLog(load, ledger, again)
  })
  expect(await service.stop(), again).toBe(0)
  expect(await place.postgresPid(), `${again}: no PostgreSQL is left`).toBeUndefined()
  // Twenty restarts take their time on a busy machine.
}, 240_000)

async function expectAllInLog(load: Load, ledger: Ledger, again: string): Promise<void> {
  const decisions = await recordedDecisions(ledger)
  for (const { action, params, answer } of load.acknowledged) {
    const { record, body } =
      decisions.get(answer.id) ?? expect.unreachable(`${again}: ${answer.id} is not in the log`)
    const { id, effect, reasons, rules, policy } = answer
    expect(record, again).toMatchObject({ id, effect, reasons, rules, policy, agent: agentId, action })
    expect(JSON.parse(body), again).toMatchObject({ context: {}, params })
  }
  for (const { decision, recordThen, at } of load.ran) {
    const { record } = decisions.get(decision) ?? expect.unreachable(`${again}: ${decision} ran unrecorded`)
    expect(record.effect, again).toBe('allow')
    expect(Date.parse(record.at), again).toBeLessThanOrEqual(at)
    expect(recordThen, `${again}: ${decision} was recorded before it ran`).toBe(JSON.stringify(record))
  }
  expect(new Set(load.ran.map(({ callId }) => callId)).size, `${again}: no call ran twice`).toBe(
    load.ran.length,
  )
  const { rows } = await ledger.pool.query<{ decision: string }>(
    `select decision from outcome where ledger = 'main'`,
  )
  const settled = new Set(rows.map(({ decision }) => `dec_${decision}`))
  expect(
    load.outcomes.filter((id) => !settled.has(id)),
    `${again}: acknowledged outcomes that are missing`,
  ).toEqual([])

  // Faults were met, none of them a refusal: only that the service was away.
  const codes = new Set(load.faults.map(({ code }) => code))
  expect(
    [...codes].filter((code) => code !== 'service_unreachable' && code !== 'store_unavailable'),
    again,
  ).toEqual([])
  expect(load.ran.length, again).toBeGreaterThan(killsMax)
  expect(load.faults.length, `${again}: kills that nobody noticed test nothing`).toBeGreaterThan(killsMax)
  expect(await ledger.verify(), again).toMatchObject({ kind: 'intact' })
}

async function recordAt(ledger: Ledger, index: number): Promise<string | undefined> {
  const { rows } = await ledger.pool.query<{ record: string }>(
    `select split_part(records, E'\\n', ($1::bigint - first)::int + 1) as record from log_batch
    where ledger = 'main' and first <= $1 order by first desc limit 1`,
    [index],
  )
  return rows[0]?.record
}

async function recordedDecisions(
  ledger: Ledger,
): Promise<ReadonlyMap<string, { readonly record: DecisionRecord; readonly body: string }>> {
  const { rows } = await ledger.pool.query<{ record: string; body: string }>(
    `select record, body from log_entry where ledger = 'main' and kind = 'decision'`,
  )
  return new Map(
    rows.map(({ record, body }) => {
      const parsed = parseRecord(record) as DecisionRecord
      return [parsed.id, { record: parsed, body }]
    }),
  )
}

/** Numbers from 0 up to 1 that a seed repeats (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
