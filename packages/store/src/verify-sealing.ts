import type { BrokenLog } from '@bailiwick/core'
import type { Queryable } from './log/batches.ts'

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
 * Needs no master key. Reads payloads only where a ledger has ever sealed any.
 *
 * Call it in the snapshot in which the log was found intact.
 */
export async function sealingProblem(client: Queryable, ledger: string): Promise<BrokenLog | undefined> {
  const known = await client.query<{ used: boolean }>(used, [ledger])
  if (known.rows[0]?.used !== true) return undefined
  const { rows } = await client.query<{ index: string; problem: string }>(missing, [ledger])
  const [row] = rows
  if (row === undefined) return undefined
  return {
    kind: 'broken',
    index: Number(row.index),
    problem: `record ${row.index}: ${row.problem}`,
    fix: 'Keep the database as evidence, and find out who can write to the tables; a key that is gone may be in a backup of the table subject_key.',
  }
}
