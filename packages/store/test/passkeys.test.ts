import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { SoftAuthenticator } from '../../core/test/approval/authenticator.ts'
import { Access } from '../src/access.ts'
import type { Ledger } from '../src/ledger.ts'
import { relyingPartyOf } from '../src/relying-party.ts'
import { faultOf, ledgerSite, minute, records, type LedgerSite } from './harness/ledger.ts'
import { passkeysOf, personOf, registered } from './harness/passkeys.ts'
import { describeOnOnePostgres } from './harness/postgres.ts'

describe('a console at', () => {
  test.each([
    ['http://localhost:7420', { rpId: 'localhost', origin: 'http://localhost:7420' }],
    ['http://127.0.0.1:7420/', { rpId: 'localhost', origin: 'http://localhost:7420' }],
    ['http://[::1]:7420', { rpId: 'localhost', origin: 'http://localhost:7420' }],
    [
      'https://governance.example.com',
      { rpId: 'governance.example.com', origin: 'https://governance.example.com' },
    ],
    [
      'https://governance.example.com:8443/x',
      { rpId: 'governance.example.com', origin: 'https://governance.example.com:8443' },
    ],
  ])('%s takes passkeys', (url, party) => {
    expect(relyingPartyOf(url)).toEqual(party)
  })

  test.each([
    'http://governance.example.com',
    'https://192.0.2.1',
    'https://[2001:db8::1]',
    'http://10.0.0.1:7420',
  ])('%s takes none, and it is said why', (url) => {
    expect(() => relyingPartyOf(url)).toThrow('there are no passkeys')
  })
})

describeOnOnePostgres('passkeys', (postgres) => {
  let site: LedgerSite
  let ledger: Ledger
  beforeAll(async () => {
    site = await ledgerSite(postgres)
  })
  afterEach(async () => {
    await site.closeLedgers()
    await site.query('delete from passkey')
  })
  afterAll(() => site.remove())

  const ann = personOf('ann')
  const open = async () => {
    ledger = await site.open()
    await new Access(ledger).setPerson(ann, ['approver'])
    return passkeysOf(ledger)
  }
  const answer = (authenticator: SoftAuthenticator, challenge: string) => ({
    ...authenticator.register({ challenge }),
    name: 'Laptop',
    transports: ['internal'],
  })

  test('a passkey is registered with a record that holds its id and its public key', async () => {
    const passkeys = await open()
    const { token, challenge } = await passkeys.beginRegistration(ann)
    const authenticator = new SoftAuthenticator('laptop')
    const { id, index } = await passkeys.register(ann, token, answer(authenticator, challenge))
    expect((await records(site, ledger))[index]).toMatchObject({
      kind: 'access',
      event: 'passkey_registered',
      subject: ann,
      passkey: authenticator.passkey,
      payload: null,
    })
    expect(await passkeys.list(ann)).toMatchObject([
      { id, name: 'Laptop', transports: ['internal'], usedAt: null, usable: true, index },
    ])
    expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
  })

  test('a person has one handle, and the passkeys that there are are named, so that no device makes a second one', async () => {
    const passkeys = await open()
    const first = await registered(ledger, 'ann', { device: 'one' })
    const one = await passkeys.beginRegistration(ann)
    const two = await passkeys.beginRegistration(ann)
    expect(one.known).toEqual([first.id])
    expect(one.userHandle).toBe(two.userHandle)
    expect(one.challenge).not.toBe(two.challenge)
  })

  test('a challenge is good once, for one person, and for three minutes', async () => {
    const passkeys = await open()
    await new Access(ledger).setPerson(personOf('bob'), ['approver'])
    const first = await passkeys.beginRegistration(ann)
    const authenticator = new SoftAuthenticator('laptop')
    const code = async (person: typeof ann, token: string) =>
      (await faultOf(passkeys.register(person, token, answer(authenticator, first.challenge)))).code
    expect(await code(personOf('bob'), first.token)).toBe('conflict')
    expect(await code(ann, 'another browser')).toBe('conflict')
    await passkeys.register(ann, first.token, answer(authenticator, first.challenge))
    expect(await code(ann, first.token)).toBe('conflict')
    const late = await passkeys.beginRegistration(ann)
    site.clock.advance(3 * minute)
    expect(await code(ann, late.token)).toBe('conflict')
    const wrong = await passkeys.beginRegistration(ann)
    expect(await code(ann, wrong.token)).toBe('bad_input')
    expect(await code(ann, wrong.token)).toBe('conflict')
  })

  test('challenges that nobody answers are cleared away', async () => {
    const passkeys = await open()
    for (let at = 0; at < 20; at++) await passkeys.beginSignIn()
    site.clock.advance(4 * minute)
    await passkeys.beginSignIn()
    expect(await site.query('select from passkey_challenge')).toHaveLength(1)
  })

  test('a credential is registered once, also for another person and after it was removed', async () => {
    const passkeys = await open()
    await new Access(ledger).setPerson(personOf('bob'), ['approver'])
    const authenticator = await registered(ledger, 'ann')
    const again = async (person: typeof ann) => {
      const { token, challenge } = await passkeys.beginRegistration(person)
      return (await faultOf(passkeys.register(person, token, answer(authenticator, challenge)))).code
    }
    expect(await again(personOf('bob'))).toBe('conflict')
    await passkeys.remove(ann, authenticator.id)
    expect(await again(ann)).toBe('conflict')
  })

  test('nobody has more than 20, and one that is removed makes room', async () => {
    const passkeys = await open()
    const made: SoftAuthenticator[] = []
    for (let at = 0; at < 20; at++) made.push(await registered(ledger, 'ann', { device: `d${at % 2}` }))
    expect((await faultOf(registered(ledger, 'ann'))).code).toBe('conflict')
    await passkeys.remove(ann, made[0]?.id ?? '')
    await registered(ledger, 'ann')
    expect(await passkeys.list(ann)).toHaveLength(20)
  })

  test('a passkey is removed by its own person, once, with a record', async () => {
    const passkeys = await open()
    const authenticator = await registered(ledger, 'ann')
    expect((await faultOf(passkeys.remove(personOf('bob'), authenticator.id))).code).toBe('not_found')
    const { index } = await passkeys.remove(ann, authenticator.id)
    expect((await records(site, ledger))[index]).toMatchObject({
      event: 'passkey_removed',
      subject: ann,
      passkey: authenticator.passkey,
    })
    expect(await passkeys.list(ann)).toEqual([])
    expect((await faultOf(passkeys.remove(ann, authenticator.id))).code).toBe('not_found')
    expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
  })

  test('nobody who was removed in the meantime registers one', async () => {
    const passkeys = await open()
    const { token, challenge } = await passkeys.beginRegistration(ann)
    await new Access(ledger).removePerson(ann)
    const fault = await faultOf(passkeys.register(ann, token, answer(new SoftAuthenticator(), challenge)))
    expect(fault.code).toBe('not_found')
  })

  describe('signing in', () => {
    const prepared = async () => {
      const passkeys = await open()
      const authenticator = await registered(ledger, 'ann')
      const { userHandle } = await passkeys.beginRegistration(ann)
      const signed = (challenge: string, saying = {}) => ({
        ...authenticator.sign({ challenge, ...saying }),
        userHandle,
      })
      return { passkeys, authenticator, signed }
    }

    test('with a passkey opens a session for the person whose it is', async () => {
      const { passkeys, signed } = await prepared()
      const { token, challenge } = await passkeys.beginSignIn()
      const opened = await passkeys.signIn(token, signed(challenge))
      expect(opened?.voter).toEqual({ id: ann, roles: ['approver'] })
      expect((await records(site, ledger)).at(-1)).toMatchObject({ event: 'signed_in', subject: ann })
      expect((await passkeys.list(ann))[0]?.usedAt).not.toBeNull()
    })

    test('takes a challenge once, from the browser that asked for it, and soon', async () => {
      const { passkeys, signed } = await prepared()
      const first = await passkeys.beginSignIn()
      expect(await passkeys.signIn('another browser', signed(first.challenge))).toBeUndefined()
      expect(await passkeys.signIn(first.token, signed(first.challenge))).toBeDefined()
      expect(await passkeys.signIn(first.token, signed(first.challenge))).toBeUndefined()
      const late = await passkeys.beginSignIn()
      site.clock.advance(3 * minute)
      expect(await passkeys.signIn(late.token, signed(late.challenge))).toBeUndefined()
    })

    test('is not done with a challenge for registering, nor registering with one for signing in', async () => {
      const { passkeys, signed } = await prepared()
      const registering = await passkeys.beginRegistration(ann)
      expect(await passkeys.signIn(registering.token, signed(registering.challenge))).toBeUndefined()
      const { token, challenge } = await passkeys.beginSignIn()
      const made = answer(new SoftAuthenticator('new'), challenge)
      expect((await faultOf(passkeys.register(ann, token, made))).code).toBe('conflict')
    })

    test.each([
      ['another challenge', () => ({ challenge: 'AAAA' })],
      ['nobody verified', () => ({ flags: 1 })],
      ['another origin', () => ({ origin: 'https://evil.example' })],
      ['a counter that stands still', () => ({ signCount: 1 })],
    ])('is refused with %s', async (_, saying) => {
      const { passkeys, signed } = await prepared()
      const before = await passkeys.beginSignIn()
      await passkeys.signIn(before.token, signed(before.challenge, { signCount: 1 }))
      const { token, challenge } = await passkeys.beginSignIn()
      expect(await passkeys.signIn(token, signed(challenge, saying()))).toBeUndefined()
    })

    test('is refused with the handle of somebody else, or with none', async () => {
      const { passkeys, authenticator, signed } = await prepared()
      for (const userHandle of ['AAAA', undefined]) {
        const { token, challenge } = await passkeys.beginSignIn()
        const assertion = { ...authenticator.sign({ challenge }), userHandle }
        expect(await passkeys.signIn(token, assertion)).toBeUndefined()
      }
      const { token, challenge } = await passkeys.beginSignIn()
      expect(await passkeys.signIn(token, signed(challenge))).toBeDefined()
    })

    test('is refused with every passkey of an account that was reset, and the log says who reset it', async () => {
      const { passkeys, authenticator, signed } = await prepared()
      const opened = await passkeys.beginSignIn()
      const before = await passkeys.signIn(opened.token, signed(opened.challenge))
      const access = new Access(ledger)
      await access.setPerson('root@example.com', ['administrator'])
      await access.reset(ann, { by: 'root@example.com' })
      expect(before?.kind === 'signed_in' && (await access.personOf(before.session))).toBe(undefined)
      expect((await records(site, ledger)).filter((record) => record.kind === 'access')).toContainEqual(
        expect.objectContaining({
          event: 'passkey_removed',
          subject: ann,
          by: 'root@example.com',
          passkey: expect.objectContaining({ id: authenticator.id }) as object,
        }),
      )
      const again = await passkeys.beginSignIn()
      expect(await passkeys.signIn(again.token, signed(again.challenge))).toBeUndefined()
      expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
    })

    test('is refused with a passkey that was removed, or whose person was', async () => {
      const { passkeys, authenticator, signed } = await prepared()
      const other = await registered(ledger, 'bob')
      await passkeys.remove(ann, authenticator.id)
      const first = await passkeys.beginSignIn()
      expect(await passkeys.signIn(first.token, signed(first.challenge))).toBeUndefined()
      const { userHandle } = await passkeys.beginRegistration(personOf('bob'))
      await new Access(ledger).removePerson(personOf('bob'))
      const second = await passkeys.beginSignIn()
      const assertion = { ...other.sign({ challenge: second.challenge }), userHandle }
      expect(await passkeys.signIn(second.token, assertion)).toBeUndefined()
    })
  })
})
