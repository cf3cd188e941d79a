import { systemPorts } from '@bailiwick/core'
import { ApprovalWaits } from '@bailiwick/store'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createApp } from '../../src/http/app.ts'
import { IdentityProvider } from '../../src/identity/identity-provider.ts'
import { LocalAccounts } from '../../src/identity/local-accounts.ts'
import { Passwords } from '../../src/identity/passwords.ts'
import { providerSettings } from '../../src/identity/settings.ts'
import { base, HttpService } from '../harness/http-service.ts'
import { clientId, clientSecret, TestProvider } from './test-provider.ts'

const callbackPath = '/v1/session/provider/callback'

let service: HttpService
let provider: TestProvider
let app: ReturnType<typeof createApp>

beforeAll(async () => {
  service = await HttpService.open()
  provider = await TestProvider.start(`${base}${callbackPath}`)
  app = appWith({ BAILIWICK_OIDC_ISSUER: provider.issuer })
})
afterAll(async () => {
  await provider.stop()
  await service.close()
})

const roles = JSON.stringify({
  'refunds-team': ['approver', 'group:Refunds', 'refunds-lead'],
  'it-admins': ['administrator'],
  'All Staff': ['viewer'],
})

/** The service with a provider configured, as people reach it. */
function appWith(env: Readonly<Record<string, string>>): ReturnType<typeof createApp> {
  const settings = providerSettings({
    BAILIWICK_OIDC_CLIENT_ID: clientId,
    BAILIWICK_OIDC_CLIENT_SECRET: clientSecret,
    BAILIWICK_OIDC_SCOPE: 'openid email groups',
    BAILIWICK_OIDC_ROLES: roles,
    BAILIWICK_OIDC_ALLOW_PRIVATE: '1',
    BAILIWICK_OIDC_NAME: 'Company sign-in',
    ...env,
  })
  if (settings === undefined) throw new Error('no settings')
  const { ledger, access, sealing } = service
  const now = () => ledger.now()
  const log = (line: string) => service.lines.push(line)
  return createApp({
    ledger,
    access,
    waits: new ApprovalWaits(ledger, systemPorts),
    consoleFiles: new Map(),
    publicUrl: base,
    signIn: {
      accounts: new LocalAccounts({
        access,
        sealing,
        now,
        passwords: new Passwords(),
        issuer: 'Bailiwick',
        log: () => undefined,
      }),
      provider: new IdentityProvider({ settings, access, sealing, now, log }),
      proxies: 0,
    },
    log,
  })
}

/** What the browser is told, and keeps. */
async function begin(on = app) {
  const response = await on.request(`${base}/v1/session/provider`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: base },
    body: '{}',
  })
  const { url } = (await response.json()) as { url: string }
  const cookie = response.headers.get('set-cookie') ?? ''
  return { status: response.status, url, cookie, flow: cookie.split(';')[0] ?? '' }
}

/** Comes back from the provider. */
async function comeBack(callback: URL, flow: string, on = app) {
  const response = await on.request(callback.href, { headers: { cookie: flow }, redirect: 'manual' })
  const cookies = response.headers.getSetCookie()
  const session = cookies.find((line) => /^bailiwick_session_main_80=[^;]/.test(line))
  const location = response.headers.get('location') ?? ''
  const said = new URLSearchParams(new URL(location, base).hash.slice(1))
  return { status: response.status, location, said, session, cookies }
}

async function signIn(login: string, on = app) {
  const { url, flow } = await begin(on)
  return await comeBack(await provider.signIn(url, login), flow, on)
}

async function whoIs(session: string | undefined) {
  const cookie = session?.split(';')[0] ?? ''
  const response = await app.request(`${base}/v1/session`, { headers: { cookie } })
  return { status: response.status, body: (await response.json()) as { person?: unknown; session?: object } }
}

describe('signing in by an identity provider', () => {
  test('makes a person of a verified address, with the roles of the groups', async () => {
    provider.accounts.set('ann', {
      email: 'Ann@Example.com',
      email_verified: true,
      groups: ['refunds-team', 'All Staff', 'of no meaning here'],
    })
    const { status, location, session } = await signIn('ann')
    expect([status, location]).toEqual([303, '/sign-in'])
    expect(session).toMatch(/; HttpOnly; SameSite=Strict$/)
    expect((await whoIs(session)).body).toMatchObject({
      person: { id: 'ann@example.com', roles: ['approver', 'group:Refunds', 'refunds-lead', 'viewer'] },
      session: { method: 'provider' },
    })
  })

  test('asks for PKCE, state and nonce, and keeps them where no page can read them', async () => {
    const { url, cookie } = await begin()
    const { searchParams } = new URL(url)
    expect(searchParams.get('code_challenge_method')).toBe('S256')
    for (const name of ['code_challenge', 'state', 'nonce'])
      expect(searchParams.get(name), name).toMatch(/^.{43,}$/)
    expect(cookie).toMatch(/; HttpOnly; SameSite=Lax$/)
    for (const name of ['state', 'nonce']) expect(cookie).not.toContain(searchParams.get(name) ?? '')
  })

  test('takes a role away at the next sign-in, and with it every session of before', async () => {
    provider.accounts.set('bob', {
      email: 'bob@example.com',
      email_verified: true,
      groups: ['it-admins', 'All Staff'],
    })
    const before = await signIn('bob')
    provider.accounts.set('bob', { email: 'bob@example.com', email_verified: true, groups: ['All Staff'] })
    expect((await whoIs(before.session)).body).toMatchObject({
      person: { roles: ['administrator', 'viewer'] },
    })
    const after = await signIn('bob')
    expect((await whoIs(before.session)).status).toBe(401)
    expect((await whoIs(after.session)).body).toMatchObject({ person: { roles: ['viewer'] } })
  })

  test('ends with the session’s age, whatever the provider does meanwhile', async () => {
    provider.accounts.set('gil', { email: 'gil@example.com', email_verified: true, groups: ['All Staff'] })
    const { session } = await signIn('gil')
    expect((await whoIs(session)).status).toBe(200)
    service.clock.aheadMs += 12 * 60 * 60 * 1000
    expect((await whoIs(session)).status).toBe(401)
    service.clock.aheadMs = 0
  })

  test('takes everything from whoever has no group with a role any more, and adds nobody without one', async () => {
    provider.accounts.set('cyd', { email: 'cyd@example.com', email_verified: true, groups: ['refunds-team'] })
    const before = await signIn('cyd')
    provider.accounts.set('cyd', { email: 'cyd@example.com', email_verified: true, groups: [] })
    const after = await signIn('cyd')
    expect([after.session, after.said.get('refused')]).toEqual([undefined, 'not_permitted'])
    expect(service.lines.at(-1)).toContain('none of your groups has a role here')
    expect((await whoIs(before.session)).status).toBe(401)
    provider.accounts.set('dan', {
      email: 'dan@example.com',
      email_verified: true,
      groups: ['of no meaning here'],
    })
    expect((await signIn('dan')).session).toBeUndefined()
    expect((await service.access.people()).map(({ id }) => id)).not.toContain('dan@example.com')
  })

  test.each([
    ['that is not verified', { email: 'eve@example.com', email_verified: false, groups: ['it-admins'] }],
    ['of which nobody says that it is verified', { email: 'eve@example.com', groups: ['it-admins'] }],
    ['that is not there', { email_verified: true, groups: ['it-admins'] }],
  ])('takes no address %s', async (_what, account) => {
    provider.accounts.set('eve', account)
    const { session, said } = await signIn('eve')
    expect([session, said.get('refused')]).toEqual([undefined, 'not_permitted'])
    expect(service.lines.at(-1)).toContain('vouches for no e-mail address')
  })

  test('gives an address that was somebody’s to nobody else', async () => {
    provider.accounts.set('fay', { email: 'fay@example.com', email_verified: true, groups: ['it-admins'] })
    expect((await signIn('fay')).session).toBeDefined()
    provider.accounts.set('new-fay', {
      email: 'fay@example.com',
      email_verified: true,
      groups: ['it-admins'],
    })
    const { session, said } = await signIn('new-fay')
    expect([session, said.get('refused')]).toEqual([undefined, 'not_permitted'])
    expect(service.lines.at(-1)).toContain('belongs to another account')
  })

  test('leaves the roles of people who were added here as they are', async () => {
    await service.access.setPerson('hal@example.com', ['auditor'])
    provider.accounts.set('hal', { email: 'hal@example.com', email_verified: true, groups: ['it-admins'] })
    expect((await whoIs((await signIn('hal')).session)).body).toMatchObject({
      person: { roles: ['auditor'] },
    })
  })
})

describe('coming back from the provider', () => {
  test('brings nobody back who was removed while the browser was there, and signs in who begins after that', async () => {
    provider.accounts.set('ida', { email: 'ida@example.com', email_verified: true, groups: ['it-admins'] })
    expect((await signIn('ida')).session).toBeDefined()
    const { url, flow } = await begin()
    const callback = await provider.signIn(url, 'ida')
    await service.access.removePerson('ida@example.com')
    const { session, said } = await comeBack(callback, flow)
    expect([session, said.get('refused')]).toEqual([undefined, 'not_authenticated'])
    expect((await service.access.people()).map(({ id }) => id)).not.toContain('ida@example.com')
    expect((await signIn('ida')).session).toBeDefined()
  })

  test('works once, in the browser that left, within ten minutes', async () => {
    provider.accounts.set('ann', { email: 'ann@example.com', email_verified: true, groups: ['refunds-team'] })
    const { url, flow } = await begin()
    const callback = await provider.signIn(url, 'ann')
    // Somebody else's browser, as where a link to the callback is slipped to a victim.
    expect((await comeBack(callback, '')).session).toBeUndefined()
    const other = await begin()
    expect((await comeBack(callback, other.flow)).session).toBeUndefined()
    expect((await comeBack(callback, `${flow.slice(0, -6)}AAAAAA`)).session).toBeUndefined()
    service.clock.aheadMs = 10 * 60 * 1000
    expect((await comeBack(callback, flow)).session).toBeUndefined()
    service.clock.aheadMs = 0
    expect((await comeBack(callback, flow)).session).toBeDefined()
    expect((await comeBack(callback, flow)).session, 'the code is used').toBeUndefined()
  })

  test('with a changed state, without a code or with an error signs nobody in', async () => {
    const { url, flow } = await begin()
    const callback = await provider.signIn(url, 'ann')
    const changed = (change: (query: URLSearchParams) => void) => {
      const other = new URL(callback)
      change(other.searchParams)
      return other
    }
    for (const wrong of [
      changed((query) => query.set('state', 'x'.repeat(43))),
      changed((query) => query.delete('state')),
      changed((query) => query.delete('code')),
      changed((query) => query.set('code', 'guessed')),
      changed((query) => query.set('iss', 'https://evil.example')),
      changed((query) => query.set('error', 'access_denied')),
    ]) {
      const { status, session, location } = await comeBack(wrong, flow)
      expect([status, session, location.split('#')[0]], wrong.search).toEqual([303, undefined, '/sign-in'])
    }
  })

  test('goes to the sign-in page of this service, whatever the address says', async () => {
    for (const more of [
      'returnTo=https://evil.example',
      'redirect=//evil.example',
      'next=/%5Cevil.example',
    ]) {
      const { url, flow } = await begin()
      const callback = await provider.signIn(url, 'ann')
      const { location, session } = await comeBack(new URL(`${callback.href}&${more}`), flow)
      expect([location, session === undefined], more).toEqual(['/sign-in', false])
    }
  })
})

describe('a provider', () => {
  test('that does not answer keeps nobody out who has another way in', async () => {
    const down = appWith({ BAILIWICK_OIDC_ISSUER: 'http://127.0.0.1:1' })
    expect((await begin(down)).status).toBe(503)
    expect((await down.request(`${base}/v1/sign-in`)).status).toBe(200)
  })

  test('is offered by the name that the operator gave it', async () => {
    const ways = await app.request(`${base}/v1/sign-in`)
    expect(await ways.json()).toMatchObject({ password: true, provider: { name: 'Company sign-in' } })
    expect((await service.anyone.get('/v1/sign-in')).body.provider).toBeNull()
    expect((await service.anyone.post('/v1/session/provider', {})).status).toBe(404)
  })

  const whole = {
    BAILIWICK_OIDC_ISSUER: 'https://login.example',
    BAILIWICK_OIDC_CLIENT_ID: 'id',
    BAILIWICK_OIDC_CLIENT_SECRET: 'secret',
    BAILIWICK_OIDC_ROLES: '{"staff": ["viewer"]}',
  }
  test.each([
    { BAILIWICK_OIDC_ISSUER: 'http://login.example' },
    { BAILIWICK_OIDC_ISSUER: 'login' },
    { BAILIWICK_OIDC_CLIENT_ID: '' },
    { BAILIWICK_OIDC_CLIENT_SECRET: '' },
    { BAILIWICK_OIDC_ROLES: '' },
    { BAILIWICK_OIDC_ROLES: '{}' },
    { BAILIWICK_OIDC_ROLES: '{"staff": "viewer"}' },
    { BAILIWICK_OIDC_ROLES: '{"staff": ["viewer", "Not A Role"]}' },
    { BAILIWICK_OIDC_ROLES: '[]' },
  ])('is not configured by halves: %j', (over) => {
    expect(() => providerSettings({ ...whole, ...over })).toThrow(
      expect.objectContaining({ code: 'bad_input' }),
    )
    expect(providerSettings(whole)?.name).toBe('login.example')
    expect(providerSettings({})).toBeUndefined()
  })
})
