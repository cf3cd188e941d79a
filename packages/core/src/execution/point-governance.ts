import { Fault } from '../model/fault.ts'
import type { JsonObject } from '../model/json.ts'
import type { DecisionAnswer, DecisionRequest } from './answer.ts'
import { govern } from './govern.ts'
import type {
  Checked,
  CheckOptions,
  DecisionPoint,
  Governance,
  Governed,
  GovernOptions,
  GovernPorts,
  PermittedCall,
  Resumed,
  ResumeOptions,
} from './governance.ts'
import { resume } from './resume.ts'

/** Governs an agent's calls by a decision point, wherever that is: what `BailiwickClient` and `GovernanceEnforcer` share. */
export abstract class PointGovernance implements Governance {
  readonly #point: DecisionPoint
  readonly #ports: GovernPorts

  constructor(point: DecisionPoint, ports: GovernPorts) {
    this.#point = point
    this.#ports = ports
  }

  check(
    action: string,
    params: JsonObject,
    context?: JsonObject,
    options: CheckOptions = {},
  ): Promise<DecisionAnswer> {
    const { session, supports, callId } = options
    return this.#point.decide({ action, params, context, session, supports, callId })
  }

  checkAll(calls: readonly DecisionRequest[]): Promise<readonly Checked[]> {
    const point = this.#point
    return point.decideAll?.(calls) ?? Promise.all(calls.map((call) => checked(point.decide(call))))
  }

  govern<Result>(
    action: string,
    params: JsonObject,
    run: (call: PermittedCall) => Promise<Result> | Result,
    options: GovernOptions = {},
  ): Promise<Governed<Result>> {
    return govern(this.#point, this.#ports, { action, params, run, options })
  }

  resume<Result>(
    callId: string,
    run: (call: PermittedCall) => Promise<Result> | Result,
    options: ResumeOptions = {},
  ): Promise<Resumed<Result>> {
    return resume(this.#point, this.#ports, callId, run, options)
  }
}

async function checked(deciding: Promise<DecisionAnswer>): Promise<Checked> {
  try {
    return { kind: 'decided', decision: await deciding }
  } catch (error) {
    if (error instanceof Fault) return { kind: 'failed', fault: error }
    const fault = new Fault('internal', 'a call met an error that nobody expected', {
      fix: 'Please report this with the policy and the call that led here.',
      cause: error,
      recorded: 'unknown',
    })
    return { kind: 'failed', fault }
  }
}
