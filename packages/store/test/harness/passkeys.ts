import type { VoteChoice, PersonId } from '@bailiwick/core'
import { voteChallenge } from '@bailiwick/core'
import { SoftAuthenticator, type Algorithm, type Saying } from '../../../core/test/approval/authenticator.ts'
import { Access } from '../../src/access.ts'
import type { Ledger } from '../../src/ledger.ts'
import { Passkeys } from '../../src/passkeys.ts'
import type { VoteRequest } from '../../src/operations/vote.ts'
import { voter } from './ledger.ts'

/** The address of the console that passkeys are for in tests. */
const consoleUrl = 'http://localhost'

/** A person of the tests, `ann@example.com` for `ann`. */
export function personOf(name: string): PersonId {
  return voter(name).id
}

/** A ledger's passkeys. */
export function passkeysOf(ledger: Ledger): Passkeys {
  return new Passkeys(ledger, new Access(ledger), consoleUrl)
}

/** Registers a passkey for a person, who is added as an approver where unknown. */
export async function registered(
  ledger: Ledger,
  name: string,
  { algorithm = 'ES256', device = name }: { algorithm?: Algorithm; device?: string } = {},
): Promise<SoftAuthenticator> {
  const access = new Access(ledger)
  const known = (await access.people()).some(({ id }) => id === personOf(name))
  if (!known) await access.setPerson(personOf(name), ['approver'])
  const passkeys = passkeysOf(ledger)
  const { token, challenge } = await passkeys.beginRegistration(personOf(name))
  const authenticator = new SoftAuthenticator(device, algorithm, passkeys.party)
  const answer = { ...authenticator.register({ challenge }), name: device, transports: ['internal'] }
  await passkeys.register(personOf(name), token, answer)
  return authenticator
}

/** A vote that the authenticator has signed for the person; a test changes what is signed. */
export async function signedVote(
  ledger: Ledger,
  authenticator: SoftAuthenticator,
  name: string,
  approval: string,
  vote: VoteChoice,
  saying: Partial<Saying> = {},
): Promise<VoteRequest> {
  const { digest } = await ledger.approval(approval, {})
  const challenge = voteChallenge({ digest, person: personOf(name), vote })
  return { vote, digest, signature: authenticator.sign({ challenge, ...saying }) }
}
