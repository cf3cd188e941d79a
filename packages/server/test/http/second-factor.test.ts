import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { SoftAuthenticator } from '../../../core/test/approval/authenticator.ts'
import { totpCode, totpStep } from '../../src/identity/totp.ts'
import { secondFactorSetting } from '../../src/identity/settings.ts'
import { base, HttpService, type Answer, type Caller } from '../harness/http-service.ts'
import { challengeCookie, makePasskey, withCookie } from '../harness/passkeys.ts'

const password = 'correct horse battery staple'

let people = 0
let addresses = 0

/** What the tests do with one service. */
function on(service: () => HttpService) {
  const callerWith = (answer: Answer): Caller => {
    const token = /bailiwick_session=([^;]*)/.exec(answer.headers.get('set-cookie') ?? '')?.[1] ?? ''
    return service().caller({ cookie: `bailiwick_session=${token}`, origin: base }, token)
  }
  const signIn = (person: string): Promise<Answer> =>
    service().anyone.post(
      '/v1/session/password',
      { person, password },
      { headers: { 'x-forwarded-for': `192.0.2.${addresses++ % 250}` } },
    )
  const withPassword = async () => {
    const id = `person${people++}@example.com`
    const set = await (await service().person(id)).post('/v1/account/password', { password })
    expect(set.status, set.text).toBe(204)
    return { id, caller: callerWith(set) }
  }
  const withPasskey = async () => {
    const { id, caller } = await withPassword()
    const { authenticator, send, userHandle } = await makePasskey(caller)
    expect((await send()).status).toBe(201)
    return { id, caller, authenticator, userHandle }
  }
  const options = async (step: string) => {
    const begun = await service().anyone.post('/v1/session/second-factor/passkey/options', { step })
    return { begun, cookie: challengeCookie(begun) }
  }
  const prove = (step: string, cookie: string, assertion: object) =>
    service().anyone.post(
      '/v1/session/second-factor/passkey',
      { step, ...assertion },
      withCookie(service().anyone, cookie),
    )
  /** The whole way, as a browser goes it. */
  const proven = async (step: string, authenticator: SoftAuthenticator) => {
    const { begun, cookie } = await options(step)
    return await prove(step, cookie, authenticator.sign({ challenge: begun.body.challenge }))
  }
  return { callerWith, signIn, withPassword, withPasskey, options, prove, proven }
}

describe('a passkey after a password', () => {
  let service: HttpService
  beforeAll(async () => {
    service = await HttpService.open()
  })
  afterAll(() => service.close())
  const { callerWith, signIn, withPassword, withPasskey, options, prove, proven } = on(() => service)

  const stepOf = async (id: string) => {
    const { body, text } = await signIn(id)
    expect(body.secondFactor?.factors, text).toEqual(['passkey'])
    return body.secondFactor.step as string
  }

  test('is asked for, names the person’s own, and lets in once it has signed', async () => {
    const { id, authenticator } = await withPasskey()
    const step = await stepOf(id)
    const { begun, cookie } = await options(step)
    expect(begun.body).toMatchObject({
      rpId: 'localhost',
      userVerification: 'required',
      allowCredentials: [{ type: 'public-key', id: authenticator.id }],
    })
    const signedIn = await prove(step, cookie, authenticator.sign({ challenge: begun.body.challenge }))
    expect(signedIn.body).toEqual({ person: { id, roles: ['approver'] } })
    expect((await callerWith(signedIn).get('/v1/session')).body.session).toMatchObject({
      method: 'password+passkey',
      isPartial: false,
    })
  })

  test('is not asked for where there is none, after a link, or after it was removed', async () => {
    const { id } = await withPassword()
    expect((await signIn(id)).body).toHaveProperty('person')
    const { id: other, caller, authenticator } = await withPasskey()
    const link = await service.anyone.post('/v1/session', { token: await service.signInToken(other) })
    expect(link.body).toHaveProperty('person')
    expect((await caller.send('DELETE', `/v1/passkeys/${authenticator.id}`)).status).toBe(200)
    expect((await signIn(other)).body).toHaveProperty('person')
  })

  test('of somebody else lets nobody in, however well it signs', async () => {
    const [ann, eve] = [await withPasskey(), await withPasskey()]
    const step = await stepOf(ann.id)
    expect((await proven(step, eve.authenticator)).status).toBe(401)
    expect((await proven(step, ann.authenticator)).status).toBe(200)
  })

  test('counts for one sign-in, in the browser that asked, and for what it was asked', async () => {
    const { id, authenticator, userHandle } = await withPasskey()
    const step = await stepOf(id)
    const { begun, cookie } = await options(step)
    const { challenge } = begun.body
    expect((await prove(step, '', authenticator.sign({ challenge }))).status, 'another browser').toBe(401)
    const again = await options(step)
    const other = await service.anyone.post('/v1/session/passkey/options', {})
    const forSignIn = authenticator.sign({ challenge: other.body.challenge })
    expect((await prove(step, challengeCookie(other), forSignIn)).status, 'for a sign-in').toBe(401)
    const forProof = { ...authenticator.sign({ challenge: again.begun.body.challenge }), userHandle }
    const misused = await service.anyone.post(
      '/v1/session/passkey',
      forProof,
      withCookie(service.anyone, again.cookie),
    )
    expect(misused.status, 'for a second factor').toBe(401)
    expect((await prove(step, cookie, authenticator.sign({ challenge }))).status).toBe(200)
    expect((await prove(step, cookie, authenticator.sign({ challenge }))).status, 'used up').toBe(401)
    expect((await options(step)).begun.status).toBe(401)
  })

  test('has five tries, and none where the device did not verify its person', async () => {
    const { id, authenticator } = await withPasskey()
    const step = await stepOf(id)
    for (let tries = 0; tries < 5; tries++) {
      const { begun, cookie } = await options(step)
      const present = authenticator.sign({ challenge: begun.body.challenge, flags: 1 })
      expect((await prove(step, cookie, present)).status).toBe(401)
    }
    expect((await options(step)).begun.status).toBe(401)
    expect((await proven(await stepOf(id), authenticator)).status).toBe(200)
  })

  test('lets nobody in whose sessions were all ended meanwhile', async () => {
    const { id, authenticator } = await withPasskey()
    const step = await stepOf(id)
    await service.access.endSessions(id)
    const refused = await proven(step, authenticator)
    expect([refused.status, refused.headers.get('set-cookie') ?? '']).toEqual([
      401,
      expect.not.stringContaining('bailiwick_session='),
    ])
  })
})

describe('where a second factor is demanded', () => {
  let service: HttpService
  beforeAll(async () => {
    service = await HttpService.open({}, { BAILIWICK_SECOND_FACTOR: 'required' })
  })
  afterAll(() => service.close())
  const { callerWith, signIn, withPassword, withPasskey, proven } = on(() => service)

  test('a password alone lets see and change one’s own account, and nothing else', async () => {
    const { id } = await withPassword()
    const partial = callerWith(await signIn(id))
    const { body } = await partial.get('/v1/session')
    expect(body).toMatchObject({ permissions: ['account'], session: { method: 'password', isPartial: true } })
    for (const path of ['/v1/approvals', '/v1/decisions', '/v1/agents']) {
      const refused = await partial.get(path)
      expect([refused.status, refused.body.type], path).toEqual([
        403,
        'urn:bailiwick:problem:second_factor_required',
      ])
    }
    expect((await partial.vote('apr_0', { vote: 'approve' })).status).toBe(403)
    expect(await service.access.personOf(partial.secret), 'nor answer a link in a message').toBeUndefined()
    expect((await partial.get('/v1/account')).status).toBe(200)
  })

  test('an authenticator app that is set up opens the rest, in that very session and later', async () => {
    const { id } = await withPassword()
    const partial = callerWith(await signIn(id))
    service.clock.aheadMs += 30_000 - (service.ledger.now() % 30_000)
    const offer = await partial.post('/v1/account/totp', {})
    const code = totpCode(fromBase32(offer.body.secret), totpStep(service.ledger.now()))
    const whole = callerWith(await partial.post('/v1/account/totp/confirmation', { code }))
    expect((await whole.get('/v1/session')).body.session).toMatchObject({
      method: 'password+totp',
      isPartial: false,
    })
    expect((await whole.get('/v1/approvals')).status).toBe(200)
    expect((await partial.get('/v1/session')).status).toBe(401)
    expect((await signIn(id)).body.secondFactor.factors).toEqual(['totp', 'recovery'])
  })

  test('a passkey that is registered does so, too', async () => {
    const { id } = await withPassword()
    const partial = callerWith(await signIn(id))
    const { send, authenticator } = await makePasskey(partial)
    const whole = callerWith(await send())
    expect((await whole.get('/v1/session')).body.session).toMatchObject({
      method: 'password+passkey',
      isPartial: false,
    })
    expect((await whole.get('/v1/approvals')).status).toBe(200)
    expect((await partial.get('/v1/session')).status, 'the partial one is over').toBe(401)
    const { step } = (await signIn(id)).body.secondFactor
    expect((await callerWith(await proven(step, authenticator)).get('/v1/approvals')).status).toBe(200)
  })

  test('signing in with a passkey alone is two factors in one, and a link is the operator’s', async () => {
    const { id, authenticator, userHandle } = await withPasskey()
    const begun = await service.anyone.post('/v1/session/passkey/options', {})
    const assertion = { ...authenticator.sign({ challenge: begun.body.challenge }), userHandle }
    const signedIn = await service.anyone.post(
      '/v1/session/passkey',
      assertion,
      withCookie(service.anyone, challengeCookie(begun)),
    )
    expect((await callerWith(signedIn).get('/v1/approvals')).status).toBe(200)
    const link = await service.anyone.post('/v1/session', { token: await service.signInToken(id) })
    expect((await callerWith(link).get('/v1/approvals')).status).toBe(200)
  })

  test('is what the operator has said, and nothing that could be meant otherwise', () => {
    expect(secondFactorSetting({ BAILIWICK_SECOND_FACTOR: 'required' })).toBe(true)
    for (const not of ['', 'offered'])
      expect(secondFactorSetting({ BAILIWICK_SECOND_FACTOR: not })).toBe(false)
    for (const wrong of ['yes', '1', 'Required!']) {
      expect(() => secondFactorSetting({ BAILIWICK_SECOND_FACTOR: wrong }), wrong).toThrow('neither')
    }
  })
})

function fromBase32(text: string): Buffer {
  const bits = Array.from(text)
    .map((letter) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0'))
    .join('')
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)))
}
