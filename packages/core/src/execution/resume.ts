import { Fault } from '../model/fault.ts'
import type { JsonObject } from '../model/json.ts'
import type { CallView } from './answer.ts'
import { govern } from './govern.ts'
import type { DecisionPoint, GovernPorts, PermittedCall, Resumed, ResumeOptions } from './governance.ts'

/**
 * Goes on with a call from what is recorded of it, wherever the process that made it stopped. Whatever `govern` does from
 * there is the same as if it had never stopped: the call id ties it to one run.
 *
 * @throws Fault `not_found` where nothing was recorded under the call id: then nothing ran, and the call can be made anew
 *   under it; `erased` where its params are gone, so that it cannot run
 */
export async function resume<Result>(
  point: DecisionPoint,
  ports: GovernPorts,
  callId: string,
  run: (call: PermittedCall) => Promise<Result> | Result,
  options: ResumeOptions,
): Promise<Resumed<Result>> {
  const call = await point.call(callId)
  const { decision, approval } = call
  if (decision.effect === 'deny') return { kind: 'withheld', decision }
  if (decision.effect === 'allow') {
    return { kind: 'ran_before', decision, outcome: decision.outcome?.status ?? 'unknown' }
  }
  if (options.wait === false && approval?.status === 'pending') {
    return { kind: 'pending', decision, approval, retryAt: approval.retryAt ?? approval.deadline }
  }
  const { params, context } = recordedCall(call)
  const { session } = decision
  const { signal } = options
  return await govern(point, ports, {
    action: decision.action,
    params,
    run,
    options: { context, session, callId, signal },
  })
}

function recordedCall({ callId, decision }: CallView): {
  readonly params: JsonObject
  readonly context: JsonObject
} {
  const { params, context, sealed } = decision
  if (isObject(params) && isObject(context)) return { params, context }
  if (sealed === true) {
    throw new Fault(
      'payload_key_missing',
      `the params of the call \`${callId}\` are sealed, and the service cannot open them`,
      {
        fix: 'Give the service its payload key, then try again; where it has it, run `bailiwick log verify`.',
      },
    )
  }
  throw new Fault('erased', `the params of the call \`${callId}\` have been erased`, {
    fix: 'It cannot run any more; make a new call, under a new id.',
  })
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
