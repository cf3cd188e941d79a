import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { loadPolicies } from '@bailiwick/store'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { HttpService, type Caller } from '../harness/http-service.ts'

const agentId = 'support'
const text = `agent_id: ${agentId}
allowed_actions: [issue_refund, read_page, send_mail, export]
facts:
  refund_amount: {type: number, from: params.amount, for: [issue_refund]}
  iban: {type: string, from: params.iban, for: [issue_refund]}
actions:
  issue_refund: {sensitive: [params.iban, context.customer.name]}
  read_page: {labels: [untrusted]}
  export: {obligations: [{redact: result.card}, {notify: finance}]}
rules:
  - {id: foreign, on: issue_refund, condition: "!iban.startsWith('DE')", effect: deny}
escalation_rules:
  - {condition: "refund_amount > 500", action: human_approval_required}
budgets:
  - {id: daily, on: issue_refund, sum: refund_amount, window: 24h, max: 2000, action: human_approval_required}
flows:
  - {id: no-exfiltration, after: {label: untrusted}, on: send_mail, effect: deny}
`

let service: HttpService
let agent: Caller
let person: Caller

beforeAll(async () => {
  service = await HttpService.open({ text })
  agent = await service.agent(agentId)
  person = await service.person()
})
afterAll(() => service.close())

const secretIban = 'DE4711'
const secretName = 'Ada Secret'
const refund = (amount: unknown) => ({
  action: 'issue_refund',
  params: { amount, iban: secretIban },
  context: { customer: { name: secretName, tier: 'gold' } },
})
const decide = async (request: object) => (await agent.post('/v1/decisions', request)).body

describe('a session', () => {
  test('is looked back along by flows, and seen by people', async () => {
    const mail = { action: 'send_mail', params: {}, session: 'chat-1' }
    expect(await decide(mail)).toMatchObject({ effect: 'allow' })
    expect(await decide({ action: 'read_page', params: {}, session: 'chat-1' })).toMatchObject({
      effect: 'allow',
    })
    const { id, effect } = await decide(mail)
    expect(effect).toBe('deny')
    expect(await decide({ ...mail, session: 'chat-2' })).toMatchObject({ effect: 'allow' })
    expect((await person.get(`/v1/decisions/${id}`)).body).toMatchObject({ session: 'chat-1' })
    const { body } = await person.get(`/v1/decisions/${id}/explanation`)
    expect(body).toMatchObject({ session: { labels: ['untrusted'], actions: ['read_page', 'send_mail'] } })
    expect(body.changes).toContainEqual({
      change: 'nothing had happened in the session before',
      effect: 'allow',
      reason: 'Action approved',
    })
  })

  test('that is not named counts against a call that a flow speaks of', async () => {
    expect(await decide({ action: 'send_mail', params: {} })).toMatchObject({
      effect: 'deny',
      rules: [{ id: 'no-exfiltration', because: 'condition_error' }],
    })
  })

  test.each([[''], ['two words'], [7], [null]])('named %j is bad input', async (session) => {
    const answer = await agent.post('/v1/decisions', { action: 'send_mail', params: {}, session })
    expect(answer).toMatchObject({ status: 400, body: { type: 'urn:bailiwick:problem:bad_input' } })
  })
})

describe('obligations', () => {
  test('come with what is allowed to a caller that carries them out, and stay in the record', async () => {
    const { id, effect, obligations } = await decide({ action: 'export', params: {}, supports: ['redact'] })
    expect({ effect, obligations }).toEqual({
      effect: 'allow',
      obligations: [
        { kind: 'redact', path: 'result.card' },
        { kind: 'notify', channel: 'finance' },
      ],
    })
    expect((await person.get(`/v1/decisions/${id}`)).body).toMatchObject({ obligations })
  })

  test('of another caller are a denial', async () => {
    const { effect, obligations } = await decide({ action: 'export', params: {} })
    expect({ effect, obligations }).toEqual({ effect: 'deny', obligations: undefined })
  })

  test.each([['redact'], [[7]], [Array.from({ length: 21 }, () => 'redact')]])(
    'supports of %j is bad input',
    async (supports) => {
      const answer = await agent.post('/v1/decisions', { action: 'export', params: {}, supports })
      expect(answer.status).toBe(400)
    },
  )
})

describe('what the policy calls sensitive', () => {
  test('is masked for people in decisions and approvals, and not for the agent that sent it', async () => {
    const { id, approval } = await decide(refund(700))
    const addresses = [
      `/v1/decisions/${id}`,
      '/v1/decisions',
      '/v1/approvals',
      `/v1/approvals/${approval.id}`,
      `/v1/approvals/${approval.id}?wait=0`,
      `/v1/decisions/${id}/explanation`,
    ]
    for (const address of addresses) {
      const seen = (await person.get(address)).text
      expect(seen, address).toContain('•••')
      expect(seen, address).not.toContain(secretIban)
      expect(seen, address).not.toContain(secretName)
      if (!address.endsWith('explanation')) expect((await agent.get(address)).text).toContain(secretIban)
    }
    const { body } = await person.get(`/v1/decisions/${id}`)
    expect(body.params).toEqual({ amount: 700, iban: '•••' })
    expect(body.context).toEqual({ customer: { name: '•••', tier: 'gold' } })
    const voted = await person.vote(approval.id, { vote: 'reject' })
    expect(voted.status).toBe(201)
    expect(voted.text).not.toContain(secretIban)
  })
})

describe('GET /v1/decisions/{id}/explanation', () => {
  test('tells rules with their parts, facts with whose word they are, budgets and what would change it', async () => {
    const { id } = await decide(refund(600))
    const { status, body } = await person.get(`/v1/decisions/${id}/explanation`)
    expect(status).toBe(200)
    expect(body).toMatchObject({ decision: id, same: true, differences: [], effect: 'escalate' })
    expect(body.rules).toContainEqual(
      expect.objectContaining({
        id: 'escalation_rules[0]',
        because: 'matched',
        parts: [
          {
            text: 'refund_amount > 500',
            value: 'true',
            error: null,
            parts: [{ text: 'refund_amount', value: '600', error: null, parts: [] }],
          },
        ],
      }),
    )
    expect(body.rules).toContainEqual(expect.objectContaining({ id: 'foreign', because: 'not_matched' }))
    expect(body.facts).toContainEqual(
      expect.objectContaining({ name: 'refund_amount', value: '600', source: 'params' }),
    )
    expect(body.counters).toContainEqual(
      expect.objectContaining({ id: 'daily', used: 0, amount: 600, max: 2000 }),
    )
    expect(body.changes).toContainEqual({
      change: 'refund_amount were 500',
      effect: 'allow',
      reason: 'Action approved',
    })
  })

  test('is by what was known when the call was decided, not by what is known now', async () => {
    const first = await decide(refund(300))
    const second = await decide(refund(200))
    expect(second.effect).toBe('allow')
    const used = async ({ id }: { id: string }): Promise<number> =>
      (await person.get(`/v1/decisions/${id}/explanation`)).body.counters[0].used
    const before = await used(first)
    expect(await used(second)).toBe(before + 300)
    await decide(refund(100))
    expect(await used(first)).toBe(before)
  })

  test('is the agent’s own to see, and no other agent’s', async () => {
    const { id } = await decide(refund(1))
    expect((await agent.get(`/v1/decisions/${id}/explanation`)).status).toBe(200)
    const other = await service.agent('somebody-else')
    const refused = await other.get(`/v1/decisions/${id}/explanation`)
    expect(refused).toMatchObject({ status: 404, body: { type: 'urn:bailiwick:problem:not_found' } })
    expect(refused.body.detail).toBe(
      (await other.get('/v1/decisions/dec_99999/explanation')).body.detail.replace('dec_99999', id),
    )
  })

  test.each(['dec_99999', 'dec_0', 'apr_1', 'x'])('of %s there is none', async (id) => {
    expect((await person.get(`/v1/decisions/${id}/explanation`)).status).toBe(404)
  })

  test('of a call without a policy, or a malformed one, is its reasons', async () => {
    const stranger = await service.agent('stranger')
    const { body: lost } = await stranger.post('/v1/decisions', { action: 'x', params: {} })
    expect((await person.get(`/v1/decisions/${lost.id}/explanation`)).body).toMatchObject({
      same: true,
      code: 'no_policy',
      rules: [],
    })
    const raw = '{"action":"issue_refund","params":{"amount":1e999}}'
    const { body: malformed } = await agent.send('POST', '/v1/decisions', { raw })
    expect((await person.get(`/v1/decisions/${malformed.id}/explanation`)).body).toMatchObject({
      same: true,
      code: 'malformed_call',
      rules: [],
    })
  })

  test('says so where the decision does not come out as it was recorded', async () => {
    const { id, record } = await decide(refund(1))
    const change = (from: string, to: string) =>
      service.ledger.pool.query('update log_batch set records = replace(records, $2, $3) where first = $1', [
        record.index,
        from,
        to,
      ])
    await change('Action approved', 'Action welcomed')
    expect((await person.get(`/v1/decisions/${id}/explanation`)).body).toMatchObject({
      same: false,
      differences: ['reasons'],
      effect: 'allow',
    })
    await change('Action welcomed', 'Action approved')
  })

  test('is gone where the payload was erased, and the decision itself can still be seen', async () => {
    const { id, record } = await decide(refund(600))
    await service.ledger.pool.query(
      `update log_batch set bodies = '', erased = array[first] where first = $1`,
      [record.index],
    )
    for (const caller of [agent, person]) {
      expect(await caller.get(`/v1/decisions/${id}/explanation`)).toMatchObject({
        status: 410,
        body: {
          type: 'urn:bailiwick:problem:erased',
          detail: `the payload of ${id} has been erased`,
        },
      })
      expect((await caller.get(`/v1/decisions/${id}`)).body).toMatchObject({ id, params: null })
    }
  })
})

describe('after the policy has changed', () => {
  let later: HttpService
  let id: string
  let seer: Caller
  beforeEach(async () => {
    later = await HttpService.open({ text })
    const laterAgent = await later.agent(agentId)
    seer = await later.person()
    ;({ id } = (await laterAgent.post('/v1/decisions', refund(600))).body)
  })
  afterEach(() => later.close())

  test('sensitive is what the old one or the new one calls so, and the old one is what explains', async () => {
    const changed = text
      .replace('params.iban, context.customer.name', 'params.amount, context.customer.tier')
      .replace('> 500', '> 100')
    await writeFile(join(later.policies, 'support.yaml'), changed)
    // What a restart of the service would load.
    Object.assign(later.ledger, { policies: await loadPolicies(later.policies) })
    const seen = await seer.get(`/v1/decisions/${id}`)
    expect(seen.body).toMatchObject({
      params: { amount: '•••', iban: '•••' },
      context: { customer: { name: '•••', tier: '•••' } },
    })
    const explained = await seer.get(`/v1/decisions/${id}/explanation`)
    expect(explained.body).toMatchObject({ same: true })
    expect(explained.text).toContain('refund_amount > 500')
    expect(explained.text).not.toContain('600')
    expect(explained.body.counters).toMatchObject([{ id: 'daily', used: null, amount: null, masked: true }])
  })

  test('everything is sensitive where the old one has been erased, and nothing can be explained', async () => {
    await later.ledger.pool.query(
      `update log_batch set bodies = '', erased = array[first]
      where first in (select first from log_term where term = 'kind=policy')`,
    )
    Object.assign(later.ledger, { policies: { all: [], warnings: [], for: () => undefined } })
    expect((await seer.get(`/v1/decisions/${id}`)).body).toMatchObject({
      params: { amount: '•••', iban: '•••' },
      context: { customer: '•••' },
    })
    expect((await seer.get(`/v1/decisions/${id}/explanation`)).status).toBe(410)
  })
})
