import { hash, randomBytes } from 'node:crypto'
import { Fault, personIdOf, type PersonId } from '@bailiwick/core'

/** 256 random bits as text. */
export function newToken(): string {
  return randomBytes(32).toString('base64url')
}

/** What is kept of a token: it is random, so no slow hash is needed. */
export function sha256(text: string): Buffer {
  return hash('sha256', text, 'buffer')
}

/** @throws Fault `bad_input` for what is no e-mail address */
export function personId(text: string): PersonId {
  const id = personIdOf(text)
  if (id !== undefined) return id
  throw new Fault('bad_input', `\`${text}\` is no e-mail address`, {
    fix: 'Name people by their bare e-mail address, such as ann@example.com.',
  })
}
