import * as answers from './access-answers.ts'
import type { ListedKey, ListedPerson, ListedSession, NewKey } from './access-answers.ts'

export type * from './access-answers.ts'

/** Requests about who may use the service. Each throws as those of `Api` do. */
export interface AccessApi {
  people(signal?: AbortSignal): Promise<readonly ListedPerson[]>
  /** Adds a person, or replaces the roles of one. */
  setPerson(id: string, roles: readonly string[]): Promise<void>
  removePerson(id: string): Promise<void>
  /** A link that signs the person in, once; shown only now. */
  signInLink(id: string): Promise<string>
  endSessionsOf(id: string): Promise<void>
  keys(signal?: AbortSignal): Promise<readonly ListedKey[]>
  /** The key itself is in this answer, and in no other. */
  createKey(agent: string): Promise<NewKey>
  rotateKey(id: string, overlapSeconds: number): Promise<NewKey>
  revokeKey(id: string): Promise<void>
  /** One's own; with `*`, everybody's. */
  sessions(person: string | null, signal?: AbortSignal): Promise<readonly ListedSession[]>
  endSession(id: string): Promise<void>
}

/** Sends one request and returns the answer's body. */
export type Send = (method: string, path: string, body?: unknown, signal?: AbortSignal) => Promise<unknown>

/** The requests, over `send`. */
export function createAccessApi(send: Send): AccessApi {
  const named = encodeURIComponent
  return {
    people: async (signal) =>
      answers.peopleList(await send('GET', '/v1/people', undefined, signal), '').people,
    setPerson: async (id, roles) => {
      await send('POST', '/v1/people', { id, roles })
    },
    removePerson: async (id) => {
      await send('DELETE', `/v1/people/${named(id)}`)
    },
    signInLink: async (id) =>
      answers.signInLink(await send('POST', `/v1/people/${named(id)}/link`, {}), '').url,
    endSessionsOf: async (id) => {
      await send('DELETE', `/v1/people/${named(id)}/sessions`)
    },
    keys: async (signal) => answers.keyList(await send('GET', '/v1/keys', undefined, signal), '').keys,
    createKey: async (agent) => answers.newKey(await send('POST', '/v1/keys', { agent }), ''),
    rotateKey: async (id, overlapSeconds) =>
      answers.newKey(await send('POST', `/v1/keys/${named(id)}/rotation`, { overlapSeconds }), ''),
    revokeKey: async (id) => {
      await send('DELETE', `/v1/keys/${named(id)}`)
    },
    sessions: async (person, signal) => {
      const path = person === null ? '/v1/sessions' : `/v1/sessions?person=${named(person)}`
      return answers.sessionList(await send('GET', path, undefined, signal), '').sessions
    },
    endSession: async (id) => {
      await send('DELETE', `/v1/sessions/${named(id)}`)
    },
  }
}
