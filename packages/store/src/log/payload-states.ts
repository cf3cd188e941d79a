import type { Queryable } from './batches.ts'

/** What is stored of one record's payload. */
export interface PayloadState {
  readonly index: number
  /** The index of the first record of its batch. */
  readonly first: number
  /** `none`: the record never had a payload. */
  readonly state: 'kept' | 'erased' | 'none'
  /** Of the batch's payloads together, in bytes: what has to be rewritten to erase one of them. */
  readonly batchBytes: number
}

// No payload leaves the database for this: most of a batch is of no interest to whoever erases one.
const states = {
  name: 'payload_states',
  text: `select wanted.index, b.first, octet_length(b.bodies) as "batchBytes",
      case when b.lines[(wanted.index - b.first + 1)::int] <> '' then 'kept'
        when wanted.index = any(b.erased) then 'erased' else 'none' end as state
    from unnest($2::bigint[]) as wanted (index), lateral (
      select c.first, c.bodies, c.erased, string_to_array(c.bodies, E'\\n') as lines,
        octet_length(c.leaf_hashes) / 32 as count
      from log_batch c where c.ledger = $1 and c.first <= wanted.index order by c.first desc limit 1
    ) as b
    where wanted.index < b.first + b.count order by wanted.index`,
}

/** What is stored of the payloads of these records, by ascending index; records that are not stored are left out. */
export async function readPayloadStates(
  client: Queryable,
  ledger: string,
  indices: readonly number[],
): Promise<PayloadState[]> {
  const { rows } = await client.query<
    Omit<PayloadState, 'index' | 'first'> & { index: string; first: string }
  >({
    ...states,
    values: [ledger, indices],
  })
  return rows.map((row) => ({ ...row, index: Number(row.index), first: Number(row.first) }))
}
