import { indexOfId, systemPorts } from '@bailiwick/core'
import { Access, ApprovalWaits } from '@bailiwick/store'
import { connect } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { answerRequests } from '../../src/http/answer-requests.ts'
import { listen, type Listener } from '../../src/http/listener.ts'
import { eventually } from '../harness/eventually.ts'
import { HttpService, type Caller } from '../harness/http-service.ts'
import { agentId } from '../harness/policies.ts'

let service: HttpService
let waits: ApprovalWaits
let listener: Listener
let agent: Caller & { readonly keyId: string }

beforeAll(async () => {
  service = await HttpService.open()
  waits = new ApprovalWaits(service.ledger, systemPorts)
  const { ledger, access } = service
  listener = await listen({ host: '127.0.0.1', port: 0 })
  listener.answerWith(
    await answerRequests({ ledger, access, waits, consoleFiles: new Map(), log: () => undefined }),
  )
})
afterAll(async () => {
  waits.close()
  await listener.close()
  await service.close()
})
beforeEach(async () => {
  agent = await service.agent()
})

async function decide(more: object = {}, secret = agent.secret) {
  const response = await fetch(`${listener.url}/v1/decisions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
    body: JSON.stringify({ action: 'issue_refund', params: { amount: 1 }, ...more }),
  })
  return { status: response.status, body: (await response.json()) as { id: string; type: string } }
}

const sql = (text: string, values: unknown[] = []) => service.ledger.pool.query(text, values)
const remembered = async () => (await service.access.admissionOf(agent.secret))?.key !== undefined

/** Sends a request whose last byte comes after its sender was let in, and something else has happened. */
async function slowly(path: string, body: string, meanwhile: () => Promise<unknown>): Promise<number> {
  const letIn = vi.spyOn(service.access, path.endsWith('batch') ? 'agentOf' : 'admissionOf')
  const socket = connect(Number(new URL(listener.url).port), '127.0.0.1')
  const parts: Buffer[] = []
  socket.on('data', (part: Buffer) => parts.push(part))
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  const head = [
    `POST ${path} HTTP/1.1`,
    `Host: ${new URL(listener.url).host}`,
    `Authorization: Bearer ${agent.secret}`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ]
  socket.write(`${head.join('\r\n')}\r\n\r\n${body.slice(0, -1)}`)
  await eventually('the sender let in', () =>
    letIn.mock.settledResults.some(({ type }) => type === 'fulfilled'),
  )
  letIn.mockRestore()
  await meanwhile()
  socket.write(body.slice(-1))
  await closed
  return Number(Buffer.concat(parts).toString('utf8').split(' ')[1])
}

describe('A key that the service remembers', () => {
  test('lets its agent decide without being looked up', async () => {
    expect(await remembered()).toBe(false)
    expect((await decide()).status).toBe(200)
    expect(await remembered()).toBe(true)
    expect((await decide()).status).toBe(200)
  })

  test.each([
    ['here', () => service.access.revokeKey(agent.keyId)],
    [
      'by another process',
      async () => {
        const other = await service.otherLedger()
        await new Access(other).revokeKey(agent.keyId)
        await other.close()
      },
    ],
    ['with an overlap of nothing', () => service.access.rotateKey(agent.keyId, { overlapMs: 0 })],
    [
      'in the database, by hand',
      () => sql('update api_key set revoked_at = now() where id = $1', [agent.keyId]),
    ],
    ['with its row', () => sql('delete from api_key where id = $1', [agent.keyId])],
    [
      'with its secret changed',
      () => sql(`update api_key set secret_sha256 = sha256('x') where id = $1`, [agent.keyId]),
    ],
  ])('and that is revoked %s gets nothing recorded, from the next request on', async (_how, revoke) => {
    expect((await decide()).status).toBe(200)
    expect(await remembered()).toBe(true)
    await revoke()
    const size = await service.logSize()
    expect(await decide()).toMatchObject({
      status: 401,
      body: { type: 'urn:bailiwick:problem:not_authenticated' },
    })
    expect(await service.logSize()).toBe(size)
    // Else every later try would make a batch miss.
    expect(await remembered()).toBe(false)
    // Others are not kept out by it.
    agent = await service.agent()
    expect((await decide()).status).toBe(200)
  })

  test('and that is another agent’s from now on decides as that agent', async () => {
    await decide()
    await sql('update api_key set agent = $2 where id = $1', [agent.keyId, 'nobody'])
    const { body } = await decide()
    const { rows } = await sql('select records from log_batch order by first desc limit 1')
    expect(String(rows[0]?.records)).toContain('"agent":"nobody"')
    expect(body.id).toMatch(/^dec_/)
  })

  test('is good no longer than it is said to be', async () => {
    const { key } = await service.access.createKey(agentId, { lifetimeMs: 60_000 })
    expect((await decide({}, key)).status).toBe(200)
    expect((await decide({}, key)).status).toBe(200)
    service.clock.aheadMs += 60_000
    expect((await decide({}, key)).status).toBe(401)
  })

  test('and that was revoked learns nothing from refusals or from answers that are given again', async () => {
    await decide({ callId: 'c1' })
    expect((await decide({ callId: 'c1' })).status).toBe(200)
    expect((await decide({ callId: 'c1', params: { amount: 2 } })).status).toBe(409)
    await sql('update api_key set revoked_at = now() where id = $1', [agent.keyId])
    expect((await decide({ callId: 'c1', params: { amount: 2 } })).status).toBe(401)
    expect((await decide({ callId: 'c1' })).status).toBe(401)
    expect((await decide({ callId: 'c2', action: '' })).status).toBe(401)
  })

  test('and that is revoked among hundreds of calls has no record behind its revocation', async () => {
    const staying = await service.agent()
    await decide()
    await decide({}, staying.secret)
    const answers = Array.from({ length: 200 }, (_, n) =>
      decide({ params: { amount: 1, of: n } }, n % 2 === 0 ? agent.secret : staying.secret),
    )
    const revoked = new Promise<void>((resolve, reject) => {
      setImmediate(() => void service.access.revokeKey(agent.keyId).then(resolve, reject))
    })
    const results = await Promise.all(answers)
    await revoked
    expect(results.filter((_, n) => n % 2 === 1).map(({ status }) => status)).toEqual(Array(100).fill(200))
    const { rows } = await sql('select records from log_batch order by first')
    const records = rows
      .flatMap(({ records: text }) => String(text).split('\n'))
      .map((text) => JSON.parse(text))
    const at = records.findIndex(({ event, subject }) => event === 'key_revoked' && subject === agent.keyId)
    expect(at).toBeGreaterThan(0)
    const indices = results.map(({ status, body }) =>
      status === 200 ? indexOfId('dec', body.id) : undefined,
    )
    expect(records[indices[1] ?? -1]).toMatchObject({ kind: 'decision', agent: agentId })
    expect(indices.filter((index, n) => n % 2 === 0 && index !== undefined && index > at)).toEqual([])
    for (const { status } of results) expect([200, 401]).toContain(status)
  })

  test('stays good while other keys come and go', async () => {
    await decide()
    const storm = async () => {
      for (let n = 0; n < 10; n++) {
        const { id } = await service.access.createKey(agentId)
        await service.access.revokeKey(id)
      }
    }
    const calls = async () => {
      const seen: number[] = []
      for (let n = 0; n < 60; n++) seen.push((await decide()).status)
      return seen
    }
    const [, ...statuses] = await Promise.all([storm(), calls(), calls(), calls()])
    expect(new Set(statuses.flat())).toEqual(new Set([200]))
  })

  test.each([
    ['/v1/decisions', '{"action":"issue_refund","params":{"amount":1}}'],
    ['/v1/decisions/batch', '{"calls":[{"action":"issue_refund","params":{"amount":1}}]}'],
  ])('and that is revoked while a body of %s is on its way decides nothing', async (path, body) => {
    expect(await slowly(path, body, () => Promise.resolve())).toBe(200)
    for (const isKnown of [false, true]) {
      agent = await service.agent()
      if (isKnown) await decide()
      const size = await service.logSize()
      expect(await slowly(path, body, () => service.access.revokeKey(agent.keyId))).toBe(401)
      // The revocation, and nothing else.
      expect(await service.logSize()).toBe(size + 1)
    }
  })

  test.each([
    ['whose hash is of no length that a hash has', `update api_key set secret_sha256 = '' where id = $1`],
    ['that has another id now', `update api_key set id = 'x' || id where id = $1`],
    ['that has ended before all time', `update api_key set expires_at = '-infinity' where id = $1`],
  ])('%s lets nobody in, again and again, and the service goes on', async (_what, change) => {
    const other = await service.agent()
    await decide()
    await sql(change, [agent.keyId])
    for (let n = 0; n < 3; n++) expect((await decide()).status).toBe(401)
    expect((await decide({}, other.secret)).status).toBe(200)
  })

  test('that ends never is good, and is listed', async () => {
    await sql(`update api_key set expires_at = 'infinity' where id = $1`, [agent.keyId])
    for (let n = 0; n < 3; n++) expect((await decide()).status).toBe(200)
    const listed = (await service.access.listKeys()).find(({ id }) => id === agent.keyId)
    expect(listed).toMatchObject({ expiresAt: null, revokedAt: null })
  })

  test('that is good again after it was revoked lets in again, and not in between', async () => {
    await decide()
    await sql('update api_key set revoked_at = now() where id = $1', [agent.keyId])
    expect((await decide()).status).toBe(401)
    await sql('update api_key set revoked_at = null where id = $1', [agent.keyId])
    expect((await decide()).status).toBe(200)
    await sql('update api_key set revoked_at = now() where id = $1', [agent.keyId])
    expect((await decide()).status).toBe(401)
  })

  test('waits for nobody who has another key open in a transaction', async () => {
    const other = await service.agent()
    await decide()
    const holding = await service.ledger.pool.connect()
    await holding.query('begin')
    await holding.query('update api_key set last_used_at = now() where id = $1', [other.keyId])
    const third = await service.agent()
    await service.access.revokeKey(third.keyId)
    expect((await decide()).status).toBe(200)
    await holding.query('rollback')
    holding.release()
  })
})

test('a secret that is not the key’s is refused, remembered or not', async () => {
  await decide()
  const wrong = `${agent.secret.slice(0, -1)}${agent.secret.endsWith('A') ? 'B' : 'A'}`
  expect((await decide({}, wrong)).status).toBe(401)
  expect(await service.access.admissionOf(wrong)).toBeUndefined()
})
