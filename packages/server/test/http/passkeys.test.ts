import { voteChallenge } from '@bailiwick/core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Saying } from '../../../core/test/approval/authenticator.ts'
import { base, expectRefused, HttpService, type Answer } from '../harness/http-service.ts'
import { challengeCookie, makePasskey, withCookie } from '../harness/passkeys.ts'

let service: HttpService

beforeAll(async () => {
  service = await HttpService.open({ signed: true })
})
afterEach(() => {
  service.clock.aheadMs = 0
})
afterAll(() => service.close())

let people = 0
const somebody = () => service.person(`person-${(people += 1)}@example.com`)

/** Who holds the session that an answer has handed out. */
function sessionOf({ headers }: Answer) {
  const session = /bailiwick_session=([^;]+)/.exec(headers.get('set-cookie') ?? '')?.[1] ?? ''
  return service.caller({ cookie: `bailiwick_session=${session}`, origin: base }, session)
}

describe('registering a passkey', () => {
  test('asks for one that can be found without a name and that verifies its person, and lists what was made', async () => {
    const person = await somebody()
    const { begun, authenticator, send } = await makePasskey(person)
    expect(begun).toMatchObject({
      status: 200,
      body: {
        rp: { id: 'localhost' },
        authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
        attestation: 'none',
        excludeCredentials: [],
      },
    })
    const cookie = begun.headers.get('set-cookie') ?? ''
    expect(cookie.split('; ').slice(1).sort()).toEqual([
      'HttpOnly',
      'Max-Age=180',
      'Path=/v1',
      'SameSite=Strict',
    ])
    const { status, body } = await send()
    expect({ status, id: body.id }).toEqual({ status: 201, id: authenticator.id })
    const { body: list } = await person.get('/v1/passkeys')
    expect(list).toMatchObject({
      party: { rpId: 'localhost', origin: 'http://localhost' },
      passkeys: [{ id: authenticator.id, name: 'Laptop', usable: true, record: body.record }],
    })
    const again = await person.post('/v1/passkeys/options', {})
    expect(again.body.excludeCredentials).toEqual([{ type: 'public-key', id: authenticator.id }])
  })

  test('is refused a second time, in another browser, later, and to another person', async () => {
    const person = await somebody()
    const other = await somebody()
    const { send, begun, authenticator } = await makePasskey(person)
    const made = { name: 'x', ...authenticator.register({ challenge: begun.body.challenge }) }
    await expectRefused(service, () => person.post('/v1/passkeys', made), 409, 'conflict')
    await expectRefused(
      service,
      () => other.post('/v1/passkeys', made, withCookie(other, challengeCookie(begun))),
      409,
      'conflict',
    )
    expect((await send()).status).toBe(201)
    await expectRefused(service, () => send(), 409, 'conflict')
    const late = await makePasskey(person, 'late')
    service.clock.aheadMs = 3 * 60_000
    await expectRefused(service, () => late.send(), 409, 'conflict')
  })

  test('is refused without a name, with what is no passkey, and with more than is asked for', async () => {
    const person = await somebody()
    const wrong = [
      { name: '' },
      { name: 'a'.repeat(101) },
      { name: 'a\u0000' },
      { attestationObject: '!' },
      { admin: true },
    ]
    for (const more of wrong) {
      const { send } = await makePasskey(person)
      await expectRefused(service, () => send(more), 400, 'bad_input')
    }
    const { send } = await makePasskey(person)
    await expectRefused(service, () => send({ attestationObject: 'AAAA' }), 400, 'bad_input')
  })

  test('takes a signed-in person', async () => {
    const agent = await service.agent()
    for (const [caller, status, code] of [
      [agent, 403, 'not_permitted'],
      [service.anyone, 401, 'not_authenticated'],
    ] as const) {
      await expectRefused(service, () => caller.get('/v1/passkeys'), status, code)
      await expectRefused(service, () => caller.post('/v1/passkeys/options', {}), status, code)
      await expectRefused(service, () => caller.send('DELETE', '/v1/passkeys/AAAA'), status, code)
    }
  })
})

describe('removing a passkey', () => {
  test('is for its own person, and once', async () => {
    const [person, other] = [await somebody(), await somebody()]
    const { authenticator, send } = await makePasskey(person)
    await send()
    const path = `/v1/passkeys/${authenticator.id}`
    await expectRefused(service, () => other.send('DELETE', path), 404, 'not_found')
    const removed = await person.send('DELETE', path)
    expect(removed.status).toBe(200)
    const goesOn = sessionOf(removed)
    await expectRefused(service, () => goesOn.send('DELETE', path), 404, 'not_found')
    expect((await goesOn.get('/v1/passkeys')).body.passkeys).toEqual([])
  })

  test('ends every session of its person, and whoever removes it goes on in a new one', async () => {
    const person = await somebody()
    const { authenticator, send, userHandle } = await makePasskey(person)
    await send()
    const begun = await service.anyone.post('/v1/session/passkey/options', {})
    const signed = { ...authenticator.sign({ challenge: begun.body.challenge }), userHandle }
    const sending = withCookie(service.anyone, challengeCookie(begun))
    const thief = sessionOf(await service.anyone.post('/v1/session/passkey', signed, sending))
    expect((await thief.get('/v1/session')).status).toBe(200)
    const removed = await person.send('DELETE', `/v1/passkeys/${authenticator.id}`)
    for (const ended of [thief, person]) expect((await ended.get('/v1/session')).status).toBe(401)
    expect((await sessionOf(removed).get('/v1/session')).status).toBe(200)
  })

  test('is not done by a page of another site', async () => {
    const person = await somebody()
    const { authenticator, send } = await makePasskey(person)
    await send()
    const headers = { origin: 'https://evil.example' }
    const path = `/v1/passkeys/${authenticator.id}`
    await expectRefused(service, () => person.send('DELETE', path, { headers }), 403, 'not_permitted')
  })
})

describe('signing in with a passkey', () => {
  const prepared = async () => {
    const person = await somebody()
    const { authenticator, send, userHandle } = await makePasskey(person)
    await send()
    const begin = async (saying: Partial<Saying> = {}) => {
      const begun = await service.anyone.post('/v1/session/passkey/options', {})
      const signed = { ...authenticator.sign({ challenge: begun.body.challenge, ...saying }), userHandle }
      const answer = (more: object = {}, sending = withCookie(service.anyone, challengeCookie(begun))) =>
        service.anyone.post('/v1/session/passkey', { ...signed, ...more }, sending)
      return { begun, answer }
    }
    return { person, authenticator, begin }
  }

  test('gives the same session as a link does, for the person whose passkey it is', async () => {
    const { begin } = await prepared()
    const { begun, answer } = await begin()
    expect(begun.body).toMatchObject({ rpId: 'localhost', userVerification: 'required' })
    expect(begun.body).not.toHaveProperty('allowCredentials')
    const signedIn = await answer()
    expect(signedIn).toMatchObject({ status: 200, body: { person: { id: `person-${people}@example.com` } } })
    expect((await sessionOf(signedIn).get('/v1/session')).body.person.id).toBe(`person-${people}@example.com`)
  })

  test('is refused without the cookie of the browser that began, and a second time', async () => {
    const { begin } = await prepared()
    const stolen = await begin()
    await expectRefused(
      service,
      () => stolen.answer({}, { headers: { cookie: '' } }),
      401,
      'not_authenticated',
    )
    const { answer } = await begin()
    expect((await answer()).status).toBe(200)
    await expectRefused(service, () => answer(), 401, 'not_authenticated')
  })

  test('is refused where the authenticator verified nobody', async () => {
    const { begin } = await prepared()
    const { answer } = await begin({ flags: 1 })
    await expectRefused(service, () => answer(), 401, 'not_authenticated')
  })

  test('is refused with a passkey that was removed, which looks like one that never was', async () => {
    const { begin, person, authenticator } = await prepared()
    await person.send('DELETE', `/v1/passkeys/${authenticator.id}`)
    const removed = await begin()
    const one = await expectRefused(service, () => removed.answer(), 401, 'not_authenticated')
    const unknown = await begin()
    const two = await expectRefused(
      service,
      () => unknown.answer({ credential: 'AAAA' }),
      401,
      'not_authenticated',
    )
    expect(one.body).toEqual(two.body)
  })

  test('is not begun or done by a page of another site', async () => {
    const { begin } = await prepared()
    const { begun, answer } = await begin()
    const headers = { origin: 'https://evil.example', cookie: challengeCookie(begun) }
    await expectRefused(service, () => answer({}, { headers }), 403, 'not_permitted')
    await expectRefused(
      service,
      () => service.anyone.post('/v1/session/passkey/options', {}, { headers }),
      403,
      'not_permitted',
    )
  })
})

describe('a vote on an approval that takes signed votes', () => {
  const waiting = async () => {
    const agent = await service.agent()
    const { body } = await agent.post('/v1/decisions', { action: 'issue_refund', params: { amount: 600 } })
    return body.approval.id as string
  }
  const votes = (id: string) => `/v1/approvals/${id}/votes`

  test('counts with the signature of the person, and is refused without, or with a wrong one', async () => {
    const id = await waiting()
    const person = await somebody()
    const name = `person-${people}@example.com`
    const { authenticator, send } = await makePasskey(person)
    await send()
    const { body: approval } = await person.get(`/v1/approvals/${id}`)
    expect(approval.terms.signed).toBe(true)
    const { digest } = approval
    const bare = { vote: 'approve', digest }
    await expectRefused(service, () => person.post(votes(id), bare), 403, 'signature_required')
    const sign = (vote: 'approve' | 'reject') =>
      authenticator.sign({ challenge: voteChallenge({ digest, person: name, vote }) })
    const opposite = { ...bare, signature: sign('reject') }
    await expectRefused(service, () => person.post(votes(id), opposite), 403, 'signature_invalid')
    const other = await somebody()
    const signature = sign('approve')
    await expectRefused(
      service,
      () => other.post(votes(id), { ...bare, signature }),
      403,
      'signature_invalid',
    )
    for (const wrong of [
      {},
      { ...signature, more: 1 },
      { ...signature, signature: '+/' },
      'signature',
      null,
    ]) {
      await expectRefused(
        service,
        () => person.post(votes(id), { ...bare, signature: wrong }),
        400,
        'bad_input',
      )
    }
    const voted = await person.post(votes(id), { ...bare, signature })
    expect(voted).toMatchObject({ status: 201, body: { status: 'approved' } })
  })
})
