import type { BrokenLog } from '@bailiwick/core'
import { namedErasures } from './erasure/named-erasures.ts'
import type { Queryable } from './log/batches.ts'

const marked = `
  select i.index, coalesce(l.lines[(i.index - b.first + 1)::int], '') <> '' as kept,
    substring(b.salts from ((i.index - b.first) * 32 + 1)::int for 32) <> decode(repeat('00', 32), 'hex') as salted
  from log_batch b cross join lateral (select string_to_array(b.bodies, E'\\n') as lines) as l
    cross join lateral unnest(b.erased) as i (index)
  where b.ledger = $1 and b.erased <> '{}'`

// What has left the database says nothing here.
const isStored = `exists (
  select from (select c.first, octet_length(c.leaf_hashes) / 32 as count from log_batch c
    where c.ledger = $1 and c.first <= named.index order by c.first desc limit 1) as holder
  where named.index < holder.first + holder.count)`

const compared = `
  with named as (${namedErasures}), marked as (${marked})
  select coalesce(marked.index, named.erasure) as index,
    case when named.index is null then 'its payload is marked as erased, and no erasure record names it'
      when marked.index is null then 'it says that the payload of record ' || named.index || ' was erased, and that is not so'
      when named.erasure <= named.index then 'its payload is marked as erased by a record before it'
      when marked.kept then 'its payload is marked as erased, and is there'
      else 'its payload is erased, and its salt is not' end as problem
  from named full join marked on marked.index = named.index
  where named.index is null or (marked.index is null and ${isStored}) or named.erasure <= named.index
    or marked.kept or marked.salted
  order by 1 limit 1`

/**
 * Holds the marks of erased payloads against the `erasure` records, in both directions: without a record that names it,
 * a payload that is gone was taken away; with one, neither payload nor salt may be there.
 *
 * Call it in the snapshot in which the log was found intact.
 */
export async function erasuresProblem(client: Queryable, ledger: string): Promise<BrokenLog | undefined> {
  const { rows } = await client.query<{ index: string; problem: string }>(compared, [ledger])
  const [row] = rows
  if (row === undefined) return undefined
  return {
    kind: 'broken',
    index: Number(row.index),
    problem: `record ${row.index}: ${row.problem}`,
    fix: 'Keep the database as evidence, and find out who can write to the tables; what was erased without a record may be in a backup.',
  }
}
