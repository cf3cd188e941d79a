import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { payloadMask } from '../../src/cli/masked-payload.ts'
import { expectRefused, HttpService, type Caller } from '../harness/http-service.ts'
import { agentId } from '../harness/policies.ts'

let service: HttpService
let agent: Caller
let person: Caller

beforeAll(async () => {
  service = await HttpService.open()
  agent = await service.agent()
  for (const amount of [1, 2, 600]) {
    await agent.post('/v1/decisions', {
      action: 'issue_refund',
      params: { amount, note: 'secret-note' },
      callId: `Order-${amount}`,
    })
  }
  service.clock.aheadMs = 3 * 60 * 60 * 1000
  person = await service.person()
  await agent.post('/v1/decisions', { action: 'delete_account', params: {} })
  await (await service.agent('stranger')).post('/v1/decisions', { action: 'issue_refund', params: {} })
})
afterAll(() => service.close())

async function found(
  query: string,
): Promise<{ action: string; agent: string; callId: string | null; at: string }[]> {
  const { status, body } = await person.get(`/v1/decisions?${query}`)
  expect(status, query).toBe(200)
  return body.decisions
}

describe('what was searched for', () => {
  const lastReading = async () => {
    const { rows } = await service.ledger.pool.query<{ body: string }>(
      `select body from log_entry where kind = 'read' order by index desc limit 1`,
    )
    return JSON.parse(rows[0]?.body ?? '') as unknown
  }

  test('is recorded without the text, of which nobody knows whose name it is', async () => {
    await found('text=order-600&effect=escalate')
    expect(await lastReading()).toEqual({ filter: { effect: 'escalate', text: true }, reason: null })
    const { rows } = await service.ledger.pool.query(
      `select from log_batch where bodies like '%order-600%' or records like '%order-600%'`,
    )
    expect(rows).toHaveLength(0)
  })

  test('in a record of an earlier version is verified, and shown masked, as it was', async () => {
    const { index } = await service.ledger.note(
      { kind: 'read', person: 'operator', what: 'search', records: [0] },
      '{"filter":{"text":"Jane Doe"},"reason":null}',
    )
    expect(await service.ledger.verify()).toMatchObject({ kind: 'intact' })
    const mask = await payloadMask(service.ledger)
    const { value: old } = await service.ledger.search({ text: 'Jane Doe' }).next()
    expect(old.record).toMatchObject({ index, kind: 'read' })
    expect(await mask(old.record, old.body)).toEqual({ filter: '•••', reason: null })
  })
})

describe('decisions are found', () => {
  test('by text in names, ids, rules and reasons, in whatever case, and never by what is in params', async () => {
    expect((await found('text=order-600')).map(({ callId }) => callId)).toEqual(['Order-600'])
    expect((await found('text=FORBIDDEN')).map(({ action }) => action)).toEqual(['delete_account'])
    expect((await found('text=refund_amount')).length).toBe(0)
    expect((await found('text=escalation_rules')).length).toBeGreaterThan(0)
    expect(await found('text=secret-note')).toEqual([])
    expect(await found(`text=${encodeURIComponent('"callid":"order')}`)).toEqual([])
  })

  test('by the policy that decided, and not those that none did', async () => {
    expect((await found(`policy=${agentId}`)).length).toBe(4)
    expect(await found('policy=another')).toEqual([])
  })

  test('by time, from and to', async () => {
    const all = await found('limit=200')
    const late = all.find(({ action }) => action === 'delete_account')?.at ?? ''
    const early = all.at(-1)?.at ?? ''
    expect((await found(`since=${late}`)).every(({ at }) => at >= late)).toBe(true)
    expect((await found(`since=${late}`)).length).toBe(2)
    expect((await found(`until=${early}`)).length).toBeGreaterThan(0)
    expect((await found(`until=${early}`)).some(({ at }) => at > early)).toBe(false)
    expect(await found('until=2001-01-01T00:00:00Z')).toEqual([])
    expect(await found('since=2101-01-01T00:00:00Z')).toEqual([])
  })

  test('page after page, each once', async () => {
    const seen: string[] = []
    let before = ''
    for (let pages = 0; pages < 10; pages++) {
      const { body } = await person.get(`/v1/decisions?limit=2&text=e${before}`)
      seen.push(...body.decisions.map(({ id }: { id: string }) => id))
      if (body.next === null) break
      before = `&before=${body.next}`
    }
    expect(seen.length).toBe(5)
    expect(new Set(seen).size).toBe(5)
  })

  test('briefly: without params, and so a thousand at a time', async () => {
    const { status, body, text } = await person.get('/v1/decisions?brief=true&limit=1000')
    expect(status).toBe(200)
    expect(body.decisions.length).toBe(5)
    expect(body.decisions[0]).toMatchObject({ params: null, context: null })
    expect(body.decisions[0]).not.toHaveProperty('erased')
    expect(text).not.toContain('secret-note')
    const own = await agent.get('/v1/decisions?brief=true')
    expect(own.body.decisions.every(({ params }: { params: unknown }) => params === null)).toBe(true)
  })

  test.each([
    'limit=201',
    'limit=1001&brief=true',
    'brief=yes',
    'limit=0',
    'since=yesterday',
    'until=2026',
    'text=',
    'text=%00',
    `text=${'x'.repeat(201)}`,
    'policy=',
  ])('but `%s` is refused', async (query) => {
    await expectRefused(service, () => person.get(`/v1/decisions?${query}`), 400, 'bad_input')
  })
})
