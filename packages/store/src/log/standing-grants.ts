import {
  canonicalJsonOfPresent,
  commitPayload,
  grantScope,
  standingOf,
  type Approval,
  type DecisionRecord,
  type GrantScope,
  type Instant,
  type MadeGrant,
} from '@bailiwick/core'
import type { KnownPayload } from './needs.ts'

/** A standing grant that has not been ended. */
export interface HeldGrant {
  /** The index of the decision that opened the approval which it came of. */
  readonly index: number
  readonly made: MadeGrant
  /** On whose word it rests: who voted, and in whose stead. */
  readonly people: readonly string[]
  /** How many calls it has let through. */
  readonly used: number
}

/** A standing grant that has not been ended, with what it is for. */
export interface LiveGrant extends HeldGrant {
  readonly scope: GrantScope
  /** The terms of the approval, as canonical JSON. */
  readonly terms: string
  readonly routes: readonly string[]
}

/** The decision that opened an approval, with its payload. */
interface Opened {
  readonly record: DecisionRecord
  readonly payload: KnownPayload | null
}

/**
 * The grant that an approval's votes make, as records and payload have it; undefined where they make none, or where there
 * is nothing left, or something else than was approved, that a later call could be held against.
 */
export function liveGrant(approval: Approval, opened: Opened, used: number): LiveGrant | undefined {
  const { record, payload } = opened
  const held = heldGrant(approval, record.index, used)
  if (held === undefined || payload === null) return undefined
  if (commitPayload(payload.salt, payload.stored) !== record.payload) return undefined
  const scope = grantScope(record, payload.body)
  if (scope === undefined) return undefined
  const { terms } = approval
  return { ...held, scope, terms: canonicalJsonOfPresent(terms), routes: terms.routes }
}

/** The grant that an approval's votes make, whatever its call was; undefined where they make none. */
export function heldGrant(approval: Approval, index: number, used: number): HeldGrant | undefined {
  const made = standingOf(approval)
  if (made === undefined) return undefined
  const votes = approval.votes.filter(({ person }) => made.by.includes(person))
  return { index, made, people: votes.flatMap((vote) => [vote.person, vote.for ?? vote.person]), used }
}

const none: readonly LiveGrant[] = Object.freeze([])

/**
 * The live standing grants of a ledger, as of one head: read once, all of them, and only where a policy has a route on which
 * people may give one; then kept up with what each batch changes. There are few, so most calls cost a look into a map.
 */
export class StandingGrants {
  readonly #byIndex = new Map<number, LiveGrant>()
  /** By agent and action. */
  readonly #byCall = new Map<string, readonly LiveGrant[]>()
  /** Those whose calls cannot be read here: they cover nothing here, and can be ended. */
  readonly #shut = new Map<number, HeldGrant>()
  #loaded = false
  #byDatabase = false

  get loaded(): boolean {
    return this.#loaded
  }

  /** Whether their ends are held against the database's clock as well. */
  get byDatabase(): boolean {
    return this.#byDatabase
  }

  /** How many there are at an instant, apart from those that are used up. */
  countAt(at: Instant): number {
    for (const { index, made, used } of this.#byIndex.values()) {
      if (made.until <= at || used >= made.uses) this.end(index)
    }
    return this.#byIndex.size
  }

  clear(): void {
    this.#byIndex.clear()
    this.#shut.clear()
    this.#byCall.clear()
    this.#loaded = false
  }

  load(grants: readonly LiveGrant[], shut: readonly HeldGrant[], byDatabase: boolean): void {
    for (const grant of grants) this.set(grant)
    for (const grant of shut) this.#shut.set(grant.index, grant)
    this.#loaded = true
    this.#byDatabase = byDatabase
  }

  of(agent: string, action: string): readonly LiveGrant[] {
    return this.#byCall.size === 0 ? none : (this.#byCall.get(callKey({ agent, action })) ?? none)
  }

  at(index: number): LiveGrant | undefined {
    return this.#byIndex.get(index)
  }

  /** All of them, also those that cover nothing here. */
  all(): readonly HeldGrant[] {
    return [...this.#byIndex.values(), ...this.#shut.values()]
  }

  /** Adds a grant, or puts it in the place of what was known of it. */
  set(grant: LiveGrant): void {
    const key = callKey(grant.scope)
    const others = (this.#byCall.get(key) ?? none).filter(({ index }) => index !== grant.index)
    this.#byCall.set(key, [...others, grant])
    this.#byIndex.set(grant.index, grant)
  }

  /** Forgets a grant: it covers nothing any more. */
  end(index: number): void {
    this.#shut.delete(index)
    const grant = this.#byIndex.get(index)
    if (grant === undefined) return
    this.#byIndex.delete(index)
    const key = callKey(grant.scope)
    const left = (this.#byCall.get(key) ?? none).filter((each) => each.index !== index)
    if (left.length === 0) this.#byCall.delete(key)
    else this.#byCall.set(key, left)
  }

  /** Forgets the grants whose approvals were opened before a record. */
  endBefore(stop: number): void {
    for (const { index } of this.all()) if (index < stop) this.end(index)
  }
}

function callKey({ agent, action }: Pick<GrantScope, 'agent' | 'action'>): string {
  return `${agent}\n${action}`
}
