import { flag, listOf, number, object, orNull, text } from './shape.ts'
import type { Shaped } from './shape.ts'

// What the service answers about who may use it.

const person = object({
  id: text,
  roles: listOf(text),
  createdAt: text,
  rolesFrom: text,
  hasPassword: flag,
  hasTotp: flag,
  sessions: number,
})
export const peopleList = object({ people: listOf(person) })

const key = object({
  id: text,
  prefix: text,
  agent: text,
  createdAt: text,
  expiresAt: orNull(text),
  revokedAt: orNull(text),
  lastUsedAt: orNull(text),
})
export const keyList = object({ keys: listOf(key) })
export const newKey = object({ id: text, key: text, agent: text })
export const signInLink = object({ id: text, url: text })

const session = object({
  id: text,
  person: text,
  method: text,
  client: text,
  createdAt: text,
  seenAt: text,
  expiresAt: text,
  isThis: flag,
})
export const sessionList = object({ sessions: listOf(session) })

/** Somebody who may sign in. */
export type ListedPerson = Shaped<typeof person>
/** A key of an agent, without its secret. */
export type ListedKey = Shaped<typeof key>
/** A key as it is shown once. */
export type NewKey = Shaped<typeof newKey>
/** Somebody's being signed in. */
export type ListedSession = Shaped<typeof session>
