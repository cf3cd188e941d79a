import type { Queryable } from './batches.ts'
import { laterInstant } from './later-instant.ts'

/**
 * The key by which the caller was let in is no longer what it was when it was read. Nothing was recorded. Whoever asks
 * again has to look the key up anew.
 */
export class AdmissionLapsed extends Error {
  constructor() {
    super('a key has changed since its agent was let in; nothing was recorded')
  }
}

/** A key as it was when it let its agent in. */
export interface AdmittingKey {
  readonly id: string
  readonly agent: string
  /** The SHA-256 of its secret, lower-case hex. */
  readonly secret: string
  /** Whether it has to be good by the database's clock, too. */
  readonly byDatabase: boolean
}

/** Somebody who may have been let in by a key that was remembered. */
interface Admitted {
  readonly operation: { readonly key?: AdmittingKey | undefined }
}

/** The keys by which those who wait were let in, each once. */
export function admittingKeys(waiting: readonly Admitted[]): readonly AdmittingKey[] {
  const keys = new Set<AdmittingKey>()
  for (const { operation } of waiting) if (operation.key !== undefined) keys.add(operation.key)
  return keys.size === 0 ? none : [...keys]
}

const none: readonly AdmittingKey[] = []

/**
 * Whether a key is as it was and good at an instant, in SQL: `k` is the key, `r` what was remembered of it. Compared by what
 * it says and not by a count of changes, so that whoever changed it, and however, is heard.
 */
const stillGood = (
  at: string,
) => `k.id = r.id and k.agent = r.agent and k.secret_sha256 = decode(r.secret, 'hex')
  and k.revoked_at is null and (k.expires_at is null or k.expires_at > ${laterInstant(at, 'r.by_database')})`

/** The condition that all keys of a batch are good. `keys` is the parameter that has them as JSON, `at` that of the instant. */
export const allGood = (keys: string, at: string) => `not exists (
    select from json_to_recordset(${keys}::json) as r (id text, agent text, secret text, by_database boolean)
    where not exists (select from api_key k where ${stillGood(at)}))`

/** Keys as `allGood` takes them. */
export function keysText(keys: readonly AdmittingKey[]): string {
  return JSON.stringify(
    keys.map(({ id, agent, secret, byDatabase }) => ({ id, agent, secret, by_database: byDatabase })),
  )
}

const goodKeys = {
  name: 'keys_still_good',
  text: `select r.id, r.agent, r.secret from json_to_recordset($1::json) as r (id text, agent text, secret text, by_database boolean)
    where exists (select from api_key k where ${stillGood('$2::timestamptz')})`,
}

/** Those of the keys that are as they were, and good at an instant, RFC 3339. */
export async function readGoodKeys(
  client: Queryable,
  keys: readonly AdmittingKey[],
  at: string,
): Promise<ReadonlySet<AdmittingKey>> {
  if (keys.length === 0) return new Set()
  const { rows } = await client.query<Omit<AdmittingKey, 'byDatabase'>>({
    ...goodKeys,
    values: [keysText(keys), at],
  })
  const isGood = (key: AdmittingKey) =>
    rows.some(({ id, agent, secret }) => id === key.id && agent === key.agent && secret === key.secret)
  return new Set(keys.filter(isGood))
}
