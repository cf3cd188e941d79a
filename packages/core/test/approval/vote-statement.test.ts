import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import {
  checkVoteSignature,
  voteChallenge,
  voteStatementText,
  type Assertion,
  type RegisteredPasskey,
  type VoteStatement,
} from '../../src/index.ts'

interface Vector {
  readonly name: string
  readonly statement: VoteStatement
  readonly text: string
  readonly challenge: string
  readonly passkey: RegisteredPasskey
  readonly signature: Assertion
  readonly valid: boolean
}

const file = new URL('../../../../spec/vote-statement-vectors.json', import.meta.url)
const vectors = JSON.parse(readFileSync(file, 'utf8')) as readonly Vector[]

describe('the published test vectors', () => {
  test('are of every algorithm, and of signatures that count and that do not', () => {
    expect(vectors.filter(({ valid }) => valid).length).toBeGreaterThanOrEqual(3)
    expect(vectors.filter(({ valid }) => !valid).length).toBeGreaterThanOrEqual(3)
  })

  test.each(vectors)('$name', ({ statement, text, challenge, passkey, signature, valid }) => {
    expect(voteStatementText(statement)).toBe(text)
    expect(voteChallenge(statement)).toBe(challenge)
    const state = { key: passkey, person: statement.person, registered: 0, removed: null, signCount: 0 }
    expect(checkVoteSignature(statement, signature, state).kind).toBe(valid ? 'valid' : 'invalid')
  })
})
