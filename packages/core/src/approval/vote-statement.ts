import { hash } from 'node:crypto'
import type { VoteChoice } from '../model/approval.ts'
import { canonicalJsonOfPresent } from '../model/canonical-json.ts'
import type { Sha256 } from '../model/ids.ts'
import type { RecordedStanding } from '../model/record.ts'

/** What a person states by a signed vote. */
export interface VoteStatement {
  /** The approval's digest: of the ledger, the call, the policy, the terms and the deadline. */
  readonly digest: Sha256 | string
  readonly person: string
  readonly vote: VoteChoice
  /** In whose stead, where the person votes for somebody else. */
  readonly for?: string | undefined
  /** That it is cast in an emergency: an ordinary signature is none for that. */
  readonly breakGlass?: true | undefined
  /** What the person grants beside the one call. */
  readonly standing?: RecordedStanding | undefined
}

/** The statement as canonical JSON (RFC 8785). `spec/vote-statement.md` describes it, with test vectors. */
export function voteStatementText({
  digest,
  person,
  vote,
  for: principal,
  breakGlass,
  standing,
}: VoteStatement): string {
  const granted = standing && { uses: standing.uses, until: standing.until }
  const said = { digest, person, vote, for: principal, breakGlass, standing: granted }
  const statement = { v: 1, type: 'bailiwick/vote', ...said }
  return canonicalJsonOfPresent(statement)
}

/** The WebAuthn challenge that a signed vote answers: SHA-256 of the statement, base64url. */
export function voteChallenge(statement: VoteStatement): string {
  return hash('sha256', voteStatementText(statement), 'base64url')
}
