import type { Queryable } from './batches.ts'
import type { SealingRow } from './rows.ts'

const state = {
  name: 'payload_sealing_row',
  text: 'select index, key, fingerprint from payload_sealing where ledger = $1',
}

/** Whether payloads that hold data of people are sealed, as of one head: read once, and then kept up with what each batch changes. */
export class SealingState {
  /** Undefined: never switched on. */
  row: SealingRow | undefined
  #loaded = false

  get loaded(): boolean {
    return this.#loaded
  }

  clear(): void {
    this.#loaded = false
  }

  /** @throws where the database does: then nothing is decided */
  async load(client: Queryable, ledger: string): Promise<void> {
    this.row = await readSealing(client, ledger)
    this.#loaded = true
  }
}

/** Under which master key payloads are sealed, if any, and which record says so; undefined: never switched on. */
export async function readSealing(client: Queryable, ledger: string): Promise<SealingRow | undefined> {
  const { rows } = await client.query<Omit<SealingRow, 'index'> & { readonly index: string }>({
    ...state,
    values: [ledger],
  })
  return rows[0] && { ...rows[0], index: Number(rows[0].index) }
}
