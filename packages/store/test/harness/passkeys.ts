import {
  indexOfId,
  voteChallenge,
  type PersonId,
  type RecordBody,
  type RecordedStanding,
  type VoteChoice,
  type VoteRecord,
} from '@bailiwick/core'
import { SoftAuthenticator, type Algorithm, type Saying } from '../../../core/test/approval/authenticator.ts'
import { Access } from '../../src/access.ts'
import type { Ledger } from '../../src/ledger.ts'
import type { Operation } from '../../src/log/operation.ts'
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
  standing?: RecordedStanding,
): Promise<VoteRequest> {
  const { digest } = await ledger.approval(approval, {})
  const challenge = voteChallenge({ digest, person: personOf(name), vote, standing })
  return { vote, digest, standing, signature: authenticator.sign({ challenge, ...saying }) }
}

/** What the record of a vote says. */
export type VoteBody = Extract<RecordBody, { readonly kind: 'vote' }>

/**
 * What somebody does who owns the database and runs a changed service: writes a vote with its rows, hashes and head,
 * all of which fit, and asks nobody.
 */
export function forgedVote(body: VoteBody): Operation<{ readonly index: number }> {
  const opened = indexOfId('apr', body.approval) ?? -1
  return {
    needs: { approvals: [opened] },
    apply: (fold, place) => ({
      body,
      payload: '{"comment":""}',
      answer: { index: place.index },
      staged: (record) => {
        const approval = fold.approval(opened)
        if (approval === undefined) throw new Error('there is no such approval')
        const votes = [...approval.votes, { person: body.person, vote: body.vote, at: place.at }]
        fold.setApproval(opened, { ...approval, votes })
        fold.addVote(opened, record as VoteRecord)
      },
    }),
  }
}
