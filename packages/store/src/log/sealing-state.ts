import type { Queryable } from './batches.ts'

const state = { name: 'payload_sealing', text: 'select key from payload_sealing where ledger = $1' }

/** Whether payloads that hold data of people are sealed, as of one head: read once, and then kept up with what each batch changes. */
export class SealingState {
  /** The id of the master key; null: switched off by hand; undefined: never switched on. */
  key: string | null | undefined
  #loaded = false

  get loaded(): boolean {
    return this.#loaded
  }

  clear(): void {
    this.#loaded = false
  }

  /** @throws where the database does: then nothing is decided */
  async load(client: Queryable, ledger: string): Promise<void> {
    this.key = await readSealing(client, ledger)
    this.#loaded = true
  }
}

/** The id of the master key that payloads are sealed under; null: switched off by hand; undefined: never switched on. */
export async function readSealing(client: Queryable, ledger: string): Promise<string | null | undefined> {
  const { rows } = await client.query<{ key: string | null }>({ ...state, values: [ledger] })
  return rows[0]?.key
}
