import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { expectRefused, HttpService, type Caller } from '../harness/http-service.ts'
import { agentId } from '../harness/policies.ts'

const text = `
agent_id: ${agentId}
allowed_actions: [issue_refund]
subject: params.customer
`
const reason = 'request 22'

let service: HttpService
let agent: Caller
let administrator: Caller

beforeAll(async () => {
  service = await HttpService.open({ text })
  agent = await service.agent()
  administrator = await service.person('root@example.com', ['administrator'])
})
afterAll(() => service.close())

const refund = async (customer: string | number) =>
  (await agent.post('/v1/decisions', { action: 'issue_refund', params: { customer } })).body.id as string

describe('POST /v1/erasures', () => {
  test('erases a call for an administrator, and the record bears the name', async () => {
    const id = await refund('cu-1')
    const { status, body } = await administrator.post('/v1/erasures', { decision: id, reason })
    const index = Number(id.slice('dec_'.length))
    expect({ status, body }).toMatchObject({ status: 201, body: { erased: [index], before: 0 } })
    expect((await agent.get(`/v1/decisions/${id}`)).body).toMatchObject({ params: null, erased: true })
    const { rows } = await service.ledger.pool.query('select record from log_entry where index = $1', [
      body.recordedAs[0],
    ])
    expect(JSON.parse(rows[0].record)).toMatchObject({ kind: 'erasure', by: 'root@example.com' })
    expect(rows[0].record).not.toContain(reason)
  })

  test('erases all of a person, and a dry run says what it would be', async () => {
    const ids = [await refund('cu-2'), await refund('cu-3'), await refund('cu-2')]
    const indices = ids.map((id) => Number(id.slice('dec_'.length)))
    const dry = await administrator.post('/v1/erasures', { subject: 'cu-2', reason, dryRun: true })
    const size = await service.logSize()
    expect(dry.body).toMatchObject({ erased: [indices[0], indices[2]], recordedAs: [] })
    const { body } = await administrator.post('/v1/erasures', { subject: 'cu-2', reason })
    expect(body.erased).toEqual(dry.body.erased)
    expect(await service.logSize()).toBe(size + 1)
    expect((await agent.get(`/v1/decisions/${ids[1] ?? ''}`)).body.params).toEqual({ customer: 'cu-3' })
  })

  test.each([
    ['an agent', () => agent],
    ['an approver', () => service.person('pat@example.com', ['approver'])],
    ['an auditor', () => service.person('aud@example.com', ['auditor'])],
  ])('is not for %s', async (_, caller) => {
    const id = await refund('cu-4')
    const who = await caller()
    const send = () => who.post('/v1/erasures', { decision: id, reason })
    await expectRefused(service, send, 403, 'not_permitted')
    expect((await agent.get(`/v1/decisions/${id}`)).body.params).toEqual({ customer: 'cu-4' })
  })

  test.each([
    [{ reason }],
    [{ decision: 'dec_1', subject: 'x', reason }],
    [{ decision: 'dec_1' }],
    [{ decision: 'dec_1', reason: ' ' }],
    [{ subject: true, reason }],
    [{ subject: '', reason }],
    [{ decision: 'dec_1', reason, all: true }],
  ])('refuses %j', async (sent) => {
    await expectRefused(service, () => administrator.post('/v1/erasures', sent), 400, 'bad_input')
  })

  test('says so where there is no such decision, and refuses while a legal hold stands', async () => {
    const id = await refund('cu-5')
    const send = (decision: string) => () => administrator.post('/v1/erasures', { decision, reason })
    await expectRefused(service, send('dec_9999'), 404, 'not_found')
    await service.ledger.changeHold({ hold: 'case-1', event: 'placed', reason: 'a case', by: 'operator' })
    await expectRefused(service, send(id), 409, 'conflict')
    await service.ledger.changeHold({ hold: 'case-1', event: 'lifted', reason: 'a case', by: 'operator' })
    expect((await send(id)()).status).toBe(201)
  })

  test('leaves an approval that nobody can vote on, and says why', async () => {
    const waiting = await HttpService.open()
    try {
      const asking = await waiting.agent()
      const pat = await waiting.person('pat@example.com', ['approver', 'administrator'])
      const { body } = await asking.post('/v1/decisions', { action: 'issue_refund', params: { amount: 600 } })
      await pat.post('/v1/erasures', { decision: body.id, reason })
      const approval = `/v1/approvals/${body.approval.id}`
      expect((await pat.get(approval)).body).toMatchObject({ erased: true, mayVote: false, params: null })
      await expectRefused(waiting, () => pat.vote(body.approval.id, { vote: 'approve' }), 410, 'erased')
    } finally {
      await waiting.close()
    }
  })
})
