import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { expectRefused, HttpService, type Caller } from '../harness/http-service.ts'

let service: HttpService
let agent: Caller
let pat: Caller

beforeAll(async () => {
  service = await HttpService.open()
  agent = await service.agent()
  pat = await service.person()
})
afterAll(() => service.close())

const refund = { action: 'issue_refund', params: { amount: 600 } }
const approvals = (id: string) => `/v1/approvals/${id}`

async function waiting(more: object = {}): Promise<string> {
  const { body } = await agent.post('/v1/decisions', { ...refund, ...more })
  return body.approval.id
}

describe('a client that says it was approved', () => {
  test.each([
    { approved: true },
    { approval: { status: 'approved' } },
    { effect: 'allow' },
    { votes: [{ person: 'pat@example.com', vote: 'approve' }] },
  ])('in a field of its own, %j, is refused', async (more) => {
    await expectRefused(service, () => agent.post('/v1/decisions', { ...refund, ...more }), 400, 'bad_input')
  })

  test.each([
    { context: { approved: true, approval: { status: 'approved' } } },
    { params: { amount: 600, approved: true, approvalId: 'apr_1' } },
  ])('where anything may stand, %j, waits for people all the same', async (more) => {
    expect((await agent.post('/v1/decisions', { ...refund, ...more })).body.effect).toBe('escalate')
  })

  test('by naming an approval that waits still is denied, and the approval waits on', async () => {
    const id = await waiting()
    const { body } = await agent.post('/v1/decisions', { ...refund, approvalId: id })
    expect(body).toMatchObject({ effect: 'deny', reasons: [`Approval ${id} is still waiting for people`] })
    expect((await pat.get(approvals(id))).body.status).toBe('pending')
  })
})

describe('a vote names what it is for', () => {
  test('without a digest it is bad input, and with another one a conflict', async () => {
    const id = await waiting()
    const post = (json: object) => () => pat.post(`${approvals(id)}/votes`, json)
    await expectRefused(service, post({ vote: 'approve' }), 400, 'bad_input')
    await expectRefused(service, post({ vote: 'approve', digest: 'A'.repeat(64) }), 400, 'bad_input')
    await expectRefused(service, post({ vote: 'approve', digest: 'a'.repeat(64) }), 409, 'conflict')
    const { body } = await pat.get(approvals(id))
    expect((await post({ vote: 'approve', digest: body.digest })()).body.status).toBe('approved')
  })

  test('an approval that asks for consent takes no acknowledgement', async () => {
    const id = await waiting()
    await expectRefused(service, () => pat.vote(id, { vote: 'acknowledge' }), 409, 'conflict')
  })

  test('who stands behind the call is told that somebody else has to answer', async () => {
    const id = await waiting({ context: { principal: 'pat@example.com' } })
    const { body } = await expectRefused(
      service,
      () => pat.vote(id, { vote: 'approve' }),
      403,
      'not_permitted',
    )
    expect(body.fix).toBe('Somebody else has to answer it.')
  })
})

describe('several votes in one request', () => {
  const ballot = async (approval: string) => ({
    approval,
    vote: 'approve',
    digest: (await pat.get(approvals(approval))).body.digest,
  })

  test('are votes of their own: each on its digest, each with its answer', async () => {
    const ids = await Promise.all(Array.from({ length: 12 }, () => waiting()))
    const votes = await Promise.all(ids.map(ballot))
    const { status, body } = await pat.post('/v1/votes', { votes })
    expect(status).toBe(200)
    expect(body.votes).toEqual(ids.map((approval) => ({ approval, status: 'approved' })))
    for (const id of ids) {
      expect((await pat.get(approvals(id))).body.votes).toMatchObject([{ person: 'pat@example.com' }])
    }
  })

  test('what is wrong with one keeps no other from counting, and gives it nothing', async () => {
    const [right, wrong, twice] = [await waiting(), await waiting(), await waiting()]
    const [one, two, three] = [await ballot(right), await ballot(wrong), await ballot(twice)]
    const { body } = await pat.post('/v1/votes', {
      votes: [one, { ...two, digest: one.digest }, three, three, { ...one, approval: 'apr_99999' }],
    })
    const told = body.votes.map(({ status, type }: { status: unknown; type?: string }) => type ?? status)
    expect(told).toEqual([
      'approved',
      'urn:bailiwick:problem:conflict',
      'approved',
      'urn:bailiwick:problem:already_voted',
      'urn:bailiwick:problem:not_found',
    ])
    expect((await pat.get(approvals(wrong))).body).toMatchObject({ status: 'pending', votes: [] })
  })

  test('of which one has no digest, or of too many, none is cast', async () => {
    const one = await ballot(await waiting())
    const { digest: _left, ...bare } = one
    for (const votes of [[one, bare], [], Array.from({ length: 65 }, () => one)]) {
      await expectRefused(service, () => pat.post('/v1/votes', { votes }), 400, 'bad_input')
    }
    await expectRefused(service, () => agent.post('/v1/votes', { votes: [one] }), 403, 'not_permitted')
  })
})

describe('cancelling', () => {
  const reason = 'the order was a mistake'
  const cancel = (who: Caller, id: string, json: object = { reason }) =>
    who.post(`${approvals(id)}/cancellation`, json)

  test('by the agent that asked', async () => {
    const id = await waiting()
    const { status, body } = await cancel(agent, id)
    expect(status).toBe(201)
    expect(body).toMatchObject({ status: 'cancelled', cancelled: { by: 'agent', reason } })
    await expectRefused(service, () => cancel(agent, id), 409, 'approval_closed')
    expect((await pat.get('/v1/approvals?status=cancelled')).body.approvals).toMatchObject([{ id }])
  })

  test.each(['operator', 'administrator'])('by a person with the role %s', async (role) => {
    const person = await service.person(`${role}@example.com`, [role])
    const { body } = await cancel(person, await waiting())
    expect(body.cancelled).toMatchObject({ by: `${role}@example.com`, reason })
  })

  test('not by others', async () => {
    const id = await waiting()
    const other = await service.agent('another-agent')
    await expectRefused(service, () => cancel(pat, id), 403, 'not_permitted')
    await expectRefused(service, () => cancel(other, id), 404, 'not_found')
    await expectRefused(service, () => cancel(service.anyone, id), 401, 'not_authenticated')
    for (const json of [{}, { reason: '' }, { reason, by: 'pat@example.com' }]) {
      await expectRefused(service, () => cancel(agent, id, json), 400, 'bad_input')
    }
  })
})

describe('voting in somebody else’s stead', () => {
  const ends = new Date(Date.now() + 86_400_000).toISOString()
  const reason = 'on leave'

  test('is given, listed to those two, used and taken away over HTTP', async () => {
    const sam = await service.person('sam@example.com', ['clerk'])
    const tom = await service.person('tom@example.com', ['clerk'])
    const given = await pat.post('/v1/delegations', { to: 'sam@example.com', ends, reason })
    expect(given.status).toBe(201)
    const { id } = given.body
    for (const who of [pat, sam]) {
      expect((await who.get('/v1/delegations')).body.delegations).toMatchObject([
        { id, from: 'pat@example.com', to: 'sam@example.com', ends },
      ])
    }
    expect((await tom.get('/v1/delegations')).body.delegations).toEqual([])
    const approval = await waiting()
    const mine = { mayVote: false, mayVoteFor: ['pat@example.com'] }
    expect((await sam.get(approvals(approval))).body).toMatchObject(mine)
    expect((await sam.get('/v1/approvals?status=pending&limit=1')).body.approvals).toMatchObject([mine])
    const patsOwn = await waiting({ context: { principal: 'pat@example.com' } })
    expect((await sam.get(approvals(patsOwn))).body.mayVoteFor).toBeUndefined()
    const { body } = await sam.vote(approval, { vote: 'approve', for: 'pat@example.com' })
    expect(body).toMatchObject({
      status: 'approved',
      votes: [{ person: 'sam@example.com', for: 'pat@example.com' }],
    })
    await expectRefused(service, () => pat.vote(approval, { vote: 'approve' }), 409, 'already_voted')
    expect((await sam.post(`/v1/delegations/${id}/revocation`, { reason })).status).toBe(201)
    const later = await waiting()
    expect((await sam.get(approvals(later))).body.mayVoteFor).toBeUndefined()
    const again = () => sam.vote(later, { vote: 'approve', for: 'pat@example.com' })
    await expectRefused(service, again, 403, 'not_permitted')
  })

  test('is given only shortly after signing in: a session that was stolen or left open gives no votes away', async () => {
    const uma = await service.person('uma@example.com', ['clerk'])
    const give = () => uma.post('/v1/delegations', { to: 'sam@example.com', ends, reason })
    const before = service.clock.aheadMs
    service.clock.aheadMs += 31 * 60_000
    await expectRefused(service, give, 403, 'not_permitted')
    service.clock.aheadMs = before
    expect((await uma.get('/v1/delegations')).body.delegations).toEqual([])
    const given = await give()
    expect(given.status).toBe(201)
    expect((await uma.post(`/v1/delegations/${given.body.id}/revocation`, { reason })).status).toBe(201)
  })

  test('is not taken: nobody gives themself the votes of others', async () => {
    const eve = await service.person('eve@example.com', ['clerk'])
    const take = () =>
      eve.post('/v1/delegations', { from: 'pat@example.com', to: 'eve@example.com', ends, reason })
    await expectRefused(service, take, 403, 'not_permitted')
    const admin = await service.person('root@example.com', ['administrator'])
    const give = await admin.post('/v1/delegations', {
      from: 'pat@example.com',
      to: 'eve@example.com',
      ends,
      reason,
    })
    expect(give.status).toBe(201)
    expect((await admin.get('/v1/delegations')).body.delegations).toHaveLength(1)
    await expectRefused(service, () => agent.get('/v1/delegations'), 403, 'not_permitted')
    await expectRefused(
      service,
      () => pat.post('/v1/delegations/dlg_99999/revocation', { reason }),
      404,
      'not_found',
    )
    await admin.post(`/v1/delegations/${give.body.id}/revocation`, { reason })
  })
})
