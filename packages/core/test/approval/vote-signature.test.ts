import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  approvalDigest,
  checkRecordedVote,
  completeRecord,
  parseRecord,
  recordText,
  SignedVotes,
  voteChallenge,
  type ApprovalId,
  type DecisionId,
  type DecisionRecord,
  type LogRecord,
  type PasskeyState,
  type PersonId,
  type RuleId,
  type Sha256,
  type VoteRecord,
} from '../../src/index.ts'
import { algorithms, SoftAuthenticator, type Algorithm } from './authenticator.ts'

const place = (index: number) => ({ ledger: 'main', index, at: '2026-03-01T09:00:00.000Z', payload: null })
const sha256 = (character: string) => character.repeat(64) as Sha256
const person = 'ann@example.com' as PersonId

const opened = completeRecord(
  {
    kind: 'decision',
    id: 'dec_4' as DecisionId,
    agent: 'support',
    action: 'issue_refund',
    callId: null,
    effect: 'escalate',
    code: null,
    reasons: ['Escalation required: human_approval_required'],
    rules: [{ id: 'large' as RuleId, effect: 'escalate', because: 'matched', line: 3 }],
    policy: { id: 'support', version: null, sha256: sha256('c') },
    opens: {
      id: 'apr_4' as ApprovalId,
      deadline: '2026-03-01T09:05:00.000Z',
      terms: {
        routes: ['human_approval_required'],
        approvers: [['role:approver']],
        quorum: 1,
        deadlineMs: 300_000,
        asks: 'consent',
        signed: true,
      },
    },
    claims: null,
  },
  { ...place(4), payload: sha256('b') },
) as DecisionRecord

const digest = approvalDigest(opened)

function vote(algorithm: Algorithm) {
  const authenticator = new SoftAuthenticator('one', algorithm)
  const signature = authenticator.sign({ challenge: voteChallenge({ digest, person, vote: 'approve' }) })
  const record = completeRecord(
    {
      kind: 'vote',
      approval: 'apr_4' as ApprovalId,
      person,
      vote: 'approve',
      status: 'approved',
      digest,
      signature,
    },
    place(5),
  ) as VoteRecord
  const passkey: PasskeyState = {
    key: authenticator.passkey,
    person,
    registered: 2,
    removed: null,
    signCount: 0,
  }
  return { record, passkey }
}

describe.each(algorithms)('a recorded vote that was signed with %s', (algorithm) => {
  const { record, passkey } = vote(algorithm)

  test('is verified from nothing but records', () => {
    const read = parseRecord(recordText(record)) as VoteRecord
    expect(checkRecordedVote(read, digest, passkey)).toEqual({ kind: 'valid', signCount: 1 })
  })

  test('does not count with any character of signature, digest, person or vote changed', () => {
    const text = recordText(record)
    const kept = ['approval', 'at', 'index', 'kind', 'ledger', 'payload', 'status', 'v']
    const change = fc.tuple(fc.nat(text.length - 1), fc.constantFrom('A', 'x', '0', '-', 'é', '"'))
    fc.assert(
      fc.property(change, ([at, character]) => {
        const changed = parsed(text.slice(0, at) + character + text.slice(at + 1))
        // What is no record is found before anybody looks at signatures.
        fc.pre(changed !== undefined)
        if (changed === undefined) return
        const isSame = Object.entries(record).every(
          ([member, value]) =>
            kept.includes(member) ||
            JSON.stringify(changed[member as keyof VoteRecord]) === JSON.stringify(value),
        )
        expect(checkRecordedVote(changed, digest, passkey).kind).toBe(isSame ? 'valid' : 'invalid')
      }),
      { numRuns: 600 },
    )
  })

  test('does not count for a call, a policy, terms or a deadline that differ', () => {
    const opens = opened.opens ?? undefined
    if (opens === undefined) throw new Error('it opens an approval')
    const others: Partial<DecisionRecord>[] = [
      { agent: 'other' },
      { action: 'delete_account' },
      { ledger: 'other' },
      { payload: sha256('d') },
      { policy: { id: 'support', version: null, sha256: sha256('e') } },
      { opens: { ...opens, deadline: '2026-03-01T10:05:00.000Z' } },
      { opens: { ...opens, terms: { ...opens.terms, quorum: 2 } } },
      { opens: { ...opens, id: 'apr_5' as ApprovalId } },
    ]
    for (const other of others) {
      expect(checkRecordedVote(record, approvalDigest({ ...opened, ...other }), passkey)).toMatchObject({
        problem: 'its digest is not that of the approval',
      })
    }
  })

  test.each([
    ['nobody registered', () => undefined, 'no such passkey is registered'],
    ['that was removed', () => ({ ...passkey, removed: 3 }), 'the passkey has been removed'],
    ['of somebody else', () => ({ ...passkey, person: 'bob@example.com' }), "the passkey is somebody else's"],
    [
      'that has counted further',
      () => ({ ...passkey, signCount: 1 }),
      'its counter has been seen before: the passkey has been copied',
    ],
  ])('does not count by a passkey %s', (_, state, problem) => {
    expect(checkRecordedVote(record, digest, state())).toEqual({ kind: 'invalid', problem })
  })

  test('does not count without its signature, or with a part of it', () => {
    const bare = { ...record, signature: undefined }
    expect(checkRecordedVote(bare, digest, passkey)).toMatchObject({ problem: 'it bears no signature' })
    const { signature: _, ...part } = record.signature ?? { signature: '' }
    const partial = { ...record, signature: part } as unknown as VoteRecord
    expect(checkRecordedVote(partial, digest, passkey)).toMatchObject({ problem: 'it bears no signature' })
  })
})

describe('the votes of a log, record by record', () => {
  const { record, passkey } = vote('ES256')
  const registration = (index: number) =>
    completeRecord(
      { kind: 'access', event: 'passkey_registered', subject: person, grants: [], passkey: passkey.key },
      place(index),
    )
  const removal = completeRecord(
    { kind: 'access', event: 'passkey_removed', subject: person, grants: [], passkey: passkey.key },
    place(4),
  )
  const leaving = completeRecord(
    { kind: 'access', event: 'person_removed', subject: person, grants: [] },
    place(4),
  )
  const problemsOf = (...all: readonly LogRecord[]) => {
    const votes = new SignedVotes()
    return all.map((each) => votes.take(each)).filter((problem) => problem !== undefined)
  }

  test('are right where registration, decision and vote follow on each other', () => {
    expect(problemsOf(registration(2), opened, record)).toEqual([])
  })

  test.each([
    ['without a registration', [opened, record], 'no such passkey'],
    ['with one that comes later', [opened, record, registration(6)], 'no such passkey'],
    ['after the passkey was removed', [registration(2), opened, removal, record], 'has been removed'],
    ['after the person was removed', [registration(2), opened, leaving, record], 'has been removed'],
    ['twice', [registration(2), opened, record, record], 'has been copied'],
    ['for a passkey that is registered twice', [registration(2), registration(3)], 'was registered before'],
    ['for a passkey that is removed without being there', [removal], 'was not registered'],
  ])('are wrong %s', (_, all, problem) => {
    expect(problemsOf(...all)).toEqual([expect.stringContaining(problem)])
  })

  test('are not looked at where no signature was asked for', () => {
    const opens = opened.opens && { ...opened.opens, terms: { ...opened.opens.terms, signed: undefined } }
    expect(problemsOf({ ...opened, opens }, { ...record, signature: undefined })).toEqual([])
  })
})

function parsed(text: string): VoteRecord | undefined {
  try {
    const record = parseRecord(text)
    return record.kind === 'vote' ? record : undefined
  } catch {
    return undefined
  }
}
