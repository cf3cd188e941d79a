import { frozenCopy } from '../model/canonical-json.ts'
import { Fault } from '../model/fault.ts'
import type { JsonObject } from '../model/json.ts'
import type { DecisionId } from '../model/ids.ts'
import type { Outcome } from '../model/call.ts'
import { commentLengthMax } from '../model/limits.ts'
import type { ApprovalView, DecisionAnswer } from './answer.ts'
import type { DecisionPoint, Governed, GovernOptions, GovernPorts, PermittedCall } from './governance.ts'
import { redacted } from './redact.ts'

const pollSeconds = 30
const retryMsFirst = 250
const retryMsMax = 5_000
/** How long after a deadline a wait still tries to hear what became of the approval. */
const deadlineGraceMs = 60_000
const outcomeAttempts = 5
/** The obligations that `govern` carries out itself. */
const supports = ['redact'] as const

/** What `govern` is told about one call. */
export interface GovernedCall<Result> {
  readonly action: string
  readonly params: JsonObject
  readonly run: (call: PermittedCall) => Promise<Result> | Result
  readonly options: GovernOptions
}

/**
 * The enforcement point's straight line of effects, the same for every decision point.
 *
 * Crash anywhere before `run`: nothing ran, and the log has at most a decision without an outcome.
 * Crash during or after `run`: the log has the decision, and the missing outcome means *unknown*; the
 * same call id is answered with `ran_before` and not run again.
 */
export async function govern<Result>(
  point: DecisionPoint,
  ports: GovernPorts,
  call: GovernedCall<Result>,
): Promise<Governed<Result>> {
  const params = plainParams(call.params)
  const request = {
    action: call.action,
    params,
    context: call.options.context,
    callId: call.options.callId ?? ports.newCallId(),
    session: call.options.session,
    supports,
    callback: call.options.callback,
  }
  let decision = await point.decide(request)

  // A person's yes is not a permission. The call is decided again with the approval as a fact, and
  // the approval is used up in the transaction that records the new decision.
  while (decision.effect === 'escalate' && decision.approval !== undefined) {
    const approval = await settledApproval(point, ports, decision.approval, call.options.signal)
    if (approval.status === 'consumed' && decision.replayed === true) return await ranBefore(point, request)
    if (approval.status !== 'approved') return { kind: 'withheld', decision, approval: approval.status }
    const next = await point.decide({ ...request, approvalId: approval.id })
    if (next.effect === 'deny') return { kind: 'withheld', decision: next, approval: approval.status }
    decision = next
  }

  if (decision.effect !== 'allow') return { kind: 'withheld', decision }
  if (decision.replayed === true) return before(decision)
  return await runOnce(point, ports, decision, params, call.run)
}

// Malformed parameters go on as they are, so that the decision point denies and records them.
function plainParams(params: JsonObject): JsonObject {
  try {
    return frozenCopy(params)
  } catch (fault) {
    if (fault instanceof Fault && fault.code === 'malformed_call') return params
    throw fault
  }
}

function before(decision: DecisionAnswer): Governed<never> {
  return { kind: 'ran_before', decision, outcome: decision.outcome?.status ?? 'unknown' }
}

// Somebody else with this call id used the approval while this process waited for it.
async function ranBefore(
  point: DecisionPoint,
  request: Parameters<DecisionPoint['decide']>[0],
): Promise<Governed<never>> {
  return before(await point.decide(request))
}

async function settledApproval(
  point: DecisionPoint,
  ports: GovernPorts,
  { id, deadline: deadlineText }: NonNullable<DecisionAnswer['approval']>,
  signal: AbortSignal | undefined,
): Promise<ApprovalView> {
  const deadline = Date.parse(deadlineText)
  let retryMs = retryMsFirst
  for (;;) {
    signal?.throwIfAborted()
    try {
      const approval = await unlessAborted(point.approval(id, pollSeconds), signal)
      if (approval.status !== 'pending') return approval
      retryMs = retryMsFirst
    } catch (fault) {
      // The wait is durable, the connection is not: a service that restarts still has the approval.
      if (!isPassing(fault) || ports.now() > deadline + deadlineGraceMs) throw fault
      await ports.sleep(retryMs, signal)
      retryMs = Math.min(retryMs * 2, retryMsMax)
    }
  }
}

// Whoever gave up waiting must not find that the call ran all the same, because a person agreed later.
async function unlessAborted<Value>(
  waiting: Promise<Value>,
  signal: AbortSignal | undefined,
): Promise<Value> {
  if (signal === undefined) return await waiting
  let abort = (): void => undefined
  const aborted = new Promise<void>((resolve) => {
    abort = resolve
    signal.addEventListener('abort', abort, { once: true })
  })
  try {
    await Promise.race([waiting, aborted])
    signal.throwIfAborted()
    return await waiting
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

function isPassing(fault: unknown): boolean {
  if (!(fault instanceof Fault)) return false
  return (
    fault.code === 'service_unreachable' || fault.code === 'store_unavailable' || fault.code === 'store_busy'
  )
}

async function runOnce<Result>(
  point: DecisionPoint,
  ports: GovernPorts,
  decision: DecisionAnswer,
  params: JsonObject,
  run: (call: PermittedCall) => Promise<Result> | Result,
): Promise<Governed<Result>> {
  let result: Result
  try {
    result = await run({ decision, params })
  } catch (error) {
    await recordOutcome(point, ports, decision.id, { status: 'failed', detail: failureText(error) })
    throw error
  }
  const outcomeRecorded = await recordOutcome(point, ports, decision.id, { status: 'succeeded' })
  const shown = redacted(result, decision.obligations ?? []) as Result
  return { kind: 'ran', result: shown, decision, outcomeRecorded }
}

// Anything can be thrown. What cannot be recorded as text must not keep the outcome from being recorded; cutting
// may also halve a surrogate pair.
function failureText(error: unknown): string {
  const thrown = error instanceof Error ? error.message : error
  const text = typeof thrown === 'string' ? thrown : `threw ${typeof thrown}`
  return text.slice(0, commentLengthMax).replace(/\p{Surrogate}/gu, '\u{FFFD}')
}

// The action has run: failing now would make the caller think it had not. What cannot be recorded is
// said, and the log shows the decision without an outcome, which means unknown.
async function recordOutcome(
  point: DecisionPoint,
  ports: GovernPorts,
  id: DecisionId,
  outcome: Outcome,
): Promise<boolean> {
  for (let attempt = 0; attempt < outcomeAttempts; attempt++) {
    try {
      await point.reportOutcome(id, outcome)
      return true
    } catch (fault) {
      if (!isPassing(fault)) return false
      await ports.sleep(Math.min(retryMsFirst * 2 ** attempt, retryMsMax))
    }
  }
  return false
}
