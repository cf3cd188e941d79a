import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { voteChallenge } from '../src/passkeys/vote-challenge.ts'

interface Vector {
  readonly name: string
  readonly statement: {
    readonly digest: string
    readonly person: string
    readonly vote: string
    readonly for?: string
    readonly breakGlass?: true
    readonly standing?: { readonly uses: number; readonly until: string }
  }
  readonly challenge: string
}

const file = new URL('../../../spec/vote-statement-vectors.json', import.meta.url)
const vectors = JSON.parse(readFileSync(file, 'utf8')) as readonly Vector[]

test.each(vectors)(
  'this page asks a passkey to sign what is published: $name',
  async ({ statement, challenge }) => {
    const { digest, person, vote, for: inSteadOf = null, breakGlass = false, standing = null } = statement
    const asked = { digest, person, vote, inSteadOf, breakGlass, standing }
    expect(await voteChallenge(asked)).toBe(challenge)
  },
)

test('in whose stead a vote is, and that it breaks the glass, are part of what is signed', async () => {
  const statement = { digest: 'a'.repeat(64), person: 'ada@example.com', vote: 'approve' }
  const text = (members: string): string =>
    hash(
      'sha256',
      `{${members},"person":"ada@example.com","type":"bailiwick/vote","v":1,"vote":"approve"}`,
      'base64url',
    )
  const digest = `"digest":"${statement.digest}"`
  const forGrace = await voteChallenge({
    ...statement,
    inSteadOf: 'grace@example.com',
    breakGlass: false,
    standing: null,
  })
  expect(forGrace).toBe(text(`${digest},"for":"grace@example.com"`))
  const emergency = await voteChallenge({ ...statement, inSteadOf: null, breakGlass: true, standing: null })
  expect(emergency).toBe(text(`"breakGlass":true,${digest}`))
})
