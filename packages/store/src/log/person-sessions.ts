import type { Instant, PersonId } from '@bailiwick/core'
import type { Queryable } from './batches.ts'

/** The session of a person, as far as something is asked from it. */
export interface PersonSession {
  readonly id: string
  readonly person: PersonId
  readonly expiresAt: Instant
}

const byId = {
  name: 'read_person_sessions',
  text: `select id, person, floor(extract(epoch from expires_at) * 1000)::bigint as expires_at
    from session where id = any($1)`,
}

/** The sessions of these ids that have not been ended; whether they have expired is for whoever asks. */
export async function readPersonSessions(
  client: Queryable,
  ids: readonly string[],
): Promise<PersonSession[]> {
  const { rows } = await client.query<{ id: string; person: PersonId; expires_at: string }>({
    ...byId,
    values: [ids],
  })
  return rows.map((row) => ({ id: row.id, person: row.person, expiresAt: Number(row.expires_at) as Instant }))
}
