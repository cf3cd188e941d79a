import type { Api, Approval, Ballot } from '../api.ts'
import { Problem } from '../problem.ts'
import { signWith } from './credentials.ts'
import type { Signed } from './credentials.ts'
import { voteChallenge } from './vote-challenge.ts'

/**
 * Has one of the person's passkeys sign the vote, where the approval takes signed votes; undefined where it does not.
 *
 * @throws Problem where nothing was signed: then there is no vote
 */
export async function signatureFor(
  api: Api,
  { digest, terms }: Approval,
  { choice, inSteadOf, breakGlass, standing }: Ballot,
): Promise<Signed | undefined> {
  if (terms.signed !== true || digest === null) return undefined
  const [session, { party, passkeys }] = await Promise.all([api.session(), api.passkeys.list()])
  const usable = passkeys.flatMap((passkey) => (passkey.usable ? [passkey.id] : []))
  if (session === null || usable.length === 0) throw nothingToSignWith()
  const challenge = await voteChallenge({
    digest,
    person: session.person.id,
    vote: choice,
    inSteadOf,
    breakGlass,
    standing,
  })
  const { credential, authenticatorData, clientDataJSON, signature } = await signWith(
    party.rpId,
    challenge,
    usable,
  )
  return { credential, authenticatorData, clientDataJSON, signature }
}

function nothingToSignWith(): Problem {
  return new Problem(403, 'You have no passkey to sign with', null, 'Register one on your account’s page.')
}
