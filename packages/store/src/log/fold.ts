import {
  instantText,
  type Approval,
  type DecisionRecord,
  type OutcomeStatus,
  type VoteRecord,
} from '@bailiwick/core'
import type { ApprovalRow, CallRow, OutcomeRow, VoteRow } from './rows.ts'

/** A recorded decision with what operations need to know of it. */
export interface KnownDecision {
  readonly record: DecisionRecord
  /** Null where it has been erased. */
  readonly payload: { readonly salt: Buffer; readonly body: string } | null
  readonly outcome: OutcomeStatus | null
}

/** What operations of one batch have to know before they can be applied. */
export interface Needs {
  readonly calls?: readonly { readonly agent: string; readonly callId: string }[]
  /** Indices of decisions. */
  readonly decisions?: readonly number[]
  /** Indices of the decisions that opened the approvals. */
  readonly approvals?: readonly number[]
}

/** What an operation needs that needs to know nothing; most do. */
export const noNeeds: Needs = Object.freeze({})

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

  /** The decision that stands for the caller's id. */
  call(agent: string, callId: string): KnownDecision | undefined {
    const index = this.#calls.get(callKey(agent, callId))
    return index === undefined ? undefined : this.#decisions.get(index)
  }

  decision(index: number): KnownDecision | undefined {
    return this.#decisions.get(index)
  }

  approval(index: number): Approval | undefined {
    return this.#approvals.get(index)
  }

  /** Takes in rows as they were read. */
  load(read: {
    calls?: readonly CallRow[]
    decisions?: readonly KnownDecision[]
    approvals?: readonly (readonly [number, Approval])[]
  }): void {
    for (const row of read.calls ?? []) this.#calls.set(callKey(row.agent, row.call_id), row.index)
    for (const known of read.decisions ?? []) this.#decisions.set(known.record.index, known)
    for (const [index, approval] of read.approvals ?? []) this.#approvals.set(index, approval)
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
    this.#outcomes.set(decision, { decision, index, status })
  }

  setApproval(index: number, approval: Approval): void {
    this.#approvals.set(index, approval)
    this.#touchedApprovals.add(index)
  }

  addVote(approval: number, record: VoteRecord): void {
    const { person, vote, at, index } = record
    this.#votes.push({ approval, person, vote, at, index })
  }

  /** Every row that the batch has to write, each key once and in its last state. */
  rows(statusOf: (approval: Approval) => string): {
    calls: readonly CallRow[]
    outcomes: readonly OutcomeRow[]
    approvals: readonly ApprovalRow[]
    votes: readonly VoteRow[]
  } {
    const approvals = [...this.#touchedApprovals].flatMap((index) => {
      const approval = this.#approvals.get(index)
      return approval ? [approvalRow(index, approval, statusOf(approval))] : []
    })
    return {
      calls: [...this.#touchedCalls.values()],
      outcomes: [...this.#outcomes.values()],
      approvals,
      votes: this.#votes,
    }
  }
}

function callKey(agent: string, callId: string): string {
  return `${agent}\n${callId}`
}

function approvalRow(index: number, approval: Approval, status: string): ApprovalRow {
  return {
    decision: index,
    agent: approval.agent,
    action: approval.action,
    policy_sha256: approval.policy.sha256,
    terms: JSON.stringify(approval.terms),
    opened_at: instantText(approval.openedAt),
    expires_at: instantText(approval.expiresAt),
    consumed_by: approval.consumedBy === undefined ? null : Number(approval.consumedBy.slice('dec_'.length)),
    status,
  }
}
