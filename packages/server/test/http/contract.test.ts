import { readFile, writeFile } from 'node:fs/promises'
import { createHmac } from 'node:crypto'
import { indexOfId, type Instant } from '@bailiwick/core'
import { ChannelStore, enqueueMessages, linkSlackAccount } from '@bailiwick/store'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { totpCode, totpStep } from '../../src/identity/totp.ts'
import { describedRoutes } from '../harness/contract.ts'
import { unansweredChannels } from '../harness/every-get.ts'
import { challengeCookie, makePasskey, withCookie } from '../harness/passkeys.ts'
import { base, HttpService, type Answer, type Caller } from '../harness/http-service.ts'

const specFile = new URL('../../../../spec/openapi.json', import.meta.url)

let service: HttpService
let agent: Caller
let person: Caller

beforeAll(async () => {
  service = await HttpService.open({ standing: '{ uses: 3, lasts: 1h }' }, unansweredChannels)
  agent = await service.agent()
  person = await service.person()
})
afterAll(() => service.close())

/** Patterns of the router that stand for several addresses, and what the description has in their place. */
const patterns: Readonly<Record<string, readonly string[]>> = {
  'GET /log/tile/*': ['GET /log/tile/{level}/{path}', 'GET /log/tile/entries/{path}'],
  // The console's pages and files, which are for browsers.
  'GET /*': [],
  // Who asks is looked up once more when the body is there; this answers nothing.
  'POST /v1/*': [],
  'PUT /v1/*': [],
  'PATCH /v1/*': [],
  'DELETE /v1/*': [],
}

/** What the application answers, found from its routes rather than from what it says of itself. */
function appRoutes(): { method: string; path: string }[] {
  const found = service.app.routes
    .filter(({ method }) => method !== 'ALL')
    .map(({ method, path }) => `${method} ${path.replaceAll(/:([a-z]+)/g, '{$1}')}`)
    .flatMap((route) => patterns[route] ?? [route])
  return [...new Set(found)].sort().map((route) => {
    const [method = '', path = ''] = route.split(' ')
    return { method, path }
  })
}

/** Anyone may ask these, beside the console's files. */
const open = new Set([
  'GET /healthz',
  'GET /readyz',
  'GET /openapi.json',
  'GET /v1/log/checkpoint',
  'GET /log/checkpoint',
  'GET /log/checkpoint.cosigned',
  'GET /log/tile/{level}/{path}',
  'GET /log/verify.html',
  'GET /log/verify.js',
  'POST /v1/session',
  'GET /v1/sign-in',
  'POST /v1/session/password',
  'POST /v1/session/second-factor',
  'POST /v1/session/second-factor/passkey',
  'POST /v1/session/second-factor/passkey/options',
  'POST /v1/session/passkey',
  'POST /v1/session/passkey/options',
  'POST /v1/session/provider',
  'GET /v1/session/provider/callback',
  // These authenticate in their own ways: by a signature of Slack, and by the token in the address.
  'POST /v1/channels/slack/interactions',
  'GET /v1/channels/slack/accounts/{account}',
  'POST /v1/channels/slack/accounts/{account}',
  'GET /v1/channels/email/{token}',
  'POST /v1/channels/email/{token}',
])

describe('the description at /openapi.json', () => {
  test('names every endpoint that there is, and none that there is not', async () => {
    const { body } = await service.anyone.get('/openapi.json')
    const described = Object.entries<object>(body.paths).flatMap(([path, item]) =>
      Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
    )
    const real = appRoutes().map(({ method, path }) => `${method} ${path}`)
    expect(described.sort()).toEqual(real.filter((route) => route !== 'GET /openapi.json').sort())
    expect(described).toHaveLength(describedRoutes.length)
  })

  test('is a well-formed OpenAPI 3.1.0 document', async () => {
    const { body } = await service.anyone.get('/openapi.json')
    expect(problemsOfDocument(body)).toEqual([])
    expect(problemsOfDocument({ ...body, openapi: '3.0.0' })).toEqual(['openapi is 3.0.0'])
  })

  test('says of every endpoint whether it needs authentication, truthfully', () => {
    for (const route of describedRoutes) {
      const name = `${route.method.toUpperCase()} ${route.path}`
      expect(route.security === undefined, name).toBe(open.has(name))
      if (!open.has(name)) expect(route.responses, name).toHaveProperty('401')
    }
  })

  test('is what spec/openapi.json holds; UPDATE_SPEC=1 writes it anew', async () => {
    const { body } = await service.anyone.get('/openapi.json')
    if (process.env['UPDATE_SPEC'] === '1') await writeFile(specFile, `${JSON.stringify(body, null, 2)}\n`)
    expect(JSON.parse(await readFile(specFile, 'utf8')), 'run this test with UPDATE_SPEC=1').toEqual(body)
  })
})

/** Has a standing grant made, used, shown and revoked. */
async function standingGrant(): Promise<void> {
  const call = { action: 'issue_refund', params: { amount: 650 } }
  const { body } = await agent.post('/v1/decisions', call)
  const until = new Date(Date.now() + 1_800_000).toISOString()
  await person.vote(body.approval.id, { vote: 'approve', standing: { uses: 3, until } })
  const used = await agent.post('/v1/decisions', call)
  await person.get(`/v1/decisions/${used.body.id}/explanation`)
  const { grants } = (await person.get('/v1/grants')).body
  await person.post(`/v1/grants/${grants[0].id}/revoke`, { reason: 'enough' })
}

describe('every endpoint', () => {
  // The fixture holds each answer against its schema, to the last field; here is one good answer of each.
  test('answers as its description promises', async () => {
    const allowed = await agent.post('/v1/decisions', {
      action: 'issue_refund',
      params: { amount: 100 },
      context: { customer: { id: 'c-1' } },
      callId: 'one-of-each',
    })
    await agent.post('/v1/decisions', {
      action: 'issue_refund',
      params: { amount: 100 },
      callId: 'one-of-each',
    })
    await agent.post('/v1/decisions/batch', { calls: [{ action: 'issue_refund', params: {} }, {}] })
    await agent.post(`/v1/decisions/${allowed.body.id}/outcome`, {
      status: 'failed',
      detail: 'no such order',
      result: [1],
    })
    const waiting = await agent.post('/v1/decisions', {
      action: 'issue_refund',
      params: { amount: 600 },
      callId: 'waits',
    })
    const approval = waiting.body.approval.id as string
    await person.get('/v1/approvals?status=pending')
    await agent.get('/v1/calls/waits')
    await answersOverChannels(waiting.body.approval.id as string)
    await person.get(`/v1/approvals/${approval}`)
    await person.get(`/v1/approvals/${approval}/context`)
    await person.post(`/v1/decisions/${waiting.body.id}/reveal`, { path: '/params/amount', reason: 'to see' })
    await person.vote(approval, { vote: 'approve', comment: 'fine' })
    const again = { action: 'issue_refund', params: { amount: 600 }, callId: 'waits', approvalId: approval }
    expect((await agent.post('/v1/decisions', again)).body.effect).toBe('allow')
    await agent.get(`/v1/approvals/${approval}/events`)
    for (const caller of [agent, person]) {
      await caller.get('/v1/decisions?effect=allow&action=issue_refund&limit=1')
      await caller.get(`/v1/decisions/${allowed.body.id}`)
      await caller.get(`/v1/decisions/${allowed.body.id}/explanation`)
      await caller.get('/v1/approvals')
      await caller.get(`/v1/approvals/${approval}?wait=1`)
    }
    const withdrawn = await agent.post('/v1/decisions', { action: 'issue_refund', params: { amount: 601 } })
    await agent.post(`/v1/approvals/${withdrawn.body.approval.id}/cancellation`, { reason: 'a mistake' })
    await service.person('deputy@example.com')
    await person.post('/v1/votes', {
      votes: [{ approval: 'apr_99999', vote: 'approve', digest: '0'.repeat(64) }],
    })
    const ends = new Date(Date.now() + 86_400_000).toISOString()
    const given = await person.post('/v1/delegations', { to: 'deputy@example.com', ends, reason: 'leave' })
    await person.get('/v1/delegations')
    await person.post(`/v1/delegations/${given.body.id}/revocation`, { reason: 'back' })
    await standingGrant()
    await person.get('/v1/agents')
    await person.get('/v1/agents/customer-support-agent-v2/activity')
    const { body: inForce } = await person.get('/v1/policies')
    await person.get(`/v1/policies/${inForce.policies[0].policy.sha256}`)
    const operator = await service.person('operator@example.com', ['operator'])
    await operator.post('/v1/agents/idle-agent/suspension', { state: 'suspended', reason: 'not needed' })
    await operator.get('/v1/agents')
    await retriesOf(operator)
    await service.anyone.get('/v1/log/checkpoint')
    await service.anyone.get('/log/checkpoint')
    await service.anyone.get('/log/verify.html')
    await service.anyone.get('/log/verify.js')
    await service.anyone.get('/log/tile/0/000.p/5')
    await person.get('/log/tile/entries/000.p/5')
    await agent.get(`/v1/log/proof/${allowed.body.id}`)
    await person.get('/v1/log/consistency?from=1')
    await service.anyone.get('/log/checkpoint.cosigned')
    await service.anyone.get('/healthz')
    await service.anyone.get('/readyz')
    await person.get('/v1/session')
    const leaving = await service.person('leaver@example.com')
    expect((await leaving.send('DELETE', '/v1/session')).headers.get('set-cookie')).toMatch(
      /^bailiwick_session=;/,
    )
    expect((await leaving.get('/v1/session')).status).toBe(401)
    await onePasskey(service)
    const administrator = await service.person('root@example.com', ['administrator'])
    await administrator.post('/v1/erasures', { decision: allowed.body.id, reason: 'request 21' })
    await oneEvent(person)
    await accessOfEachKind()

    const good = describedRoutes.map(({ method, path, responses }) => {
      const [status] = Object.keys(responses).filter((code) => code.startsWith('2'))
      return `${method} ${path} ${status}`
    })
    // What takes a real provider is in identity/identity-provider.test.ts.
    const elsewhere = ['post /v1/session/provider 200', 'get /v1/session/provider/callback undefined']
    const missing = good.filter((answer) => !service.exercised.has(answer) && !elsewhere.includes(answer))
    expect(missing).toEqual([])
  })

  test('is closed to anyone without authentication, but for those that are open on purpose', async () => {
    const size = await service.logSize()
    const closed = appRoutes().filter(({ method, path }) => !open.has(`${method} ${path}`))
    expect(closed.length).toBeGreaterThanOrEqual(9)
    for (const { method, path } of [...closed, { method: 'GET', path: '/v1/anything' }]) {
      const real = path
        .replace('{id}', path.includes('approvals') ? 'apr_1' : 'dec_1')
        .replace('{path}', '000')
      for (const headers of strangers) {
        const sending = method === 'POST' ? { json: {}, headers } : { headers }
        const answer = await service.anyone.send(method, real, sending)
        expect(answer.status, `${method} ${real} ${JSON.stringify(headers)}`).toBe(401)
        expect(answer.body.type).toBe('urn:bailiwick:problem:not_authenticated')
        expect(answer.headers.get('www-authenticate')).toBe('Bearer')
      }
    }
    expect(await service.logSize()).toBe(size)
  })

  test.each([
    '/',
    '/sign-in',
    '/decisions/dec_1',
    '/approvals/apr_1',
    '/assets/app.js',
    '/healthz',
    '/v1/decisions',
    '/none',
  ])('%s comes with headers that keep browsers strict, and lets no other site read it', async (path) => {
    const origin = 'https://elsewhere.example'
    for (const method of ['GET', 'OPTIONS']) {
      const { headers } = await service.anyone.send(method, path, { headers: { origin } })
      expect([...headers.keys()].filter((name) => name.startsWith('access-control-'))).toEqual([])
      expect(headers.get('x-content-type-options')).toBe('nosniff')
      expect(headers.get('x-frame-options')).toBe('DENY')
      expect(headers.get('referrer-policy')).toBe('no-referrer')
      expect(headers.get('content-security-policy')).toContain("default-src 'none'")
      expect(headers.get('content-security-policy')).not.toMatch(/unsafe|\*/)
      if (path.startsWith('/v1/')) expect(headers.get('cache-control')).toBe('no-store')
    }
  })
})

/** One good answer of each endpoint of people, keys, sessions and one's own account. */
async function accessOfEachKind(): Promise<void> {
  const root = await service.person('chief@example.com', ['administrator'])
  const made = await root.post('/v1/keys', { agent: 'listed-agent', lifetimeSeconds: 3600 })
  const rotated = await root.post(`/v1/keys/${made.body.id}/rotation`, { overlapSeconds: 60 })
  await root.get('/v1/keys')
  await root.send('DELETE', `/v1/keys/${rotated.body.id}`)
  await root.post('/v1/people', { id: 'new@example.com', roles: ['viewer'] })
  await root.get('/v1/people')
  const link = await root.post('/v1/people/new@example.com/link', {})
  const token = new URL(link.body.url).hash.slice('#token='.length)
  expect((await service.anyone.post('/v1/session', { token })).body.person.id).toBe('new@example.com')
  const { sessions } = (await root.get('/v1/sessions?person=new@example.com')).body
  await root.send('DELETE', `/v1/sessions/${sessions[0].id}`)
  await root.send('DELETE', '/v1/people/new@example.com/sessions')
  await root.post('/v1/people/new@example.com/reset', {})
  await root.send('DELETE', '/v1/people/new@example.com')
  await service.anyone.get('/v1/sign-in')
  await accountOfEachKind(root)
}

async function accountOfEachKind(person: Caller): Promise<void> {
  const now = (answer: Answer): Caller => {
    const session = /bailiwick_session=([^;]+)/.exec(answer.headers.get('set-cookie') ?? '')?.[1] ?? ''
    return service.caller({ cookie: `bailiwick_session=${session}`, origin: base }, session)
  }
  const password = 'correct horse battery staple'
  let account = now(await person.post('/v1/account/password', { password }))
  const offer = await account.post('/v1/account/totp', {})
  const app = service.sealing.open(
    'totp chief@example.com',
    (await service.access.credentials.totpOf('chief@example.com'))?.sealed ?? '',
  )
  expect(app, offer.text).toHaveLength(20)
  const code = totpCode(app ?? Buffer.alloc(0), totpStep(service.ledger.now()))
  account = now(await account.post('/v1/account/totp/confirmation', { code }))
  const codes = await account.post('/v1/account/recovery-codes', {})
  await account.get('/v1/account')
  const asked = await service.anyone.post('/v1/session/password', { person: 'chief@example.com', password })
  const proof = { step: asked.body.secondFactor.step, recoveryCode: codes.body.recoveryCodes[0] }
  account = now(await service.anyone.post('/v1/session/second-factor', proof))
  await account.send('DELETE', '/v1/account/totp')
}

const strangers: Readonly<Record<string, string>>[] = [
  {},
  { authorization: 'Bearer' },
  { authorization: 'Bearer bw_0000000000000000_' + 'A'.repeat(43) },
  { authorization: 'Basic YWRtaW46YWRtaW4=' },
  { cookie: 'bailiwick_session=guess', origin: base },
  { cookie: 'bailiwick_session=', origin: base },
  { cookie: 'bailiwick_session=%zz%00', origin: base },
]

/** Reads a stream's first event, then hangs up. */
async function oneEvent(caller: Caller): Promise<void> {
  const controller = new AbortController()
  const response = await service.app.request(
    new Request(`${base}/v1/events`, {
      headers: { host: new URL(base).host, cookie: `bailiwick_session=${caller.secret}` },
      signal: controller.signal,
    }),
  )
  expect({ status: response.status, type: response.headers.get('content-type') }).toEqual({
    status: 200,
    type: 'text/event-stream',
  })
  const reader = response.body?.getReader()
  const { value } = (await reader?.read()) ?? {}
  const text = new TextDecoder().decode(value)
  expect(text).toBe(`event: log\ndata: {"size":${await service.logSize()}}\n\n`)
  service.exercised.add('get /v1/events 200')
  await reader?.cancel()
  controller.abort()
}

/** What keeps a document from being OpenAPI 3.1.0; not all of the specification, but what tools stumble over. */
function problemsOfDocument(document: Answer['body']): string[] {
  const problems: string[] = []
  const check = (holds: unknown, what: string) => {
    if (!holds) problems.push(what)
  }
  check(document.openapi === '3.1.0', `openapi is ${document.openapi}`)
  check(document.info?.title && document.info.version, 'info lacks title or version')
  const schemes = Object.keys(document.components?.securitySchemes ?? {})
  for (const [path, item] of Object.entries<Answer['body']>(document.paths)) {
    check(path.startsWith('/'), `${path} does not start with a slash`)
    for (const [method, operation] of Object.entries<Answer['body']>(item)) {
      const name = `${method} ${path}`
      check(operation.summary, `${name} has no summary`)
      const placeholders = [...path.matchAll(/\{([a-z]+)\}/g)].map((match) => match[1])
      const declared = (operation.parameters ?? []).filter(
        (parameter: { in: string }) => parameter.in === 'path',
      )
      check(
        placeholders.join() === declared.map(({ name }: { name: string }) => name).join(),
        `${name} does not declare the parameters of its path`,
      )
      check(
        declared.every(({ required }: { required: boolean }) => required),
        `${name} has an optional path parameter`,
      )
      for (const parameter of operation.parameters ?? [])
        check(parameter.schema, `${name}: ${parameter.name} has no schema`)
      const responses = Object.entries<{ description?: string }>(operation.responses ?? {})
      check(responses.length > 0, `${name} has no responses`)
      for (const [status, { description }] of responses) {
        check(/^[1-5]\d\d$/.test(status) && description, `${name} ${status} is no described status`)
      }
      for (const scheme of (operation.security ?? []).flatMap(Object.keys)) {
        check(schemes.includes(scheme), `${name} names the unknown security scheme ${scheme}`)
      }
    }
  }
  for (const reference of JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)) {
    const target = reference[1]
      ?.slice(2)
      .split('/')
      .reduce((part, name) => part?.[name], document)
    check(reference[1]?.startsWith('#/') && target, `${reference[1]} leads nowhere`)
  }
  return problems
}

/** Registers a passkey, signs in with it and removes it. */
async function onePasskey(on: HttpService): Promise<void> {
  const { anyone } = on
  const owner = await on.person('keyed@example.com')
  const { authenticator, send, userHandle } = await makePasskey(owner)
  await send()
  await owner.get('/v1/passkeys')
  const begun = await anyone.post('/v1/session/passkey/options', {})
  const signed = { ...authenticator.sign({ challenge: begun.body.challenge }), userHandle }
  await anyone.post('/v1/session/passkey', signed, withCookie(anyone, challengeCookie(begun)))
  const password = 'correct horse battery staple'
  await owner.post('/v1/account/password', { password })
  const asked = await anyone.post('/v1/session/password', { person: 'keyed@example.com', password })
  const { step } = asked.body.secondFactor
  const options = await anyone.post('/v1/session/second-factor/passkey/options', { step })
  const proof = { step, ...authenticator.sign({ challenge: options.body.challenge }) }
  const whole = await anyone.post(
    '/v1/session/second-factor/passkey',
    proof,
    withCookie(anyone, challengeCookie(options)),
  )
  const cookie = /bailiwick_session=[^;]+/.exec(whole.headers.get('set-cookie') ?? '')?.[0] ?? ''
  await oneSlackAccount(on, cookie)
  await on.caller({ cookie, origin: base }, '').send('DELETE', `/v1/passkeys/${authenticator.id}`)
}

/** A Slack account that its person confirms. */
async function oneSlackAccount(on: HttpService, cookie: string): Promise<void> {
  await linkSlackAccount(on.ledger, 'U0KEYED', 'keyed@example.com')
  const path = '/v1/channels/slack/accounts/U0KEYED'
  await on.anyone.get(path)
  await on.anyone.send('POST', path, { headers: { cookie, origin: base } })
}

/** One answer over each channel: a page that is looked at, one that votes, and a button of nobody's. */
async function answersOverChannels(approval: string): Promise<void> {
  const { digest } = (await person.get(`/v1/approvals/${approval}`)).body
  await service.access.setPerson('mail@example.com', ['viewer', 'approver'])
  const other = await agent.post('/v1/decisions', { action: 'issue_refund', params: { amount: 601 } })
  const { digest: otherDigest } = (await person.get(`/v1/approvals/${other.body.approval.id}`)).body
  const token = await new ChannelStore(service.ledger.pool, service.ledger.name).makeMailLink({
    approval: indexOfId('apr', other.body.approval.id as string) ?? 0,
    digest: otherDigest,
    person: 'mail@example.com',
    expiresAt: (Date.now() + 60_000) as Instant,
  })
  const form = 'application/x-www-form-urlencoded'
  await service.anyone.get(`/v1/channels/email/${token}`)
  await service.anyone.send('POST', `/v1/channels/email/${token}`, {
    raw: `vote=reject&digest=${otherDigest}`,
    headers: { 'content-type': form },
  })
  const payload = JSON.stringify({
    type: 'block_actions',
    user: { id: 'U1', team_id: 'T0123' },
    team: { id: 'T0123' },
    channel: { id: 'C0123' },
    actions: [{ action_id: 'bailiwick.approve', value: JSON.stringify({ approval, digest }) }],
  })
  const raw = `payload=${encodeURIComponent(payload)}`
  const at = String(Math.floor(Date.now() / 1000))
  const signature = createHmac('sha256', unansweredChannels.BAILIWICK_SLACK_SIGNING_SECRET)
    .update(`v0:${at}:${raw}`)
    .digest('hex')
  await service.anyone.send('POST', '/v1/channels/slack/interactions', {
    raw,
    headers: {
      'content-type': form,
      'x-slack-request-timestamp': at,
      'x-slack-signature': `v0=${signature}`,
    },
  })
}

/** A message that was given up, and is tried again. */
async function retriesOf(operator: Caller): Promise<void> {
  const { pool, name } = service.ledger
  await enqueueMessages(pool, name, [{ target: 'gone', kind: 'k', index: 1, body: '{}' }])
  await pool.query(`update outbox set dead_at = now() where target = 'gone'`)
  const { body } = await operator.get('/v1/deliveries?state=dead&limit=5')
  await operator.post(`/v1/deliveries/${body.deliveries[0].id}/retry`, {})
}
