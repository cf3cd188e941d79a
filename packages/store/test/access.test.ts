import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { Access } from '../src/access.ts'
import { describeOnOnePostgres } from './harness/postgres.ts'
import { agent, faultOf, knows, ledgerSite, records, voter, type LedgerSite } from './harness/ledger.ts'

const hour = 60 * 60 * 1000
const root = voter('root', ['administrator'])

describeOnOnePostgres('access', (postgres) => {
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
    if (signIn?.kind !== 'signed_in') throw new Error('not signed in')
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

    test('a key that was made for a time is good until then, and the log says until when', async () => {
      const { ledger, access } = await opened()
      await knows(ledger, root)
      const { id, key, expiresAt } = await access.createKey(agent, {
        lifetimeMs: hour,
        by: 'root@example.com',
      })
      expect((await records(site, ledger)).at(-1)).toMatchObject({
        event: 'key_created',
        subject: id,
        until: expiresAt,
        by: 'root@example.com',
      })
      site.clock.advance(hour - 1)
      expect(await access.agentOf(key)).toBe(agent)
      site.clock.advance(1)
      expect(await access.agentOf(key)).toBeUndefined()
      expect((await faultOf(access.rotateKey(id, { overlapMs: hour }))).code).toBe('conflict')
    })

    test('a rotated key and the one that takes its place are both good during the overlap, then only the new one', async () => {
      const { ledger, access } = await opened()
      const old = await access.createKey(agent)
      const fresh = await access.rotateKey(old.id, { overlapMs: hour })
      expect(fresh).toMatchObject({ agent, replaces: old.id, expiresAt: null })
      expect((await records(site, ledger)).at(-1)).toMatchObject({
        event: 'key_rotated',
        subject: old.id,
        grants: [agent, fresh.id],
        until: fresh.oldEndsAt,
      })
      site.clock.advance(hour - 1)
      expect([await access.agentOf(old.key), await access.agentOf(fresh.key)]).toEqual([agent, agent])
      site.clock.advance(1)
      expect([await access.agentOf(old.key), await access.agentOf(fresh.key)]).toEqual([undefined, agent])
    })

    test('an overlap never makes a key live longer than it was to', async () => {
      const { access } = await opened()
      const old = await access.createKey(agent, { lifetimeMs: hour })
      const fresh = await access.rotateKey(old.id, { overlapMs: 24 * hour, lifetimeMs: 2 * hour })
      expect(fresh.oldEndsAt).toBe(old.expiresAt)
      site.clock.advance(hour)
      expect([await access.agentOf(old.key), await access.agentOf(fresh.key)]).toEqual([undefined, agent])
    })

    test('the key that takes the place of one that ends is good as long as that one was made for', async () => {
      const { access } = await opened()
      const old = await access.createKey(agent, { lifetimeMs: hour })
      site.clock.advance(hour / 2)
      const fresh = await access.rotateKey(old.id, { overlapMs: 0 })
      site.clock.advance(hour - 1)
      expect(await access.agentOf(fresh.key)).toBe(agent)
      site.clock.advance(1)
      expect(await access.agentOf(fresh.key)).toBeUndefined()
    })

    test('a revoked or unknown key is not rotated, and without an overlap the old one ends at once', async () => {
      const { access } = await opened()
      const [revoked, old] = [await access.createKey(agent), await access.createKey(agent)]
      await access.revokeKey(revoked.id)
      expect((await faultOf(access.rotateKey(revoked.id, { overlapMs: hour }))).code).toBe('conflict')
      expect((await faultOf(access.rotateKey('nothing', { overlapMs: hour }))).code).toBe('not_found')
      expect((await faultOf(access.rotateKey(old.id, { overlapMs: 91 * 24 * hour }))).code).toBe('bad_input')
      await access.rotateKey(old.id, { overlapMs: 0 })
      expect(await access.agentOf(old.key)).toBeUndefined()
    })

    test('of a key is known in which hour it was used last', async () => {
      const { access } = await opened()
      const { id, key } = await access.createKey(agent)
      const lastUsed = async () => (await access.listKeys()).find((listed) => listed.id === id)?.lastUsedAt
      expect(await lastUsed()).toBeNull()
      expect(await access.agentOf(`${key.slice(0, -43)}${'A'.repeat(43)}`)).toBeUndefined()
      await access.agentOf(key)
      const toTheHour = new Date(Math.floor(site.clock.now() / hour) * hour).toISOString()
      await vi.waitFor(async () => expect(await lastUsed()).toBe(toTheHour))
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
      const looking = query.mock.calls.filter(([asked]) => typeof asked === 'object')
      expect(looking).toHaveLength(1)
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

    test('a session that is used is good for twelve hours, and not at their end', async () => {
      const { access } = await opened()
      await access.setPerson('ann@example.com', ['approver'])
      const session = await signedIn(access)
      for (let passed = 0; passed < 11; passed++) {
        site.clock.advance(hour)
        expect(await access.personOf(session)).toMatchObject({ id: 'ann@example.com', roles: ['approver'] })
      }
      site.clock.advance(hour - 1)
      expect(await access.personOf(session)).toBeDefined()
      site.clock.advance(1)
      expect(await access.personOf(session)).toBeUndefined()
    })

    test('a session that nobody uses for two hours has ended', async () => {
      const { access } = await opened()
      await access.setPerson('ann@example.com', ['approver'])
      const [used, idle] = [await signedIn(access), await signedIn(access)]
      site.clock.advance(2 * hour - 1)
      expect(await access.personOf(used)).toBeDefined()
      site.clock.advance(1)
      expect(await access.personOf(used)).toBeDefined()
      expect(await access.personOf(idle)).toBeUndefined()
      expect((await access.sessions.list()).map(({ person }) => person)).toEqual(['ann@example.com'])
    })

    test('whoever loses a role loses every session, and gets the roles of now with the next', async () => {
      const { ledger, access } = await opened()
      await access.setPerson('ann@example.com', ['approver', 'administrator'])
      await knows(ledger, root)
      const session = await signedIn(access)
      await access.setPerson('ann@example.com', ['administrator', 'approver'])
      expect(await access.personOf(session), 'the same roles in another order').toBeDefined()
      await access.setPerson('ann@example.com', ['approver'], { by: 'root@example.com' })
      expect(await access.personOf(session)).toBeUndefined()
      expect((await access.personOf(await signedIn(access)))?.roles).toEqual(['approver'])
      expect(await records(site, ledger)).toContainEqual(
        expect.objectContaining({
          event: 'roles_changed',
          subject: 'ann@example.com',
          grants: ['approver'],
          by: 'root@example.com',
        }),
      )
    })

    test('sessions are listed, and end one by one, each end with a record', async () => {
      const { ledger, access } = await opened()
      await access.setPerson('ann@example.com', ['approver'])
      await access.setPerson('bob@example.com', ['approver'])
      await knows(ledger, root)
      const [anns, bobs] = [await signedIn(access), await signedIn(access, 'bob@example.com')]
      const ann = await access.sessions.known(anns)
      if (ann === undefined) throw new Error('not known')
      expect(await access.sessions.list(ann.voter.id)).toContainEqual(
        expect.objectContaining({ id: ann.id, method: 'link', person: 'ann@example.com' }),
      )
      const bob = { of: 'bob@example.com' as typeof ann.voter.id }
      expect((await faultOf(access.sessions.end(ann.id, bob))).code).toBe('not_found')
      expect(await access.personOf(anns)).toBeDefined()
      await access.sessions.end(ann.id, { by: 'root@example.com' })
      expect(await access.personOf(anns)).toBeUndefined()
      expect(await access.personOf(bobs)).toBeDefined()
      expect((await records(site, ledger)).at(-1)).toMatchObject({
        event: 'session_ended',
        subject: 'ann@example.com',
        grants: [ann.id],
        by: 'root@example.com',
      })
    })

    test('a sign-in that began before all sessions were ended comes to nothing', async () => {
      const { access } = await opened()
      await access.setPerson('ann@example.com', ['approver'])
      const ann = await access.known('ann@example.com')
      const epoch = await access.signIns.epochOf(ann)
      await access.endSessions('ann@example.com')
      const late = access.signIns.beginAt(ann, 'password', '', epoch)
      expect((await faultOf(late)).code).toBe('not_authenticated')
      const anew = await access.signIns.begin(ann, 'password', '')
      expect(anew.kind === 'signed_in' && (await access.personOf(anew.session))).toBeTruthy()
    })

    test('a sign-in that races with the end of all sessions never outlives it', async () => {
      const { access } = await opened()
      await access.setPerson('ann@example.com', ['approver'])
      const ann = await access.known('ann@example.com')
      for (let round = 0; round < 20; round++) {
        const epoch = await access.signIns.epochOf(ann)
        const [opening] = await Promise.all([
          access.signIns.beginAt(ann, 'password', '', epoch).catch(() => undefined),
          access.endSessions('ann@example.com'),
        ])
        expect(opening?.kind === 'signed_in' && (await access.personOf(opening.session))).toBeFalsy()
      }
    })

    test('a person who is removed while signing in has no session, and no batch fails of it', async () => {
      const { ledger, access } = await opened()
      for (let round = 0; round < 10; round++) {
        await access.setPerson('eve@example.com', ['approver'])
        const eve = await access.known('eve@example.com')
        const [opening] = await Promise.all([
          access.signIns.begin(eve, 'password', '').catch(() => undefined),
          access.removePerson('eve@example.com'),
          access.createKey('bystander'),
        ])
        expect(opening?.kind === 'signed_in' && (await access.personOf(opening.session))).toBeFalsy()
      }
      expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
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
