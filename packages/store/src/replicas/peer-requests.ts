import {
  Fault,
  parseCall,
  type DecisionAnswer,
  type FaultCode,
  type JsonObject,
  type LookupResult,
  type Outcome,
  type ParsedCall,
} from '@bailiwick/core'
import type { Digests } from '../log/digests.ts'
import type { Operation } from '../log/sequencer.ts'
import { cancelOperation, type CancelRequest } from '../operations/cancel.ts'
import { decideOperation, type DecideSettings } from '../operations/decide.ts'
import type { Asking } from '../operations/from-session.ts'
import { expiryOperation } from '../operations/expiry.ts'
import { regather, type Gathered } from '../operations/gather.ts'
import { noteOperation, type NoteBody } from '../operations/note.ts'
import { outcomeOperation } from '../operations/outcome.ts'
import { remindOperation } from '../operations/remind.ts'
import { voteOperation, type VoteRequest } from '../operations/vote.ts'
import type { PolicySet } from '../policies.ts'

/** A call that another process is asked to decide, with what was gathered for it. */
interface DecideRequest {
  readonly kind: 'decide'
  readonly call: {
    readonly agent: string
    readonly action: string
    readonly callId?: string | undefined
    readonly approvalId?: string | undefined
    readonly session?: string | undefined
    readonly callback?: string | undefined
  }
  readonly supports: readonly string[]
  /** Null where the call is malformed. */
  readonly payload: { readonly context: JsonObject; readonly params: JsonObject } | null
  readonly malformed?: string | undefined
  /** The SHA-256 of the policy that it was gathered for; null where the agent has none. */
  readonly policy: string | null
  readonly env?: string | undefined
  readonly lookups?: readonly (readonly [string, LookupResult])[] | undefined
}

/** An operation as one process asks another for it: what was asked, and not how it is done. */
export type PeerRequest =
  | DecideRequest
  | { readonly kind: 'outcome'; readonly agent: string; readonly id: string; readonly outcome: Outcome }
  | { readonly kind: 'vote'; readonly id: string; readonly voter: Asking; readonly request: VoteRequest }
  | { readonly kind: 'note'; readonly body: NoteBody; readonly payload?: string | undefined }
  | { readonly kind: 'expiry'; readonly index: number }
  | { readonly kind: 'remind'; readonly index: number }
  | { readonly kind: 'cancel'; readonly id: string; readonly request: CancelRequest }

/** Raised with every change of what is sent: processes of different versions send each other nothing. */
export const peerVersion = 4

/** Why the sequencer did not take an operation. Nothing of it was recorded, for certain. */
export type PeerRefusal = 'other_policy' | 'unreadable'

/** What became of one operation. */
export type PeerAnswer =
  | { readonly kind: 'answer'; readonly answer: unknown }
  | { readonly kind: 'refused'; readonly why: PeerRefusal }
  | {
      readonly kind: 'fault'
      readonly code: FaultCode
      readonly message: string
      readonly fix: string
      readonly recorded?: 'no' | 'unknown' | undefined
    }

/** An operation that can also be asked of another process. */
export interface Forwardable<Answer> {
  /** The request as JSON. */
  readonly text: string
  /** For a decision: the SHA-256 of its policy, or null where the agent has none. */
  readonly policy?: string | null
  /** The answer, from what came over the wire. */
  answer(json: unknown): Answer
}

/** A decision as it is asked of another process. The link to an approval is this process's own. */
export function forwardableDecision(
  parsed: ParsedCall,
  gathered: Gathered,
  settings: DecideSettings,
): Forwardable<DecisionAnswer> {
  const { agent, action, callId, approvalId, session } = parsed.call
  const { policy, env, lookups } = gathered
  const sha256 = policy?.ref.sha256 ?? null
  const request: Omit<DecideRequest, 'payload'> = {
    kind: 'decide',
    call: { agent, action, callId, approvalId, session, callback: parsed.callback },
    supports: parsed.supports,
    malformed: parsed.malformed,
    policy: sha256,
    env,
    lookups: lookups === undefined ? undefined : [...lookups],
  }
  return {
    policy: sha256,
    // The payload is JSON already.
    text: `${JSON.stringify(request).slice(0, -1)},"payload":${parsed.payload}}`,
    answer: (json) => {
      const answer = json as DecisionAnswer
      const { approval } = answer
      return approval === undefined
        ? answer
        : { ...answer, approval: { ...approval, url: settings.approvalUrl(approval.id) } }
    },
  }
}

/** Any other operation as it is asked of another process: its answer is plain JSON. */
export function forwardable<Answer>(request: PeerRequest): Forwardable<Answer> {
  return { text: JSON.stringify(request), answer: (json) => json as Answer }
}

/** By what a process decides. */
export interface Deciding {
  readonly policies: PolicySet
  readonly settings: DecideSettings
  /** Of the ledger, so the same in every process. */
  readonly digests: Digests
}

/**
 * The operation that another process asks for; a refusal where this one would decide by another policy.
 *
 * @throws Fault, or anything else for what is no request: nothing was recorded
 */
export function requestedOperation(
  request: PeerRequest,
  { policies, settings, digests }: Deciding,
): Operation<unknown> | PeerRefusal {
  switch (request.kind) {
    case 'decide':
      return requestedDecision(request, { policies, settings, digests })
    case 'outcome':
      return outcomeOperation(request.agent, request.id, request.outcome)
    case 'vote':
      return voteOperation(request.id, request.voter, request.request)
    case 'note':
      return noteOperation(request.body, request.payload)
    case 'expiry':
      return expiryOperation(request.index)
    case 'remind':
      return remindOperation(request.index)
    case 'cancel':
      return cancelOperation(request.id, request.request)
    default:
      return 'unreadable'
  }
}

function requestedDecision(
  request: DecideRequest,
  { policies, settings, digests }: Deciding,
): Operation<unknown> | PeerRefusal {
  const { call, supports, payload, malformed, env, lookups } = request
  const policy = policies.for(call.agent)
  // Policies change one process after the other: the call is decided by the one that its process holds.
  if ((policy?.ref.sha256 ?? null) !== request.policy) return 'other_policy'
  if ((payload === null) !== (malformed !== undefined)) return 'unreadable'
  // Of a malformed call only that it is one is recorded.
  const parsed = parseCall(call.agent, { ...call, ...(payload ?? nothing), supports })
  const asked = malformed === undefined ? parsed : { ...parsed, payload: 'null', malformed }
  const found = lookups === undefined ? undefined : new Map(lookups)
  return decideOperation(asked, regather(policy, asked, env, found, digests), settings)
}

const nothing = { params: {}, context: {} }

/** What went wrong with an operation, as it is told to the process that asked for it. */
export function faultAnswer(error: unknown): PeerAnswer {
  if (!(error instanceof Fault)) {
    return {
      kind: 'fault',
      code: 'internal',
      message: 'the sequencer met an error that it did not expect',
      fix: 'Ask the operator to look at the log of the service that is the sequencer.',
      recorded: 'unknown',
    }
  }
  const { code, message, fix, recorded } = error
  return { kind: 'fault', code, message, fix, recorded }
}
