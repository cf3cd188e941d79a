/**
 * How a batch erases payloads of batches before it, in the statement that writes its own records. `$n` stands for its
 * `ErasureRow`s as JSON.
 */

/** The rows as they were sent. */
const erasing = `erasing as (
    select r.first, r.indices from json_to_recordset($n::json) as r (first bigint, indices bigint[])
  )`

/**
 * The batches concerned, locked behind the head. A batch whose deletion was committed while this statement waited for
 * the head is still seen by its snapshot, but cannot be locked.
 */
const locked = `gate as materialized (
    select from ledger_head where ledger = $1 and size = $2::bigint and frontier = $5 for update
  ), locked as materialized (
    select b.first from gate, erasing e join log_batch b on b.ledger = $1 and b.first = e.first for update of b
  )`

/** What has to come before the head is advanced. */
export const eraseBefore = `${erasing}, ${locked}`

/**
 * Whether every payload is still there. If not, the head is not advanced and nothing is written: else the record would
 * say of a payload that it was erased by it, and it was not. Nobody but a writer behind the same head rewrites a batch;
 * a batch that is gone was archived in the meantime. The caller reads again.
 */
export const erasable = `(select count(*) from locked) = (select count(*) from erasing where first is not null) and not exists (
      select from erasing e join log_batch b on b.ledger = $1 and b.first = e.first
      where e.indices && b.erased or exists (
        select from unnest(e.indices) as i (index)
        where coalesce((string_to_array(b.bodies, E'\\n'))[(i.index - b.first + 1)::int], '') = ''))`

// The line of an erased payload is empty and its salt zero. Lines and salts keep their places.
const rewritten = `rewritten as (
    update log_batch b set
      bodies = (
        select string_agg(case when b.first + t.n - 1 = any(e.indices) then '' else t.body end, E'\\n' order by t.n)
        from unnest(string_to_array(b.bodies, E'\\n')) with ordinality as t (body, n)),
      salts = (
        select string_agg(case when b.first + s.n = any(e.indices) then decode(repeat('00', 32), 'hex')
          else substring(b.salts from s.n * 32 + 1 for 32) end, ''::bytea order by s.n)
        from generate_series(0, octet_length(b.salts) / 32 - 1) as s (n)),
      erased = (select array_agg(i order by i) from unnest(b.erased || e.indices) as i)
    from erasing e, head
    where b.ledger = $1 and b.first = e.first
  )`

// Whose data it was is no longer known either.
const forgotten = `forgotten as (
    delete from payload_subject s using erasing e, head
    where s.ledger = $1 and s.index = any(e.indices)
  )`

/** What has to be done with them, once the head has been advanced. */
export const erased = [rewritten, forgotten] as const
