import { textOf } from './credentials.ts'

/**
 * What a passkey signs to vote: SHA-256 of the statement in canonical JSON, base64url. Worked out on this page, from
 * what it shows; `spec/vote-statement.md` describes it.
 */
export async function voteChallenge(digest: string, person: string, vote: string): Promise<string> {
  // In the order of RFC 8785, which writes texts as JSON.stringify does.
  const statement = JSON.stringify({ digest, person, type: 'bailiwick/vote', v: 1, vote })
  return textOf(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(statement)))
}
