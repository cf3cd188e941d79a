import { readFileSync } from 'node:fs'
import { Agent, request, type IncomingMessage } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { answerRequests } from '../../src/http/answer-requests.ts'
import { listen, type Listener } from '../../src/http/listener.ts'
import { eventually } from '../harness/eventually.ts'
import { HttpService, type Caller } from '../harness/http-service.ts'

/** How many connections this process may hold: each has two ends here, and the rest needs some, too. */
function connectionsMax(): number {
  try {
    const limit = /Max open files\s+(\d+)/.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]
    return Math.floor((Number(limit ?? 1024) - 500) / 2)
  } catch {
    return 250
  }
}

const waits = Math.min(2_500, connectionsMax())
const streams = Math.floor(waits / 5)
const polls = waits - streams
const approvals = 50
/** Fewer than the listener's queue holds. */
const connectingMax = 250

interface Heard {
  readonly at: number
  readonly status: number
  readonly text: string
}

let service: HttpService
let listener: Listener
let agent: Caller
let person: Caller
const connections = new Agent({ keepAlive: false, maxSockets: Infinity })

beforeAll(async () => {
  service = await HttpService.open()
  listener = await listen({ host: '127.0.0.1', port: 0 })
  const { ledger, access } = service
  const log = (line: string) => void service.lines.push(line)
  listener.answerWith(
    await answerRequests({ ledger, access, waits: service.waits, consoleFiles: new Map(), log }),
  )
  agent = await service.agent()
  person = await service.person()
})
afterAll(async () => {
  connections.destroy()
  await listener.close()
  await service.close()
})

/** Sends a request as the agent, and resolves with all that came once the answer has ended. */
function ask(path: string, at: number, json?: object): Promise<Heard> {
  return new Promise((resolve, reject) => {
    const sent = request(listener.url + path, {
      agent: connections,
      method: json === undefined ? 'GET' : 'POST',
      headers: { authorization: `Bearer ${agent.secret}`, 'content-type': 'application/json' },
    })
    sent.on('error', reject)
    sent.on('response', (response: IncomingMessage) => {
      let text = ''
      response.setEncoding('utf8').on('error', reject)
      response.on('data', (chunk: string) => (text += chunk))
      response.on('end', () => resolve({ at, status: response.statusCode ?? 0, text }))
    })
    sent.end(json === undefined ? undefined : JSON.stringify(json))
  })
}

// A stream looks again now and then, and waits on.
async function allWaiting(count: number): Promise<void> {
  await eventually(`${count} that wait`, () => service.waits.count === count)
}

describe(`${polls} long polls and ${streams} streams that wait on one process`, () => {
  test('hold no connection of the database, keep no decision from being made, and each hears of its own approval', async () => {
    const call = { action: 'issue_refund', params: { amount: 600 } }
    const opened = await Promise.all(
      Array.from({ length: approvals }, () => agent.post('/v1/decisions', call)),
    )
    const ids = opened.map(({ body }) => body.approval.id as string)
    const ends: Promise<Heard>[] = []
    for (let first = 0; first < waits; first += connectingMax) {
      const upTo = Math.min(first + connectingMax, waits)
      for (let at = first; at < upTo; at += 1) {
        const path = `/v1/approvals/${ids[at % approvals]}`
        ends.push(ask(at < streams ? `${path}/events` : `${path}?wait=60`, at))
      }
      await allWaiting(upTo)
    }
    const { pool } = service.ledger
    const busy = () => pool.totalCount - pool.idleCount
    await eventually('an idle pool', () => busy() === 0 && pool.waitingCount === 0)
    await allWaiting(waits)

    // Others are answered meanwhile.
    const decided = await Promise.all(
      Array.from({ length: 20 }, (_, at) =>
        ask('/v1/decisions', at, { action: 'issue_refund', params: { amount: at } }),
      ),
    )
    expect(decided.map(({ status }) => status)).toEqual(decided.map(() => 200))
    expect(decided.filter(({ text }) => JSON.parse(text).effect !== 'allow')).toEqual([])
    await allWaiting(waits)

    // A vote ends the waits for its approval, and no other.
    const [answered = '', rejected = ''] = ids
    await person.vote(answered, { vote: 'approve' })
    await person.vote(rejected, { vote: 'reject' })
    const told = await Promise.all(ends.filter((_, at) => at % approvals < 2))
    for (const { at, status, text } of told) {
      const expected = at % approvals === 0 ? 'approved' : 'rejected'
      expect(status).toBe(200)
      expect(text, `wait ${at}`).toContain(`"status":"${expected}"`)
    }
    await allWaiting(waits - told.length)
    expect(pool.waitingCount).toBe(0)
    const used = { ...call, approvalId: answered }
    expect(JSON.parse((await ask('/v1/decisions', 0, used)).text).effect).toBe('allow')

    // Stopping ends each with its state as it is.
    service.waits.close()
    const rest = await Promise.all(ends)
    expect(rest.filter(({ status }) => status !== 200)).toEqual([])
    const pending = rest.filter(({ at, text }) => at % approvals > 1 && text.includes('"status":"pending"'))
    expect(pending).toHaveLength(waits - told.length)
    expect(service.lines).toEqual([])
  })
})
