import type { Queryable } from './batches.ts'

/**
 * The key by which the caller was let in has changed since it was read, or another one has. Nothing was recorded. Whoever
 * asks again has to look the key up anew.
 */
export class AdmissionLapsed extends Error {
  constructor() {
    super('a key has changed since the caller was let in; nothing was recorded')
  }
}

/** For a batch in which nobody was let in by a remembered key. */
export const noAdmission = -1

/** Somebody who may have been let in by a key as of a count of changes. */
interface Admitted {
  readonly operation: { readonly keysAsOf?: number | undefined }
}

/**
 * The count of key changes that a batch has to be written at: the newest that its callers were let in at, or that was
 * read since; `noAdmission` where none of them was let in so.
 */
export function admissionOf(waiting: readonly Admitted[], read: number): number {
  let newest = noAdmission
  for (const { operation } of waiting) {
    if (operation.keysAsOf !== undefined && operation.keysAsOf > newest) newest = operation.keysAsOf
  }
  return newest === noAdmission ? noAdmission : Math.max(newest, read)
}

/** Whether the caller's admission holds in a batch that is written at this count. */
export function isAdmitted({ operation }: Admitted, admission: number): boolean {
  return operation.keysAsOf === undefined || operation.keysAsOf === admission
}

const keyEpoch = { name: 'key_epoch', text: 'select epoch from key_epoch' }

/** The count of key changes by now. One that is gone lets nobody in. */
export async function readKeyEpoch(client: Queryable): Promise<number> {
  const { rows } = await client.query<{ epoch: string }>(keyEpoch)
  return rows[0] === undefined ? Number.POSITIVE_INFINITY : Number(rows[0].epoch)
}
