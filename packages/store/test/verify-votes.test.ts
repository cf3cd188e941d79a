import {
  approvalDigest,
  indexOfId,
  type ApprovalId,
  type ApprovalStatus,
  type VoteRecord,
} from '@bailiwick/core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { Access } from '../src/access.ts'
import type { Ledger } from '../src/ledger.ts'
import type { Operation } from '../src/log/operation.ts'
import { changeOwner } from '../src/owners.ts'
import {
  agent,
  cast,
  decisionRecords,
  escalated,
  ledgerSite,
  minute,
  policiesOf,
  refund,
  terms,
  voter,
  type LedgerSite,
} from './harness/ledger.ts'
import type { VoteBody } from './harness/passkeys.ts'
import { describeOnOnePostgres } from './harness/postgres.ts'

const twoOfTwo =
  '{approvers: ["role:approver"], exclude: ["role:policy-author"], quorum: 2, break_glass: {approvers: ["role:ops"], quorum: 2}}'

describeOnOnePostgres('G3: verification counts the votes again', (postgres) => {
  let site: LedgerSite
  let ledger: Ledger
  let access: Access
  let count = 0
  // Ledgers of one database share their people: each test has people of its own, of whom no other log speaks.
  const someone = (name: string, roles: readonly string[] = ['approver']) => voter(`${name}-${count}`, roles)
  const person = (name: string) => someone(name).id
  beforeAll(async () => {
    site = await ledgerSite(postgres)
  })
  afterEach(() => site.closeLedgers())
  afterAll(() => site.remove())

  /** A ledger on which ann, bob and cyd are approvers by its own records. */
  const opened = async (route = twoOfTwo, principal?: string) => {
    count += 1
    ledger = await site.open(policiesOf(terms(route)))
    access = new Access(ledger)
    for (const name of ['ann', 'bob', 'cyd']) {
      await access.setPerson(person(name), [])
      await access.setPerson(person(name), ['approver'])
    }
    const context = principal === undefined ? {} : { context: { principal: person(principal) } }
    return (await escalated(ledger, context)) as ApprovalId
  }

  /** What somebody writes who owns the database: a vote whose rows, hashes and head fit, and the status that it claims. */
  const forge = async (id: ApprovalId, body: Partial<VoteBody>, claims: ApprovalStatus = 'pending') => {
    const decision = (await decisionRecords(site, ledger)).find(({ opens }) => opens?.id === id)
    if (decision === undefined) throw new Error('nothing opened it')
    const index = indexOfId('apr', id) ?? -1
    const vote: VoteBody = {
      kind: 'vote',
      approval: id,
      person: person('ann'),
      vote: 'approve',
      status: claims,
      digest: approvalDigest(decision),
      channel: 'console',
      ...body,
    }
    const operation: Operation<{ readonly index: number }> = {
      needs: { approvals: [index] },
      apply: (fold, place) => ({
        body: vote,
        payload: '{"comment":""}',
        answer: { index: place.index },
        staged: (record) => {
          const approval = fold.approval(index)
          if (approval === undefined) throw new Error('there is no such approval')
          // The row says what the record claims, and its terms stay as they are.
          const quorum = claims === 'approved' ? 1 : 20
          const votes = [...approval.votes, { ...vote, standing: undefined, at: place.at }]
          fold.setApproval(index, { ...approval, terms: { ...approval.terms, quorum, quorumOf: {} }, votes })
          fold.addVote(index, record as VoteRecord)
        },
      }),
    }
    return await ledger.changePasskeys(operation)
  }
  const expectNamed = async ({ index }: { readonly index: number }, problem: string) => {
    await ledger.checkpoint()
    expect(await ledger.verify()).toMatchObject({
      kind: 'broken',
      index,
      problem: expect.stringContaining(problem) as string,
    })
  }
  const approve = (name: string, id: string, more: object = {}) =>
    cast(ledger, someone(name), id, { vote: 'approve', ...more })

  test('finds nothing wrong with what the service has recorded, whatever becomes of the people later', async () => {
    const id = await opened()
    await approve('ann', id)
    await access.setPerson(person('dan'), ['viewer'])
    const ends = new Date(site.clock.now() + 60 * minute).toISOString()
    const given = { from: person('bob'), to: person('dan'), ends, by: person('bob'), reason: 'leave' }
    const { id: delegation } = await ledger.delegations.give(given)
    await ledger.vote(someone('dan', ['viewer']), id, {
      vote: 'approve',
      digest: (await ledger.approval(id, {})).digest,
      for: person('bob'),
    })
    expect(await ledger.decide(agent, refund(600, { approvalId: id }))).toMatchObject({ effect: 'allow' })
    await ledger.delegations.revoke(delegation, { by: person('bob'), reason: 'back' })
    await access.setPerson(person('ann'), ['viewer'])
    await access.removePerson(person('bob'))
    await changeOwner(ledger, 'owner_added', { agent, person: person('ann') })
    const rejected = await escalated(ledger)
    await cast(ledger, someone('cyd'), rejected, { vote: 'reject' })
    const emergency = await escalated(ledger)
    for (const name of ['eve', 'fay']) {
      await access.setPerson(person(name), ['ops'])
      const digest = (await ledger.approval(emergency, {})).digest
      const vote = { vote: 'approve', breakGlass: true, comment: 'the shop is down', digest } as const
      await ledger.vote(someone(name, ['ops']), emergency, vote)
    }
    expect(await ledger.decide(agent, refund(600, { approvalId: emergency }))).toMatchObject({
      effect: 'allow',
    })
    const withdrawn = await escalated(ledger)
    await approve('cyd', withdrawn)
    await ledger.cancel(withdrawn, { agent, reason: 'not needed' })
    await ledger.checkpoint()
    expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
  })

  test('names a vote that claims a quorum which there is not; the service, which counts by itself, lets nothing through by it', async () => {
    const id = await opened()
    const claimed = await forge(id, {}, 'approved')
    expect(await ledger.decide(agent, refund(600, { approvalId: id }))).toMatchObject({ effect: 'deny' })
    await expectNamed(claimed, `says ${id} is approved by it, which by its votes is pending`)
  })

  test('names a vote that claims less than there is', async () => {
    const id = await opened()
    await approve('ann', id)
    await expectNamed(await forge(id, { person: person('bob') }), 'which by its votes is approved')
  })

  describe('names a vote that nobody could have cast:', () => {
    test('a second one of the same person, for somebody else', async () => {
      const id = await opened()
      await approve('ann', id)
      const again = { person: person('cyd'), for: person('ann') }
      await expectNamed(await forge(id, again, 'approved'), `a second vote of ${person('ann')}`)
    })

    test('of somebody whom no record made a person', async () => {
      const id = await opened()
      await approve('ann', id)
      const nobody = { person: person('mallory') }
      await expectNamed(await forge(id, nobody, 'approved'), 'who was nobody here then')
    })

    test('of somebody who was removed before, and not of somebody who is there again', async () => {
      const id = await opened()
      await approve('ann', id)
      await access.removePerson(person('bob'))
      await access.removePerson(person('cyd'))
      await access.setPerson(person('cyd'), ['approver'])
      expect(await approve('cyd', id)).toBe('approved')
      const other = (await escalated(ledger)) as ApprovalId
      await expectNamed(await forge(other, { person: person('bob') }), `${person('bob')}, who was nobody`)
    })

    test('of somebody whose role was taken away before', async () => {
      const id = await opened()
      await approve('ann', id)
      await access.setPerson(person('bob'), ['viewer'])
      await expectNamed(await forge(id, { person: person('bob') }, 'approved'), 'who was not entitled')
    })

    test('of somebody who was given a role in the table only, which the service has believed', async () => {
      const id = await opened('{approvers: ["role:approver"]}')
      await access.setPerson(person('gus'), ['viewer'])
      await site.query(`update person set roles = '{approver}' where id = $1`, [person('gus')])
      await ledger.vote(someone('gus'), id, {
        vote: 'approve',
        digest: (await ledger.approval(id, {})).digest,
      })
      await ledger.checkpoint()
      expect(await ledger.verify()).toMatchObject({
        kind: 'broken',
        problem: expect.stringContaining(`${person('gus')}, who was not entitled`) as string,
      })
    })

    test('of somebody who is excluded', async () => {
      const id = await opened()
      await access.setPerson(person('bob'), ['approver', 'policy-author'])
      await expectNamed(await forge(id, { person: person('bob') }), 'who is excluded')
    })

    test('of somebody who stands behind the agent', async () => {
      const id = await opened()
      await changeOwner(ledger, 'owner_added', { agent, person: person('ann') })
      await expectNamed(await forge(id, {}), 'who stands behind the call')
    })

    test('of somebody on whose behalf the call was made', async () => {
      const id = await opened(twoOfTwo, 'ann')
      await expectNamed(await forge(id, {}), 'who stands behind the call')
    })

    test('in the stead of somebody who had not delegated it', async () => {
      const id = await opened()
      await expectNamed(await forge(id, { for: person('bob') }), 'who had not delegated it')
    })

    test('that breaks the glass where the person may not', async () => {
      const id = await opened()
      await expectNamed(await forge(id, { breakGlass: true }), 'who was not entitled')
    })

    test('on something else than what was asked', async () => {
      const id = await opened()
      await expectNamed(
        await forge(id, { digest: '0'.repeat(64) as VoteBody['digest'] }),
        'on something else than',
      )
    })

    test('on what had been rejected', async () => {
      const id = await opened()
      await cast(ledger, someone('bob'), id, { vote: 'reject' })
      await expectNamed(await forge(id, {}, 'rejected'), `${id}, which was rejected then`)
    })

    test('over a channel that the policy does not take', async () => {
      const id = await opened('{approvers: ["role:approver"], quorum: 2, channels: [console, slack]}')
      await expectNamed(await forge(id, { channel: 'email' }), 'is a vote over email')
    })

    test('that counts for an entry for which the person did not stand', async () => {
      const id = await opened(
        '{approvers: ["role:approver", "role:legal"], quorum: 2, quorum_of: {"role:legal": 1}}',
      )
      await expectNamed(await forge(id, { counts: ['role:legal'] }), 'counts for role:legal')
    })
  })

  test('leaves to other ledgers of the database who is entitled, where they speak of the same people', async () => {
    await opened()
    const other = await site.open(policiesOf(terms('{approvers: ["role:approver"]}')))
    const zoe = voter('zoe')
    await new Access(other).setPerson(zoe.id, ['approver'])
    const id = await opened('{approvers: ["role:approver"], quorum: 2}')
    const digest = (await ledger.approval(id, {})).digest
    expect(await ledger.vote(zoe, id, { vote: 'approve', digest })).toBe('pending')
    await ledger.checkpoint()
    expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
    // Not whether they are enough.
    await expectNamed(await forge(id, { for: zoe.id }, 'approved'), 'a second vote of')
  })
})
