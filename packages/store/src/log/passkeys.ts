import { parseRecord, passkeyOf, type PasskeyState } from '@bailiwick/core'
import { readEntries, type Queryable } from './batches.ts'
import type { PasskeyChange, PasskeyRow } from './rows.ts'

/** A stored passkey with what no record says of it. */
export interface StoredPasskey extends PasskeyState {
  readonly userHandle: Buffer
  readonly name: string
  readonly transports: readonly string[]
  readonly createdAt: string
  readonly usedAt: string | null
}

const columns = `id, person, user_handle, name, transports, registered, record, removed, sign_count,
  to_char(created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as created_at,
  to_char(used_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as used_at`

const wanted = {
  name: 'read_passkeys',
  text: `select ${columns} from passkey
    where ledger = $1 and (id = any($2::text[]) or person = any($3::text[])) order by registered`,
}

interface Row {
  readonly id: string
  readonly person: string
  readonly user_handle: Buffer
  readonly name: string
  readonly transports: readonly string[]
  readonly registered: string
  readonly record: string
  readonly removed: string | null
  readonly sign_count: string
  readonly created_at: string
  readonly used_at: string | null
}

/**
 * The passkeys with these ids and those of these people. A key is what the log says: a row whose record is another
 * one, or does not register this key for this person, is left out.
 */
export async function readPasskeys(
  client: Queryable,
  ledger: string,
  { ids = [], people = [] }: { readonly ids?: readonly string[]; readonly people?: readonly string[] },
): Promise<StoredPasskey[]> {
  const { rows } = await client.query<Row>({ ...wanted, values: [ledger, ids, people] })
  const entries = await readEntries(
    client,
    ledger,
    rows.map(({ registered }) => Number(registered)),
  )
  return rows.flatMap((row) => {
    // What is archived is not there to compare with; verification holds the text against the hash that was kept.
    const recorded = entries.get(Number(row.registered))?.record ?? row.record
    const state = recorded === row.record ? stateOf(row) : undefined
    if (state === undefined) return []
    const { name, transports, user_handle: userHandle, created_at: createdAt, used_at: usedAt } = row
    return [{ ...state, userHandle, name, transports, createdAt, usedAt }]
  })
}

function stateOf(row: Row): PasskeyState | undefined {
  const record = parseRecord(row.record)
  if (record.kind !== 'access' || record.event !== 'passkey_registered') return undefined
  const key = passkeyOf(record)
  if (key?.id !== row.id || record.subject !== row.person || record.index !== Number(row.registered))
    return undefined
  const removed = row.removed === null ? null : Number(row.removed)
  return { key, person: row.person, registered: record.index, removed, signCount: Number(row.sign_count) }
}

/** The passkeys that one batch touches: the second of two operations sees what the first did. */
export class PasskeyFold {
  readonly #known = new Map<string, PasskeyState>()
  readonly #made = new Map<string, PasskeyRow>()
  /** Those from earlier batches that this one changes, and whether they signed in it. */
  readonly #changed = new Map<string, boolean>()

  load(states: readonly PasskeyState[]): void {
    for (const state of states) this.#known.set(state.key.id, state)
  }

  get(id: string): PasskeyState | undefined {
    return this.#known.get(id)
  }

  /** How many of a person's passkeys are not removed; known to operations that need all of them. */
  countOf(person: string): number {
    return [...this.#known.values()].filter((state) => state.person === person && state.removed === null)
      .length
  }

  register(row: PasskeyRow, state: PasskeyState): void {
    this.#known.set(row.id, state)
    this.#made.set(row.id, row)
  }

  remove(id: string, index: number): void {
    this.#change(id, { removed: index })
  }

  /** Ends all passkeys of a person who is removed; those that operations that remove people need. */
  removeAll(person: string, index: number): void {
    for (const [id, state] of this.#known) {
      if (state.person === person && state.removed === null) this.remove(id, index)
    }
  }

  sign(id: string, signCount: number): void {
    this.#change(id, { signCount })
  }

  #change(id: string, change: Partial<PasskeyState>): void {
    const state = this.#known.get(id)
    if (state === undefined) return
    this.#known.set(id, { ...state, ...change })
    this.#changed.set(id, this.#changed.get(id) === true || change.signCount !== undefined)
  }

  /** What the batch has to write, each key in its last state. */
  rows(): {
    readonly passkeysMade: readonly PasskeyRow[]
    readonly passkeysChanged: readonly PasskeyChange[]
  } {
    const last = (id: string) => {
      const state = this.#known.get(id)
      return { removed: state?.removed ?? null, sign_count: state?.signCount ?? 0 }
    }
    const made = [...this.#made.values()].map((row) => ({ ...row, ...last(row.id) }))
    const changed = [...this.#changed].flatMap(([id, signed]) =>
      this.#made.has(id) ? [] : [{ id, ...last(id), signed }],
    )
    return { passkeysMade: made, passkeysChanged: changed }
  }
}
