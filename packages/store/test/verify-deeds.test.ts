import { indexOfId, type GrantId } from '@bailiwick/core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { Access } from '../src/access.ts'
import type { Ledger } from '../src/ledger.ts'
import {
  agent,
  cast,
  escalated,
  faultOf,
  ledgerSite,
  minute,
  policiesOf,
  records,
  refund,
  terms,
  voter,
  type LedgerSite,
} from './harness/ledger.ts'
import { describeOnOnePostgres } from './harness/postgres.ts'

const route =
  '{approvers: ["role:approver"], exclude: ["role:policy-author"], standing: {uses: 3, lasts: 8h}}'
const reason = 'ticket 7'

/** What a person does, with a role of those that are enough for it. */
interface Deed {
  readonly what: string
  readonly role: string
  /** What has to be there before. */
  readonly before?: () => Promise<unknown>
  readonly done: (by: string, before: unknown) => Promise<unknown>
  readonly called: string
}

describeOnOnePostgres(
  'verification holds what people did against the roles that the log gave them',
  (postgres) => {
    let site: LedgerSite
    let ledger: Ledger
    let access: Access
    let count = 0
    // Ledgers of one database share their people: each test has people of its own, of whom no other log speaks.
    const person = (name: string) => voter(`${name}-${count}`).id
    const someone = (name: string, roles: readonly string[]) => voter(`${name}-${count}`, roles)
    beforeAll(async () => {
      site = await ledgerSite(postgres)
    })
    afterEach(() => site.closeLedgers())
    afterAll(() => site.remove())

    const opened = async () => {
      count += 1
      ledger = await site.open(policiesOf(terms(route)))
      access = new Access(ledger)
    }
    const granted = async () => {
      const id = await escalated(ledger)
      const until = new Date(site.clock.now() + 60 * minute).toISOString()
      await cast(ledger, someone('ann', ['approver']), id, { vote: 'approve', standing: { uses: 2, until } })
      return `grt_${indexOfId('apr', id) ?? -1}` as GrantId
    }
    const two = async () => {
      for (const name of ['ann', 'bob']) await access.setPerson(person(name), ['viewer'])
    }
    const delegation = (by: string) => {
      const ends = new Date(site.clock.now() + 60 * minute).toISOString()
      return ledger.delegations.give({ from: person('ann'), to: person('bob'), ends, by, reason })
    }
    const suspended = () => ledger.changeSuspension({ agent, state: 'suspended', reason, by: 'operator' })
    const decided = async () => (await ledger.decide(agent, refund(100))).id

    const deeds: readonly Deed[] = [
      {
        what: 'an erasure',
        role: 'administrator',
        before: decided,
        done: (by, decision) => ledger.erase({ target: { decision: decision as string }, reason, by }),
        called: 'is an erasure by',
      },
      {
        what: 'a hold that is placed',
        role: 'administrator',
        done: (by) => ledger.changeHold({ hold: 'case-7', event: 'placed', reason, by }),
        called: 'is a change of a hold by',
      },
      {
        what: 'a hold that is lifted',
        role: 'administrator',
        before: () => ledger.changeHold({ hold: 'case-7', event: 'placed', reason, by: 'operator' }),
        done: (by) => ledger.changeHold({ hold: 'case-7', event: 'lifted', reason, by }),
        called: 'is a change of a hold by',
      },
      {
        what: 'a suspension',
        role: 'operator',
        done: (by) => ledger.changeSuspension({ agent, state: 'suspended', reason, by }),
        called: 'is a suspension or resumption by',
      },
      {
        what: 'a resumption',
        role: 'operator',
        before: suspended,
        done: (by) => ledger.changeSuspension({ agent, state: 'active', reason, by }),
        called: 'is a suspension or resumption by',
      },
      {
        what: 'a reveal of any call',
        role: 'auditor',
        before: decided,
        done: (by, decision) =>
          ledger.reveal(
            { ...someone('gus', ['auditor']), id: by as ReturnType<typeof person> },
            { decision: decision as string, path: '/params/amount', reason },
          ),
        called: 'is a reveal by',
      },
      {
        what: 'a reveal of a call that waits',
        role: 'approver',
        before: async () => `dec_${indexOfId('apr', await escalated(ledger)) ?? -1}`,
        done: (_by, decision) =>
          ledger.reveal(someone('gus', ['approver']), {
            decision: decision as string,
            path: '/params/amount',
            reason,
          }),
        called: 'is a reveal by',
      },
      {
        what: 'a delegation of the votes of somebody else',
        role: 'administrator',
        before: two,
        done: delegation,
        called: 'is a delegation of the votes of somebody else by',
      },
      {
        what: 'the end of a delegation of the votes of somebody else',
        role: 'administrator',
        before: async () => {
          await two()
          return (await delegation('operator')).id
        },
        done: (by, id) => ledger.delegations.revoke(id as string, { by, reason }),
        called: 'is a delegation of the votes of somebody else by',
      },
      {
        what: 'a revocation of a standing grant, as an operator',
        role: 'operator',
        before: granted,
        done: (_by, id) => ledger.grants.revoke(id as GrantId, { by: someone('gus', ['operator']), reason }),
        called: 'is a revocation of a standing grant by',
      },
      {
        what: 'a revocation of a standing grant, as one who could answer its approval',
        role: 'approver',
        before: granted,
        done: (_by, id) => ledger.grants.revoke(id as GrantId, { by: someone('gus', ['approver']), reason }),
        called: 'is a revocation of a standing grant by',
      },
      {
        what: 'a cancellation',
        role: 'operator',
        before: () => escalated(ledger),
        done: (by, id) => ledger.cancel(id as string, { by, reason }),
        called: 'is a cancellation by',
      },
      {
        what: 'a key',
        role: 'administrator',
        done: (by) => access.createKey(agent, { by }),
        called: 'is a change of access by',
      },
      {
        what: 'a role that is recorded with it for the same person',
        role: 'administrator',
        done: (by) => access.setPerson(by, ['administrator', 'auditor'], { by }),
        called: 'is a change of access by',
      },
    ]

    describe.each(deeds)('$what', ({ role, before, done, called }) => {
      test('is named where its role was written into the table only', async () => {
        await opened()
        await access.setPerson(person('gus'), ['viewer'])
        const there = await before?.()
        await site.query('update person set roles = $2 where id = $1', [person('gus'), [role]])
        await done(person('gus'), there)
        const deed = (await records(site, ledger)).at(-1)
        await ledger.checkpoint()
        expect(await ledger.verify()).toMatchObject({
          kind: 'broken',
          index: deed?.index,
          problem: expect.stringContaining(
            `${called} ${person('gus')}, whose roles did not allow it`,
          ) as string,
        })
      })

      test('is fine with a role of the log, also where that is taken away afterwards, and not from then on', async () => {
        await opened()
        await access.setPerson(person('gus'), [role])
        await done(person('gus'), await before?.())
        await access.setPerson(person('gus'), ['viewer'])
        await ledger.checkpoint()
        expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
        const again = await faultOf(access.createKey(agent, { by: person('gus') }))
        expect(again.code).toBe('not_permitted')
      })
    })

    test('and takes who was removed for nobody, and who was added again for who they are now', async () => {
      await opened()
      await access.setPerson(person('gus'), ['operator'])
      await access.removePerson(person('gus'))
      await site.query(`insert into person (id, roles, created_at) values ($1, '{operator}', now())`, [
        person('gus'),
      ])
      await ledger.changeSuspension({ agent, state: 'suspended', reason, by: person('gus') })
      await ledger.checkpoint()
      expect(await ledger.verify()).toMatchObject({
        kind: 'broken',
        problem: expect.stringContaining(`${person('gus')}, who was nobody here then`) as string,
      })
    })

    test('and leaves out what a person does about what is their own, and what operators and agents do', async () => {
      await opened()
      await two()
      await delegation(person('ann'))
      const { id } = await delegation(person('ann'))
      await ledger.delegations.revoke(id, { by: person('bob'), reason })
      const grant = await granted()
      await access.setPerson(person('ann'), ['viewer'])
      await ledger.grants.revoke(grant, { by: someone('ann', ['viewer']), reason })
      await suspended()
      await ledger.changeSuspension({ agent, state: 'active', reason, by: 'operator' })
      await ledger.cancel(await escalated(ledger), { agent, reason })
      await ledger.checkpoint()
      expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
    })

    test('and leaves to other ledgers of the database what people may of whom they speak', async () => {
      await opened()
      const other = await site.open()
      await new Access(other).setPerson(person('zoe'), ['operator'])
      await ledger.changeSuspension({ agent, state: 'suspended', reason, by: person('zoe') })
      await ledger.checkpoint()
      expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
    })
  },
)
