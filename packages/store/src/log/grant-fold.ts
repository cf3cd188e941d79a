import { instantText, type Instant } from '@bailiwick/core'
import type { GrantEndRow, GrantRow, GrantUseRow } from './rows.ts'
import type { HeldGrant, LiveGrant, StandingGrants } from './standing-grants.ts'

/** The live standing grants as one batch finds and leaves them; known to operations that need `grants`. */
export class GrantFold {
  readonly #memory: StandingGrants
  readonly #made = new Map<number, GrantRow>()
  readonly #uses: GrantUseRow[] = []
  readonly #revoked: GrantEndRow[] = []
  #notAfter: Instant | undefined

  /** Writes what changes into `memory`, which is then as of this batch. */
  constructor(memory: StandingGrants) {
    this.#memory = memory
  }

  /** Before when the batch has to be written, by the database's clock; undefined where that does not matter. */
  get notAfter(): Instant | undefined {
    return this.#notAfter
  }

  /** Those on calls of an agent's action. */
  of(agent: string, action: string): readonly LiveGrant[] {
    return this.#memory.of(agent, action)
  }

  /** The one that came of an approval, also where it covers nothing here. */
  get(approval: number): HeldGrant | undefined {
    return this.#memory.all().find(({ index }) => index === approval)
  }

  /** Whether one covers nothing here, because its call cannot be read here. */
  isShut(approval: number): boolean {
    return this.get(approval) !== undefined && this.#memory.at(approval) === undefined
  }

  /** Whether any that lets calls through at an instant rests on the word of a person. */
  restOn(person: string, at: Instant): boolean {
    return this.#memory
      .all()
      .some(({ made, used, people }) => made.until > at && used < made.uses && people.includes(person))
  }

  /** How many are live at an instant. */
  countAt(at: Instant): number {
    return this.#memory.countAt(at)
  }

  /** One that the vote at `index` has made. */
  make(grant: LiveGrant, index: number): void {
    const { uses, until } = grant.made
    const row = { approval: grant.index, index, uses, until_at: instantText(until), revoked_by: null }
    this.#made.set(grant.index, row)
    this.#memory.set(grant)
  }

  /** One more use. The batch is written before the grant's end, or not at all. */
  use(approval: number, decision: number): void {
    const grant = this.#memory.at(approval)
    if (grant === undefined) return
    const { until } = grant.made
    const used = grant.used + 1
    this.#memory.set({ ...grant, used })
    this.#uses.push({ approval, use: used, decision })
    if (this.#memory.byDatabase && (this.#notAfter === undefined || until < this.#notAfter))
      this.#notAfter = until
  }

  /** One that the record at `index` has revoked. */
  revoke(approval: number, index: number): void {
    this.#memory.end(approval)
    const made = this.#made.get(approval)
    if (made === undefined) this.#revoked.push({ approval, revoked_by: index })
    else this.#made.set(approval, { ...made, revoked_by: index })
  }

  /** One whose approval was withdrawn, or whose call was erased, covers nothing any more. */
  end(approval: number): void {
    this.#memory.end(approval)
  }

  /** Those whose approvals were opened before a record cover nothing any more. */
  endBefore(stop: number): void {
    this.#memory.endBefore(stop)
  }

  /** Every row that the batch has to write. */
  rows(): {
    grantsMade: readonly GrantRow[]
    grantUses: readonly GrantUseRow[]
    grantsRevoked: readonly GrantEndRow[]
  } {
    return { grantsMade: [...this.#made.values()], grantUses: this.#uses, grantsRevoked: this.#revoked }
  }
}
