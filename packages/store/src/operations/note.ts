import type { RecordBody } from '@bailiwick/core'
import { noNeeds } from '../log/needs.ts'
import type { Operation } from '../log/operation.ts'

/** What is recorded because it happened, whatever the state: a policy in force, a change of access, a person's reading. */
export type NoteBody = RecordBody & {
  readonly kind: 'policy' | 'access' | 'key' | 'read'
}

/** The operation that records a note; `payload` is canonical JSON to keep apart. */
export function noteOperation(body: NoteBody, payload?: string): Operation<{ readonly index: number }> {
  return { needs: noNeeds, apply: (_fold, place) => ({ body, payload, answer: { index: place.index } }) }
}
