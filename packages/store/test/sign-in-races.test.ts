import type { PersonId } from '@bailiwick/core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { SoftAuthenticator } from '../../core/test/approval/authenticator.ts'
import { Access } from '../src/access.ts'
import type { SignInResult } from '../src/identity/sign-ins.ts'
import { faultOf, ledgerSite, records, type LedgerSite } from './harness/ledger.ts'
import { passkeysOf, registered } from './harness/passkeys.ts'
import { describeOnOnePostgres } from './harness/postgres.ts'

const ann = 'ann@example.com' as PersonId
const subject = 'https://login.example ann'

async function backAgain(access: Access): Promise<void> {
  await access.removePerson(ann)
  await access.setPerson(ann, ['approver'])
}

describeOnOnePostgres('a sign-in that goes on while somebody changes who may get in', (postgres) => {
  let site: LedgerSite
  beforeAll(async () => {
    site = await ledgerSite(postgres)
  })
  afterEach(() => site.closeLedgers())
  afterAll(() => site.remove())

  async function opened() {
    const ledger = await site.open()
    const access = new Access(ledger)
    const people = async () => (await access.people()).map(({ id }) => id)
    if ((await people()).includes(ann)) await access.removePerson(ann)
    return { ledger, access, people }
  }
  /** Whether what comes is a session; where it is refused, nothing says that anybody signed in. */
  const isIn = async (
    access: Access,
    coming: Promise<SignInResult | undefined> | SignInResult | undefined,
  ) => {
    const [came] = await Promise.allSettled([coming])
    if (came.status === 'rejected') {
      expect(came.reason).toMatchObject({ code: 'not_authenticated' })
      return false
    }
    const result = came.value
    return result?.kind === 'signed_in' && (await access.personOf(result.session)) !== undefined
  }

  describe('by an identity provider', () => {
    const vouched = (since: number, roles: readonly string[] = ['approver']) => ({ roles, subject, since })

    test('lets one account be one person, however often its address changes, also at the same moment', async () => {
      const { access, people } = await opened()
      const since = await access.signIns.now()
      const addresses = ['ann@example.com', 'ann.smith@example.com', 'ann.jones@example.com']
      const results = await Promise.allSettled(
        addresses.map((address) => access.setPersonOfProvider(address, vouched(since))),
      )
      expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
      const [person = ''] = (await people()).filter((id) => addresses.includes(id))
      for (const address of addresses.filter((each) => each !== person)) {
        const fault = await faultOf(access.setPersonOfProvider(address, vouched(since)))
        expect(fault).toMatchObject({ code: 'not_permitted' })
        expect(fault.message).toContain(`signed in as ${person} before`)
      }
      expect((await people()).filter((id) => addresses.includes(id))).toEqual([person])
      // Somebody else's account is somebody else.
      const other = { ...vouched(since), subject: `${subject}-2` }
      expect((await access.setPersonOfProvider('bob@example.com', other))?.voter.id).toBe('bob@example.com')
      await access.removePerson(person)
      await access.removePerson('bob@example.com')
      const again = await access.setPersonOfProvider(
        'ann.new@example.com',
        vouched(await access.signIns.now()),
      )
      expect(again?.voter.id).toBe('ann.new@example.com')
      await access.removePerson('ann.new@example.com')
    })

    test('brings back nobody who was removed after it began, and whoever begins after that', async () => {
      const { access, people } = await opened()
      await access.setPersonOfProvider(ann, vouched(await access.signIns.now()))
      const since = await access.signIns.now()
      await access.removePerson(ann)
      expect((await faultOf(access.setPersonOfProvider(ann, vouched(since)))).code).toBe('not_authenticated')
      expect(await people()).not.toContain(ann)
      const anew = await access.setPersonOfProvider(ann, vouched(await access.signIns.now()))
      expect(anew?.voter.roles).toEqual(['approver'])
    })

    test.each([
      ['in one batch, the removal first', true],
      ['in one batch, the removal last', false],
    ])('leaves a removed person removed: %s', async (_order, removalFirst) => {
      const { access, people } = await opened()
      for (let round = 0; round < 5; round++) {
        await access.setPersonOfProvider(ann, vouched(await access.signIns.now()))
        const since = await access.signIns.now()
        const remove = () => access.removePerson(ann)
        // Other roles, so that there is something to write.
        const vouch = () =>
          access.setPersonOfProvider(ann, vouched(since, ['viewer'])).catch(() => 'refused' as const)
        const [, came] = removalFirst
          ? await Promise.all([remove(), vouch()])
          : await Promise.all([vouch(), remove()]).then(([one, two]) => [two, one] as const)
        expect(await people()).not.toContain(ann)
        if (typeof came !== 'object') continue
        const late = access.signIns.beginAt(ann, 'provider', '', came.epoch)
        expect(await isIn(access, late)).toBe(false)
      }
    })

    test('leaves a removed person removed where two processes do it at once', async () => {
      const { ledger, access, people } = await opened()
      const other = new Access(await site.open(undefined, ledger.name))
      for (let round = 0; round < 10; round++) {
        await access.setPersonOfProvider(ann, vouched(await access.signIns.now()))
        const since = await other.signIns.now()
        await Promise.all([
          access.removePerson(ann),
          other.setPersonOfProvider(ann, vouched(since, ['viewer'])).catch(() => undefined),
        ])
        expect(await people()).not.toContain(ann)
      }
    })

    test('undoes no role that an administrator gave or took meanwhile', async () => {
      const { access } = await opened()
      await access.setPersonOfProvider(ann, vouched(await access.signIns.now(), ['administrator']))
      const since = await access.signIns.now()
      await access.setPerson(ann, ['viewer'])
      const late = access.setPersonOfProvider(ann, vouched(since, ['administrator']))
      expect((await faultOf(late)).code).toBe('not_authenticated')
      const next = await access.setPersonOfProvider(
        ann,
        vouched(await access.signIns.now(), ['administrator']),
      )
      expect(next?.voter.roles, 'roles that were given here stay').toEqual(['viewer'])
    })

    test('goes on where its own change of roles ended the sessions of before', async () => {
      const { access } = await opened()
      const first = await access.setPersonOfProvider(ann, vouched(await access.signIns.now()))
      const before = await access.signIns.beginAt(ann, 'provider', '', first?.epoch ?? -1)
      expect(await isIn(access, before)).toBe(true)
      const next = await access.setPersonOfProvider(ann, vouched(await access.signIns.now(), ['viewer']))
      expect(await isIn(access, before)).toBe(false)
      expect(await isIn(access, access.signIns.beginAt(ann, 'provider', '', next?.epoch ?? -1))).toBe(true)
    })
  })

  const changes: readonly (readonly [string, (access: Access) => Promise<unknown>])[] = [
    ['a reset', (access) => access.reset(ann)],
    ['the end of all sessions', (access) => access.endSessions(ann)],
    ['another role', (access) => access.setPerson(ann, ['viewer'])],
    ['a removal, though the person is there again', backAgain],
    ['nothing', () => Promise.resolve()],
  ]

  describe.each(changes)('%s', (what, change) => {
    const goesOn = what === 'nothing'

    async function withPassword() {
      const all = await opened()
      await all.access.setPerson(ann, ['approver'])
      await all.access.credentials.setPassword(ann, 'a hash')
      return all
    }

    test('after the password was looked at', async () => {
      const { access } = await withPassword()
      const epoch = await access.signIns.epochOf(ann)
      await change(access)
      expect(await isIn(access, access.signIns.beginAt(ann, 'password', '', epoch))).toBe(goesOn)
    })

    test('after the first factor, before the second was tried', async () => {
      const { access } = await withPassword()
      await access.credentials.confirmTotp(ann, 'sealed', [])
      const epoch = await access.signIns.epochOf(ann)
      const begun = await access.signIns.beginAt(ann, 'password', '', epoch)
      if (begun.kind !== 'second_factor') throw new Error('no second factor was asked for')
      await change(access)
      const step = await access.signIns.takeStep(begun.step)
      const result = step && access.signIns.complete(step, 'totp', '')
      expect(await isIn(access, result)).toBe(goesOn)
    })

    test('after the second factor was taken, before it was found right', async () => {
      const { access } = await withPassword()
      await access.credentials.confirmTotp(ann, 'sealed', [])
      const epoch = await access.signIns.epochOf(ann)
      const begun = await access.signIns.beginAt(ann, 'password', '', epoch)
      const step = begun.kind === 'second_factor' ? await access.signIns.takeStep(begun.step) : undefined
      if (step === undefined) throw new Error('no step')
      await change(access)
      expect(await isIn(access, access.signIns.complete(step, 'totp', ''))).toBe(goesOn)
    })

    test('between a change of one’s own and the session that goes on from it', async () => {
      const { access } = await withPassword()
      const session = await signedIn(access)
      const changed = await access.credentials.setPassword(ann, 'another hash', { epoch: session.epoch })
      await change(access)
      const on = access.signIns
        .continueFrom(session, changed, '')
        .then((opened) => ({ kind: 'signed_in', ...opened }) as const)
      expect(await isIn(access, on)).toBe(goesOn)
    })

    test('before a change of one’s own, from a session that was looked up before', async () => {
      const { ledger, access } = await withPassword()
      const { epoch } = await signedIn(access)
      await change(access)
      const tries = await Promise.allSettled([
        access.credentials.setRecoveryCodes(ann, ['00'], { epoch }),
        access.credentials.setPassword(ann, 'the hash of a thief', { epoch }),
      ])
      expect(tries.map(({ status }) => status)).toEqual(
        goesOn ? ['fulfilled', 'fulfilled'] : ['rejected', 'rejected'],
      )
      expect((await access.credentials.passwordHashOf(ann)) === 'the hash of a thief').toBe(goesOn)
      expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
    })
  })

  test.each([
    ['a reset', (access: Access) => access.reset(ann), false],
    ['a removal, though the person is there again', backAgain, false],
    ['nothing', () => Promise.resolve(), true],
  ])('a passkey that was asked for before %s', async (_what, change, goesOn) => {
    const { ledger, access } = await opened()
    const device = await registered(ledger, 'ann')
    const passkeys = passkeysOf(ledger)
    const { userHandle } = await passkeys.beginRegistration(ann)
    const { token, challenge } = await passkeys.beginSignIn()
    const answer = { ...device.sign({ challenge }), userHandle }
    await change(access)
    expect(await isIn(access, passkeys.signIn(token, answer))).toBe(goesOn)
  })

  test('no passkey is registered from a session that has ended', async () => {
    const { ledger, access } = await opened()
    await access.setPerson(ann, ['approver'])
    const { epoch } = await signedIn(access)
    const passkeys = passkeysOf(ledger)
    const { token, challenge } = await passkeys.beginRegistration(ann)
    const device = new SoftAuthenticator('one', 'ES256', passkeys.party)
    await access.endSessions(ann)
    const answer = { ...device.register({ challenge }), name: 'Laptop', transports: [] }
    expect((await faultOf(passkeys.register(ann, token, answer, epoch))).code).toBe('not_authenticated')
    expect(await passkeys.list(ann)).toEqual([])
  })

  test('a reset leaves no passkey, also none that was added by a session from before, while it went on', async () => {
    const { ledger, access } = await opened()
    await registered(ledger, 'bea')
    const bea = 'bea@example.com' as PersonId
    const epoch = await access.signIns.epochOf(bea)
    const passkeys = passkeysOf(ledger)
    const device = new SoftAuthenticator('other', 'ES256', passkeys.party)
    const { token, challenge } = await passkeys.beginRegistration(bea)
    const answer = { ...device.register({ challenge }), name: 'Other', transports: [] }
    await Promise.allSettled([access.reset(bea), passkeys.register(bea, token, answer, epoch)])
    expect(await passkeys.list(bea)).toEqual([])
  })

  test('a link is made in the transaction that records it, and for nobody who is gone', async () => {
    const { ledger, access } = await opened()
    await access.setPerson(ann, ['approver'])
    for (let round = 0; round < 5; round++) {
      const [link] = await Promise.all([
        access.createSignInToken(ann).catch(() => undefined),
        access.reset(ann),
      ])
      // Made before the reset it is good for nothing; made after it, it is the way back in.
      const made = (await records(site, ledger)).findLastIndex(
        (record) => record.kind === 'access' && record.event === 'sign_in_link_created',
      )
      const ended = (await records(site, ledger)).findLastIndex(
        (record) => record.kind === 'access' && record.event === 'sessions_revoked',
      )
      expect(await isIn(access, access.signIn(link ?? ''))).toBe(made > ended)
    }
    await access.removePerson(ann)
    expect((await faultOf(access.createSignInToken(ann))).code).toBe('not_found')
  })

  async function signedIn(access: Access) {
    const result = await access.signIn(await access.createSignInToken(ann))
    const session = result?.kind === 'signed_in' ? await access.sessions.known(result.session) : undefined
    if (session === undefined) throw new Error('not signed in')
    return session
  }
})
