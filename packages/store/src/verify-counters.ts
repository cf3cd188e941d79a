import type { Queryable } from './log/batches.ts'

// PostgreSQL reads no JSON with the escape for NUL in it. Here, two backslashes before `u0000` have to stay what they
// are: a key is text of JSON itself.
const payload = String.raw`(case when strpos(body, '\u0000') = 0 then body
  else regexp_replace(body, '(?<!\\)((?:\\\\)*)\\u0000', '\1\\ufffd', 'g') end)::json`
const members = String.raw`replace(record, '\u0000', '\ufffd')::json`

// What is given back has a unit for each decision, and everything else one for each instant: who has written it in how
// many rows means nothing. Keys of erased payloads are not known. Only what a failed run gives back is gone.
const said = `
  select index, at, u.counter, u.amount, u."windowMs" as window_ms, case when u.releasable then index else -1 end as unit,
    sha256(convert_to($3::text || case when body is not null then ${payload} -> 'keys' ->> (o.n::int - 1) end, 'UTF8')) as key
  from log_entry, json_array_elements(${members} -> 'consumes') with ordinality as o (use, n),
    json_to_record(o.use) as u (counter text, amount numeric, "windowMs" bigint, releasable boolean)
  where ledger = $1 and index >= $4::bigint and kind = 'decision' and strpos(record, '"consumes":[') > 0
    and not (u.releasable and index in (
      select split_part(split_part(f.record, '"decision":"dec_', 2), '"', 1)::bigint from log_entry f
      where f.ledger = $1 and f.kind = 'outcome' and strpos(f.record, '"status":"failed"') > 0))`

const stored = `
  select decision as index, at, counter, amount, window_ms, case when releasable then decision else -1 end as unit, key
  from counter_entry where ledger = $1 and decision >= $4::bigint`

// `least` is below 0 where a key has less than the records say, `most` above 0 where one has more.
const compared = `
  with said as (${said}),
  known as (
    select unit, counter, at, window_ms, key, sum(amount) as amount, min(index) as index
    from said where key is not null group by 1, 2, 3, 4, 5
  ), erased as (
    select unit, counter, at, window_ms, sum(amount) as amount, min(index) as index
    from said where key is null group by 1, 2, 3, 4
  ), kept as (
    select unit, counter, at, window_ms, key, sum(amount) as amount, min(index) as index
    from (${stored}) as stored group by 1, 2, 3, 4, 5
  ), found as (
    select unit, counter, at, window_ms, min(index) as index, min(more) as least, max(more) as most, sum(more) as more
    from (
      select unit, counter, at, window_ms, coalesce(known.index, kept.index) as index,
        coalesce(kept.amount, 0) - coalesce(known.amount, 0) as more
      from known full join kept using (unit, counter, at, window_ms, key)
    ) as differing group by 1, 2, 3, 4
  )
  select index, counter, less from (
    select coalesce(found.index, erased.index) as index, counter,
      coalesce(least, 0) < 0 or coalesce(more, 0) < coalesce(erased.amount, 0) as less,
      case when erased.amount is null then most > 0 else coalesce(more, 0) > erased.amount end as too_much,
      at + window_ms * interval '1 millisecond' <= $2::timestamptz as over
    from found full join erased using (unit, counter, at, window_ms)
  ) as judged
  where too_much or (less and not over) order by index, less desc limit 1`

/**
 * Holds what is stored of counters against the records of decisions and outcomes: for every key and instant, exactly as
 * much as the calls that were allowed then took from it. What no counter counts any more may be gone.
 *
 * @param now RFC 3339
 * @param prefix what digests of keys begin with, as `Digests` says
 * @param floor the index of the first record that is not archived
 * @returns the first record whose use is not counted as it has to be
 */
export async function firstMiscount(
  client: Queryable,
  ledger: string,
  now: string,
  prefix: string,
  floor: number,
): Promise<{ readonly index: number; readonly problem: string } | undefined> {
  const { rows } = await client.query<{ index: string; counter: string; less: boolean }>(compared, [
    ledger,
    now,
    prefix,
    floor,
  ])
  const [row] = rows
  if (row === undefined) return undefined
  const problem = row.less
    ? `less is counted under ${row.counter} than the log says was used`
    : `more is counted under ${row.counter} than the log says was used`
  return { index: Number(row.index), problem }
}
