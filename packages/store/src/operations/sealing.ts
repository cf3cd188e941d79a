import { Fault, type Sha256 } from '@bailiwick/core'
import { noNeeds } from '../log/needs.ts'
import type { Operation } from '../log/operation.ts'
import type { PayloadKey } from '../sealing/payload-key.ts'

/** Where the change is recorded; null where it was so already. */
export interface SealingAnswer {
  readonly index: number | null
}

/** A master key, and what it says of the secret under which the ledger finds people. */
export interface SealedUnder {
  readonly id: string
  /** As `PayloadKey.fingerprintOf` makes it. */
  readonly fingerprint: Sha256
}

/**
 * The operation that has payloads that hold data of people sealed from here on, where nothing was ever said of it: what an
 * operator has switched off stays off, and a ledger that is sealed under another master key stays under that one. One that
 * is sealed under this key, by a record of before, gets its fingerprint.
 */
export function firstSealingOperation(
  { id, fingerprint }: SealedUnder,
  by: string,
): Operation<SealingAnswer> {
  return {
    needs: noNeeds,
    apply: (fold, { index }) => {
      const { row } = fold.seals
      const isUnnamed = row?.key === id && row.fingerprint === null
      if (row !== undefined && !isUnnamed) return { answer: { index: null } }
      return {
        body: { kind: 'sealing', event: 'on', key: id, fingerprint, by },
        answer: { index },
        staged: () => fold.seals.change({ index, key: id, fingerprint }),
      }
    },
  }
}

/**
 * The operation that seals from here on under another master key than before, or no longer at all. What is sealed stays as it
 * is, under the master key under which it was.
 *
 * @param under undefined: nothing is sealed from here on
 */
export function sealingOperation(under: SealedUnder | undefined, by: string): Operation<SealingAnswer> {
  const id = under?.id ?? null
  return {
    needs: noNeeds,
    apply: (fold, { index }) => {
      if ((fold.seals.state ?? null) === id) return { answer: { index: null } }
      return {
        body: {
          kind: 'sealing',
          event: id === null ? 'off' : 'on',
          key: id,
          fingerprint: under?.fingerprint,
          by,
        },
        answer: { index },
        staged: () => fold.seals.change({ index, key: id, fingerprint: under?.fingerprint ?? null }),
      }
    },
  }
}

/**
 * The operation that wraps every key of a person anew under another master key, in the transaction that records it: from then
 * on the former one opens nothing of this database.
 *
 * @param fingerprint of the ledger's secret under `to`
 * @throws Fault `conflict` where the ledger is not sealed under `from`
 */
export function rewrapOperation(
  from: PayloadKey,
  to: PayloadKey,
  fingerprint: Sha256,
  by: string,
): Operation<SealingAnswer> {
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
        body: { kind: 'sealing', event: 'on', key: to.id, fingerprint, by },
        answer: { index },
        staged: () => {
          fold.seals.replace(rows)
          fold.seals.change({ index, key: to.id, fingerprint })
        },
      }
    },
  }
}

/**
 * The operation that records again under which master key payloads are sealed, because the record of that lies before `end`
 * and is about to leave the database. The index is null where a later one says so, or nothing is sealed.
 */
export function restateSealing(end: number): Operation<SealingAnswer> {
  return {
    needs: noNeeds,
    apply: (fold, { index }) => {
      const { row } = fold.seals
      if (row === undefined || row.key === null || row.index >= end) return { answer: { index: null } }
      const fingerprint = (row.fingerprint ?? undefined) as Sha256 | undefined
      return {
        body: { kind: 'sealing', event: 'on', key: row.key, fingerprint, by: 'operator' },
        answer: { index },
        staged: () => fold.seals.change({ ...row, index }),
      }
    },
  }
}
