import { canonicalJson, commentLengthMax, Fault, jsonProblem, saysSomething } from '@bailiwick/core'
import type { PayloadState } from '../log/payload-states.ts'
import type { Operation } from '../log/sequencer.ts'
import { needsOf, refuseUnlessMay } from '../operations/deed.ts'

/** Why payloads are erased, and on whose word. */
export interface ErasureCause {
  readonly scope: 'decision' | 'subject'
  /** Recorded, in a payload of its own. It should not name the person. */
  readonly reason: string
  /** A person's id, or `operator`. */
  readonly by: string
}

/** What one erasure did. */
export interface ErasedPayloads {
  /** The index of the `erasure` record; null where nothing was left to erase. */
  readonly index: number | null
  /** The indices of the records whose payloads it erased. */
  readonly erased: readonly number[]
}

/**
 * The operation that erases the payloads of these records with their salts, in the transaction that records it. What is
 * erased already, or never had a payload, is passed over, so it can be done again. Bounded by the caller: it rewrites
 * whole batches.
 *
 * A crash before the commit leaves everything as it was; after it, payloads are gone and the record says so. Those in cold
 * storage are removed afterwards, because the record names them: whoever comes next finds what is still to be removed.
 *
 * @param archived which of them are in cold storage with a payload; passed over where they are not archived
 * @throws Fault `conflict` while a legal hold stands, `not_permitted` for a person without the role that it takes
 */
export function eraseOperation(
  indices: readonly number[],
  cause: ErasureCause,
  archived: ReadonlySet<number> = new Set(),
): Operation<ErasedPayloads> {
  const { scope, by } = cause
  const payload = canonicalJson({ reason: checkedReason(cause.reason) })
  return {
    needs: { payloads: indices, ...needsOf(by) },
    apply: (fold, place) => {
      refuseUnlessMay('erasure', by, fold)
      refuseUnderHold(fold.retention.holds)
      const states = indices.flatMap((index): PayloadState[] => {
        const state = fold.payload(index)
        return state?.state === 'kept' ? [state] : []
      })
      const cold = indices.filter(
        (index) =>
          archived.has(index) && index < fold.retention.archivedEnd && fold.payload(index) === undefined,
      )
      const erased = [...states.map(({ index }) => index), ...cold].sort((a, b) => a - b)
      if (erased.length === 0) return { answer: { index: null, erased } }
      return {
        body: { kind: 'erasure', scope, records: erased, by },
        payload,
        answer: { index: place.index, erased },
        staged: () => {
          fold.erase(states)
          fold.eraseArchived(cold)
        },
      }
    },
  }
}

/** What the destruction of a person's keys did. */
export interface DestroyedKeys {
  /** The index of the `erasure` record; null where the person has no key. */
  readonly index: number | null
  /** The ids of the keys. */
  readonly keys: readonly string[]
}

/**
 * The operation that destroys the keys of a person, in the transaction that records it: from then on nothing that was sealed
 * with them can be read, in the database, in cold storage, in a copy of either or anywhere else. Needs no master key.
 *
 * @param subjects the digests that the person may be known under
 * @throws Fault `conflict` while a legal hold stands, `not_permitted` for a person without the role that it takes
 */
export function destroyKeysOperation(
  subjects: readonly string[],
  { reason, by }: Pick<ErasureCause, 'reason' | 'by'>,
): Operation<DestroyedKeys> {
  const payload = canonicalJson({ reason: checkedReason(reason) })
  return {
    needs: { subjects, retention: true, ...needsOf(by) },
    apply: (fold, place) => {
      refuseUnlessMay('erasure', by, fold)
      refuseUnderHold(fold.retention.holds)
      const keys = fold.seals.keyIdsOf(subjects)
      if (keys.length === 0) return { answer: { index: null, keys } }
      return {
        body: { kind: 'erasure', scope: 'subject', records: [], keys, by },
        payload,
        answer: { index: place.index, keys },
        staged: () => fold.destroyKeys(keys),
      }
    },
  }
}

/** @throws Fault `conflict` where any legal hold stands: it covers the whole log */
export function refuseUnderHold(holds: readonly string[]): void {
  const [hold, ...more] = holds
  if (hold === undefined) return
  const others = more.length === 0 ? '' : ` and ${more.length} more`
  throw new Fault('conflict', `the legal hold \`${hold}\`${others} stands; nothing is erased under it`, {
    fix: 'Ask whoever placed the hold; once it is lifted, erase again.',
  })
}

/** @throws Fault `bad_input` for a reason that is none, or too long */
export function checkedReason(reason: string): string {
  const problem = !saysSomething(reason)
    ? 'an erasure needs a reason'
    : reason.length > commentLengthMax
      ? `the reason is longer than ${commentLengthMax} characters`
      : jsonProblem(reason, 'reason', 1)
  if (problem === undefined) return reason
  throw new Fault('bad_input', problem, {
    fix: 'Say why in a sentence, such as the number of the request. Leave out the person: the reason stays.',
  })
}
