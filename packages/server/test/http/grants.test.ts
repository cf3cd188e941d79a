import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { agentId } from '../harness/policies.ts'
import { expectRefused, HttpService, type Caller } from '../harness/http-service.ts'

const text = `agent_id: ${agentId}
allowed_actions: [pay]
actions:
  pay: { sensitive: [params.iban, context.customer.name] }
escalation_rules:
  - { condition: "params.amount > 500", action: human_approval_required }
approvals:
  human_approval_required:
    approvers: [role:lead]
    standing: { uses: 12, lasts: 8h, may_differ: { order: any, amount: up_to, iban: any } }
`

let service: HttpService
let agent: Caller
let lead: Caller
let viewer: Caller
beforeAll(async () => {
  service = await HttpService.open({ text })
  agent = await service.agent()
  lead = await service.person('lead@example.com', ['lead'])
  viewer = await service.person('viewer@example.com', ['viewer'])
})
afterAll(() => service.close())

const context = { customer: { name: 'Zed' } }
const pay = (order: number, more: object = {}) =>
  agent.post('/v1/decisions', {
    action: 'pay',
    params: { amount: 600, order, iban: `DE${order}` },
    context,
    ...more,
  })
const inMinutes = (minutes: number) => new Date(Date.now() + minutes * 60_000).toISOString()
const reason = 'enough for today'

async function opened(): Promise<string> {
  return (await pay(0)).body.approval.id
}

/** Has a lead approve a payment, with so many more like it; the grant's id. */
async function granted(uses = 3): Promise<string> {
  const id = await opened()
  const { status } = await lead.vote(id, { vote: 'approve', standing: { uses, until: inMinutes(60) } })
  expect(status).toBe(201)
  return id.replace('apr', 'grt')
}
const revoke = (who: Caller, id: string) => who.post(`/v1/grants/${id}/revoke`, { reason })

describe('a vote that grants more calls', () => {
  test('is offered with its bounds while the approval waits, and shown with it afterwards', async () => {
    const id = await opened()
    const { body } = await lead.get(`/v1/approvals/${id}`)
    expect(body.terms.standing).toEqual({
      uses: 12,
      lastsMs: 28_800_000,
      mayDiffer: [
        { how: 'up_to', param: 'amount' },
        { how: 'any', param: 'iban' },
        { how: 'any', param: 'order' },
      ],
    })
    // The latest end that is offered is one that is taken.
    const standing = { uses: 12, until: body.standingUntil as string }
    const voted = await lead.vote(id, { vote: 'approve', standing })
    expect(voted.body.votes).toMatchObject([{ person: 'lead@example.com', standing }])
    expect(voted.body.standingUntil).toBeUndefined()
    await revoke(lead, id.replace('apr', 'grt'))
  })

  test.each([
    { uses: 13, until: inMinutes(60) },
    { uses: 3, until: inMinutes(8 * 60 + 5) },
    { uses: 3, until: inMinutes(-1) },
    { uses: 0, until: inMinutes(60) },
    { uses: '3', until: inMinutes(60) },
    { uses: 3 },
    { uses: 3, until: 'later' },
    { uses: 3, until: inMinutes(60), action: '*' },
  ])('with %j is bad input', async (standing) => {
    const id = await opened()
    await expectRefused(service, () => lead.vote(id, { vote: 'approve', standing }), 400, 'bad_input')
  })

  test('is one of several as well', async () => {
    const id = await opened()
    const { digest } = (await lead.get(`/v1/approvals/${id}`)).body
    const standing = { uses: 1, until: inMinutes(60) }
    const votes = [{ approval: id, vote: 'approve', digest, standing }]
    expect((await lead.post('/v1/votes', { votes })).body.votes).toEqual([
      { approval: id, status: 'approved' },
    ])
    expect((await pay(1)).body.standing).toEqual({ grant: id.replace('apr', 'grt'), use: 1, uses: 1 })
  })
})

describe('standing grants', () => {
  test('let calls through, and are listed with what is sensitive masked', async () => {
    const id = await granted()
    const { body } = await pay(7)
    expect(body).toMatchObject({
      effect: 'allow',
      reasons: ['Action approved', `Allowed by the standing grant ${id}, use 1 of 3`],
      standing: { grant: id, use: 1, uses: 3 },
    })
    expect((await viewer.get(`/v1/decisions/${body.id}`)).body.standing).toEqual(body.standing)
    const listed = await viewer.get('/v1/grants')
    expect(listed.body.grants).toMatchObject([
      {
        id,
        agent: agentId,
        action: 'pay',
        params: { amount: 600, order: 0, iban: '•••' },
        masked: ['/params/iban', '/context/customer/name'],
        uses: 3,
        used: 1,
        by: [{ person: 'lead@example.com' }],
        mayRevoke: false,
      },
    ])
    expect(listed.text).not.toMatch(/Zed|DE0/)
    expect((await lead.get('/v1/grants')).body.grants).toMatchObject([{ id, mayRevoke: true }])
    await revoke(lead, id)
  })

  test('are explained with the people whose votes they rest on', async () => {
    const id = await granted()
    const { body } = await pay(8)
    const { standing } = (await viewer.get(`/v1/decisions/${body.id}/explanation`)).body
    expect(standing).toEqual({ grant: id, use: 1, uses: 3, by: ['lead@example.com'] })
    await revoke(lead, id)
  })

  test('are revoked by who may, with a reason, once', async () => {
    const id = await granted()
    await expectRefused(service, () => revoke(viewer, id), 403, 'not_permitted')
    await expectRefused(service, () => revoke(agent, id), 403, 'not_permitted')
    await expectRefused(service, () => revoke(service.anyone, id), 401, 'not_authenticated')
    await expectRefused(service, () => lead.post(`/v1/grants/${id}/revoke`, {}), 400, 'bad_input')
    await expectRefused(service, () => revoke(lead, 'grt_99999'), 404, 'not_found')
    await expectRefused(service, () => revoke(lead, id.replace('grt', 'apr')), 404, 'not_found')
    const operator = await service.person('olga@example.com', ['operator'])
    expect((await revoke(operator, id)).status).toBe(201)
    await expectRefused(service, () => revoke(lead, id), 409, 'conflict')
    expect((await pay(9)).body.effect).toBe('escalate')
    expect((await lead.get('/v1/grants')).body.grants).toEqual([])
  })

  test('are nothing for agents to see', async () => {
    await expectRefused(service, () => agent.get('/v1/grants'), 403, 'not_permitted')
  })
})
