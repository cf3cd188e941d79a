import { systemPorts } from '@bailiwick/core'
import { ApprovalWaits } from '@bailiwick/store'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createApp } from '../../src/http/app.ts'
import { sessionCookieOf } from '../../src/http/session-cookie.ts'
import { base, expectRefused, HttpService, type Caller } from '../harness/http-service.ts'
import { agentId } from '../harness/policies.ts'

let service: HttpService
let root: Caller
let auditor: Caller

beforeAll(async () => {
  service = await HttpService.open()
  root = await service.person('root@example.com', ['administrator'])
  auditor = await service.person('aud@example.com', ['auditor'])
})
afterAll(() => service.close())

async function lastAccess() {
  const { rows } = await service.ledger.pool.query<{ records: string }>(
    'select records from log_batch order by first desc limit 5',
  )
  const records = rows.flatMap(({ records: lines }) =>
    lines
      .split('\n')
      .map((line) => JSON.parse(line) as { readonly kind: string })
      .toReversed(),
  )
  return records.find(({ kind }) => kind === 'access')
}

describe('keys over HTTP', () => {
  test('are made, listed without their secret, rotated with an overlap, and revoked; each is recorded with who did it', async () => {
    const made = await root.post('/v1/keys', { agent: agentId, lifetimeSeconds: 3600 })
    expect(await lastAccess()).toMatchObject({
      event: 'key_created',
      subject: made.body.id,
      by: 'root@example.com',
    })
    const rotated = await root.post(`/v1/keys/${made.body.id}/rotation`, { overlapSeconds: 600 })
    expect(await lastAccess()).toMatchObject({
      event: 'key_rotated',
      subject: made.body.id,
      grants: [agentId, rotated.body.id],
      until: rotated.body.oldEndsAt,
      by: 'root@example.com',
    })
    const decide = async (key: string) =>
      (
        await service
          .caller({ authorization: `Bearer ${key}` }, key)
          .post('/v1/decisions', { action: 'issue_refund', params: { amount: 1 } })
      ).status
    expect([await decide(made.body.key), await decide(rotated.body.key)]).toEqual([200, 200])
    const listed = await auditor.get('/v1/keys')
    expect(listed.body.keys).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ id: made.body.id, prefix: made.body.key.slice(0, 20), agent: agentId }),
        expect.objectContaining({ id: rotated.body.id, replaces: made.body.id, revokedAt: null }),
      ]),
    )
    expect(listed.text).not.toContain(made.body.key.slice(20))
    const stateOf = async (id: string) =>
      (await auditor.get('/v1/keys')).body.keys.find((key: { readonly id: string }) => key.id === id)?.state
    expect([await stateOf(made.body.id), await stateOf(rotated.body.id)]).toEqual(['good', 'good'])
    service.clock.aheadMs += 600_000
    expect([await stateOf(made.body.id), await stateOf(rotated.body.id)]).toEqual(['ended', 'good'])
    expect([await decide(made.body.key), await decide(rotated.body.key)]).toEqual([401, 200])
    expect((await root.send('DELETE', `/v1/keys/${rotated.body.id}`)).status).toBe(204)
    expect(await stateOf(rotated.body.id)).toBe('revoked')
    expect(await decide(rotated.body.key)).toBe(401)
    expect((await root.post(`/v1/keys/${rotated.body.id}/rotation`, { overlapSeconds: 0 })).status).toBe(409)
  })

  test.each([
    ['/v1/keys', { agent: 'two words' }],
    ['/v1/keys', { agent: '' }],
    ['/v1/keys', { agent: agentId, lifetimeSeconds: 1 }],
    ['/v1/keys', { agent: agentId, lifetimeSeconds: 1e12 }],
    ['/v1/keys', { agent: agentId, key: 'bw_mine' }],
    ['/v1/keys/x/rotation', {}],
    ['/v1/keys/x/rotation', { overlapSeconds: -1 }],
    ['/v1/people', { id: 'ann', roles: ['viewer'] }],
    ['/v1/people', { id: 'ann@example.com', roles: [] }],
    ['/v1/people', { id: 'ann@example.com', roles: ['viewer', 'aprover'] }],
    ['/v1/people', { id: 'ann@example.com', roles: ['Not A Role'] }],
    ['/v1/people/ann/link', {}],
  ])('and people are refused that cannot be: %s %j', async (path, body) => {
    await expectRefused(service, () => root.post(path, body), 400, 'bad_input')
  })

  test('and people that are not there are not found', async () => {
    for (const path of [
      '/v1/keys/none',
      '/v1/people/no@example.com',
      '/v1/people/no@example.com/sessions',
      '/v1/sessions/none',
    ]) {
      await expectRefused(service, () => root.send('DELETE', path), 404, 'not_found')
    }
    for (const path of ['/v1/people/no@example.com/link', '/v1/people/no@example.com/reset']) {
      await expectRefused(service, () => root.post(path, {}), 404, 'not_found')
    }
  })
})

test('a secret that lets in has 256 bits, and no two begin alike', async () => {
  const one = async (at: number) => [
    (await service.access.createKey(agentId)).key.slice(-43),
    await service.signInToken('root@example.com'),
    (await service.person(`p${at}@example.com`)).secret,
  ]
  const secrets = (await Promise.all(Array.from({ length: 10 }, (_, at) => one(at)))).flat()
  for (const secret of secrets) expect(secret).toMatch(/^[A-Za-z0-9_-]{43}$/)
  expect(secrets.map((secret) => Buffer.from(secret, 'base64url').length)).toEqual(secrets.map(() => 32))
  expect(new Set(secrets.map((secret) => secret.slice(0, 10))).size).toBe(30)
})

describe('people over HTTP', () => {
  test('are added, invited, changed and removed, and the log says by whom', async () => {
    expect(
      (await root.post('/v1/people', { id: 'Ann@Example.com', roles: ['viewer', 'viewer'] })).body,
    ).toEqual({
      id: 'ann@example.com',
      roles: ['viewer'],
    })
    expect(await lastAccess()).toMatchObject({ event: 'person_created', by: 'root@example.com' })
    const { body } = await root.post('/v1/people/ann@example.com/link', {})
    expect(await lastAccess()).toMatchObject({ event: 'sign_in_link_created', by: 'root@example.com' })
    const token = new URL(body.url).hash.slice('#token='.length)
    expect((await service.anyone.post('/v1/session', { token })).status).toBe(200)
    expect((await auditor.get('/v1/people')).body.people).toContainEqual(
      expect.objectContaining({ id: 'ann@example.com', roles: ['viewer'], sessions: 1, hasPassword: false }),
    )
    await root.post('/v1/people', { id: 'ann@example.com', roles: ['approver'] })
    expect((await auditor.get('/v1/people')).body.people).toContainEqual(
      expect.objectContaining({ id: 'ann@example.com', roles: ['approver'], sessions: 0 }),
    )
    expect((await root.send('DELETE', '/v1/people/ann@example.com')).status).toBe(204)
    expect(await lastAccess()).toMatchObject({ event: 'person_removed', by: 'root@example.com' })
  })

  test('are administered by somebody always: no administrator removes themself, or their own role', async () => {
    const sessions = (await root.get('/v1/sessions')).body.sessions.length
    for (const refused of [
      await root.send('DELETE', '/v1/people/root@example.com'),
      await root.send('DELETE', '/v1/people/Root@Example.com'),
      await root.post('/v1/people', { id: 'root@example.com', roles: ['viewer'] }),
    ]) {
      expect(refused).toMatchObject({
        status: 409,
        body: { detail: expect.stringContaining('their own role') },
      })
    }
    expect((await root.get('/v1/sessions')).body.sessions).toHaveLength(sessions)
    await root.post('/v1/people', { id: 'second@example.com', roles: ['administrator'] })
    expect((await root.send('DELETE', '/v1/people/second@example.com')).status).toBe(204)
  })
})

describe('sessions over HTTP', () => {
  test('are shown to their person, to auditors and to nobody else', async () => {
    const pat = await service.person('pat@example.com', ['approver'])
    const own = await pat.get('/v1/sessions')
    expect(own.body.sessions).toMatchObject([{ person: 'pat@example.com', isThis: true, method: 'link' }])
    for (const person of ['root@example.com', '*']) {
      await expectRefused(service, () => pat.get(`/v1/sessions?person=${person}`), 403, 'not_permitted')
    }
    expect((await auditor.get('/v1/sessions?person=pat@example.com')).body.sessions).toMatchObject([
      { person: 'pat@example.com', isThis: false },
    ])
    const everybodys = (await auditor.get('/v1/sessions?person=*')).body.sessions as { person: string }[]
    expect(new Set(everybodys.map(({ person }) => person)).size).toBeGreaterThan(2)
    expect(own.text).not.toContain(pat.secret)
  })

  test('are ended by their person and by administrators, and by nobody else', async () => {
    const pat = await service.person('pat@example.com', ['approver'])
    const quinn = await service.person('quinn@example.com', ['approver'])
    const { id } = (await pat.get('/v1/session')).body.session
    for (const other of [quinn, auditor]) {
      await expectRefused(service, () => other.send('DELETE', `/v1/sessions/${id}`), 404, 'not_found')
    }
    expect((await pat.get('/v1/session')).status).toBe(200)
    expect((await root.send('DELETE', `/v1/sessions/${id}`)).status).toBe(204)
    expect((await pat.get('/v1/session')).status).toBe(401)
    expect(await lastAccess()).toMatchObject({ event: 'session_ended', by: 'root@example.com' })
    const own = (await quinn.get('/v1/session')).body.session.id
    expect((await quinn.send('DELETE', `/v1/sessions/${own}`)).status).toBe(204)
    expect(await lastAccess()).not.toHaveProperty('by')
  })

  test('say what their person may do', async () => {
    const operator = await service.person('op@example.com', ['operator'])
    const { permissions } = (await operator.get('/v1/session')).body
    expect(permissions).toContain('agents:suspend')
    expect(permissions).not.toContain('access:change')
  })

  test('end the stream of events that they opened', async () => {
    const pat = await service.person('streamer@example.com', ['approver'])
    const { id } = (await pat.get('/v1/session')).body.session
    const response = await service.app.request(
      new Request(`${base}/v1/events`, {
        headers: { host: new URL(base).host, cookie: `bailiwick_session=${pat.secret}` },
      }),
    )
    const reader = response.body?.getReader()
    expect((await reader?.read())?.done).toBe(false)
    await root.send('DELETE', `/v1/sessions/${id}`)
    for (;;) {
      const read = await reader?.read()
      if (read?.done !== false) break
    }
  })
})

describe('the cookie of a session', () => {
  test.each([
    [undefined, 'bailiwick_session', false],
    ['http://127.0.0.1:7420', 'bailiwick_session_main_7420', false],
    ['http://127.0.0.1:7421', 'bailiwick_session_main_7421', false],
    ['https://bailiwick.example', '__Host-bailiwick_session_main_443', true],
    ['https://bailiwick.example:8443', '__Host-bailiwick_session_main_8443', true],
  ])('of the service at %s is named %s', (url, name, isSecure) => {
    expect(sessionCookieOf('main', url)).toEqual({ name, isSecure })
  })

  test('names the ledger, and nothing that a cookie cannot', () => {
    expect(sessionCookieOf('team a;=', 'http://x:1').name).toBe('bailiwick_session_team-a--_1')
  })

  const publicUrl = 'https://bailiwick.example'
  function behindTls() {
    const { ledger, access } = service
    const waits = new ApprovalWaits(ledger, systemPorts)
    return createApp({ ledger, access, waits, consoleFiles: new Map(), publicUrl, log: () => undefined })
  }
  async function signedIn(app: ReturnType<typeof behindTls>) {
    await service.access.setPerson('tls@example.com', ['approver'])
    const response = await app.request(`${publicUrl}/v1/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: publicUrl },
      body: JSON.stringify({ token: await service.signInToken('tls@example.com') }),
    })
    return response.headers.get('set-cookie') ?? ''
  }

  test('over TLS is for this host alone, unreadable to pages and sent with no request of another site', async () => {
    const cookie = await signedIn(behindTls())
    expect(cookie).toMatch(/^__Host-bailiwick_session_main_443=[A-Za-z0-9_-]{43}; /)
    for (const attribute of ['Path=/', 'HttpOnly', 'Secure', 'SameSite=Strict', 'Max-Age=43200']) {
      expect(cookie).toContain(`; ${attribute}`)
    }
    expect(cookie).not.toContain('Domain')
  })

  test('under the name of another port or ledger signs nobody in', async () => {
    const app = behindTls()
    const value = (await signedIn(app)).split(';')[0]?.split('=')[1] ?? ''
    const as = async (name: string) =>
      (await app.request(`${publicUrl}/v1/session`, { headers: { cookie: `${name}=${value}` } })).status
    expect(await as('__Host-bailiwick_session_main_443')).toBe(200)
    for (const name of [
      'bailiwick_session',
      'bailiwick_session_main_443',
      '__Host-bailiwick_session_main_8443',
    ]) {
      expect(await as(name), name).toBe(401)
    }
  })

  test('changes nothing with a request of another site, or of the plain page of the same host', async () => {
    const app = behindTls()
    const cookie = (await signedIn(app)).split(';')[0] ?? ''
    const signOut = async (headers: Record<string, string>) =>
      (
        await app.request(`${publicUrl}/v1/session`, {
          method: 'DELETE',
          headers: { host: 'bailiwick.example', cookie, ...headers },
        })
      ).status
    const foreign: Record<string, string>[] = [
      {},
      { origin: 'null' },
      { origin: 'https://evil.example' },
      { origin: 'https://bailiwick.example.evil.example' },
      { origin: 'https://bailiwick.example:8443' },
      { origin: 'http://bailiwick.example' },
      { origin: publicUrl, 'sec-fetch-site': 'cross-site' },
      { origin: publicUrl, 'sec-fetch-site': 'same-site' },
      { 'sec-fetch-site': 'same-origin' },
    ]
    for (const headers of foreign) expect(await signOut(headers), JSON.stringify(headers)).toBe(403)
    expect(await signOut({ origin: publicUrl, 'sec-fetch-site': 'same-origin' })).toBe(204)
  })
})
