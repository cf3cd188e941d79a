import { sealedKeys, type SubjectKey } from '@bailiwick/core'
import type { Queryable } from '../log/batches.ts'
import { keyMissing } from './key-missing.ts'
import type { PayloadKey } from './payload-key.ts'

/** A row of `subject_key`. */
export interface StoredSubjectKey {
  readonly id: string
  /** Hexadecimal. */
  readonly subject: string
  readonly master: string
  readonly wrapped: Buffer
}

const columns = `id, encode(subject, 'hex') as subject, master, wrapped`
const wanted = {
  name: 'subject_keys',
  text: `select ${columns} from subject_key where ledger = $1 and subject = any($2::bytea[])
    union select ${columns} from subject_key where ledger = $1 and id = any($3::text[])`,
}

/** The keys of these subjects, and those with these ids, that are not destroyed. */
export async function readSubjectKeys(
  client: Queryable,
  ledger: string,
  { subjects = [], ids = [] }: { readonly subjects?: readonly string[]; readonly ids?: readonly string[] },
): Promise<readonly StoredSubjectKey[]> {
  if (subjects.length + ids.length === 0) return []
  const digests = subjects.map((subject) => Buffer.from(subject, 'hex'))
  const { rows } = await client.query<StoredSubjectKey>({ ...wanted, values: [ledger, digests, ids] })
  return rows
}

/** All keys of a ledger. */
export async function readAllSubjectKeys(
  client: Queryable,
  ledger: string,
): Promise<readonly StoredSubjectKey[]> {
  const { rows } = await client.query<StoredSubjectKey>(
    `select ${columns} from subject_key where ledger = $1 order by id`,
    [ledger],
  )
  return rows
}

/** The ids of the keys that these payloads are sealed with, each once. */
export function keyIdsOf(bodies: Iterable<string | undefined>): readonly string[] {
  const found = new Set<string>()
  for (const body of bodies) {
    const ids = body === undefined ? undefined : sealedKeys(body)
    for (const id of ids ?? []) found.add(id)
  }
  return [...found]
}

/** A person's key as it was made. @throws Fault `payload_key_missing` where it is wrapped under another master key than this */
export function unwrapped(row: StoredSubjectKey, ledger: string, key: PayloadKey | undefined): SubjectKey {
  if (key === undefined || row.master !== key.id) throw keyMissing(row.master, key)
  return key.unwrap(row.wrapped, { ledger, subject: row.subject, id: row.id })
}
