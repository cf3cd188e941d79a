import {
  checkVoteSignature,
  Fault,
  signatureOf,
  type ApprovalId,
  type Assertion,
  type VoteStatement,
} from '@bailiwick/core'
import type { Fold } from '../log/fold.ts'

/** A signature that counts: what the vote's record says of it, and what follows from it. */
interface JudgedSignature {
  readonly signature: Assertion
  /** Call it when the vote is staged. */
  staged(): void
}

/**
 * Judges the signature of a vote, as of the vote's place in the log. Undefined where none is asked for and none was
 * given. The operation has to need the passkey that the signature names.
 *
 * @throws Fault `signature_required`, `signature_invalid`, or `bad_input` for one that nobody asked for
 */
export function judgedSignature(
  fold: Fold,
  approval: { readonly id: ApprovalId; readonly terms: { readonly signed?: boolean | undefined } },
  statement: VoteStatement,
  given: Assertion | undefined,
): JudgedSignature | undefined {
  if (approval.terms.signed !== true) {
    if (given === undefined) return undefined
    throw new Fault('bad_input', `${approval.id} asks for no signature`, { fix: 'Vote without one.' })
  }
  const signature = signatureOf({ signature: given })
  if (signature === undefined) {
    throw new Fault('signature_required', `a vote on ${approval.id} has to be signed with a passkey`, {
      fix: 'Vote in the console, which asks for the passkey; register one there first if there is none.',
    })
  }
  const { credential } = signature
  const checked = checkVoteSignature(statement, signature, fold.passkeys.get(credential))
  if (checked.kind === 'valid')
    return { signature, staged: () => fold.passkeys.sign(credential, checked.signCount) }
  throw new Fault('signature_invalid', `the signature of the vote does not count: ${checked.problem}`, {
    fix: 'Open the approval anew and sign there with your own passkey.',
  })
}
