import type { Standing } from '../answers.ts'
import { textOf } from './credentials.ts'

/** What a person states by a signed vote. */
export interface VoteStatement {
  readonly digest: string
  readonly person: string
  readonly vote: string
  /** Null: in nobody's. */
  readonly inSteadOf: string | null
  readonly breakGlass: boolean
  /** Null: nothing beside the one call. `until` with three digits of milliseconds, in UTC. */
  readonly standing: Standing | null
}

/**
 * What a passkey signs to vote: SHA-256 of the statement in canonical JSON, base64url. Worked out on this page, from
 * what it shows; `spec/vote-statement.md` describes it.
 */
export async function voteChallenge(statement: VoteStatement): Promise<string> {
  const bytes = new TextEncoder().encode(statementText(statement))
  return textOf(await crypto.subtle.digest('SHA-256', bytes))
}

// In the order of RFC 8785, which writes texts as JSON.stringify does, and without what is absent.
function statementText({ digest, person, vote, inSteadOf, breakGlass, standing }: VoteStatement): string {
  return JSON.stringify({
    breakGlass: breakGlass ? true : undefined,
    digest,
    for: inSteadOf ?? undefined,
    person,
    standing: standing === null ? undefined : { until: standing.until, uses: standing.uses },
    type: 'bailiwick/vote',
    v: 1,
    vote,
  })
}
