import type { Queryable } from '../log/batches.ts'

/**
 * A query for every index that an `erasure` record in the database names, with the first such record, of the ledger `$1`.
 * Records that say something else have their quotation marks escaped, so the search for the member matches the member
 * alone.
 */
export const namedErasures = `
  select distinct on (1) x.value::bigint as index, b.first + t.n - 1 as erasure
  from log_batch b, unnest(string_to_array(b.records, E'\\n')) with ordinality as t (record, n),
    json_array_elements_text(case when strpos(t.record, '"kind":"erasure"') > 0
      then replace(t.record, '\\u0000', '\\ufffd')::json -> 'records' end) as x (value)
  where b.ledger = $1
    and b.first in (select k.first from log_term k where k.ledger = $1 and k.term = 'kind=erasure')
  order by 1, 2`

const pending = `
  with named as (${namedErasures})
  select named.index from named join archive_segment s
    on s.ledger = $1 and s.first <= named.index and s.stop > named.index
  where not exists (select from json_array_elements_text(s.payloads::json -> 'erased') as there (index)
    where there.index::bigint = named.index)
  order by 1`

/**
 * Archived records whose erasure is recorded and whose payloads are still in cold storage: what an erasure was
 * interrupted over, or what was erased in the database after it had been exported. An `erasure` record leaves the
 * database only after all that it names has been removed, so those in the database name everything.
 */
export async function pendingErasures(client: Queryable, ledger: string): Promise<readonly number[]> {
  const { rows } = await client.query<{ index: string }>(pending, [ledger])
  return rows.map(({ index }) => Number(index))
}

/** Every index that an `erasure` record in the database names. */
export async function erasuresNamed(client: Queryable, ledger: string): Promise<ReadonlySet<number>> {
  const { rows } = await client.query<{ index: string }>(namedErasures, [ledger])
  return new Set(rows.map(({ index }) => Number(index)))
}
