import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseRecord, type LogRecord } from '@bailiwick/core'
import { expectRefused, HttpService, type Caller } from '../harness/http-service.ts'
import { agentId } from '../harness/policies.ts'

let service: HttpService
let agent: Caller
let operator: Caller

beforeAll(async () => {
  service = await HttpService.open()
  agent = await service.agent()
  operator = await service.person('op@example.com', ['operator'])
})
afterAll(() => service.close())

const suspension = (id: string) => `/v1/agents/${encodeURIComponent(id)}/suspension`
const call = { action: 'issue_refund', params: { amount: 20 } }
const suspend = { state: 'suspended', reason: 'odd refunds' }
const resume = { state: 'active', reason: 'looked into' }

async function recorded(): Promise<LogRecord[]> {
  const { rows } = await service.ledger.pool.query<{ record: string }>(
    'select record from log_entry order by index',
  )
  return rows.map(({ record }) => parseRecord(record))
}

describe('suspending an agent', () => {
  test('denies its next call, is seen in the list, and ends when it is resumed', async () => {
    const made = await operator.post(suspension(agentId), suspend)
    expect(made).toMatchObject({ status: 201, body: { agent: agentId, state: 'suspended' } })
    expect((await agent.post('/v1/decisions', call)).body).toMatchObject({
      effect: 'deny',
      reasons: ['The agent is suspended: odd refunds'],
    })
    const { body } = await operator.get('/v1/agents')
    expect(body.agents.find((each: { agent: string }) => each.agent === agentId)).toMatchObject({
      keys: 1,
      policy: { sha256: expect.any(String) as string },
      suspension: { reason: 'odd refunds', by: 'op@example.com' },
    })
    expect((await operator.post(suspension(agentId), suspend)).body.record).toEqual({ index: null })
    await operator.post(suspension(agentId), resume)
    expect((await agent.post('/v1/decisions', call)).body.effect).toBe('allow')
  })

  test('all agents at once is one request', async () => {
    await operator.post(suspension('*'), suspend)
    expect((await agent.post('/v1/decisions', call)).body.effect).toBe('deny')
    const { body } = await operator.get('/v1/agents')
    expect(body.agents[0]).toMatchObject({ agent: '*', keys: 0, policy: null })
    await operator.post(suspension('*'), resume)
    expect((await agent.post('/v1/decisions', call)).body.effect).toBe('allow')
  })

  test('takes a role: approvers are refused, as are agents and strangers', async () => {
    const approver = await service.person('ann@example.com', ['approver'])
    await expectRefused(service, () => approver.post(suspension(agentId), suspend), 403, 'not_permitted')
    await expectRefused(service, () => agent.post(suspension(agentId), resume), 403, 'not_permitted')
    await expectRefused(service, () => agent.get('/v1/agents'), 403, 'not_permitted')
    await expectRefused(
      service,
      () => service.anyone.post(suspension(agentId), suspend),
      401,
      'not_authenticated',
    )
    const elsewhere = { headers: { origin: 'https://evil.example' } }
    await expectRefused(
      service,
      () => operator.post(suspension(agentId), suspend, elsewhere),
      403,
      'not_permitted',
    )
  })

  test.each([
    ['no reason', { state: 'suspended' }],
    ['an empty reason', { state: 'suspended', reason: '' }],
    ['white space for a reason', { state: 'suspended', reason: '  ' }],
    ['another state', { state: 'deleted', reason: 'x' }],
    ['an unknown field', { ...suspend, until: 'tomorrow' }],
  ])('%s is refused', async (_what, body) => {
    await expectRefused(service, () => operator.post(suspension(agentId), body), 400, 'bad_input')
  })
})

describe('what people look at', () => {
  test('is recorded with who and which, once for a view that stays open, and again later', async () => {
    const { body: decision } = await agent.post('/v1/decisions', call)
    const ann = await service.person('ann@example.com')
    const path = `/v1/decisions/${decision.id}`
    const read = async () =>
      (await recorded()).filter((record) => record.kind === 'read' && record.what === 'decision')
    await ann.get(path)
    await ann.get(path)
    expect(await read()).toMatchObject([{ person: 'ann@example.com', records: [decision.record.index] }])
    service.clock.aheadMs = 10 * 60_000
    await ann.get(path)
    service.clock.aheadMs = 0
    expect(await read()).toHaveLength(2)
    // Another person's look is another record.
    await operator.get(path)
    expect(await read()).toHaveLength(3)
  })

  test('a search is recorded with what was searched for, in the payload, because it may name anybody', async () => {
    const ann = await service.person('ann@example.com')
    await ann.get(`/v1/decisions?agent=${agentId}&limit=2`)
    const last = (await recorded()).at(-1)
    expect(last).toMatchObject({ kind: 'read', what: 'search', person: 'ann@example.com' })
    expect(last?.kind === 'read' && last.records).toHaveLength(2)
    const { rows } = await service.ledger.pool.query<{ body: string }>(
      'select body from log_entry where index = $1',
      [last?.index],
    )
    expect(JSON.parse(rows[0]?.body ?? '')).toEqual({ filter: { agent: agentId }, reason: null })
  })

  test('what an agent looks at of its own is not', async () => {
    const { body } = await agent.post('/v1/decisions', call)
    const before = await service.logSize()
    await agent.get(`/v1/decisions/${body.id}`)
    await agent.get('/v1/decisions')
    expect(await service.logSize()).toBe(before)
  })

  test('is masked and shown also while the log takes nothing, and the log of the service says so', async () => {
    const { body } = await agent.post('/v1/decisions', call)
    const ann = await service.person('eve@example.com')
    await service.ledger.pool.query('alter table ledger_head rename to away')
    try {
      expect((await ann.get(`/v1/decisions/${body.id}`)).status).toBe(200)
    } finally {
      await service.ledger.pool.query('alter table away rename to ledger_head')
    }
    expect(service.lines.at(-1)).toMatch(
      /^reading: eve@example\.com is shown 1 records?, which cannot be recorded/,
    )
    expect((await agent.post('/v1/decisions', call)).body.effect).toBe('allow')
  })
})

describe('who may use the service', () => {
  test('a person who is removed is out at once, with every session, and the log keeps it', async () => {
    const leaver = await service.person('leaver@example.com')
    await service.access.removePerson('leaver@example.com')
    await expectRefused(service, () => leaver.get('/v1/session'), 401, 'not_authenticated')
    expect((await service.access.people()).map(({ id }) => id)).not.toContain('leaver@example.com')
    expect((await recorded()).at(-1)).toMatchObject({
      event: 'person_removed',
      subject: 'leaver@example.com',
    })
  })

  test('ending the sessions of a person signs out everywhere and voids links, and changes no role', async () => {
    const person = await service.person('two@example.com')
    const token = await service.signInToken('two@example.com')
    await service.access.endSessions('two@example.com')
    await expectRefused(service, () => person.get('/v1/session'), 401, 'not_authenticated')
    await expectRefused(
      service,
      () => service.anyone.post('/v1/session', { token }),
      401,
      'not_authenticated',
    )
    expect((await recorded()).at(-1)).toMatchObject({ event: 'sessions_revoked', subject: 'two@example.com' })
  })

  test('a change of roles is recorded as one, and signing out is recorded', async () => {
    const person = await service.person('three@example.com', ['viewer'])
    await service.access.setPerson('three@example.com', ['approver', 'auditor'])
    expect((await recorded()).at(-1)).toMatchObject({
      event: 'roles_changed',
      grants: ['approver', 'auditor'],
    })
    expect((await person.send('DELETE', '/v1/session')).status, 'its session has ended').toBe(401)
    const again = await service.person('three@example.com', ['approver', 'auditor'])
    await again.send('DELETE', '/v1/session')
    expect((await recorded()).at(-1)).toMatchObject({ event: 'signed_out', subject: 'three@example.com' })
  })

  test('of changes to one person that are asked for at once, the last one recorded stands', async () => {
    const sets = Array.from({ length: 12 }, (_, at) =>
      service.access.setPerson('race@example.com', [`r${at}`]),
    )
    await Promise.all(sets)
    const last = (await recorded())
      .filter((record) => record.kind === 'access' && record.subject === 'race@example.com')
      .at(-1)
    const person = (await service.access.people()).find(({ id }) => id === 'race@example.com')
    expect(last?.kind === 'access' && last.grants).toEqual(person?.roles)
  })
})
