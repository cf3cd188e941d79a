import type { Approval } from '../api.ts'
import { usePasskeys } from '../passkeys/queries.ts'
import { Link } from '../router.tsx'
import { Notice } from './notice.tsx'

/** Whether a vote is signed, and `impossible` where the person has nothing to sign with. */
type Signing = 'none' | 'possible' | 'impossible'

/** How the person would vote on the approval. */
export function useSigning({ terms }: Approval): Signing {
  const isSigned = terms.signed === true
  const passkeys = usePasskeys(isSigned)
  if (!isSigned) return 'none'
  // What is not known yet shows when the vote is given.
  return passkeys.data?.passkeys.some(({ usable }) => usable) === false ? 'impossible' : 'possible'
}

/** The words of a button while its vote is under way. */
export function sendingWords(signing: Signing): string {
  return signing === 'none' ? 'Sending…' : 'Waiting for your device…'
}

/** Before anything is chosen: that the reader has nothing to sign their vote with, and where they get it. */
export function PasskeyNeeded({ approval }: { readonly approval: Approval }) {
  if (useSigning(approval) !== 'impossible') return null
  return (
    <div className="passkey-needed">
      <Notice tone="bad" role="status">
        <strong>You need a passkey to answer this call</strong>
        <p>
          A vote on it has to be signed with one. <Link to="/account">Register a passkey</Link>, then come
          back.
        </p>
      </Notice>
    </div>
  )
}

/** Says that the device will ask for its person, or that there is nothing to sign with. */
export function SignedVoteNote({ signing }: { readonly signing: Signing }) {
  if (signing === 'none') return null
  if (signing === 'possible') {
    return (
      <p className="small quiet">
        Your vote is signed with your passkey: your device asks you to confirm that it is you.
      </p>
    )
  }
  return (
    <p className="signing-impossible">
      A vote on this call has to be signed with a passkey, and you have none.{' '}
      <Link to="/account">Register one</Link>, then come back.
    </p>
  )
}
