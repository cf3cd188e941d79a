import type { ApprovalId, Sha256 } from '../model/ids.ts'
import type { LogRecord, VoteRecord } from '../model/record.ts'
import { approvalDigest } from './digest.ts'
import { followPasskeys, type PasskeyState } from './passkeys.ts'
import { checkRecordedVote, signatureOf } from './vote-signature.ts'

/**
 * Verifies the signed votes of a log from nothing but its records, one after the other from the first on. It remembers
 * the passkeys, and the digests of the approvals that take signed votes.
 */
export class SignedVotes {
  readonly #passkeys = new Map<string, PasskeyState>()
  readonly #digests = new Map<ApprovalId, Sha256>()

  /** What is wrong with the next record; undefined where nothing is. */
  take(record: LogRecord): string | undefined {
    switch (record.kind) {
      case 'access':
        return followPasskeys(this.#passkeys, record)
      case 'decision':
        if (record.opens?.terms.signed === true) this.#digests.set(record.opens.id, approvalDigest(record))
        return undefined
      case 'vote':
        return this.#vote(record)
      default:
        return undefined
    }
  }

  #vote(vote: VoteRecord): string | undefined {
    const digest = this.#digests.get(vote.approval)
    if (digest === undefined) return undefined
    const credential = signatureOf(vote)?.credential ?? ''
    const passkey = this.#passkeys.get(credential)
    const checked = checkRecordedVote(vote, digest, passkey)
    if (checked.kind === 'invalid') return `is a vote that has to be signed: ${checked.problem}`
    if (passkey !== undefined) this.#passkeys.set(credential, { ...passkey, signCount: checked.signCount })
    return undefined
  }
}
