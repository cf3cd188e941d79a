import { voteChallenge, type VoteRecord } from '@bailiwick/core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { algorithms, flags, SoftAuthenticator } from '../../core/test/approval/authenticator.ts'
import { Access } from '../src/access.ts'
import type { Ledger } from '../src/ledger.ts'
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
  voter,
  type LedgerSite,
} from './harness/ledger.ts'
import { passkeysOf, personOf, registered, signedVote } from './harness/passkeys.ts'
import { describeOnOnePostgres } from './harness/postgres.ts'

const signedPolicy = policiesOf(terms('{approvers: ["role:approver"], signed: true}'))

describeOnOnePostgres('G3: signed votes', (postgres) => {
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

  const opened = async () => {
    ledger = await site.open(signedPolicy)
    return await escalated(ledger)
  }
  /** The vote is refused with this code and this in its message, and nothing of it is recorded. */
  const expectRefused = async (vote: () => Promise<unknown>, code: string, message?: string) => {
    const before = (await records(site, ledger)).length
    const fault = await faultOf(vote())
    expect({ code: fault.code, message: fault.message }).toMatchObject({
      code,
      message: expect.stringContaining(message ?? '') as string,
    })
    expect(await records(site, ledger)).toHaveLength(before)
  }

  test.each(algorithms)('a vote that the person signed with a passkey for %s counts', async (algorithm) => {
    const id = await opened()
    const authenticator = await registered(ledger, 'ann', { algorithm })
    const vote = await signedVote(ledger, authenticator, 'ann', id, 'approve')
    expect(await ledger.vote(voter('ann'), id, vote)).toBe('approved')
    const record = (await records(site, ledger)).find(({ kind }) => kind === 'vote')
    expect(record).toMatchObject({ person: personOf('ann'), digest: vote.digest, signature: vote.signature })
    expect(await ledger.decide(agent, refund(600, { approvalId: id }))).toMatchObject({ effect: 'allow' })
    expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
  })

  test('a rejection is signed too', async () => {
    const id = await opened()
    const authenticator = await registered(ledger, 'ann')
    const request = await signedVote(ledger, authenticator, 'ann', id, 'reject')
    expect(await ledger.vote(voter('ann'), id, request)).toBe('rejected')
    expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
  })

  test('a vote without a signature is refused, also of a person who has a passkey', async () => {
    const id = await opened()
    const authenticator = await registered(ledger, 'ann')
    const { digest, signature, vote } = await signedVote(ledger, authenticator, 'ann', id, 'approve')
    await expectRefused(() => ledger.vote(voter('ann'), id, { vote, digest }), 'signature_required')
    const part = { ...signature, signature: undefined } as unknown as NonNullable<typeof signature>
    await expectRefused(
      () => ledger.vote(voter('ann'), id, { vote, digest, signature: part }),
      'signature_required',
    )
  })

  test('a signature on an approval that asks for none is refused, so that none goes unverified', async () => {
    ledger = await site.open()
    const id = await escalated(ledger)
    const authenticator = await registered(ledger, 'ann')
    const request = await signedVote(ledger, authenticator, 'ann', id, 'approve')
    await expectRefused(() => ledger.vote(voter('ann'), id, request), 'bad_input', 'asks for no signature')
  })

  describe('a signature', () => {
    test('over the opposite vote is refused', async () => {
      const id = await opened()
      const authenticator = await registered(ledger, 'ann')
      const rejecting = await signedVote(ledger, authenticator, 'ann', id, 'reject')
      const turned = { ...rejecting, vote: 'approve' as const }
      await expectRefused(
        () => ledger.vote(voter('ann'), id, turned),
        'signature_invalid',
        'another challenge',
      )
    })

    test('for another approval is refused, also of an equal call', async () => {
      const id = await opened()
      const other = await escalated(ledger)
      const authenticator = await registered(ledger, 'ann')
      const { signature } = await signedVote(ledger, authenticator, 'ann', other, 'approve')
      const request = { ...(await signedVote(ledger, authenticator, 'ann', id, 'approve')), signature }
      await expectRefused(
        () => ledger.vote(voter('ann'), id, request),
        'signature_invalid',
        'another challenge',
      )
    })

    test('for the same approval of another ledger is refused', async () => {
      const id = await opened()
      const authenticator = await registered(ledger, 'ann')
      const { digest } = await ledger.approval(id, {})
      const [first, second] = [ledger, await site.open(signedPolicy)]
      const there = await escalated(second)
      const elsewhere = (await second.approval(there, {})).digest
      expect(elsewhere).not.toBe(digest)
      const challenge = voteChallenge({ digest: elsewhere, person: personOf('ann'), vote: 'approve' })
      const request = { vote: 'approve' as const, digest, signature: authenticator.sign({ challenge }) }
      ledger = first
      await expectRefused(
        () => first.vote(voter('ann'), id, request),
        'signature_invalid',
        'another challenge',
      )
    })

    test("with somebody else's passkey is refused, whoever of the two votes", async () => {
      const id = await opened()
      const ann = await registered(ledger, 'ann')
      await registered(ledger, 'bob')
      const byAnn = await signedVote(ledger, ann, 'ann', id, 'approve')
      await expectRefused(() => ledger.vote(voter('bob'), id, byAnn), 'signature_invalid', "somebody else's")
      const forBob = await signedVote(ledger, ann, 'bob', id, 'approve')
      await expectRefused(() => ledger.vote(voter('bob'), id, forBob), 'signature_invalid', "somebody else's")
    })

    test('with a passkey that nobody registered is refused', async () => {
      const id = await opened()
      await registered(ledger, 'ann')
      const stranger = new SoftAuthenticator('stranger')
      const request = await signedVote(ledger, stranger, 'ann', id, 'approve')
      await expectRefused(
        () => ledger.vote(voter('ann'), id, request),
        'signature_invalid',
        'no such passkey',
      )
    })

    test('with a passkey that was removed since it signed is refused', async () => {
      const id = await opened()
      const authenticator = await registered(ledger, 'ann')
      const request = await signedVote(ledger, authenticator, 'ann', id, 'approve')
      await passkeysOf(ledger).remove(personOf('ann'), authenticator.id)
      await expectRefused(
        () => ledger.vote(voter('ann'), id, request),
        'signature_invalid',
        'has been removed',
      )
    })

    test('of a person who was removed and added again is refused', async () => {
      const id = await opened()
      const authenticator = await registered(ledger, 'ann')
      const request = await signedVote(ledger, authenticator, 'ann', id, 'approve')
      const access = new Access(ledger)
      await access.removePerson(personOf('ann'))
      await access.setPerson(personOf('ann'), ['approver'])
      await expectRefused(
        () => ledger.vote(voter('ann'), id, request),
        'signature_invalid',
        'has been removed',
      )
      expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
    })

    test.each([
      ['of a person whom the authenticator did not verify', { flags: flags.present }, 'did not verify'],
      ['without a person', { flags: flags.verified }, 'nobody was present'],
      ['on a page of another origin', { origin: 'https://evil.example' }, 'another origin'],
      ['for another relying party', { rpId: 'evil.example' }, 'another site'],
      ['that is a registration', { type: 'webauthn.create' }, 'something else'],
      ['inside a page of another site', { client: { crossOrigin: true } }, 'inside a page'],
    ])('%s is refused', async (_, saying, problem) => {
      const id = await opened()
      const authenticator = await registered(ledger, 'ann')
      const request = await signedVote(ledger, authenticator, 'ann', id, 'approve', saying)
      await expectRefused(() => ledger.vote(voter('ann'), id, request), 'signature_invalid', problem)
    })

    test('whose counter was seen before is refused: the passkey has been copied', async () => {
      const id = await opened()
      const next = await escalated(ledger)
      const authenticator = await registered(ledger, 'ann')
      const first = await signedVote(ledger, authenticator, 'ann', id, 'approve', { signCount: 5 })
      await ledger.vote(voter('ann'), id, first)
      for (const signCount of [0, 4, 5]) {
        const copy = await signedVote(ledger, authenticator, 'ann', next, 'approve', { signCount })
        await expectRefused(() => ledger.vote(voter('ann'), next, copy), 'signature_invalid', 'copied')
      }
      const later = await signedVote(ledger, authenticator, 'ann', next, 'approve', { signCount: 6 })
      expect(await ledger.vote(voter('ann'), next, later)).toBe('approved')
    })

    test('of a passkey that never counts is taken again and again', async () => {
      const ids = [await opened(), await escalated(ledger)]
      const authenticator = await registered(ledger, 'ann')
      for (const id of ids) {
        const request = await signedVote(ledger, authenticator, 'ann', id, 'approve', { signCount: 0 })
        expect(await ledger.vote(voter('ann'), id, request)).toBe('approved')
      }
      expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
    })

    test('that is sent twice votes once', async () => {
      const id = await opened()
      const authenticator = await registered(ledger, 'ann')
      const request = await signedVote(ledger, authenticator, 'ann', id, 'approve')
      const both = [ledger.vote(voter('ann'), id, request), ledger.vote(voter('ann'), id, request)]
      const settled = await Promise.allSettled(both)
      expect(settled.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
      await expectRefused(() => ledger.vote(voter('ann'), id, request), 'already_voted')
    })

    test('with one counter for two approvals counts for one of them, also in one batch', async () => {
      const ids = [await opened(), await escalated(ledger)]
      const authenticator = await registered(ledger, 'ann')
      const requests = await Promise.all(
        ids.map((id) => signedVote(ledger, authenticator, 'ann', id, 'approve', { signCount: 9 })),
      )
      const settled = await Promise.allSettled(
        ids.map((id, at) => ledger.vote(voter('ann'), id, requests[at] as (typeof requests)[0])),
      )
      expect(settled.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    })

    test('made with a key that the row was changed to is refused: the log says which key it is', async () => {
      const id = await opened()
      const authenticator = await registered(ledger, 'ann')
      const forger = new SoftAuthenticator('forger')
      const honest = authenticator.passkey.publicKey
      await site.query('update passkey set record = replace(record, $1, $2)', [
        honest,
        forger.passkey.publicKey,
      ])
      const signed = await signedVote(ledger, forger, 'ann', id, 'approve')
      const signature = signed.signature && { ...signed.signature, credential: authenticator.id }
      await expectRefused(() => ledger.vote(voter('ann'), id, { ...signed, signature }), 'signature_invalid')
    })

    test('is judged by every process alike: a passkey that another one removed signs nothing here', async () => {
      const id = await opened()
      const other = await site.open(signedPolicy, ledger.name)
      const authenticator = await registered(other, 'ann')
      const second = await registered(other, 'bob')
      const byBob = await signedVote(ledger, second, 'bob', id, 'approve')
      await passkeysOf(other).remove(personOf('bob'), second.id)
      await expectRefused(() => ledger.vote(voter('bob'), id, byBob), 'signature_invalid', 'has been removed')
      const request = await signedVote(ledger, authenticator, 'ann', id, 'approve')
      expect(await ledger.vote(voter('ann'), id, request)).toBe('approved')
    })
  })

  test('with a quorum of two, two people sign, each for themselves', async () => {
    ledger = await site.open(policiesOf(terms('{approvers: ["role:approver"], quorum: 2, signed: true}')))
    const id = await escalated(ledger)
    const [ann, bob] = [await registered(ledger, 'ann'), await registered(ledger, 'bob')]
    const byAnn = await signedVote(ledger, ann, 'ann', id, 'approve')
    expect(await ledger.vote(voter('ann'), id, byAnn)).toBe('pending')
    await expectRefused(() => ledger.vote(voter('bob'), id, byAnn), 'signature_invalid')
    const byBob = await signedVote(ledger, bob, 'bob', id, 'approve')
    expect(await ledger.vote(voter('bob'), id, byBob)).toBe('approved')
    const votes = (await records(site, ledger)).filter(
      (record): record is VoteRecord => record.kind === 'vote',
    )
    expect(votes.map(({ signature }) => signature?.credential)).toEqual([ann.id, bob.id])
  })

  test('in whose stead a vote is cast is signed too', async () => {
    const id = await opened()
    const [ann, bob] = [personOf('ann'), personOf('bob')]
    await registered(ledger, 'ann')
    const authenticator = await registered(ledger, 'bob')
    const ends = new Date(site.clock.now() + 60 * minute).toISOString()
    await ledger.delegations.give({ from: ann, to: bob, ends, reason: 'on leave', by: ann })
    const own = await signedVote(ledger, authenticator, 'bob', id, 'approve')
    await expectRefused(() => ledger.vote(voter('bob'), id, { ...own, for: ann }), 'signature_invalid')
    const challenge = voteChallenge({ digest: own.digest, person: bob, vote: 'approve', for: ann })
    const signature = authenticator.sign({ challenge })
    await expectRefused(() => ledger.vote(voter('bob'), id, { ...own, signature }), 'signature_invalid')
    const request = { ...own, for: ann, signature: authenticator.sign({ challenge }) }
    expect(await ledger.vote(voter('bob'), id, request)).toBe('approved')
    expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
  })

  test('a signature for one call is none for more like it, nor the reverse, nor for more of them', async () => {
    const route = '{approvers: ["role:approver"], signed: true, standing: {uses: 12, lasts: 8h}}'
    ledger = await site.open(policiesOf(terms(route)))
    const id = await escalated(ledger)
    const ann = await registered(ledger, 'ann')
    const until = new Date(site.clock.now() + 60 * minute).toISOString()
    const later = new Date(site.clock.now() + 61 * minute).toISOString()
    const [few, many] = [3, 12].map((uses) => ({ uses, until }))
    const one = await signedVote(ledger, ann, 'ann', id, 'approve')
    await expectRefused(() => ledger.vote(voter('ann'), id, { ...one, standing: few }), 'signature_invalid')
    const some = await signedVote(ledger, ann, 'ann', id, 'approve', {}, few)
    for (const standing of [undefined, many, { uses: 3, until: later }]) {
      await expectRefused(() => ledger.vote(voter('ann'), id, { ...some, standing }), 'signature_invalid')
    }
    expect(await ledger.vote(voter('ann'), id, some)).toBe('approved')
    expect((await ledger.decide(agent, refund(600))).standing).toMatchObject({ use: 1, uses: 3 })
    expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
  })
})
