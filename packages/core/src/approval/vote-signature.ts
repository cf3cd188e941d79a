import type { Sha256 } from '../model/ids.ts'
import type { VoteRecord } from '../model/record.ts'
import type { Assertion } from '../model/passkey.ts'
import { isAllText, type PasskeyState } from './passkeys.ts'
import { voteChallenge, type VoteStatement } from './vote-statement.ts'
import { checkAssertion, countsOn, type CheckedAssertion } from './webauthn/assertion.ts'

/**
 * Whether the signature makes the vote this person's: by a passkey that is registered for the person and not removed at
 * that place of the log, over this very statement, with a counter that has moved on.
 *
 * @param passkey the one that the signature names, as of the vote's place; undefined where the log knows none
 */
export function checkVoteSignature(
  statement: VoteStatement,
  signature: Assertion,
  passkey: PasskeyState | undefined,
): CheckedAssertion {
  if (passkey === undefined) return { kind: 'invalid', problem: 'no such passkey is registered' }
  if (passkey.removed !== null) return { kind: 'invalid', problem: 'the passkey has been removed' }
  if (passkey.person !== statement.person)
    return { kind: 'invalid', problem: "the passkey is somebody else's" }
  const checked = checkAssertion(signature, passkey.key, voteChallenge(statement))
  if (checked.kind === 'invalid' || countsOn(passkey.signCount, checked.signCount)) return checked
  return { kind: 'invalid', problem: 'its counter has been seen before: the passkey has been copied' }
}

/** The signature of a vote; undefined where it has none, or not all of it. */
export function signatureOf({ signature }: Pick<VoteRecord, 'signature'>): Assertion | undefined {
  const members = ['credential', 'authenticatorData', 'clientDataJSON', 'signature'] as const
  return isAllText(signature, members) ? signature : undefined
}

/**
 * The same of a vote as it is recorded.
 *
 * @param digest of the approval, by the record of the decision that opened it
 * @param passkey the one that the signature names, as of the vote's place; undefined where the log knows none
 */
export function checkRecordedVote(
  vote: VoteRecord,
  digest: Sha256,
  passkey: PasskeyState | undefined,
): CheckedAssertion {
  const signature = signatureOf(vote)
  if (signature === undefined) return { kind: 'invalid', problem: 'it bears no signature' }
  if (vote.digest !== digest) return { kind: 'invalid', problem: 'its digest is not that of the approval' }
  const { person, vote: choice, for: principal, breakGlass, standing } = vote
  const statement = { digest, person, vote: choice, for: principal, breakGlass, standing }
  return checkVoteSignature(statement, signature, passkey)
}
