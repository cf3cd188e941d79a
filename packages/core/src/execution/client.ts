import type { Outcome } from '../model/call.ts'
import { parseProofBundle, type ProofBundle } from '../audit/proof-bundle.ts'
import { canonicalJsonOfPresent, frozenCopy } from '../model/canonical-json.ts'
import { Fault, type FaultCode } from '../model/fault.ts'
import type { JsonObject } from '../model/json.ts'
import type { ApprovalId, DecisionId } from '../model/ids.ts'
import type { ApprovalView, DecisionAnswer, DecisionRequest } from './answer.ts'
import { systemPorts } from './edge-ports.ts'
import { govern } from './govern.ts'
import type {
  DecisionPoint,
  Governance,
  Governed,
  GovernOptions,
  GovernPorts,
  PermittedCall,
} from './governance.ts'

/** Where the service is, and who the agent is. */
export interface BailiwickClientOptions {
  /** The service's address, such as `http://127.0.0.1:7420`. */
  readonly url: string
  /** The agent's API key, from `bailiwick keys create --agent ID`. */
  readonly key: string
  /** How long to wait for an answer that needs no person, in milliseconds. Default 10,000. */
  readonly timeoutMs?: number | undefined
  readonly fetch?: typeof globalThis.fetch | undefined
  readonly ports?: GovernPorts | undefined
}

/**
 * Governs an agent's calls through a Bailiwick service over HTTP. The same interface as
 * `GovernanceEnforcer`, which does it in one process with the log.
 *
 * A service that cannot be reached is a `Fault`, and a call that meets a fault does not run.
 */
export class BailiwickClient implements Governance {
  readonly #point: HttpDecisionPoint
  readonly #ports: GovernPorts

  constructor(options: BailiwickClientOptions) {
    this.#point = new HttpDecisionPoint(options)
    this.#ports = options.ports ?? systemPorts
  }

  check(action: string, params: JsonObject, context?: JsonObject): Promise<DecisionAnswer> {
    return this.#point.decide({ action, params, context })
  }

  govern<Result>(
    action: string,
    params: JsonObject,
    run: (call: PermittedCall) => Promise<Result> | Result,
    options: GovernOptions = {},
  ): Promise<Governed<Result>> {
    return govern(this.#point, this.#ports, { action, params, run, options })
  }

  /**
   * Proof, to be checked offline with `verifyProofBundle`, that one of the agent's decisions is in the log. Its payload
   * is withheld. The service's word until it has been checked.
   *
   * @throws Fault `not_found` for what is no decision of the agent's
   */
  async prove(decision: string): Promise<ProofBundle> {
    return parseProofBundle(JSON.stringify(await this.#point.proof(decision)))
  }
}

class HttpDecisionPoint implements DecisionPoint {
  readonly #base: string
  readonly #key: string
  readonly #timeoutMs: number
  readonly #fetch: typeof globalThis.fetch

  constructor(options: BailiwickClientOptions) {
    this.#base = options.url.replace(/\/+$/, '')
    this.#key = options.key
    this.#timeoutMs = options.timeoutMs ?? 10_000
    this.#fetch = options.fetch ?? globalThis.fetch
  }

  // Not tried again when the reply is lost: the first try may have used up an approval or opened one.
  async decide(request: DecisionRequest): Promise<DecisionAnswer> {
    // Refused here and not mended: a member that is undefined would be left out on the way, and another call
    // decided than the caller made.
    const params = frozenCopy(request.params)
    const context = request.context === undefined ? undefined : frozenCopy(request.context)
    return await this.#send('POST', '/v1/decisions', { ...request, params, context }, this.#timeoutMs)
  }

  approval(id: ApprovalId, waitSeconds: number): Promise<ApprovalView> {
    const path = `/v1/approvals/${encodeURIComponent(id)}?wait=${waitSeconds}`
    return this.#send('GET', path, undefined, this.#timeoutMs + waitSeconds * 1000)
  }

  proof(id: string): Promise<unknown> {
    return this.#send('GET', `/v1/log/proof/${encodeURIComponent(id)}`, undefined, this.#timeoutMs)
  }

  async reportOutcome(id: DecisionId, outcome: Outcome): Promise<void> {
    await this.#send('POST', `/v1/decisions/${encodeURIComponent(id)}/outcome`, outcome, this.#timeoutMs)
  }

  async #send<Answer>(
    method: string,
    path: string,
    body: object | undefined,
    timeoutMs: number,
  ): Promise<Answer> {
    // Canonical, because JSON.stringify writes NaN as null: another call than the caller's would be decided.
    const sent = body === undefined ? {} : { body: canonicalJsonOfPresent(body) }
    let response: Response
    let text: string
    try {
      response = await this.#fetch(this.#base + path, {
        method,
        redirect: 'error',
        headers: { authorization: `Bearer ${this.#key}`, 'content-type': 'application/json' },
        signal: AbortSignal.timeout(timeoutMs),
        ...sent,
      })
      text = await response.text()
    } catch (cause) {
      throw new Fault('service_unreachable', `no answer from the Bailiwick service at \`${this.#base}\``, {
        fix: 'Check that the service runs and that the address is right; the call was not run.',
        cause,
      })
    }
    const answer = parsed(text)
    if (response.ok && answer !== undefined) return answer as Answer
    throw problemFault(response.status, answer)
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const codes: ReadonlySet<string> = new Set<FaultCode>([
  'bad_input',
  'malformed_call',
  'not_authenticated',
  'not_permitted',
  'not_found',
  'erased',
  'conflict',
  'call_id_reused',
  'approval_closed',
  'already_voted',
  'too_large',
  'store_unavailable',
  'store_busy',
  'log_broken',
])

function problemFault(status: number, answer: unknown): Fault {
  const problem = (typeof answer === 'object' && answer !== null ? answer : {}) as Record<string, unknown>
  const type =
    typeof problem['type'] === 'string' ? problem['type'].replace('urn:bailiwick:problem:', '') : ''
  const code = codes.has(type) ? (type as FaultCode) : status >= 502 ? 'service_unreachable' : 'internal'
  const detail = typeof problem['detail'] === 'string' ? problem['detail'] : `the service answered ${status}`
  const fix = typeof problem['fix'] === 'string' ? problem['fix'] : 'Look at the log of the service.'
  return new Fault(code, detail, { fix })
}
