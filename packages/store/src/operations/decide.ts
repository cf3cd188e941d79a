import {
  approvalId,
  approvalStatus,
  canonicalJson,
  commitPayload,
  decideCall,
  decisionId,
  Fault,
  indexOfId,
  openedApproval,
  principalsIn,
  instantText,
  retryAt,
  type Approval,
  type ApprovalFact,
  type ApprovalRefusal,
  type CompiledPolicy,
  type Decision,
  type DecisionAnswer,
  type DecisionRecord,
  type Instant,
  type ParsedCall,
  type RecordBody,
  type ToolCall,
} from '@bailiwick/core'
import type { AdmittingKey } from '../log/admission.ts'
import type { Fold } from '../log/fold.ts'
import { noNeeds, type KnownDecision, type Needs } from '../log/needs.ts'
import { decimalOf } from '../log/decimal.ts'
import type { Applied, Operation, Place } from '../log/operation.ts'
import { factsFor, payloadOf } from './decide-facts.ts'
import { opening } from '../log/opened-approval.ts'
import type { Gathered } from './gather.ts'
import { isUnderSamePolicy } from './same-policy.ts'
import { standingFact } from './standing.ts'

/** What answering needs beside the record. */
export interface DecideSettings {
  /** Where people open an approval. */
  approvalUrl(id: string): string
}

/**
 * The operation that decides one call, records the decision, opens or uses up an approval, takes from
 * counters, marks the session, and ties the call id to its answer: all of it in one transaction.
 */
export function decideOperation(
  parsed: ParsedCall,
  gathered: Gathered,
  settings: DecideSettings,
  key?: AdmittingKey,
): Operation<DecisionAnswer> {
  const { call } = parsed
  const approvalIndex = call.approvalId === undefined ? undefined : indexOfId('apr', call.approvalId)
  return {
    needs: needsFor(call, approvalIndex, gathered),
    key,
    apply: (fold, place) => {
      const before = call.callId === undefined ? undefined : fold.call(call.agent, call.callId)
      if (before) refuseOtherCall(before, parsed)
      if (call.callId !== undefined) refuseArchivedCall(fold, call.agent, call.callId)
      if (before && call.approvalId === undefined)
        return { answer: replayed(before, settings, fold, place.at) }
      return decideAnew({ parsed, gathered, approvalIndex }, fold, place, settings)
    },
  }
}

function needsFor(
  call: ToolCall,
  approvalIndex: number | undefined,
  { counters, session, standing, subjects }: Gathered,
): Needs {
  const wantsSession = session && call.session !== undefined
  const isOfNobody = subjects.length === 0
  if (
    call.callId === undefined &&
    approvalIndex === undefined &&
    counters.length === 0 &&
    !wantsSession &&
    isOfNobody
  ) {
    return standing ? grantsNeeded : noNeeds
  }
  return {
    ...(isOfNobody ? {} : { subjects }),
    ...(standing ? grantsNeeded : {}),
    ...(call.callId === undefined ? {} : { calls: [{ agent: call.agent, callId: call.callId }] }),
    ...(approvalIndex === undefined ? {} : { approvals: [approvalIndex] }),
    ...(counters.length === 0
      ? {}
      : { counters: counters.map(({ digest, window }) => ({ key: digest, window })) }),
    ...(wantsSession ? { session: call.session } : {}),
  }
}

const grantsNeeded: Needs = Object.freeze({ grants: true })

/** A call with all that is known of it before it has its place. */
interface Asked {
  readonly parsed: ParsedCall
  readonly gathered: Gathered
  readonly approvalIndex: number | undefined
}

function decideAnew(
  asked: Asked,
  fold: Fold,
  place: Place,
  settings: DecideSettings,
): Applied<DecisionAnswer> {
  const { parsed, gathered, approvalIndex } = asked
  const { call } = parsed
  const { policy } = gathered
  const claimed = approvalIndex === undefined ? undefined : fold.approval(approvalIndex)
  const approval = approvalClaim(call, policy, claimed, approvalIndex, fold, place.at)
  const known = factsFor(asked, fold, place, approval)
  const judged = decideCall(policy, parsed, known)
  // What a standing grant covers is decided again, with the grant as a fact.
  const standing =
    judged.effect === 'escalate' && gathered.standing ? standingFact(asked, judged, fold, place) : undefined
  const facts = standing === undefined ? known : { ...known, standing }
  const decision = standing === undefined ? judged : decideCall(policy, parsed, facts)
  const body = decisionBody(call, policy, decision, place)
  return {
    body,
    payload: payloadOf(parsed, facts, decision),
    seal: gathered.subjects.length === 0 ? undefined : { subjects: gathered.subjects },
    answer: answerOf(body, place.index, settings, { openedAt: place.at, now: place.at }),
    staged: isFolded(call, decision, gathered)
      ? (record, payload) => {
          // Only what opens an approval or stands for a call id can be asked for in the same batch.
          if (call.callId !== undefined || decision.effect === 'escalate') {
            fold.addDecision({ record: record as DecisionRecord, payload, outcome: null })
          }
          const folding = { place, claimed, approvalIndex }
          foldDecision(fold, call, decision, record as DecisionRecord, folding)
          foldUses(fold, call, decision, gathered, place)
          fold.concern(place.index, gathered.subjects)
        }
      : undefined,
  }
}

/** Whether anything is folded from the decision: nothing is from most, and that is soon told. */
function isFolded(call: ToolCall, decision: Decision, { subjects }: Gathered): boolean {
  if (subjects.length > 0 || call.callId !== undefined || decision.effect === 'escalate') return true
  if (decision.effect === 'deny') return false
  if (decision.standing !== undefined) return true
  return decision.consumesApproval || decision.consumes.length > 0 || decision.leaves !== undefined
}

function foldUses(fold: Fold, call: ToolCall, decision: Decision, gathered: Gathered, place: Place): void {
  if (decision.effect !== 'allow') return
  for (const { key, counter, amount, windowMs, releasable } of decision.consumes) {
    fold.counters.consume({
      decision: place.index,
      key: gathered.counters.find((wanted) => wanted.key === key)?.digest ?? gathered.digests.counter(key),
      counter,
      at: place.at,
      amount: decimalOf(amount),
      windowMs,
      releasable,
    })
  }
  if (decision.leaves === undefined || call.session === undefined) return
  const { action, labels } = decision.leaves
  fold.mark({ session: call.session, kind: 'action', value: action }, place.index)
  for (const label of labels) fold.mark({ session: call.session, kind: 'label', value: label }, place.index)
}

function approvalClaim(
  call: ToolCall,
  policy: CompiledPolicy | undefined,
  approval: Approval | undefined,
  index: number | undefined,
  fold: Fold,
  at: Instant,
): ApprovalFact | undefined {
  if (call.approvalId === undefined) return undefined
  const refused = (why: ApprovalRefusal): ApprovalFact => ({
    kind: 'refused',
    id: call.approvalId as never,
    why,
  })
  if (approval === undefined || index === undefined) return refused('unknown')
  // An agent learns nothing of approvals that are not its own.
  if (approval.agent !== call.agent) return refused('unknown')
  const opened = fold.decision(index)
  if (!opened || approval.action !== call.action) return refused('other_call')
  if (opened.payload === null) return refused('gone')
  if (!sameParams(opened, call)) return refused('other_call')
  if (!isUnderSamePolicy(approval, policy)) return refused('other_policy')
  const status = approvalStatus(approval, fold.latest(at))
  if (status !== 'approved') return refused(status)
  // Nobody has agreed to what is now done for them: the host may name somebody else than when it was opened.
  const behind = principalsIn(canonicalJson({ context: call.context }))
  if (approval.votes.some((vote) => behind.includes(vote.person) || behind.includes(vote.for ?? '')))
    return refused('other_call')
  // A call id that has been allowed has had its run: another approval is for another call.
  const before = call.callId === undefined ? undefined : fold.call(call.agent, call.callId)
  if (before?.record.effect === 'allow') return refused('other_call')
  return { kind: 'granted', id: approval.id, routes: approval.terms.routes }
}

// Compared as canonical JSON: key order and the spelling of numbers make no other call of it. The payload
// must be the one that the record commits to, or somebody has put other parameters under an approval.
function sameParams(known: KnownDecision, call: ToolCall): boolean {
  if (known.payload === null) return false
  if (commitPayload(known.payload.salt, known.payload.stored) !== known.record.payload) return false
  const { params } = (JSON.parse(known.payload.body) ?? {}) as { params?: unknown }
  return params !== undefined && canonicalJson(params as never) === canonicalJson(call.params)
}

function refuseOtherCall(before: KnownDecision, parsed: ParsedCall): void {
  const { call } = parsed
  const same =
    before.record.action === call.action &&
    (parsed.malformed === undefined ? sameParams(before, call) : before.record.code === 'malformed_call')
  if (same) return
  const what = before.payload === null ? 'a call whose params are not there any more' : 'another call'
  throw new Fault('call_id_reused', `the call id \`${call.callId ?? ''}\` was used for ${what}`, {
    fix: 'Use a new call id for a new call; a retry must repeat action and params exactly.',
  })
}

// What was decided under it cannot be compared any more, and may have run: nothing runs under it again.
function refuseArchivedCall(fold: Fold, agent: string, callId: string): void {
  const index = fold.archivedCall(agent, callId)
  if (index === undefined) return
  throw new Fault(
    'call_id_reused',
    `the call id \`${callId}\` was used for ${decisionId(index)}, which has been archived`,
    {
      fix: 'Look at that decision and its outcome; use a new call id for a new call.',
    },
  )
}

/** The record of a decision, as far as its author knows it. */
export function decisionBody(
  call: ToolCall,
  policy: CompiledPolicy | undefined,
  decision: Decision,
  place: Place,
): RecordBody & { kind: 'decision' } {
  const opens =
    decision.effect === 'escalate' ? opening(approvalId(place.index), decision.approval, place.at) : null
  const allow = decision.effect === 'allow' ? decision : undefined
  const labels = allow?.leaves?.labels
  return {
    kind: 'decision',
    id: decisionId(place.index),
    agent: call.agent,
    action: call.action,
    callId: call.callId ?? null,
    effect: decision.effect,
    code: decision.effect === 'deny' ? decision.code : null,
    reasons: decision.reasons,
    rules: decision.rules,
    policy: policy?.ref ?? null,
    opens,
    claims:
      call.approvalId === undefined
        ? null
        : { id: call.approvalId, consumed: allow?.consumesApproval === true },
    session: call.session,
    // Absent where there is nothing to say.
    consumes: allow === undefined || allow.consumes.length === 0 ? undefined : allow.consumes,
    labels: labels === undefined || labels.length === 0 ? undefined : labels,
    obligations: allow === undefined || allow.obligations.length === 0 ? undefined : allow.obligations,
    shadow: allow?.shadow,
    standing: allow?.standing,
  }
}

/** When an answer is given, and when its decision was made: for saying when to ask again for an approval that is pending. */
interface AnswerTimes {
  readonly openedAt: Instant
  readonly now: Instant
}

/** The answer that a recorded decision gives its caller. */
export function answerOf(
  record: Pick<
    DecisionRecord,
    'id' | 'effect' | 'reasons' | 'rules' | 'policy' | 'opens' | 'obligations' | 'shadow' | 'standing'
  >,
  index: number,
  settings: DecideSettings,
  times: AnswerTimes | undefined,
): DecisionAnswer {
  const { id, effect, reasons, rules, policy, opens, obligations, shadow, standing } = record
  const answer = { id, effect, reasons, rules, policy, record: { index } }
  // Most answers say no more.
  if (opens === null && obligations === undefined && shadow === undefined && standing === undefined)
    return answer
  return {
    ...answer,
    ...(opens === null ? {} : { approval: openedOf(opens, settings, times) }),
    ...(obligations === undefined ? {} : { obligations }),
    ...(shadow === undefined ? {} : { shadow }),
    ...(standing === undefined ? {} : { standing }),
  }
}

function openedOf(
  { id, deadline: deadlineText }: NonNullable<DecisionRecord['opens']>,
  settings: DecideSettings,
  times: AnswerTimes | undefined,
): NonNullable<DecisionAnswer['approval']> {
  const opened = { id, url: settings.approvalUrl(id), deadline: deadlineText }
  const deadline = Date.parse(deadlineText) as Instant
  if (times === undefined || times.now >= deadline) return opened
  return { ...opened, retryAt: instantText(retryAt(times.openedAt, deadline, times.now)) }
}

function replayed(known: KnownDecision, settings: DecideSettings, fold: Fold, now: Instant): DecisionAnswer {
  const { record, outcome } = known
  const opened = fold.approval(record.index)
  // What is over is not worth asking for again.
  const isPending = opened !== undefined && approvalStatus(opened, fold.latest(now)) === 'pending'
  const times = isPending ? { openedAt: opened.openedAt, now } : undefined
  return {
    ...answerOf(record, record.index, settings, times),
    replayed: true,
    outcome: outcome === null ? null : { status: outcome },
  }
}

interface Folding {
  readonly place: Place
  readonly claimed: Approval | undefined
  readonly approvalIndex: number | undefined
}

function foldDecision(
  fold: Fold,
  call: ToolCall,
  decision: Decision,
  record: DecisionRecord,
  folding: Folding,
): void {
  const { place, claimed, approvalIndex } = folding
  const consumes = decision.effect === 'allow' && decision.consumesApproval
  if (consumes && claimed && approvalIndex !== undefined) {
    fold.setApproval(approvalIndex, { ...claimed, consumedBy: record.id })
    fold.restOn(claimed.expiresAt)
  }
  const used = decision.effect === 'allow' ? decision.standing : undefined
  if (used !== undefined) fold.grants.use(indexOfId('grt', used.grant) ?? -1, place.index)
  if (decision.effect === 'escalate') {
    const opened = openedApproval(record)
    if (opened !== undefined) fold.setApproval(place.index, opened)
  }
  // A denied attempt to use an approval does not become the call's answer: the call may still have
  // run, or wait, under the decision that stands.
  const first = call.callId !== undefined && fold.call(call.agent, call.callId) === undefined
  if (call.callId !== undefined && (first || decision.effect !== 'deny')) {
    fold.setCall(call.agent, call.callId, place.index)
  }
}
