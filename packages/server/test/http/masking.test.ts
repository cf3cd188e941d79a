import { noticesOf, parseRecord, slackBody, webhookBody } from '@bailiwick/core'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { cli } from '../cli/run-cli.ts'
import { everyGet, hearOfApproval, listen, unansweredChannels } from '../harness/every-get.ts'
import { HttpService, type Answer, type Caller } from '../harness/http-service.ts'

const agentId = 'support'
const links = { consoleUrl: 'http://console.test' }
const text = `agent_id: ${agentId}
allowed_actions: [pay, lend, refuse, "x*"]
facts:
  iban: {type: string, from: params.iban, for: [pay], default: ""}
  owner: {type: string, from: context.customer.name, for: [pay], default: ""}
actions:
  pay:
    sensitive: [params.iban, params.card, params.payees.iban, context.customer.name]
    obligations: [{redact: result.card}, {notify: finance}]
    params:
      type: object
      additionalProperties: false
      properties:
        amount: {type: number}
        iban: {type: string, maxLength: 40}
        card:
          type: object
          additionalProperties: false
          properties: {number: {type: string, pattern: "^[0-9]+$"}}
        payees: {type: array, items: {type: object, properties: {iban: {type: string}}}}
  lend: {sensitive: [params.note], when: "timestamp(params.note) < now"}
rules:
  - {id: own, on: pay, condition: "iban == 'DE1' || owner.startsWith('Zed')", effect: deny}
  - {id: every, on: pay, condition: "has(params.payees) && params.payees.exists(p, p.iban.endsWith('9'))", effect: deny}
  - {id: bound, on: pay, condition: "cel.bind(x, params.iban, x == 'DE3')", effect: deny}
  - {id: by-name, on: pay, condition: "params['iban'] == 'DE2'", effect: deny}
  - {id: wrong-type, on: lend, condition: "int(params.note) > 5", effect: deny}
escalation_rules:
  - {condition: "params.amount > 500", action: human_approval_required}
budgets:
  - {id: by-owner, on: pay, count: true, per: [context.customer.name], window: 24h, max: 1000, effect: deny}
  - {id: by-iban, on: pay, sum: params.amount, per: [params.iban], window: 24h, max: 100000, effect: deny}
`

/** Stands in every sensitive place, and nowhere else. */
const canary = 'canary7c1d'

let service: HttpService
let agent: Caller
let seers: readonly Caller[]

beforeAll(async () => {
  service = await HttpService.open({ text }, unansweredChannels)
  agent = await service.agent(agentId)
  seers = [
    await service.person('pat@example.com', ['approver']),
    await service.person('root@example.com', ['administrator', 'approver', 'auditor', 'operator']),
  ]
})
afterEach(() => vi.unstubAllEnvs())
afterAll(() => service.close())

const calls: readonly (readonly [string, object])[] = [
  ['that is allowed', pay({ amount: 1, iban: canary, card: { number: '4' } })],
  ['that is escalated', pay({ amount: 600, iban: canary, payees: [{ iban: canary }] })],
  [
    'that is denied for it',
    pay({ amount: 600, iban: canary, payees: [{ iban: canary }, { iban: `${canary}9` }] }),
  ],
  ['that no rule can judge', pay({ amount: 600, iban: canary, payees: [{}] })],
  ['whose sensitive part has another shape', pay({ amount: 1, payees: canary })],
  ['with a list where a map should be', pay({ amount: 1, card: [canary], payees: [[canary]] })],
  ['with unknown names below something sensitive', pay({ card: { [canary]: 1, number: canary } })],
  ['that is malformed', pay({ card: { [canary]: { [canary]: '\ud800' } } })],
  ['whose customer is a text', { action: 'pay', params: { amount: 1 }, context: { customer: canary } }],
  ['whose condition fails on it', { action: 'lend', params: { note: canary } }],
]

const effects: Readonly<Record<string, string>> = {
  'that is allowed': 'allow',
  'that is escalated': 'escalate',
  'that is denied for it': 'deny',
}

/** Stands where nothing is sensitive by the policy, and where nobody could erase it from a record. */
const strangeName = 'strange51f2'
const strange: readonly (readonly [string, object])[] = [
  ['with unknown names that are no names of parameters', pay({ [`${strangeName}@example.com`]: 1 })],
  ['with a name that is somebody’s', pay({ [`Ms ${strangeName}`]: { a: 1 } })],
  ['of which the malformed member is named', pay({ [`Ms ${strangeName}`]: '\ud800' })],
]

function pay(params: object): object {
  return { action: 'pay', params, context: { customer: { name: canary } }, supports: ['redact'] }
}

async function decided(call: object): Promise<{ id: string; approval?: string; answer: Answer }> {
  const answer = await agent.post('/v1/decisions', call)
  expect(answer.status).toBe(200)
  return { id: answer.body.id, approval: answer.body.approval?.id, answer }
}

describe('a sensitive value', () => {
  test.each(calls)('of a call %s is seen by no person, wherever they look', async (what, call) => {
    const { id, approval, answer } = await decided(call)
    if (what in effects) expect(answer.body.effect).toBe(effects[what])
    const explained = `/v1/decisions/${id}/explanation`
    const places = [`/v1/decisions/${id}`, explained, '/v1/decisions', '/v1/approvals']
    if (approval !== undefined) places.push(`/v1/approvals/${approval}`)
    for (const seer of seers) {
      for (const place of places) {
        const { status, text: told } = await seer.get(place)
        expect(status, place).toBe(200)
        expect(told, place).not.toContain(canary)
      }
    }
    if (approval === undefined) return
    const vote = await seers[0]?.vote(approval, { vote: 'approve' })
    expect(vote?.text).not.toContain(canary)
  })

  test.each([...calls, ...strange])(
    'of a call %s stays out of the record, which is never erased',
    async (_, call) => {
      const { id } = await decided(call)
      const { rows } = await service.ledger.pool.query<{ record: string; body: string | null }>(
        'select record, body from log_entry where index = $1',
        [id.slice('dec_'.length)],
      )
      expect(rows[0]?.record).not.toContain(canary)
      expect(rows[0]?.record).not.toContain(strangeName)
    },
  )

  test('is what its agent sees all the same', async () => {
    const { id } = await decided(pay({ amount: 1, iban: canary }))
    expect((await agent.get(`/v1/decisions/${id}`)).body.params).toEqual({ amount: 1, iban: canary })
  })

  test('is in no table but that of payloads', async () => {
    await decided(pay({ amount: 1, iban: canary }))
    const { rows } = await service.ledger.pool.query<{ name: string }>(
      `select table_name as name from information_schema.tables
      where table_schema = 'bailiwick' and table_type = 'BASE TABLE'`,
    )
    const holding: string[] = []
    for (const { name } of rows) {
      const found = await service.ledger.pool.query(
        `select 1 from ${name} t where strpos(t::text, $1) > 0 limit 1`,
        [canary],
      )
      if (found.rows.length > 0) holding.push(name)
    }
    // And in its partition.
    expect(holding.filter((name) => !name.startsWith('log_batch'))).toEqual([])
    expect(holding).toContain('log_batch')
  })

  test('is in no notice, and in no message that is made of one', async () => {
    const { rows } = await service.ledger.pool.query<{ record: string }>('select record from log_entry')
    const told = rows.flatMap(({ record }) => noticesOf(parseRecord(record)))
    expect(new Set(told.map(({ kind }) => kind)).size).toBeGreaterThan(2)
    const bodies = told.map((notice) =>
      JSON.stringify([notice, webhookBody(notice, links), slackBody(notice, links)]),
    )
    expect(bodies.filter((body) => body.includes(canary))).toEqual([])
  })

  test('is in no line of the service’s log, and in no problem that is told to a person', async () => {
    for (const seer of seers) {
      for (const path of [
        '/v1/decisions?agent=a%00',
        `/v1/decisions/dec_${'9'.repeat(9)}`,
        '/v1/approvals?x=1',
      ]) {
        expect((await seer.get(path)).text).not.toContain(canary)
      }
    }
    expect(service.lines.join('\n')).not.toContain(canary)
  })

  test('is in no answer of any endpoint that a person may GET, and in no stream, tile or proof', async () => {
    const escalated = pay({ amount: 600, iban: canary, payees: [{ iban: canary }] })
    const { id: decision, approval = '' } = await decided(escalated)
    const paths = await everyGet(service, { agent: agentId, decision, approval }, 'pat@example.com')
    expect(paths.length).toBeGreaterThan(30)
    for (const seer of seers) {
      for (const { path } of paths) {
        if (path.endsWith('/events')) continue
        const { text: told } = await seer.get(path)
        expect(told, path).not.toContain(canary)
      }
      const stream = `/v1/approvals/${approval}/events`
      expect(await listen(service, seer, stream, (heard) => heard.includes('event: '))).not.toContain(canary)
      const heard = await hearOfApproval(service, seer, () => agent.post('/v1/decisions', escalated))
      expect(heard).not.toContain(canary)
    }
    // The entries were there to be seen: each holds the record of the decision.
    const entries = paths.find(({ route }) => route.path === '/log/tile/entries/{path}')
    expect((await seers[0]?.get(entries?.path ?? ''))?.text).toContain(decision)
  })

  const env = () => {
    vi.stubEnv('BAILIWICK_ALLOW_UNSAFE', '1') // The tests' server does not sync.
    return { DATABASE_URL: service.database.url }
  }
  const run = (...args: readonly string[]) => cli([...args, '--data', service.dir], env())

  test('is in nothing that the command line tells of a recorded decision', async () => {
    for (const [at, [, call]] of calls.entries()) {
      const { id } = await decided(call)
      for (const more of at < 2 ? [[], ['--json']] : [['--json']]) {
        const { out, err } = await run('explain', id, ...more)
        expect(out, err).not.toBe('')
        expect(out + err).not.toContain(canary)
      }
    }
  })

  test('is in nothing that the command line finds or proves, and searching for it finds nothing', async () => {
    const { id } = await decided(pay({ amount: 3, iban: canary, card: { number: canary } }))
    const found = await run('log', 'search', '--json', '--limit', '1000')
    expect(found).toMatchObject({ code: 0, err: '' })
    expect(found.out).toContain(`"id":"${id}"`)
    expect(found.out).toContain('"amount":3')
    expect(found.out).not.toContain(canary)
    expect((await run('log', 'search', '--text', canary)).out).toBe('Nothing was found.\n')
    // Nor does it show what somebody with a reason looked for.
    const revealed = await run(
      'log',
      'search',
      '--text',
      canary,
      '--limit',
      '1',
      '--unmasked',
      '--reason',
      'a',
    )
    expect(revealed).toMatchObject({ code: 0, err: '' })
    const { out } = await run('log', 'search', '--json', '--text', '"what":"reveal"')
    expect(out).toContain('"filter":"•••"')
    expect(out).not.toContain(canary)
    expect((await run('log', 'prove', id)).out).not.toContain(canary)
  })

  test('of a call that no policy decided is masked by the one that binds its agent now', async () => {
    const policies = service.ledger.policies
    try {
      Object.assign(service.ledger, { policies: { ...policies, for: () => undefined } })
      const { id } = await decided(pay({ amount: 1, iban: canary }))
      Object.assign(service.ledger, { policies })
      for (const seer of seers) expect((await seer.get(`/v1/decisions/${id}`)).text).not.toContain(canary)
    } finally {
      Object.assign(service.ledger, { policies })
    }
  })
})
