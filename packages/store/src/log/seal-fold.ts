import { Fault, openPayload, sealedKeys, sealPayload, type SubjectKey } from '@bailiwick/core'
import { keyMissing } from '../sealing/key-missing.ts'
import type { PayloadKey } from '../sealing/payload-key.ts'
import { unwrapped, type StoredSubjectKey } from '../sealing/subject-keys.ts'
import type { KnownPayload, Seal } from './needs.ts'
import type { SealingRow, SubjectKeyRow } from './rows.ts'
import type { SealingState } from './sealing-state.ts'

/** What this process seals with. */
export interface Sealer {
  readonly ledger: string
  /** Undefined: it has no master key, and seals nothing. */
  readonly key: PayloadKey | undefined
  /** `size` cryptographically random bytes. */
  randomBytes(size: number): Buffer
}

const keyBytes = 32
const idBytes = 16
const saltBytes = 32
const nonceBytes = 12

/**
 * The keys of people that one batch touches. A key is made in the transaction that records the first payload which is sealed
 * with it, and destroyed in the one that records its erasure: no payload is ever sealed with a key that is gone.
 */
export class SealFold {
  readonly #state: SealingState
  readonly #sealer: Sealer
  readonly #byId = new Map<string, StoredSubjectKey>()
  /** By master key and subject. */
  readonly #byOwner = new Map<string, StoredSubjectKey>()
  /** Made for what is being staged. */
  #fresh: StoredSubjectKey[] = []
  readonly #made = new Map<string, StoredSubjectKey>()
  readonly #destroyed = new Set<string>()
  readonly #rewrapped = new Map<string, StoredSubjectKey>()
  #changed: SealingRow | undefined

  constructor(state: SealingState, sealer: Sealer) {
    this.#state = state
    this.#sealer = sealer
  }

  /** The id of the master key; null: switched off by hand; undefined: never switched on. */
  get state(): string | null | undefined {
    return this.#state.row?.key
  }

  /** What was recorded last of it; undefined: never anything. */
  get row(): SealingRow | undefined {
    return this.#state.row
  }

  /** Takes in keys as they were read. */
  load(rows: readonly StoredSubjectKey[]): void {
    for (const row of rows) this.#add(row)
  }

  /** Switches sealing on or off from here on. */
  change(row: SealingRow): void {
    this.#state.row = row
    this.#changed = row
  }

  /**
   * The payload as it is to be stored: sealed, where sealing is on. `keep` has to follow once it is staged.
   *
   * @throws Fault `payload_key_missing` where it has to be sealed and this process cannot: then it is not recorded
   */
  seal(body: string, { subjects, like }: Seal, index: number): string {
    this.#fresh = []
    const master = this.state
    if (typeof master !== 'string') return body
    const ids = like === undefined ? undefined : sealedKeys(like)
    if (ids === undefined && subjects === undefined) return body
    const { ledger, key } = this.#sealer
    if (key?.id !== master) throw keyMissing(master, key)
    const keys =
      ids === undefined ? [...new Set(subjects)].map((each) => this.#keyOf(each, key)) : this.#keysOf(ids)
    return sealPayload(body, keys, { ledger, index }, this.#sealer.randomBytes(saltBytes))
  }

  /** Whether nothing can be sealed here as this stored payload is: its keys are there, and the master key is not. */
  isShut(stored: string): boolean {
    const master = this.state
    return typeof master === 'string' && sealedKeys(stored) !== undefined && this.#sealer.key?.id !== master
  }

  /** What `seal` has made for the payload that it sealed last is written with it. */
  keep(): void {
    for (const row of this.#fresh) {
      this.#add(row)
      this.#made.set(row.id, row)
    }
    this.#fresh = []
  }

  /** A stored payload, to be read when it has to be; null where a key that it was sealed with is gone. */
  known(index: number, salt: Buffer, stored: string): KnownPayload | null {
    const ids = sealedKeys(stored)
    if (ids === undefined) return { salt, stored, body: stored }
    if (ids.some((id) => !this.#byId.has(id))) return null
    const open = () => openPayload(stored, this.#keysOf(ids), { ledger: this.#sealer.ledger, index })
    return {
      salt,
      stored,
      get body() {
        return open()
      },
    }
  }

  /**
   * The ids of the keys of these subjects, to be destroyed.
   *
   * @throws Fault `log_broken` where one is somebody else's, as far as this process can tell: it has the master key
   */
  keyIdsOf(subjects: readonly string[]): readonly string[] {
    const { ledger, key } = this.#sealer
    const rows = [...this.#byId.values()].filter(({ subject }) => subjects.includes(subject))
    // Beside a person for whom it was not wrapped, the key of another would be destroyed, and this person's would stay.
    for (const row of rows) if (row.master === key?.id) unwrapped(row, ledger, key)
    return rows.map(({ id }) => id).sort()
  }

  /** Destroys keys: nothing that was sealed with one can be read any more. */
  destroy(ids: readonly string[]): void {
    for (const id of ids) {
      const row = this.#byId.get(id)
      this.#byId.delete(id)
      if (row !== undefined) this.#byOwner.delete(ownerOf(row))
      this.#rewrapped.delete(id)
      // One that was made in this batch is never written.
      if (!this.#made.delete(id)) this.#destroyed.add(id)
    }
  }

  /** All loaded keys of one master key, wrapped under another. @throws Fault `log_broken` where one does not open */
  wrappedAnew(from: PayloadKey, to: PayloadKey): readonly StoredSubjectKey[] {
    const { ledger } = this.#sealer
    return [...this.#byId.values()].flatMap((row) => {
      if (row.master !== from.id) return []
      const { key } = unwrapped(row, ledger, from)
      const owner = { ledger, subject: row.subject, id: row.id }
      return [{ ...row, master: to.id, wrapped: to.wrap(key, owner, this.#sealer.randomBytes(nonceBytes)) }]
    })
  }

  /** Puts keys in the place of what was known of them. */
  replace(rows: readonly StoredSubjectKey[]): void {
    for (const row of rows) {
      const before = this.#byId.get(row.id)
      if (before !== undefined) this.#byOwner.delete(ownerOf(before))
      this.#add(row)
      if (this.#made.has(row.id)) this.#made.set(row.id, row)
      else this.#rewrapped.set(row.id, row)
    }
  }

  /** Every row that the batch has to write. */
  rows(): {
    subjectKeysMade: readonly SubjectKeyRow[]
    subjectKeysRewrapped: readonly SubjectKeyRow[]
    subjectKeysDestroyed: readonly Pick<SubjectKeyRow, 'id'>[]
    sealings: readonly SealingRow[]
  } {
    return {
      subjectKeysMade: [...this.#made.values()].map(rowOf),
      subjectKeysRewrapped: [...this.#rewrapped.values()].map(rowOf),
      subjectKeysDestroyed: [...this.#destroyed].map((id) => ({ id })),
      sealings: this.#changed === undefined ? [] : [this.#changed],
    }
  }

  #keyOf(subject: string, master: PayloadKey): SubjectKey {
    const { ledger } = this.#sealer
    const known = this.#byOwner.get(ownerOf({ subject, master: master.id }))
    if (known !== undefined) return unwrapped(known, ledger, master)
    const id = this.#sealer.randomBytes(idBytes).toString('hex')
    const key = Buffer.from(this.#sealer.randomBytes(keyBytes))
    const wrapped = master.wrap(key, { ledger, subject, id }, this.#sealer.randomBytes(nonceBytes))
    this.#fresh.push({ id, subject, master: master.id, wrapped })
    return { id, key }
  }

  #keysOf(ids: readonly string[]): readonly SubjectKey[] {
    const { ledger, key } = this.#sealer
    return ids.map((id) => {
      const row = this.#byId.get(id)
      if (row === undefined) throw destroyed(id)
      return unwrapped(row, ledger, key)
    })
  }

  #add(row: StoredSubjectKey): void {
    this.#byId.set(row.id, row)
    this.#byOwner.set(ownerOf(row), row)
  }
}

function ownerOf({ master, subject }: Pick<StoredSubjectKey, 'master' | 'subject'>): string {
  return `${master} ${subject}`
}

function destroyed(id: string): Fault {
  return new Fault('erased', `the key ${id} was destroyed, and with it what was sealed with it`, {
    fix: 'Nothing can be read of it any more.',
  })
}

function rowOf({ id, subject, master, wrapped }: StoredSubjectKey): SubjectKeyRow {
  return { id, subject, master, wrapped: wrapped.toString('hex') }
}
