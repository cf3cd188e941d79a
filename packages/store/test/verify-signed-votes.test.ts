import { approvalDigest, voteChallenge, type ApprovalId } from '@bailiwick/core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { SoftAuthenticator } from '../../core/test/approval/authenticator.ts'
import type { Ledger } from '../src/ledger.ts'
import {
  agent,
  decisionRecords,
  escalated,
  ledgerSite,
  policiesOf,
  refund,
  terms,
  voter,
  type LedgerSite,
} from './harness/ledger.ts'
import {
  forgedVote,
  passkeysOf,
  personOf,
  registered,
  signedVote,
  type VoteBody,
} from './harness/passkeys.ts'
import { describeOnOnePostgres } from './harness/postgres.ts'

const signedPolicy = policiesOf(terms('{approvers: ["role:approver"], signed: true}'))

describeOnOnePostgres('G3: verification of signed votes', (postgres) => {
  let site: LedgerSite
  let ledger: Ledger
  beforeAll(async () => {
    site = await ledgerSite(postgres)
  })
  afterEach(async () => {
    await site.closeLedgers()
  })
  afterAll(() => site.remove())

  const opened = async () => {
    ledger = await site.open(signedPolicy)
    return (await escalated(ledger)) as ApprovalId
  }
  const digestOf = async (id: ApprovalId) => {
    const decision = (await decisionRecords(site, ledger)).find(({ opens }) => opens?.id === id)
    if (decision === undefined) throw new Error('nothing opened it')
    return approvalDigest(decision)
  }
  const consent = async (id: ApprovalId, more: Partial<VoteBody> = {}): Promise<VoteBody> => ({
    kind: 'vote',
    approval: id,
    person: personOf('ann'),
    vote: 'approve',
    status: 'approved',
    digest: await digestOf(id),
    ...more,
  })
  /** Writes the vote, and expects verification to name its record and this. */
  const expectNamed = async (body: VoteBody, problem: string) => {
    const { index } = await ledger.changePasskeys(forgedVote(body))
    expect(await ledger.verify()).toMatchObject({
      kind: 'broken',
      index,
      problem: expect.stringContaining(problem) as string,
    })
  }

  test('finds nothing wrong with votes that their people signed, also with a key that was removed later', async () => {
    const ids = [await opened(), (await escalated(ledger)) as ApprovalId]
    const ann = await registered(ledger, 'ann')
    for (const id of ids) {
      const request = await signedVote(ledger, ann, 'ann', id, 'approve')
      await ledger.vote(voter('ann'), id, request)
      await ledger.decide(agent, refund(600, { approvalId: id }))
    }
    await passkeysOf(ledger).remove(personOf('ann'), ann.id)
    await ledger.checkpoint()
    expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
  })

  describe('names a consent that was written into the database', () => {
    test('without a signature, also where a call ran by it', async () => {
      const id = await opened()
      await registered(ledger, 'ann')
      const { index } = await ledger.changePasskeys(forgedVote(await consent(id)))
      expect(await ledger.decide(agent, refund(600, { approvalId: id }))).toMatchObject({ effect: 'allow' })
      await ledger.checkpoint()
      expect(await ledger.verify()).toMatchObject({
        kind: 'broken',
        index,
        problem: expect.stringContaining('it bears no signature') as string,
      })
    })

    test('with the signature of a key that nobody registered', async () => {
      const id = await opened()
      await registered(ledger, 'ann')
      const forger = new SoftAuthenticator('forger')
      const { signature } = await signedVote(ledger, forger, 'ann', id, 'approve')
      await expectNamed(await consent(id, { signature }), 'no such passkey is registered')
    })

    test('with the signature of a key of the forger under the id of the honest one', async () => {
      const id = await opened()
      const ann = await registered(ledger, 'ann')
      const { signature } = await signedVote(ledger, new SoftAuthenticator('forger'), 'ann', id, 'approve')
      const forged = signature && { ...signature, credential: ann.id }
      await expectNamed(await consent(id, { signature: forged }), 'did not make the signature')
    })

    test('with a signature that the person gave to another call', async () => {
      const id = await opened()
      const other = await escalated(ledger)
      const ann = await registered(ledger, 'ann')
      const request = await signedVote(ledger, ann, 'ann', other, 'approve')
      await ledger.vote(voter('ann'), other, request)
      await expectNamed(await consent(id, { signature: request.signature }), 'another challenge')
    })

    test('made of a rejection', async () => {
      const id = await opened()
      const ann = await registered(ledger, 'ann')
      const { signature } = await signedVote(ledger, ann, 'ann', id, 'reject')
      await expectNamed(await consent(id, { signature }), 'another challenge')
    })

    test('in the name of another person', async () => {
      const id = await opened()
      const ann = await registered(ledger, 'ann')
      await registered(ledger, 'bob')
      const { signature } = await signedVote(ledger, ann, 'ann', id, 'approve')
      await expectNamed(await consent(id, { signature, person: personOf('bob') }), "somebody else's")
    })

    test('on something else than what was asked', async () => {
      const id = await opened()
      const ann = await registered(ledger, 'ann')
      const digest = 'f'.repeat(64) as VoteBody['digest']
      const challenge = voteChallenge({ digest: digest ?? '', person: personOf('ann'), vote: 'approve' })
      const signature = ann.sign({ challenge })
      await expectNamed(await consent(id, { signature, digest }), 'its digest is not that of the approval')
    })

    test('with a key that had been removed before', async () => {
      const id = await opened()
      const ann = await registered(ledger, 'ann')
      await passkeysOf(ledger).remove(personOf('ann'), ann.id)
      const { signature } = await signedVote(ledger, ann, 'ann', id, 'approve')
      await expectNamed(await consent(id, { signature }), 'the passkey has been removed')
    })

    test('with a key that was registered only afterwards', async () => {
      const id = await opened()
      const late = new SoftAuthenticator('late', 'ES256', passkeysOf(ledger).party)
      await registered(ledger, 'ann')
      const { signature } = await signedVote(ledger, late, 'ann', id, 'approve')
      const { index } = await ledger.changePasskeys(forgedVote(await consent(id, { signature })))
      const passkeys = passkeysOf(ledger)
      const { token, challenge } = await passkeys.beginRegistration(personOf('ann'))
      const answer = { ...late.register({ challenge }), name: 'late', transports: [] }
      await passkeys.register(personOf('ann'), token, answer)
      expect(await ledger.verify()).toMatchObject({ kind: 'broken', index })
    })

    test('with a counter that was used before', async () => {
      const id = await opened()
      const other = await escalated(ledger)
      const ann = await registered(ledger, 'ann')
      const saying = { signCount: 8 }
      await ledger.vote(voter('ann'), other, await signedVote(ledger, ann, 'ann', other, 'approve', saying))
      const { signature } = await signedVote(ledger, ann, 'ann', id, 'approve', saying)
      await expectNamed(await consent(id, { signature }), 'copied')
    })

    test('signed by an authenticator that verified nobody', async () => {
      const id = await opened()
      const ann = await registered(ledger, 'ann')
      const { signature } = await signedVote(ledger, ann, 'ann', id, 'approve', { flags: 1 })
      await expectNamed(await consent(id, { signature }), 'did not verify who was present')
    })
  })

  describe('names a passkey whose row', () => {
    const tampered = async (statement: string, values: readonly unknown[] = []) => {
      await opened()
      const ann = await registered(ledger, 'ann')
      expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
      await site.query(statement.replace('$ledger', `'${ledger.name}'`), values)
      return { ann, result: await ledger.verify() }
    }

    test.each([
      ['is gone', 'delete from passkey where ledger = $ledger'],
      ['says another person', `update passkey set person = 'bob@example.com' where ledger = $ledger`],
      [
        'says another text',
        `update passkey set record = replace(record, 'localhost', 'evil') where ledger = $ledger`,
      ],
      ['says that it was removed', 'update passkey set removed = 3 where ledger = $ledger'],
      ['says another place', 'update passkey set registered = registered + 1 where ledger = $ledger'],
      ['has another id', `update passkey set id = 'AAAA' where ledger = $ledger`],
      [
        'follows from nothing',
        `insert into passkey select ledger, 'AAAA', person, user_handle, name, transports, registered, record, removed,
          sign_count, created_at from passkey where ledger = $ledger`,
      ],
    ])('%s', async (_, statement) => {
      const { result } = await tampered(statement)
      expect(result).toMatchObject({ kind: 'broken', problem: expect.stringContaining('passkey') as string })
    })

    test('says that it was not removed', async () => {
      await opened()
      const ann = await registered(ledger, 'ann')
      await passkeysOf(ledger).remove(personOf('ann'), ann.id)
      await site.query('update passkey set removed = null where ledger = $1', [ledger.name])
      expect(await ledger.verify()).toMatchObject({ kind: 'broken' })
    })

    test('counts lower than it has voted with', async () => {
      const id = await opened()
      const ann = await registered(ledger, 'ann')
      await ledger.vote(
        voter('ann'),
        id,
        await signedVote(ledger, ann, 'ann', id, 'approve', { signCount: 4 }),
      )
      await site.query('update passkey set sign_count = 3 where ledger = $1', [ledger.name])
      expect(await ledger.verify()).toMatchObject({
        kind: 'broken',
        problem: expect.stringContaining('counter') as string,
      })
    })
  })
})
