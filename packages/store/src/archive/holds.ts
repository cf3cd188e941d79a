import { parseRecord } from '@bailiwick/core'
import { readEntries, type Queryable } from '../log/batches.ts'

const standing = {
  name: 'holds_now',
  text: 'select name, index from hold where ledger = $1 order by name',
}

/** The names of the legal holds that stand: while there is one, nothing is archived away, erased or deleted. */
export async function holdsNow(client: Queryable, ledger: string): Promise<readonly string[]> {
  const { rows } = await client.query<{ name: string }>({ ...standing, values: [ledger] })
  return rows.map(({ name }) => name)
}

/** A hold that stands. */
export interface StandingHold {
  readonly name: string
  /** Null where it is not kept any more. */
  readonly reason: string | null
  /** RFC 3339; null where its record cannot be read here. */
  readonly since: string | null
  readonly by: string | null
}

/** The holds that stand, by name, as their records tell of them. */
export async function listHolds(client: Queryable, ledger: string): Promise<readonly StandingHold[]> {
  const { rows } = await client.query<{ name: string; index: string }>({ ...standing, values: [ledger] })
  const entries = await readEntries(
    client,
    ledger,
    rows.map(({ index }) => Number(index)),
  )
  return rows.map(({ name, index }) => {
    const entry = entries.get(Number(index))
    const record = entry === undefined ? undefined : parseRecord(entry.record)
    // A row without its record holds all the same.
    if (entry === undefined || record?.kind !== 'hold') return { name, reason: null, since: null, by: null }
    return { name, reason: reasonOf(entry.payload), since: record.at, by: record.by }
  })
}

function reasonOf(payload: string | { readonly body: string }): string | null {
  if (typeof payload === 'string') return null
  const { reason } = JSON.parse(payload.body) as { readonly reason?: unknown }
  return typeof reason === 'string' ? reason : null
}
