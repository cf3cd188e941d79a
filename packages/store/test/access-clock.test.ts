import type { Instant, PersonId } from '@bailiwick/core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { Access } from '../src/access.ts'
import { Ledger } from '../src/ledger.ts'
import { AdmissionLapsed } from '../src/log/admission.ts'
import { agent, ledgerSite, policiesOf, refund, supportPolicy, type LedgerSite } from './harness/ledger.ts'
import { describeOnOnePostgres } from './harness/postgres.ts'

const day = 24 * 60 * 60 * 1000

describeOnOnePostgres('what lets somebody in ends by the database’s clock as well', (postgres) => {
  let site: LedgerSite
  const opened: Ledger[] = []
  let count = 0
  let ann: PersonId
  /** What the right clock says, and a process that is a day behind it. */
  let right: Access
  let behind: Access
  let behindLedger: Ledger
  beforeAll(async () => {
    site = await ledgerSite(postgres)
  })
  beforeEach(async () => {
    count += 1
    ann = `ann-${count}@example.com` as PersonId
    right = new Access(await process(0))
    behindLedger = await process(day)
    behind = new Access(behindLedger)
    await right.setPerson(ann, ['approver'])
  })
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((ledger) => ledger.close()))
  })
  afterAll(() => site.remove())

  /** A process whose clock is so far behind the database's, which runs on this machine. */
  const process = async (behindMs: number, databaseClock = true): Promise<Ledger> => {
    const ledger = await Ledger.open({
      connection: site.database.config,
      policies: policiesOf(supportPolicy()),
      dataDir: site.dataDir,
      ledger: `clock${count}`,
      consoleUrl: 'http://console.test',
      now: () => (Date.now() - behindMs) as Instant,
      databaseClock,
    })
    opened.push(ledger)
    return ledger
  }
  const session = async (): Promise<string> => {
    const signIn = await right.signIn(await right.createSignInToken(ann))
    if (signIn?.kind !== 'signed_in') throw new Error('not signed in')
    return signIn.session
  }
  /** A process that does not ask the database, and so shows that the others did. */
  const careless = async () => new Access(await process(day, false))

  describe('a session, to a process a day behind,', () => {
    test('goes on while it does', async () => {
      const token = await session()
      expect((await behind.personOf(token))?.id).toBe(ann)
      const [listed] = await behind.sessions.list(ann)
      expect(await behind.sessions.goesOn(listed?.id ?? '')).toBe(true)
    })

    test.each([
      ['its age', `expires_at = now() - interval '1 minute'`],
      ['nobody’s using it', `seen_at = now() - interval '3 hours'`],
    ])('has ended by %s', async (_what, change) => {
      const token = await session()
      const [listed] = await right.sessions.list(ann)
      await site.query(`update session set ${change} where person = $1`, [ann])
      expect(await behind.personOf(token)).toBeUndefined()
      expect(await behind.sessions.goesOn(listed?.id ?? '')).toBe(false)
      expect(await behind.sessions.list(ann)).toEqual([])
      expect(await (await careless()).personOf(token)).toBeDefined()
    })

    test('is used by the database’s clock, so that it goes on for the others', async () => {
      const token = await session()
      await site.query(`update session set seen_at = now() - interval '90 minutes' where person = $1`, [ann])
      expect(await behind.personOf(token)).toBeDefined()
      const [row] = await site.query<{ fresh: boolean }>(
        `select seen_at > now() - interval '10 minutes' as fresh from session where person = $1`,
        [ann],
      )
      expect(row?.fresh).toBe(true)
    })
  })

  test('a sign-in link that has ended signs nobody in, and one that has not does', async () => {
    const [late, good] = [await right.createSignInToken(ann), await right.createSignInToken(ann)]
    await site.query(
      `update sign_in_link set expires_at = now() - interval '1 minute' where token_sha256 = sha256(convert_to($1, 'UTF8'))`,
      [late],
    )
    expect(await behind.signIn(late)).toBeUndefined()
    expect(await (await careless()).signIn(late)).toBeDefined()
    expect(await right.signIn(good)).toMatchObject({ kind: 'signed_in' })
  })

  test('the step to a second factor has ended as well, and has its time where it is asked for by a clock that is behind', async () => {
    const factor = { name: 'totp', isSetUp: () => Promise.resolve(true) }
    const access = new Access(behindLedger, { secondFactors: [factor] })
    const begun = async () => {
      const result = await access.signIns.begin(ann, 'password', '')
      if (result.kind !== 'second_factor') throw new Error('it asks for nothing')
      return result.step
    }
    const [late, good] = [await begun(), await begun()]
    expect(await access.signIns.personOfStep(good)).toBe(ann)
    expect(await access.signIns.takeStep(good)).toMatchObject({ person: ann })
    await site.query(
      `update sign_in_step set expires_at = now() - interval '1 minute' where token_sha256 = sha256(convert_to($1, 'UTF8'))`,
      [late],
    )
    expect(await access.signIns.personOfStep(late)).toBeUndefined()
    expect(await access.signIns.takeStep(late)).toBeUndefined()
  })

  describe('a key, to a process a day behind,', () => {
    const ended = (id: string) =>
      site.query(`update api_key set expires_at = now() - interval '1 minute' where id = $1`, [id])

    test('speaks for its agent until it ends, and for nobody from then on', async () => {
      const { id, key } = await right.createKey(agent, { lifetimeMs: day })
      expect(await behind.agentOf(key)).toBe(agent)
      await ended(id)
      expect(await behind.agentOf(key)).toBeUndefined()
      expect(await (await careless()).agentOf(key)).toBe(agent)
    })

    test('that is remembered gets nothing recorded once it has ended', async () => {
      const { id, key } = await right.createKey(agent, { lifetimeMs: day })
      await behind.admissionOf(key)
      const admission = await behind.admissionOf(key)
      expect(admission?.key, 'remembered').toMatchObject({ id })
      expect((await behindLedger.decide(agent, refund(5), admission?.key)).effect).toBe('allow')
      await ended(id)
      const { size } = await behindLedger.head()
      await expect(behindLedger.decide(agent, refund(5), admission?.key)).rejects.toBeInstanceOf(
        AdmissionLapsed,
      )
      expect((await behindLedger.head()).size).toBe(size)
      expect(await behind.agentOf(key)).toBeUndefined()
    })

    test('without an end is good', async () => {
      const { key } = await right.createKey(agent)
      await behind.admissionOf(key)
      const admission = await behind.admissionOf(key)
      expect((await behindLedger.decide(agent, refund(5), admission?.key)).effect).toBe('allow')
    })
  })
})
