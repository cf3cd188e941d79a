import { parseRecord } from '@bailiwick/core'
import { readEntries, type Queryable } from './batches.ts'

/** The agent that stands for all of them. */
export const everyAgent = '*'

const suspended = {
  name: 'read_suspended',
  text: `select agent, index from agent_suspension where ledger = $1 and state = 'suspended'`,
}

/**
 * The agents that are suspended, as of one head: read once, all of them, and then kept up with what each batch
 * changes. So a batch on a head that another process has advanced reads them anew (G11).
 */
export class Suspensions {
  readonly #reasons = new Map<string, string>()
  #loaded = false

  get loaded(): boolean {
    return this.#loaded
  }

  clear(): void {
    this.#reasons.clear()
    this.#loaded = false
  }

  /** @throws where the database does: then nothing is decided */
  async load(client: Queryable, ledger: string): Promise<void> {
    for (const { agent, reason } of await readSuspended(client, ledger)) this.#reasons.set(agent, reason)
    this.#loaded = true
  }

  /** Why the agent may not act; undefined where it may. */
  of(agent: string): { readonly reason: string } | undefined {
    if (this.#reasons.size === 0) return undefined
    const reason = this.#reasons.get(agent) ?? this.#reasons.get(everyAgent)
    return reason === undefined ? undefined : { reason }
  }

  /** Whether this very name is suspended, and not only every agent. */
  has(agent: string): boolean {
    return this.#reasons.has(agent)
  }

  suspend(agent: string, reason: string): void {
    this.#reasons.set(agent, reason)
  }

  resume(agent: string): void {
    this.#reasons.delete(agent)
  }
}

/** An agent that may not act. */
export interface SuspendedAgent {
  /** Its id, or `*` for every agent. */
  readonly agent: string
  readonly reason: string
  /** Since when. RFC 3339. */
  readonly since: string
  readonly by: string
  /** The index of the record that says so. */
  readonly index: number
}

/** Everybody who is suspended, by name. */
export async function readSuspended(client: Queryable, ledger: string): Promise<SuspendedAgent[]> {
  const { rows } = await client.query<{ agent: string; index: string }>({ ...suspended, values: [ledger] })
  const entries = await readEntries(
    client,
    ledger,
    rows.map(({ index }) => Number(index)),
  )
  const found = rows.map((row): SuspendedAgent => {
    const [agent, index] = [row.agent, Number(row.index)]
    const entry = entries.get(index)
    const record = entry === undefined ? undefined : parseRecord(entry.record)
    // A row without its record suspends all the same: verification names it, and until then it denies.
    if (entry === undefined || record?.kind !== 'suspension') {
      return { agent, reason: noReason, since: new Date(0).toISOString(), by: 'unknown', index }
    }
    const reason = typeof entry.payload === 'string' ? noReason : reasonOf(entry.payload.body)
    return { agent, reason, since: record.at, by: record.by, index }
  })
  return found.sort((one, other) => (one.agent < other.agent ? -1 : 1))
}

const noReason = 'the reason is not kept any more'

function reasonOf(body: string): string {
  const { reason } = JSON.parse(body) as { readonly reason?: unknown }
  return typeof reason === 'string' ? reason : noReason
}
