import {
  approvalStatus,
  instantText,
  sealedKeys,
  type Approval,
  type Instant,
  type OutcomeStatus,
  type PasskeyState,
  type SessionFact,
  type VoteRecord,
} from '@bailiwick/core'
import { AccessFold } from './access-fold.ts'
import { CounterFold, type Use } from './counter-fold.ts'
import { approvalRow, delegationRow } from './fold-rows.ts'
import { GrantFold } from './grant-fold.ts'
import { emptyMemory, type Memory } from './memory.ts'
import type { KnownDecision } from './needs.ts'
import type { PersonSession } from './person-sessions.ts'
import { PasskeyFold } from './passkeys.ts'
import type { PayloadState } from './payload-states.ts'
import { RetentionFold } from './retention-fold.ts'
import { SealFold, type Sealer } from './seal-fold.ts'
import type {
  AccessChange,
  BatchRows,
  CallRow,
  MarkRow,
  OutcomeRow,
  SegmentRow,
  SubjectRow,
  SuspensionRow,
  VoteRow,
} from './rows.ts'
import type { SessionMark } from './session-marks.ts'
import type { Delegation, KnownPerson, VotingRead } from './voting.ts'

/**
 * The part of the ledger's state that one batch touches, as of one head. Operations are applied to it
 * one after the other, so the second of two that compete for an approval sees what the first did. It
 * holds as long as the batch's compare-and-swap does.
 */
export class Fold {
  readonly #calls = new Map<string, number>()
  readonly #decisions = new Map<number, KnownDecision>()
  readonly #approvals = new Map<number, Approval>()
  readonly #touchedCalls = new Map<string, CallRow>()
  readonly #touchedApprovals = new Set<number>()
  readonly #outcomes = new Map<number, OutcomeRow>()
  readonly #votes: VoteRow[] = []
  readonly #memory: Memory
  readonly #marks = new Map<string, MarkRow>()
  readonly #suspensions = new Map<string, SuspensionRow>()
  /** Who may use the service; known to operations that need `voting`. */
  readonly access = new AccessFold()
  readonly passkeys = new PasskeyFold()
  readonly #subjects: SubjectRow[] = []
  readonly #payloads = new Map<number, PayloadState>()
  readonly #erased = new Map<number | null, number[]>()
  #databaseNow: Instant | undefined
  #notAfter: Instant | undefined
  readonly #delegations = new Map<number, Delegation>()
  readonly #touchedDelegations = new Set<number>()
  /** What budgets and rates have counted. */
  readonly counters: CounterFold
  /** The live standing grants. */
  readonly grants: GrantFold
  readonly retention = new RetentionFold()
  /** The keys of people. */
  readonly seals: SealFold

  /** Writes what it adds to counters and sessions into `memory`, which is then as of this batch. */
  constructor(memory: Memory = emptyMemory(), sealer: Sealer = nobodys) {
    this.#memory = memory
    this.seals = new SealFold(memory.sealing, sealer)
    this.counters = new CounterFold(memory.counters)
    this.grants = new GrantFold(memory.grants)
  }

  /** The decision that stands for the caller's id. */
  call(agent: string, callId: string): KnownDecision | undefined {
    const index = this.#calls.get(callKey(agent, callId))
    return index === undefined ? undefined : this.#decisions.get(index)
  }

  /** The index of the decision that a caller's id stands for, where its record is in cold storage. */
  archivedCall(agent: string, callId: string): number | undefined {
    const index = this.#calls.get(callKey(agent, callId))
    return index === undefined || this.#decisions.has(index) ? undefined : index
  }

  decision(index: number): KnownDecision | undefined {
    return this.#decisions.get(index)
  }

  /**
   * The instant at which deadlines are judged: the batch's own, or the database's where that is later. A process whose
   * clock is behind lets nothing through after a deadline.
   */
  latest(at: Instant): Instant {
    return this.#databaseNow !== undefined && this.#databaseNow > at ? this.#databaseNow : at
  }

  /** The batch's own instant, or the database's where that is earlier: for what must not come too soon. */
  earliest(at: Instant): Instant {
    return this.#databaseNow !== undefined && this.#databaseNow < at ? this.#databaseNow : at
  }

  /** The database's instant, or the batch's own where the database is not asked: for what must not be over too soon, nor too late. */
  byDatabase(at: Instant): Instant {
    return this.#databaseNow ?? at
  }

  /** What the batch holds is only good before this instant, by the database's clock too. */
  restOn(deadline: Instant): void {
    if (this.#databaseNow !== undefined) this.#notAfter = earliestOf(this.#notAfter, deadline)
  }

  /** A person with the roles as they are now; known to operations that need `voting`. */
  person(id: string): KnownPerson | undefined {
    return this.access.person(id)
  }

  /** Who stands behind an agent; known to operations that need `voting`. */
  ownersOf(agent: string): readonly string[] {
    return this.access.ownersOf(agent)
  }

  /** Until when `to` may vote in the stead of `from`, who may at `at`; known to operations that need `voting`. */
  standsInUntil(to: string, from: string, at: Instant): Instant | undefined {
    // What was given before one of the two was removed and came back is not theirs.
    const since = Math.max(...[to, from].map((id) => this.person(id)?.since ?? Infinity))
    const [last] = [...this.#delegations.values()]
      .filter(
        (each) =>
          each.index >= since &&
          each.to === to &&
          each.from === from &&
          each.starts <= this.earliest(at) &&
          this.latest(at) < each.ends &&
          each.revokedBy === undefined,
      )
      .map(({ ends }) => ends)
      .sort((one, other) => other - one)
    return last
  }

  delegation(index: number): Delegation | undefined {
    return this.#delegations.get(index)
  }

  setDelegation(delegation: Delegation): void {
    this.#delegations.set(delegation.index, delegation)
    this.#touchedDelegations.add(delegation.index)
  }

  approval(index: number): Approval | undefined {
    return this.#approvals.get(index)
  }

  /** Whether any approval that can still let a call through has a vote of the person, or one in the person's stead. */
  restsOnVoteOf(person: string, at: Instant): boolean {
    return [...this.#approvals.values()].some(
      (approval) =>
        approval.votes.some((vote) => vote.person === person || vote.for === person) &&
        ['pending', 'approved'].includes(approvalStatus(approval, at)),
    )
  }

  /** What a session has been through; undefined where that is not known. */
  session(name: string): SessionFact | undefined {
    return this.#memory.sessions.fact(name)
  }

  /** Why the agent may not act, where it may not. */
  suspension(agent: string): { readonly reason: string } | undefined {
    return this.#memory.suspensions.of(agent)
  }

  /** Whether this very name is suspended. */
  isSuspended(agent: string): boolean {
    return this.#memory.suspensions.has(agent)
  }

  /** Where the payload of a record lies, and whether it is there. */
  payload(index: number): PayloadState | undefined {
    return this.#payloads.get(index)
  }

  /** Takes in rows as they were read. */
  load(read: {
    payloads?: readonly PayloadState[]
    uses?: readonly Use[]
    calls?: readonly CallRow[]
    decisions?: readonly KnownDecision[]
    approvals?: readonly (readonly [number, Approval])[]
    databaseNow?: Instant | undefined
    voting?: VotingRead | undefined
    signedIn?: readonly PersonSession[]
    retention?: { readonly archivedEnd: number; readonly holds: readonly string[] } | undefined
    passkeys?: readonly PasskeyState[]
  }): void {
    this.#databaseNow = read.databaseNow
    if (read.voting !== undefined) this.access.load(read.voting)
    this.access.loadSessions(read.signedIn ?? [])
    for (const each of read.voting?.delegations ?? []) this.#delegations.set(each.index, each)
    this.passkeys.load(read.passkeys ?? [])
    if (read.retention) this.retention.load(read.retention)
    for (const row of read.calls ?? []) this.#calls.set(callKey(row.agent, row.call_id), row.index)
    for (const known of read.decisions ?? []) this.#decisions.set(known.record.index, known)
    for (const [index, approval] of read.approvals ?? []) this.#approvals.set(index, approval)
    this.counters.load(read.uses ?? [])
    for (const state of read.payloads ?? []) this.#payloads.set(state.index, state)
  }

  /** A decision recorded in this batch. */
  addDecision(known: KnownDecision): void {
    this.#decisions.set(known.record.index, known)
  }

  setCall(agent: string, callId: string, index: number): void {
    this.#calls.set(callKey(agent, callId), index)
    this.#touchedCalls.set(callKey(agent, callId), { agent, call_id: callId, index })
  }

  setOutcome(decision: number, index: number, status: OutcomeStatus): void {
    const known = this.#decisions.get(decision)
    if (known) this.#decisions.set(decision, { ...known, outcome: status })
    const earlier = this.#outcomes.get(decision)?.index ?? null
    this.#outcomes.set(decision, { decision, index, status, earlier })
  }

  setApproval(index: number, approval: Approval): void {
    this.#approvals.set(index, approval)
    this.#touchedApprovals.add(index)
  }

  addVote(approval: number, record: VoteRecord): void {
    const { person, vote, at, index, for: principal = null } = record
    this.#votes.push({ approval, person, vote, at, index, principal })
  }

  /** Marks a session, unless it has the mark already. */
  mark(mark: SessionMark, index: number): void {
    if (this.#memory.sessions.has(mark)) return
    this.#memory.sessions.add(mark)
    const id = JSON.stringify([mark.session, mark.kind, mark.value])
    if (!this.#marks.has(id)) this.#marks.set(id, { ...mark, index })
  }

  setSuspension(row: SuspensionRow, reason: string): void {
    if (row.state === 'suspended') this.#memory.suspensions.suspend(row.agent, reason)
    else this.#memory.suspensions.resume(row.agent)
    this.#suspensions.set(row.agent, row)
  }

  /**
   * Adds to what the batch changes of who may use the service.
   *
   * @param index the record that says so
   */
  changeAccess(change: AccessChange, index: number): void {
    for (const { id } of change.peopleRemoved ?? []) this.passkeys.removeAll(id, index)
    this.access.change(change)
  }

  /** The payload of a decision holds data of these people. */
  concern(index: number, subjects: readonly string[]): void {
    for (const subject of subjects) this.#subjects.push({ subject, index })
  }

  /** Erases payloads that are there. Whoever comes later in the batch finds them erased. */
  erase(states: readonly PayloadState[]): void {
    for (const state of states) {
      const { first, index } = state
      this.#payloads.set(index, { ...state, state: 'erased' })
      const known = this.#decisions.get(index)
      if (known !== undefined) this.#decisions.set(index, { ...known, payload: null })
      // Nothing is left that a call could be held against.
      this.grants.end(index)
      this.#eraseIn(first, index)
    }
  }

  /** Destroys keys of people. Whoever comes later in the batch finds what was sealed with them erased. */
  destroyKeys(ids: readonly string[]): void {
    this.seals.destroy(ids)
    for (const [index, known] of this.#decisions) {
      const sealed = known.payload === null ? [] : (sealedKeys(known.payload.stored) ?? [])
      if (!sealed.some((id) => ids.includes(id))) continue
      this.#decisions.set(index, { ...known, payload: null })
    }
    // Which of them rest on what cannot be read any more is told when they are read again; until then none covers a call.
    this.#memory.grants.clear()
  }

  /** Whose data the payloads of archived records hold is forgotten; the payloads are removed from cold storage. */
  eraseArchived(indices: readonly number[]): void {
    for (const index of indices) this.#eraseIn(null, index)
  }

  #eraseIn(first: number | null, index: number): void {
    const ofBatch = this.#erased.get(first)
    if (ofBatch === undefined) this.#erased.set(first, [index])
    else ofBatch.push(index)
  }

  /** A segment that may leave the database from here on. */
  addSegment(row: SegmentRow): void {
    this.retention.addSegment(row)
    this.grants.endBefore(row.stop)
  }

  /** Every row that the batch has to write, each key once and in its last state. */
  rows(statusOf: (approval: Approval) => string): BatchRows {
    const approvals = [...this.#touchedApprovals].flatMap((index) => {
      const approval = this.#approvals.get(index)
      return approval ? [approvalRow(index, approval, statusOf(approval))] : []
    })
    const notAfter = earliestOf(this.#notAfter, this.grants.notAfter)
    // One by one: to spread eight objects into one costs a small batch more than its hashes.
    const { entries, released } = this.counters.rows()
    const { segments, holdsPlaced, holdsLifted } = this.retention.rows()
    const { grantsMade, grantUses, grantsRevoked } = this.grants.rows()
    const { passkeysMade, passkeysChanged } = this.passkeys.rows()
    const { subjectKeysMade, subjectKeysRewrapped, subjectKeysDestroyed, sealings } = this.seals.rows()
    return {
      calls: [...this.#touchedCalls.values()],
      outcomes: [...this.#outcomes.values()],
      approvals,
      votes: this.#votes,
      marks: [...this.#marks.values()],
      subjects: this.#subjects,
      erasures: [...this.#erased].map(([first, indices]) => ({ first, indices })),
      suspensions: [...this.#suspensions.values()],
      delegations: [...this.#touchedDelegations].flatMap((index) => {
        const delegation = this.#delegations.get(index)
        return delegation === undefined ? [] : [delegationRow(delegation)]
      }),
      entries,
      released,
      segments,
      holdsPlaced,
      holdsLifted,
      grantsMade,
      grantUses,
      grantsRevoked,
      subjectKeysMade,
      subjectKeysRewrapped,
      subjectKeysDestroyed,
      sealings,
      notAfter: notAfter && instantText(notAfter),
      passkeysMade,
      passkeysChanged,
      access: this.access.rows(),
    }
  }
}

const nobodys: Sealer = Object.freeze({
  ledger: '',
  key: undefined,
  randomBytes: (size: number) => Buffer.alloc(size),
})

/** The earlier of two instants, where there are two. */
function earliestOf(one: Instant | undefined, other: Instant | undefined): Instant | undefined {
  if (one === undefined || other === undefined) return one ?? other
  return one < other ? one : other
}

function callKey(agent: string, callId: string): string {
  return `${agent}\n${callId}`
}
