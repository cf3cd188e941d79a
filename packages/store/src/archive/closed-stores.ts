import type { Queryable } from '../log/batches.ts'
import type { ArchiveStore } from './store.ts'

/** Records that lie in a place which is not open here. */
export interface ClosedStore {
  /** As the log names it: no secrets. */
  readonly address: string
  readonly records: number
}

const stores = {
  name: 'archive_stores',
  text: `select store, sum(stop - first) as records from archive_segment where ledger = $1
    group by store order by min(first)`,
}

/** The places with archived records of a ledger that cannot be read, because another one or none is open. */
export async function closedStores(
  client: Queryable,
  ledger: string,
  open: ArchiveStore | undefined,
): Promise<readonly ClosedStore[]> {
  const values = [ledger]
  const { rows } = await client.query<{ store: string; records: string }>({ ...stores, values })
  return rows
    .filter(({ store }) => store !== open?.address)
    .map(({ store, records }) => ({ address: store, records: Number(records) }))
}
