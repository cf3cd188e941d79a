import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { expectRefused, HttpService, type Caller } from '../harness/http-service.ts'

const agentId = 'support'
const text = `agent_id: ${agentId}
allowed_actions: [pay]
facts:
  amount: {type: number, from: params.amount, for: [pay], unit: EUR}
actions:
  pay: {sensitive: [params.iban, params.payees.iban, context.customer.name]}
escalation_rules:
  # Above this, two people look.
  - {id: large, on: pay, condition: "amount > 500", action: human_approval_required}
approvals:
  human_approval_required: {approvers: ["role:cfo"], deadline: 5m}
`

const iban = 'DE4711-canary'
const call = (amount: number) => ({
  action: 'pay',
  params: { amount, iban, payees: [{ iban: 'DE2' }] },
  context: { customer: { name: 'Ada' } },
})

let service: HttpService
let agent: Caller
let cfo: Caller
let approver: Caller
let auditor: Caller

beforeAll(async () => {
  service = await HttpService.open({ text })
  agent = await service.agent(agentId)
  cfo = await service.person('cfo@example.com', ['cfo'])
  approver = await service.person('pat@example.com', ['approver'])
  auditor = await service.person('audrey@example.com', ['auditor'])
})
afterAll(() => service.close())

async function decided(amount: number): Promise<{ id: string; approval: string }> {
  const { body } = await agent.post('/v1/decisions', call(amount))
  return { id: body.id, approval: body.approval?.id }
}

const asked = { path: '/params/iban', reason: 'Is it the account of the order?' }
const reveal = (who: Caller, id: string, request: object = asked) =>
  who.post(`/v1/decisions/${id}/reveal`, request)

async function newestRecord(): Promise<{ record: Record<string, unknown>; body: string }> {
  const { rows } = await service.ledger.pool.query<{ record: string; body: string }>(
    'select record, body from log_entry order by index desc limit 1',
  )
  return { record: JSON.parse(rows[0]?.record ?? '{}'), body: rows[0]?.body ?? '' }
}

describe('a masked value', () => {
  test('is shown to who is asked about the call, and the log says who saw what and why', async () => {
    const { id, approval } = await decided(600)
    const view = (await cfo.get(`/v1/approvals/${approval}`)).body
    expect(view.masked).toEqual(['/params/iban', '/params/payees/0/iban', '/context/customer/name'])
    expect(view.units).toEqual({ '/params/amount': 'EUR' })

    const { status, body } = await reveal(cfo, id)
    expect({ status, ...body }).toMatchObject({ status: 201, path: asked.path, value: iban })
    const { record, body: payload } = await newestRecord()
    expect(record).toMatchObject({
      index: body.record.index,
      kind: 'read',
      what: 'reveal',
      person: 'cfo@example.com',
      records: [view.decision.slice('dec_'.length)].map(Number),
    })
    expect(JSON.parse(payload)).toEqual({ filter: { path: asked.path }, reason: asked.reason })
    expect(payload).not.toContain(iban)
    expect((await service.ledger.verify()).kind).toBe('intact')
  })

  test('is shown again only with another record', async () => {
    const { id } = await decided(601)
    const first = (await reveal(cfo, id)).body.record.index
    expect((await reveal(cfo, id)).body.record.index).toBeGreaterThan(first)
  })

  test('is shown in lists, in context, and whole', async () => {
    const { id } = await decided(602)
    const value = async (path: string) => (await reveal(cfo, id, { ...asked, path })).body.value
    expect(await value('/params/payees/0/iban')).toBe('DE2')
    expect(await value('/context/customer/name')).toBe('Ada')
    expect(await value('/params/payees')).toEqual([{ iban: 'DE2' }])
  })

  test('is shown to an auditor, also of a call that waits for nobody, and to an approver who is not asked it is not', async () => {
    const { id } = await decided(1)
    expect((await reveal(auditor, id)).body.value).toBe(iban)
    await expectRefused(service, () => reveal(approver, id), 403, 'not_permitted')
    await expectRefused(service, () => reveal(cfo, id), 403, 'not_permitted')
    const { id: waiting } = await decided(603)
    await expectRefused(service, () => reveal(approver, waiting), 403, 'not_permitted')
    await expectRefused(service, () => reveal(agent, waiting), 403, 'not_permitted')
  })

  test('is no longer shown to who was asked, once the call waits no more', async () => {
    const { id, approval } = await decided(604)
    expect((await reveal(cfo, id)).status).toBe(201)
    const { digest } = (await cfo.get(`/v1/approvals/${approval}`)).body
    await cfo.post(`/v1/approvals/${approval}/votes`, { vote: 'reject', digest })
    await expectRefused(service, () => reveal(cfo, id), 403, 'not_permitted')
  })

  test('is not shown without a reason, and not where nothing is', async () => {
    const { id } = await decided(605)
    await expectRefused(service, () => reveal(cfo, id, { path: asked.path, reason: ' ' }), 400, 'bad_input')
    await expectRefused(service, () => reveal(cfo, id, { path: asked.path }), 400, 'bad_input')
    for (const path of ['/params/nothing', '/facts', '/keys', '/params/payees/7', 'params.iban']) {
      await expectRefused(service, () => reveal(cfo, id, { ...asked, path }), 404, 'not_found')
    }
    await expectRefused(service, () => reveal(cfo, 'dec_99999'), 404, 'not_found')
    await expectRefused(service, () => reveal(cfo, 'nonsense'), 404, 'not_found')
  })

  test('that was erased cannot be shown any more', async () => {
    const { id } = await decided(606)
    await service.ledger.erase({ target: { decision: id }, reason: 'asked for', by: 'operator' })
    await expectRefused(service, () => reveal(cfo, id), 410, 'erased')
  })

  test('is in no other answer: neither in the context of the approval nor in that of the next call', async () => {
    const { approval } = await decided(607)
    const { approval: next } = await decided(608)
    for (const path of [`/v1/approvals/${approval}`, `/v1/approvals/${next}/context`, '/v1/decisions']) {
      for (const who of [cfo, approver, auditor]) {
        const { status, text: told } = await who.get(path)
        expect({ path, status }).toEqual({ path, status: 200 })
        expect(told, path).not.toContain(iban)
      }
    }
  })
})

describe('the context of an approval', () => {
  test('has the rules as they are written, who may vote, and what the agent did before', async () => {
    const { approval } = await decided(609)
    const { body } = await cfo.get(`/v1/approvals/${approval}/context`)
    expect(body.rules).toEqual([
      {
        id: 'large',
        text: expect.stringContaining('# Above this, two people look.\n- {id: large, on: pay'),
      },
    ])
    expect(body.voters).toEqual([{ person: 'cfo@example.com', voted: false, deputies: [] }])
    expect(body.mayReveal).toBe(true)
    expect(body.history.of).toBe(
      body.history.counts.allow + body.history.counts.deny + body.history.counts.escalate,
    )
    expect(body.history.counts).toMatchObject({ allow: 1, deny: 0 })
    expect(body.history.approvals).toMatchObject({ rejected: 1 })
    expect(body.history.recent[0]).toMatchObject({ effect: 'escalate', approval: { status: 'pending' } })
    // The last that was allowed, though others came later.
    expect(body.similar).toMatchObject({ effect: 'allow', params: { amount: 1, iban: '•••' } })
    expect(body.similar.masked).toContain('/params/iban')
  })

  test('says of who is not asked that they may not reveal, and is not for agents', async () => {
    const { approval } = await decided(610)
    expect((await approver.get(`/v1/approvals/${approval}/context`)).body.mayReveal).toBe(false)
    await expectRefused(service, () => agent.get(`/v1/approvals/${approval}/context`), 403, 'not_permitted')
    expect((await cfo.get('/v1/approvals/apr_99999/context')).status).toBe(404)
  })

  test('says who may vote in whose stead, for as long as they may', async () => {
    const { approval } = await decided(612)
    const voters = async () => (await approver.get(`/v1/approvals/${approval}/context`)).body.voters
    const given = await cfo.post('/v1/delegations', {
      to: 'pat@example.com',
      ends: new Date(Date.now() + 3_600_000).toISOString(),
      reason: 'leave',
    })
    expect(given.status).toBe(201)
    expect(await voters()).toEqual([
      { person: 'cfo@example.com', voted: false, deputies: ['pat@example.com'] },
    ])
    const revoked = await cfo.post(`/v1/delegations/${given.body.id}/revocation`, { reason: 'back' })
    expect(revoked.status).toBe(201)
    expect(await voters()).toEqual([{ person: 'cfo@example.com', voted: false, deputies: [] }])
  })

  test('says who has voted', async () => {
    const { approval } = await decided(611)
    const { digest } = (await cfo.get(`/v1/approvals/${approval}`)).body
    await cfo.post(`/v1/approvals/${approval}/votes`, { vote: 'reject', digest })
    const { body } = await cfo.get(`/v1/approvals/${approval}/context`)
    expect(body.voters).toEqual([{ person: 'cfo@example.com', voted: true, deputies: [] }])
  })
})

describe('what an agent did lately', () => {
  test('is counted by effect, without params', async () => {
    const { body, text: told } = await auditor.get(`/v1/agents/${agentId}/activity`)
    expect(body).toMatchObject({ agent: agentId, counts: { allow: 1, deny: 0 } })
    expect(body.recent.length).toBe(8)
    expect(told).not.toContain('amount')
    expect((await auditor.get('/v1/agents/nobody/activity')).body).toMatchObject({ of: 0, recent: [] })
    expect((await agent.get(`/v1/agents/${agentId}/activity`)).status).toBe(403)
  })
})
