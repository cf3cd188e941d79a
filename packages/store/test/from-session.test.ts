import type { Instant } from '@bailiwick/core'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { Access } from '../src/access.ts'
import type { Asking } from '../src/operations/from-session.ts'
import {
  agent,
  escalated,
  faultOf,
  ledgerSite,
  minute,
  policiesOf,
  records,
  refund,
  terms,
  type LedgerSite,
} from './harness/ledger.ts'
import { describeOnOnePostgres } from './harness/postgres.ts'

const policy = terms('{ approvers: [role:approver], standing: { uses: 12, lasts: 8h } }')
const roles = ['approver', 'administrator', 'operator']
const reason = 'asked for'

describeOnOnePostgres(
  'what a person asks for is done while the session goes on from which they ask',
  (postgres) => {
    let site: LedgerSite
    beforeAll(async () => {
      site = await ledgerSite(postgres)
    })
    afterEach(() => site.closeLedgers())
    afterAll(() => site.remove())

    /** Ann, with everything that there is to do, and a session of hers. */
    async function signedIn() {
      const ledger = await site.open(policiesOf(policy))
      const access = new Access(ledger)
      const ann = (await access.setPerson('ann@example.com', roles)).id
      await access.setPerson('bob@example.com', ['approver'])
      const epoch = await access.signIns.epochOf(ann)
      const { id } = await access.sessions.open({ person: ann, method: 'link', epoch, client: '' })
      const ends = new Date(site.clock.now() + 60 * minute).toISOString()
      return { ledger, access, ann: { id: ann, roles, session: id } as Asking & { session: string }, ends }
    }
    type Site = Awaited<ReturnType<typeof signedIn>>

    /** Everything that is asked for from a session: prepares what it takes, and hands over what asks for it. */
    const deeds: Readonly<Record<string, (site: Site) => Promise<() => Promise<unknown>>>> = {
      'a vote': async ({ ledger, ann }) => {
        const id = await escalated(ledger)
        const { digest } = await ledger.approval(id, {})
        return () => ledger.vote(ann, id, { vote: 'approve', digest })
      },
      'a withdrawal': async ({ ledger, ann }) => {
        const id = await escalated(ledger)
        return () => ledger.cancel(id, { by: ann.id, reason, session: ann.session })
      },
      'a delegation': async ({ ledger, ann, ends }) => {
        const request = { from: ann.id, to: 'bob@example.com', ends, reason, by: ann.id }
        return () => ledger.delegations.give({ ...request, session: ann.session })
      },
      'the end of a delegation': async ({ ledger, ann, ends }) => {
        const request = { from: ann.id, to: 'bob@example.com', ends, reason, by: ann.id }
        const { id } = await ledger.delegations.give(request)
        return () => ledger.delegations.revoke(id, { by: ann.id, reason, session: ann.session })
      },
      'the end of a standing grant': async ({ ledger, ann, ends }) => {
        const id = await escalated(ledger)
        const { digest } = await ledger.approval(id, {})
        await ledger.vote(ann, id, { vote: 'approve', digest, standing: { uses: 2, until: ends } })
        return () => ledger.grants.revoke(id.replace('apr', 'grt'), { by: ann, reason })
      },
      'a look at a masked value': async ({ ledger, ann }) => {
        const { id } = await ledger.decide(agent, refund(600))
        return () => ledger.reveal(ann, { decision: id, path: '/params/amount', reason })
      },
      'a suspension': ({ ledger, ann }) =>
        Promise.resolve(() =>
          ledger.changeSuspension({
            agent: 'other',
            state: 'suspended',
            reason,
            by: ann.id,
            session: ann.session,
          }),
        ),
      'an erasure': async ({ ledger, ann }) => {
        const { id: decision } = await ledger.decide(agent, refund(600))
        return () => ledger.erase({ target: { decision }, reason, by: ann.id, session: ann.session })
      },
      'a key': ({ access, ann }) =>
        Promise.resolve(() => access.createKey(agent, { by: ann.id, session: ann.session })),
      'a key in the place of another': async ({ access, ann }) => {
        const { id } = await access.createKey(agent)
        return () => access.rotateKey(id, { overlapMs: minute, by: ann.id, session: ann.session })
      },
      'the end of a key': async ({ access, ann }) => {
        const { id } = await access.createKey(agent)
        return () => access.revokeKey(id, { by: ann.id, session: ann.session })
      },
      'a new person': ({ access, ann }) =>
        Promise.resolve(() =>
          access.setPerson('cyd@example.com', ['approver'], { by: ann.id, session: ann.session }),
        ),
      'the removal of a person': ({ access, ann }) =>
        Promise.resolve(() => access.removePerson('bob@example.com', { by: ann.id, session: ann.session })),
      'a reset': ({ access, ann }) =>
        Promise.resolve(() => access.reset('bob@example.com', { by: ann.id, session: ann.session })),
      'a sign-in link': ({ access, ann }) =>
        Promise.resolve(() =>
          access.createSignInToken('bob@example.com', { by: ann.id, session: ann.session }),
        ),
      'the end of all sessions of somebody': ({ access, ann }) =>
        Promise.resolve(() => access.endSessions('bob@example.com', { by: ann.id, session: ann.session })),
    }
    const names = Object.keys(deeds)

    test.each(names)('%s is recorded while it goes on', async (name) => {
      const asked = await signedIn()
      const deed = await deeds[name]?.(asked)
      const before = (await records(site, asked.ledger)).length
      await deed?.()
      expect((await records(site, asked.ledger)).length).toBeGreaterThan(before)
    })

    test.each(names)('%s is refused once it has ended, and nothing is recorded', async (name) => {
      const asked = await signedIn()
      const deed = await deeds[name]?.(asked)
      await asked.access.sessions.end(asked.ann.session)
      const before = (await records(site, asked.ledger)).length
      expect(await faultOf(deed?.() ?? Promise.resolve())).toMatchObject({
        code: 'not_authenticated',
        recorded: 'no',
      })
      expect(await records(site, asked.ledger)).toHaveLength(before)
    })

    test.each([
      ['that ends it', (access: Access, id: string) => access.sessions.end(id)],
      ['that ends all of its person’s', (access: Access) => access.endSessions('ann@example.com')],
      [
        'that takes a role from its person',
        (access: Access) => access.setPerson('ann@example.com', ['viewer']),
      ],
    ])('a vote in one batch behind a change %s is refused, and one before it counts', async (_, change) => {
      const { ledger, access, ann } = await signedIn()
      const [one, two] = [await escalated(ledger), await escalated(ledger)]
      const digests = [(await ledger.approval(one, {})).digest, (await ledger.approval(two, {})).digest]
      const changed = async () => {
        // What a change looks up first, it has looked up before both.
        await change(access, ann.session)
      }
      const votes = await Promise.allSettled([
        ledger.vote(ann, one, { vote: 'approve', digest: digests[0] ?? '' }),
        changed().then(() => ledger.vote(ann, two, { vote: 'approve', digest: digests[1] ?? '' })),
      ])
      expect(votes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected'])
      expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
    })

    test('a vote and the end of its session that race leave no vote behind the end', async () => {
      const { ledger, access, ann } = await signedIn()
      const second = await site.open(policiesOf(policy), ledger.name)
      for (let round = 0; round < 20; round++) {
        const epoch = await access.signIns.epochOf(ann.id)
        const { id: session } = await access.sessions.open({
          person: ann.id,
          method: 'link',
          epoch,
          client: '',
        })
        const id = await escalated(ledger)
        const { digest } = await ledger.approval(id, {})
        await Promise.allSettled([
          second.vote({ ...ann, session }, id, { vote: 'approve', digest }),
          access.sessions.end(session),
        ])
        const log = await records(site, ledger)
        const ended = log.findLast((record) => record.kind === 'access' && record.event === 'session_ended')
        const vote = log.find((record) => record.kind === 'vote' && record.approval === id)
        if (vote !== undefined) expect(vote.index).toBeLessThan(ended?.index ?? 0)
      }
    })

    test('a session that nobody has is none', async () => {
      const { ledger, ann } = await signedIn()
      const id = await escalated(ledger)
      const { digest } = await ledger.approval(id, {})
      const other = { ...ann, session: '0123456789abcdef' }
      expect((await faultOf(ledger.vote(other, id, { vote: 'approve', digest }))).code).toBe(
        'not_authenticated',
      )
    })

    test('it ends by the database’s clock as well, also where that of the process is behind', async () => {
      const ledger = await site.open(policiesOf(policy), undefined, {
        now: () => (Date.now() - 60 * minute) as Instant,
        databaseClock: true,
      })
      const access = new Access(ledger, { lifetimes: { absoluteMs: 30 * minute, idleMs: 30 * minute } })
      const { id: person } = await access.setPerson('ann@example.com', roles)
      const epoch = await access.signIns.epochOf(person)
      const { id: session } = await access.sessions.open({ person, method: 'link', epoch, client: '' })
      const change = { agent: 'other', state: 'suspended', reason, by: person } as const
      expect((await faultOf(ledger.changeSuspension({ ...change, session }))).code).toBe('not_authenticated')
      const longer = new Access(ledger, { lifetimes: { absoluteMs: 90 * minute, idleMs: 90 * minute } })
      const lasting = await longer.sessions.open({ person, method: 'link', epoch, client: '' })
      expect((await ledger.changeSuspension({ ...change, session: lasting.id })).index).not.toBeNull()
    })
  },
)
