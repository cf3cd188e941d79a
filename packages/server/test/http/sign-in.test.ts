import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { totpCode, totpStep } from '../../src/identity/totp.ts'
import { base, HttpService, type Answer, type Caller } from '../harness/http-service.ts'

const right = 'correct horse battery staple'
const minute = 60 * 1000

let service: HttpService
beforeAll(async () => {
  service = await HttpService.open()
})
afterAll(() => service.close())

let people = 0
/** A person with a password; nobody of another test. */
async function withPassword(password = right): Promise<{ readonly id: string; readonly caller: Caller }> {
  const id = `person${people++}@example.com`
  const caller = await service.person(id)
  const set = await caller.post('/v1/account/password', { password })
  expect(set.status, set.text).toBe(204)
  return { id, caller: callerWith(set) }
}

function tokenIn(answer: Answer): string {
  return /bailiwick_session=([^;]*)/.exec(answer.headers.get('set-cookie') ?? '')?.[1] ?? ''
}

function callerWith(answer: Answer): Caller {
  const token = tokenIn(answer)
  return service.caller({ cookie: `bailiwick_session=${token}`, origin: base }, token)
}

let addresses = 0
/** A sign-in from an address of its own, so that no test makes another wait. */
function signIn(person: string, password = right, headers: Record<string, string> = {}): Promise<Answer> {
  const address = `192.0.2.${addresses++ % 250}`
  return service.anyone.post(
    '/v1/session/password',
    { person, password },
    { headers: { 'x-forwarded-for': address, ...headers } },
  )
}

/** Sets up an authenticator app. */
async function withTotp() {
  // At the beginning of a time step, so that none ends while a test runs.
  service.clock.aheadMs += 30_000 - (service.ledger.now() % 30_000)
  const { id, caller } = await withPassword()
  const offer = await caller.post('/v1/account/totp', {})
  expect(offer.status, offer.text).toBe(201)
  const secret = fromBase32(offer.body.secret)
  const code = (steps = 0) => totpCode(secret, totpStep(service.ledger.now()) + steps)
  const confirmed = await caller.post('/v1/account/totp/confirmation', { code: code(-1) })
  expect(confirmed.status, confirmed.text).toBe(201)
  return {
    id,
    code,
    caller: callerWith(confirmed),
    recoveryCodes: confirmed.body.recoveryCodes as readonly string[],
  }
}

function fromBase32(text: string): Buffer {
  const bits = Array.from(text)
    .map((letter) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0'))
    .join('')
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)))
}

async function stepOf(id: string): Promise<string> {
  const { body, text } = await signIn(id)
  expect(body.secondFactor?.factors, text).toEqual(['totp', 'recovery'])
  return body.secondFactor.step
}

function prove(step: string, proof: object): Promise<Answer> {
  return service.anyone.post('/v1/session/second-factor', { step, ...proof })
}

describe('a password', () => {
  test('signs its person in, and nobody else', async () => {
    const { id } = await withPassword()
    const signedIn = await signIn(id)
    expect(signedIn.body).toEqual({ person: { id, roles: ['approver'] } })
    expect((await callerWith(signedIn).get('/v1/session')).body).toMatchObject({
      person: { id },
      session: { method: 'password' },
    })
    for (const wrong of ['correct horse battery stapl', `${right} `, right.toUpperCase(), 'x']) {
      expect((await signIn(id, wrong)).status, wrong).toBe(401)
    }
  })

  test('may be typed on any keyboard: what looks the same is the same', async () => {
    const { id } = await withPassword('Zu\u0308rich und Gen\u00e8ve')
    expect((await signIn(id, 'Z\u00fcrich und Gene\u0300ve')).status).toBe(200)
    expect((await signIn(id, 'Zurich und Geneve')).status).toBe(401)
  })

  test('has 12 to 128 characters as people count them, and is not too easy', async () => {
    const id = `person${people++}@example.com`
    const caller = await service.person(id)
    for (const password of [
      'elevenchars',
      '🔑'.repeat(11),
      'x'.repeat(129),
      'a'.repeat(20),
      `my ${id} password`,
      `lone \ud800 surrogate`,
    ]) {
      const { status } = await caller.post('/v1/account/password', { password })
      expect(status, password).toBe(400)
    }
    const short = await caller.post('/v1/account/password', { password: 'elevenchars' })
    expect(short.body).toMatchObject({ detail: 'the password must have 12 to 128 characters' })
    const { status } = await caller.post('/v1/account/password', { password: '🔑🗝️🔐 twelve of' })
    expect(status).toBe(204)
  })

  test('that is wrong and an account that is not there get the same answer', async () => {
    const { id } = await withPassword()
    await service.access.setPerson('linkonly@example.com', ['approver'])
    const answers = [
      await signIn(id, 'wrong password of twelve'),
      await signIn('nobody@example.com', 'wrong password of twelve'),
      await signIn('linkonly@example.com', 'wrong password of twelve'),
    ]
    const shapes = answers.map(({ status, text, headers }) => ({
      status,
      text,
      names: [...headers.keys()].toSorted(),
    }))
    expect(shapes[0]?.status).toBe(401)
    expect(shapes[1]).toEqual(shapes[0])
    expect(shapes[2]).toEqual(shapes[0])
  })

  test('is asked for where a new one is set, unless its person came by a link', async () => {
    const { id } = await withPassword()
    const caller = callerWith(await signIn(id))
    const password = 'another password of mine'
    expect((await caller.post('/v1/account/password', { password })).status).toBe(403)
    expect(
      (await caller.post('/v1/account/password', { password, current: 'not the current one' })).status,
    ).toBe(403)
    expect((await caller.post('/v1/account/password', { password, current: right })).status).toBe(204)
    expect((await signIn(id, right)).status).toBe(401)
    expect((await signIn(id, password)).status).toBe(200)
  })

  test('that is set ends every other session', async () => {
    const { id, caller } = await withPassword()
    const other = callerWith(await signIn(id))
    const set = await caller.post('/v1/account/password', { password: 'another password of mine' })
    expect(set.status).toBe(204)
    expect((await other.get('/v1/session')).status).toBe(401)
    expect((await caller.get('/v1/session')).status).toBe(401)
    expect((await callerWith(set).get('/v1/session')).body.person.id).toBe(id)
  })

  test('is kept as an Argon2id hash and nowhere else, and is no part of the log', async () => {
    const { id } = await withPassword()
    expect(await service.access.credentials.passwordHashOf(id)).toMatch(
      /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/,
    )
    const { rows } = await service.ledger.pool.query<{ text: string }>(
      'select records as text from log_batch',
    )
    const log = rows.map(({ text }) => text).join('\n')
    expect(log).toContain('"event":"password_set"')
    expect(log).not.toMatch(/argon2|battery/)
  })
})

describe('tries that fail', () => {
  test('make an account wait, from the sixth on and longer each time; also one that is not there', async () => {
    const { id } = await withPassword()
    for (const person of [id, 'ghost@example.com']) {
      for (let tried = 0; tried < 5; tried++)
        expect((await signIn(person, 'wrong password')).status).toBe(401)
      const refused = await signIn(person, right)
      expect(refused.status).toBe(429)
      expect(refused.body.type).toBe('urn:bailiwick:problem:too_many_tries')
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(25)
      expect(Number(refused.headers.get('retry-after'))).toBeLessThanOrEqual(30)
    }
    service.clock.aheadMs += 31 * 1000
    expect((await signIn(id, 'wrong password')).status).toBe(401)
    const longer = await signIn(id, right)
    expect(Number(longer.headers.get('retry-after'))).toBeGreaterThan(50)
    service.clock.aheadMs += 61 * 1000
    expect((await signIn(id, right)).status).toBe(200)
    expect((await signIn(id, 'wrong password')).status, 'forgiven').toBe(401)
  })

  test('many at once are no more than one after the other', async () => {
    const { id } = await withPassword()
    const answers = await Promise.all(Array.from({ length: 20 }, () => signIn(id, 'wrong password')))
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(5)
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(15)
    service.clock.aheadMs += 20 * minute
  })

  test('make an address wait, whichever accounts it tries; a network of IPv6 is one', async () => {
    const from = (at: number) => ({ 'x-forwarded-for': `2001:db8:1:2::${at.toString(16)}` })
    const tries = Array.from({ length: 60 }, (_none, at) => at)
    const statuses: number[] = []
    for (const at of tries)
      statuses.push((await signIn(`spray${at}@example.com`, 'wrong password', from(at))).status)
    expect(statuses.slice(0, 50)).toEqual(tries.slice(0, 50).map(() => 401))
    expect(statuses.slice(50)).toEqual(tries.slice(50).map(() => 429))
    const { id } = await withPassword()
    expect((await signIn(id, right, { 'x-forwarded-for': '2001:db8:1:3::1' })).status).toBe(200)
    service.clock.aheadMs += 20 * minute
  })
})

describe('a second factor', () => {
  test('is asked for once an app was confirmed: by password, and by link', async () => {
    const { id, code } = await withTotp()
    const done = await prove(await stepOf(id), { code: code() })
    expect((await callerWith(done).get('/v1/session')).body.session.method).toBe('password+totp')
    const token = await service.signInToken(id)
    const byLink = await service.anyone.post('/v1/session', { token })
    expect(byLink.body.secondFactor.factors).toEqual(['totp', 'recovery'])
    expect(byLink.headers.get('set-cookie')).toBeNull()
  })

  test('that was used is refused, also within its half minute, and also one of before', async () => {
    const { id, code } = await withTotp()
    const used = code()
    expect((await prove(await stepOf(id), { code: used })).status).toBe(200)
    expect((await prove(await stepOf(id), { code: used })).status).toBe(401)
    expect((await prove(await stepOf(id), { code: code(-1) })).status).toBe(401)
    expect((await prove(await stepOf(id), { code: code(1) })).status).toBe(200)
  })

  test('is used once by several who send the same code at the same moment', async () => {
    const { id, code } = await withTotp()
    const steps = await Promise.all(Array.from({ length: 4 }, () => stepOf(id)))
    const answers = await Promise.all(steps.map((step) => prove(step, { code: code() })))
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 401, 401, 401])
  })

  test('may be tried five times for one sign-in, and none after five minutes', async () => {
    const { id, code } = await withTotp()
    const step = await stepOf(id)
    for (let tried = 0; tried < 4; tried++) expect((await prove(step, { code: '000000' })).status).toBe(401)
    expect((await prove(step, { code: code() })).status).toBe(200)
    expect((await prove(step, { code: code(1) })).status, 'used up').toBe(401)
    const slow = await stepOf(id)
    service.clock.aheadMs += 5 * minute
    expect((await prove(slow, { code: code() })).status).toBe(401)
    expect((await prove('guessed', { code: code() })).status).toBe(401)
  })

  test('makes its person wait after five that were wrong, over all sign-ins', async () => {
    const { id, code } = await withTotp()
    for (let tried = 0; tried < 5; tried++) {
      expect((await prove(await stepOf(id), { code: '000000' })).status).toBe(401)
    }
    expect((await prove(await stepOf(id), { code: code() })).status).toBe(429)
    service.clock.aheadMs += minute
    expect((await prove(await stepOf(id), { code: code() })).status).toBe(200)
  })

  test('may be a recovery code, each once, however it is typed', async () => {
    const { id, recoveryCodes } = await withTotp()
    expect(recoveryCodes).toHaveLength(10)
    const [one = '', two = ''] = recoveryCodes
    expect((await prove(await stepOf(id), { recoveryCode: one })).status).toBe(200)
    expect((await prove(await stepOf(id), { recoveryCode: one })).status).toBe(401)
    const typed = ` ${two.toUpperCase().replaceAll('-', ' ')} `
    const done = await prove(await stepOf(id), { recoveryCode: typed })
    expect((await callerWith(done).get('/v1/account')).body.recoveryCodesLeft).toBe(8)
  })

  test('is kept sealed, and its recovery codes as hashes', async () => {
    const { id, recoveryCodes } = await withTotp()
    const { rows } = await service.ledger.pool.query('select * from credential where person = $1', [id])
    const text = JSON.stringify(rows)
    for (const code of recoveryCodes) expect(text).not.toContain(code.replaceAll('-', ''))
    const kept = await service.access.credentials.totpOf(id)
    expect(service.sealing.open(`totp ${id}`, kept?.sealed ?? '')).toHaveLength(20)
    expect(service.sealing.open('totp somebody@example.com', kept?.sealed ?? '')).toBeUndefined()
  })

  test('that cannot be opened lets nobody past, and the operator is told of the identity key', async () => {
    const { id, code } = await withTotp()
    const step = await stepOf(id)
    await service.ledger.pool.query(
      `update credential set value = 'AAAA' where person = $1 and kind = 'totp'`,
      [id],
    )
    const { status, body } = await prove(step, { code: code() })
    expect([status, body]).toEqual([503, expect.objectContaining({ recorded: 'no' })])
    expect(service.lines).toContainEqual(expect.stringMatching(/^IDENTITY KEY: /))
    expect(await service.accounts.opensSecrets()).toBe(false)
    await service.ledger.pool.query(`delete from credential where person = $1 and kind = 'totp'`, [id])
    expect(await service.accounts.opensSecrets()).toBe(true)
  })

  test('is not in use before a code has confirmed it, and goes when it is removed', async () => {
    const { id, caller } = await withPassword()
    await caller.post('/v1/account/totp', {})
    expect((await signIn(id)).body.person.id).toBe(id)
    expect((await caller.post('/v1/account/totp/confirmation', { code: '000000' })).status).toBe(403)
    expect((await caller.post('/v1/account/recovery-codes', {})).status).toBe(409)

    const app = await withTotp()
    expect((await app.caller.post('/v1/account/totp', {})).status, 'one is in use').toBe(409)
    expect((await app.caller.post('/v1/account/totp/confirmation', { code: app.code() })).status).toBe(409)
    const renewed = await app.caller.post('/v1/account/recovery-codes', {})
    expect(renewed.body.recoveryCodes).toHaveLength(10)
    expect((await prove(await stepOf(app.id), { recoveryCode: app.recoveryCodes[0] })).status).toBe(401)
    const removed = await app.caller.send('DELETE', '/v1/account/totp')
    expect(removed.status).toBe(204)
    expect((await signIn(app.id)).body.person.id).toBe(app.id)
  })

  test('and the password go when an administrator resets the account', async () => {
    const app = await withTotp()
    const administrator = await service.person('root@example.com', ['administrator'])
    expect((await administrator.post(`/v1/people/${app.id}/reset`, {})).status).toBe(204)
    expect((await app.caller.get('/v1/session')).status).toBe(401)
    expect((await signIn(app.id)).status).toBe(401)
    const link = await administrator.post(`/v1/people/${app.id}/link`, {})
    const token = new URL(link.body.url).hash.slice('#token='.length)
    expect((await service.anyone.post('/v1/session', { token })).body.person.id).toBe(app.id)
  })
})

describe('a session', () => {
  test('is a new one at each sign-in, and what the browser had before is worth nothing', async () => {
    const { id } = await withPassword()
    const planted = await service.person('mallory@example.com')
    const signedIn = await signIn(id, right, { cookie: `bailiwick_session=${planted.secret}`, origin: base })
    expect(tokenIn(signedIn)).not.toBe(planted.secret)
    expect((await planted.get('/v1/session')).status).toBe(401)
    // A value of an attacker's choice is not taken over either.
    const fixed = 'A'.repeat(43)
    const again = await signIn(id, right, { cookie: `bailiwick_session=${fixed}`, origin: base })
    expect(tokenIn(again)).not.toBe(fixed)
    const guess = service.caller({ cookie: `bailiwick_session=${fixed}`, origin: base }, fixed)
    expect((await guess.get('/v1/session')).status).toBe(401)
  })

  test('is no longer enough to change what lets its person in after half an hour', async () => {
    const { caller } = await withPassword()
    service.clock.aheadMs += 30 * minute
    for (const path of ['/v1/account/totp', '/v1/account/recovery-codes']) {
      expect((await caller.post(path, {})).status, path).toBe(403)
    }
    expect((await caller.send('DELETE', '/v1/account/totp')).status).toBe(403)
    expect((await caller.post('/v1/account/password', { password: 'another password of mine' })).status).toBe(
      403,
    )
  })
})

describe('signing in from another site', () => {
  const foreign: readonly Record<string, string>[] = [
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { origin: base, 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { 'sec-fetch-site': 'none' },
  ]
  test.each(foreign)('is refused: %j', async (headers) => {
    const { id } = await withPassword()
    const refused = await signIn(id, right, headers)
    expect(refused.status).toBe(403)
    expect(refused.headers.get('set-cookie')).toBeNull()
    expect((await signIn(id, right, { origin: base, 'sec-fetch-site': 'same-origin' })).status).toBe(200)
  })
})
