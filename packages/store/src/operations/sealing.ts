import { Fault } from '@bailiwick/core'
import { noNeeds } from '../log/needs.ts'
import type { Operation } from '../log/operation.ts'
import type { PayloadKey } from '../sealing/payload-key.ts'

/** Where the change is recorded; null where it was so already. */
export interface SealingAnswer {
  readonly index: number | null
}

/**
 * The operation that has payloads that hold data of people sealed from here on, where nothing was ever said of it: what an
 * operator has switched off stays off, and a ledger that is sealed under another master key stays under that one.
 */
export function firstSealingOperation({ id }: PayloadKey, by: string): Operation<SealingAnswer> {
  return {
    needs: noNeeds,
    apply: (fold, { index }) => {
      if (fold.seals.state !== undefined) return { answer: { index: null } }
      return {
        body: { kind: 'sealing', event: 'on', key: id, by },
        answer: { index },
        staged: () => fold.seals.change({ index, key: id }),
      }
    },
  }
}

/**
 * The operation that seals from here on under another master key than before, or no longer at all. What is sealed stays as it
 * is, under the master key under which it was.
 *
 * @param key undefined: nothing is sealed from here on
 */
export function sealingOperation(key: PayloadKey | undefined, by: string): Operation<SealingAnswer> {
  const id = key?.id ?? null
  return {
    needs: noNeeds,
    apply: (fold, { index }) => {
      if ((fold.seals.state ?? null) === id) return { answer: { index: null } }
      return {
        body: { kind: 'sealing', event: id === null ? 'off' : 'on', key: id, by },
        answer: { index },
        staged: () => fold.seals.change({ index, key: id }),
      }
    },
  }
}

/**
 * The operation that wraps every key of a person anew under another master key, in the transaction that records it: from then
 * on the former one opens nothing of this database.
 *
 * @throws Fault `conflict` where the ledger is not sealed under `from`
 */
export function rewrapOperation(from: PayloadKey, to: PayloadKey, by: string): Operation<SealingAnswer> {
  return {
    needs: { allSubjects: true },
    apply: (fold, { index }) => {
      if (fold.seals.state !== from.id) {
        throw new Fault('conflict', `payloads are not sealed under the payload key ${from.id}`, {
          fix: 'Give the key that `bailiwick payload-key` names.',
        })
      }
      const rows = fold.seals.wrappedAnew(from, to)
      return {
        body: { kind: 'sealing', event: 'on', key: to.id, by },
        answer: { index },
        staged: () => {
          fold.seals.replace(rows)
          fold.seals.change({ index, key: to.id })
        },
      }
    },
  }
}
