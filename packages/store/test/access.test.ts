import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { Access } from '../src/access.ts'
import { describeOnPostgres } from './harness/postgres.ts'
import { agent, faultOf, ledgerSite, records, type LedgerSite } from './harness/ledger.ts'

const hour = 60 * 60 * 1000

describeOnPostgres('access', (postgres) => {
  let site: LedgerSite
  beforeAll(async () => {
    site = await ledgerSite(postgres)
  })
  afterEach(() => site.closeLedgers())
  afterAll(() => site.remove())

  async function opened() {
    const ledger = await site.open()
    return { ledger, access: new Access(ledger) }
  }
  async function signedIn(access: Access, person = 'ann@example.com'): Promise<string> {
    const signIn = await access.signIn(await access.createSignInToken(person))
    if (signIn === undefined) throw new Error('not signed in')
    return signIn.session
  }

  describe('by key', () => {
    test('a key speaks for the agent that it is bound to, and for no other', async () => {
      const { access } = await opened()
      const [ours, theirs] = [await access.createKey(agent), await access.createKey('warehouse-agent')]
      expect(await access.agentOf(ours.key)).toBe(agent)
      expect(await access.agentOf(theirs.key)).toBe('warehouse-agent')
    })

    test('a wrong secret, the secret of another key, and what is no key speak for nobody', async () => {
      const { access } = await opened()
      const [one, two] = [await access.createKey(agent), await access.createKey(agent)]
      const secret = (key: string) => key.slice('bw_0123456789abcdef_'.length)
      const wrong = [
        `bw_${one.id}_${secret(two.key)}`,
        `bw_${one.id}_${'A'.repeat(43)}`,
        `bw_${'0'.repeat(16)}_${secret(one.key)}`,
        `${one.key}A`,
        one.key.slice(0, -1),
        ` ${one.key}`,
        `${one.key}\n`,
        one.key.toUpperCase(),
        secret(one.key),
        '',
        "' or true --",
      ]
      expect(await Promise.all(wrong.map((key) => access.agentOf(key)))).toEqual(wrong.map(() => undefined))
    })

    test('a revoked key speaks for nobody from the next look on; others go on', async () => {
      const { ledger, access } = await opened()
      const [one, two] = [await access.createKey(agent), await access.createKey(agent)]
      await access.revokeKey(one.id)
      expect([await access.agentOf(one.key), await access.agentOf(two.key)]).toEqual([undefined, agent])
      expect((await records(site, ledger)).at(-1)).toMatchObject({
        event: 'key_revoked',
        subject: one.id,
        grants: [agent],
      })
      const listed = await access.listKeys()
      expect(listed.find(({ id }) => id === one.id)?.revokedAt).not.toBeNull()
      expect(listed.find(({ id }) => id === two.id)?.revokedAt).toBeNull()
      expect((await faultOf(access.revokeKey('nothing'))).code).toBe('not_found')
    })

    test('many looks at once share queries, and each gets its own answer', async () => {
      const { ledger, access } = await opened()
      const ours = await access.createKey(agent)
      const theirs = await access.createKey('warehouse-agent')
      const gone = await access.createKey('gone-agent')
      await access.revokeKey(gone.id)
      const wrong = `bw_${ours.id}_${'A'.repeat(43)}`
      const query = vi.spyOn(ledger.pool, 'query')
      const looks = Array.from({ length: 100 }, () => [ours.key, theirs.key, gone.key, wrong, 'x']).flat()
      const found = await Promise.all(looks.map((key) => access.agentOf(key)))
      expect(query).toHaveBeenCalledTimes(1)
      expect(found).toEqual(
        Array.from({ length: 100 }, () => [agent, 'warehouse-agent', undefined, undefined, undefined]).flat(),
      )
      query.mockRestore()
    })

    test('a look that begins after a revocation sees it, though others are under way', async () => {
      const { access } = await opened()
      for (let round = 0; round < 20; round++) {
        const { id, key } = await access.createKey(agent)
        const early = Array.from({ length: 5 }, () => access.agentOf(key))
        const revoking = access.revokeKey(id)
        await Promise.race([revoking, ...early])
        await revoking
        expect(await access.agentOf(key)).toBeUndefined()
        await Promise.all(early)
      }
    })

    test('a look that meets a broken database is refused, and the next one is answered', async () => {
      const { ledger, access } = await opened()
      const { key } = await access.createKey(agent)
      const query = vi.spyOn(ledger.pool, 'query').mockImplementationOnce(() => {
        throw new Error('gone')
      })
      const looks = await Promise.allSettled([access.agentOf(key), access.agentOf(key)])
      expect(looks.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
      query.mockRestore()
      expect(await access.agentOf(key)).toBe(agent)
    })

    test.each(['', 'a b', 'a\nb', 'a\u0000', 'x'.repeat(201)])(
      '%j is no agent, and gets no key',
      async (name) => {
        const { ledger, access } = await opened()
        const before = await ledger.head()
        expect((await faultOf(access.createKey(name))).code).toBe('bad_input')
        expect(await ledger.head()).toEqual(before)
      },
    )
  })

  describe('by session', () => {
    test('a sign-in link opens one session, also when 50 use it at once', async () => {
      const { ledger, access } = await opened()
      await access.setPerson('Ann@Example.com ', ['approver'])
      const token = await access.createSignInToken('ann@example.com')
      const tries = await Promise.all(Array.from({ length: 50 }, () => access.signIn(token)))
      const sessions = tries.filter((signIn) => signIn !== undefined)
      expect(sessions).toMatchObject([{ voter: { id: 'ann@example.com', roles: ['approver'] } }])
      expect(await access.signIn(token)).toBeUndefined()
      const signIns = (await records(site, ledger)).filter(
        (record) => record.kind === 'access' && record.event === 'signed_in',
      )
      expect(signIns).toHaveLength(1)
    })

    test('a sign-in link is good for a day, and not at its end', async () => {
      const { access } = await opened()
      await access.setPerson('ann@example.com', [])
      const [timely, late] = [
        await access.createSignInToken('ann@example.com'),
        await access.createSignInToken('ann@example.com'),
      ]
      site.clock.advance(24 * hour - 1)
      expect(await access.signIn(timely)).toBeDefined()
      site.clock.advance(1)
      expect(await access.signIn(late)).toBeUndefined()
      expect(await access.signIn('guessed')).toBeUndefined()
    })

    test('a session is good for twelve hours, and not at their end', async () => {
      const { access } = await opened()
      await access.setPerson('ann@example.com', ['approver'])
      const session = await signedIn(access)
      site.clock.advance(12 * hour - 1)
      expect(await access.personOf(session)).toEqual({ id: 'ann@example.com', roles: ['approver'] })
      site.clock.advance(1)
      expect(await access.personOf(session)).toBeUndefined()
    })

    test('a session has the roles that its person has now', async () => {
      const { access } = await opened()
      await access.setPerson('ann@example.com', ['approver', 'administrator'])
      const session = await signedIn(access)
      await access.setPerson('ann@example.com', [])
      expect((await access.personOf(session))?.roles).toEqual([])
    })

    test('signing out ends that session, and no other', async () => {
      const { access } = await opened()
      await access.setPerson('ann@example.com', [])
      const [one, two] = [await signedIn(access), await signedIn(access)]
      await access.signOut(one)
      expect(await access.personOf(one)).toBeUndefined()
      expect((await access.personOf(two))?.id).toBe('ann@example.com')
    })

    test('nobody unknown gets a link, and what is no address or role is refused', async () => {
      const { access } = await opened()
      expect((await faultOf(access.createSignInToken('nobody@example.com'))).code).toBe('not_found')
      expect((await faultOf(access.setPerson('ann', []))).code).toBe('bad_input')
      expect((await faultOf(access.setPerson('ann@example.com', ['Not A Role']))).code).toBe('bad_input')
    })
  })

  test('no secret is stored anywhere, in no table and in no form but its hash', async () => {
    const { ledger, access } = await opened()
    const { key } = await access.createKey(agent)
    await access.setPerson('ann@example.com', [])
    const token = await access.createSignInToken('ann@example.com')
    const session = await signedIn(access)
    const tables = await site.query<{ name: string }>(
      `select table_name as name from information_schema.tables where table_schema = 'bailiwick'`,
    )
    expect(tables.map(({ name }) => name)).toContain('sign_in_link')
    const dumps = await Promise.all(
      tables.map(async ({ name }) =>
        site.query<{ text: string }>(`select row_to_json(t)::text as text from ${name} t`),
      ),
    )
    const everything = dumps
      .flat()
      .map(({ text }) => text)
      .join('\n')
    expect(everything).toContain(key.slice(3, 19))
    for (const secret of [key.slice(20), token, session]) {
      expect(everything).not.toContain(secret)
      // Bytes are dumped in hexadecimal.
      expect(everything).not.toContain(Buffer.from(secret).toString('hex'))
      expect(everything).not.toContain(Buffer.from(secret, 'base64url').toString('hex'))
    }
    expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
  })
})
