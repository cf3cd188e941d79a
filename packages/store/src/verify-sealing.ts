import { Fault, type BrokenLog } from '@bailiwick/core'
import pg from 'pg'
import { hasCode } from './engine/errno.ts'
import { whileConnected } from './engine/one-connection.ts'
import type { Queryable } from './log/batches.ts'
import { inSchema } from './migrate.ts'
import type { PayloadKey } from './sealing/payload-key.ts'
import { readAllSubjectKeys, unwrapped } from './sealing/subject-keys.ts'
import { subjectSecretProblem } from './sealing/subject-secret.ts'

const unopened = `
  select exists (select from payload_sealing where ledger = $1 and key is not null and key is distinct from $2)
    or exists (select from subject_key where ledger = $1 and master is distinct from $2) as unopened`

const used = `select exists (select from payload_sealing where ledger = $1) or exists (select from subject_key where ledger = $1) as used`

// Canonical JSON escapes every quotation mark inside a text: what begins like this is sealed.
const missing = `
  with named as (${destroyedKeys()}),
  sealed as (
    select b.first + t.n - 1 as index, k.id
    from log_batch b, unnest(string_to_array(b.bodies, E'\\n')) with ordinality as t (body, n),
      json_array_elements_text(case when starts_with(t.body, '{"sealed":{') then t.body::json -> 'sealed' -> 'keys' end) as k (id)
    where b.ledger = $1 and strpos(b.bodies, '{"sealed":{') > 0
  )
  select index, problem from (
    select sealed.index, 'a key that its payload is sealed with is gone, and no erasure record names it' as problem
    from sealed where not exists (select from subject_key s where s.ledger = $1 and s.id = sealed.id)
      and not exists (select from named where named.id = sealed.id)
    union all
    select named.index, 'it says that a key was destroyed, and the key is there'
    from named where exists (select from subject_key s where s.ledger = $1 and s.id = named.id)
  ) as found order by index limit 1`

// Records that say it may have left the database with a segment; then nothing is said.
const unnamed = `
  select s.id from subject_key s
  where s.ledger = $1
    and not exists (select from archive_segment a where a.ledger = $1)
    and not exists (
      select from log_batch b, unnest(string_to_array(b.records, E'\\n')) as t (record)
      where b.ledger = $1
        and b.first in (select k.first from log_term k where k.ledger = $1 and k.term = 'kind=sealing')
        and (case when strpos(t.record, '"kind":"sealing"') > 0
          then replace(t.record, '\\u0000', '\\ufffd')::json ->> 'key' end) = s.master
    )
  order by s.id limit 1`

function destroyedKeys(): string {
  return `
  select x.id, min(b.first + t.n - 1) as index
  from log_batch b, unnest(string_to_array(b.records, E'\\n')) with ordinality as t (record, n),
    json_array_elements_text(case when strpos(t.record, '"kind":"erasure"') > 0
      then replace(t.record, '\\u0000', '\\ufffd')::json -> 'keys' end) as x (id)
  where b.ledger = $1
    and b.first in (select k.first from log_term k where k.ledger = $1 and k.term = 'kind=erasure')
  group by x.id`
}

/**
 * Holds the keys of people against sealed payloads and `erasure` records: a key that is gone without a record has made
 * unreadable what nobody asked to erase, and one that is there although its destruction is recorded has not been destroyed.
 * Needs no master key, and reads payloads only where a ledger has ever sealed any. With the master key, each key that is wrapped
 * under it has to open for the person beside whom it stands: without it nobody can tell that two have changed places, and
 * that erasing one person would destroy the key of the other. Nor can anybody tell that people are found under another secret.
 *
 * Call it in the snapshot in which the log was found intact.
 */
export async function sealingProblem(
  client: Queryable,
  ledger: string,
  payloadKey?: PayloadKey,
): Promise<BrokenLog | undefined> {
  const known = await client.query<{ used: boolean }>(used, [ledger])
  if (known.rows[0]?.used !== true) return undefined
  const { rows } = await client.query<{ index: string; problem: string }>(missing, [ledger])
  const [row] = rows
  if (row !== undefined) return broken(Number(row.index), `record ${row.index}: ${row.problem}`)
  const strange = await client.query<{ id: string }>(unnamed, [ledger])
  const [first] = strange.rows
  if (first !== undefined) {
    return broken(null, `the key ${first.id} is wrapped under a master key that no record names`)
  }
  const secret = await subjectSecretProblem(client, ledger, payloadKey)
  if (secret !== undefined || payloadKey === undefined) return secret
  return await wrappingProblem(client, ledger, payloadKey)
}

/**
 * Whether a stored log seals payloads, or did, under a master key that is not this one: then `verifyStoredLog` has not
 * checked, with this one, that each key of a person opens for that person, nor under which secret people are found.
 */
export async function leavesKeysUnopened(
  connection: pg.ClientConfig,
  ledger: string,
  payloadKey: PayloadKey | undefined,
): Promise<boolean> {
  return await whileConnected(new pg.Client(inSchema(connection)), async (client) => {
    try {
      const { rows } = await client.query<{ unopened: boolean }>(unopened, [ledger, payloadKey?.id ?? null])
      return rows[0]?.unopened === true
    } catch (error) {
      // A log that nobody has written yet seals nothing.
      if (hasCode(error, '42P01', '3F000')) return false
      throw error
    }
  })
}

async function wrappingProblem(
  client: Queryable,
  ledger: string,
  payloadKey: PayloadKey,
): Promise<BrokenLog | undefined> {
  for (const row of await readAllSubjectKeys(client, ledger)) {
    if (row.master !== payloadKey.id) continue
    try {
      unwrapped(row, ledger, payloadKey)
    } catch (error) {
      if (!(error instanceof Fault) || error.code !== 'log_broken') throw error
      return broken(null, `the key ${row.id} was changed, or belongs to another person than it stands beside`)
    }
  }
  return undefined
}

function broken(index: number | null, problem: string): BrokenLog {
  return {
    kind: 'broken',
    index,
    problem,
    fix: 'Keep the database as evidence, and find out who can write to the tables; a key that is gone may be in a backup of the table subject_key.',
  }
}
