import type { Outcome } from '../model/call.ts'
import { parseProofBundle, type ProofBundle } from '../audit/proof-bundle.ts'
import { canonicalJsonOfPresent } from '../model/canonical-json.ts'
import { Fault } from '../model/fault.ts'
import type { ApprovalId, DecisionId } from '../model/ids.ts'
import type { ApprovalView, CallView, DecisionAnswer, DecisionRequest } from './answer.ts'
import { callText, callTextOrFault, groupsForRequests } from './call-texts.ts'
import { systemPorts } from './edge-ports.ts'
import type { Checked, DecisionPoint, GovernPorts } from './governance.ts'
import { PointGovernance } from './point-governance.ts'
import { problemFault, unreachableFault } from './service-faults.ts'

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
export class BailiwickClient extends PointGovernance {
  readonly #service: HttpDecisionPoint

  constructor(options: BailiwickClientOptions) {
    const service = new HttpDecisionPoint(options)
    super(service, options.ports ?? systemPorts)
    this.#service = service
  }

  /**
   * Proof, to be checked offline with `verifyProofBundle`, that one of the agent's decisions is in the log. Its payload
   * is withheld. The service's word until it has been checked.
   *
   * @throws Fault `not_found` for what is no decision of the agent's
   */
  async prove(decision: string): Promise<ProofBundle> {
    return parseProofBundle(JSON.stringify(await this.#service.proof(decision)))
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
    return await this.#post('/v1/decisions', callText(request))
  }

  // Requests follow one another, so that the calls are decided in their order.
  async decideAll(calls: readonly DecisionRequest[]): Promise<Checked[]> {
    const texts = calls.map(callTextOrFault)
    const checked = texts.map((text): Checked =>
      text instanceof Fault ? { kind: 'failed', fault: text } : unanswered(),
    )
    for (const places of groupsForRequests(texts)) {
      const answers = await this.#decideGroup(places.map((place) => String(texts[place])))
      for (const [at, place] of places.entries()) checked[place] = answers[at] ?? unanswered()
    }
    return checked
  }

  async #decideGroup(texts: readonly string[]): Promise<readonly Checked[]> {
    try {
      const path = '/v1/decisions/batch'
      const { decisions } = await this.#post<{ decisions?: unknown }>(path, `{"calls":[${texts.join()}]}`)
      return Array.isArray(decisions) ? decisions.map(checkedOf) : texts.map(unanswered)
    } catch (fault) {
      if (!(fault instanceof Fault)) throw fault
      return texts.map(() => ({ kind: 'failed', fault }))
    }
  }

  approval(id: ApprovalId, waitSeconds: number): Promise<ApprovalView> {
    const path = `/v1/approvals/${encodeURIComponent(id)}?wait=${waitSeconds}`
    return this.#send('GET', path, undefined, this.#timeoutMs + waitSeconds * 1000)
  }

  call(callId: string): Promise<CallView> {
    return this.#send('GET', `/v1/calls/${encodeURIComponent(callId)}`, undefined, this.#timeoutMs)
  }

  proof(id: string): Promise<unknown> {
    return this.#send('GET', `/v1/log/proof/${encodeURIComponent(id)}`, undefined, this.#timeoutMs)
  }

  async reportOutcome(id: DecisionId, outcome: Outcome): Promise<void> {
    await this.#post(`/v1/decisions/${encodeURIComponent(id)}/outcome`, canonicalJsonOfPresent(outcome))
  }

  #post<Answer>(path: string, body: string): Promise<Answer> {
    return this.#send('POST', path, body, this.#timeoutMs)
  }

  async #send<Answer>(
    method: 'GET' | 'POST',
    path: string,
    body: string | undefined,
    timeoutMs: number,
  ): Promise<Answer> {
    const records = method === 'POST'
    let response: Response
    let text: string
    try {
      response = await this.#fetch(this.#base + path, {
        method,
        redirect: 'error',
        headers: { authorization: `Bearer ${this.#key}`, 'content-type': 'application/json' },
        signal: AbortSignal.timeout(timeoutMs),
        ...(body === undefined ? {} : { body }),
      })
      text = await response.text()
    } catch (cause) {
      throw unreachableFault(this.#base, cause, records)
    }
    const answer = parsed(text)
    if (response.ok && typeof answer === 'object' && answer !== null) return answer as Answer
    throw problemFault(response.status, answer, records)
  }
}

function checkedOf(answer: unknown): Checked {
  if (typeof answer !== 'object' || answer === null) return unanswered()
  if ('effect' in answer) return { kind: 'decided', decision: answer as DecisionAnswer }
  const status = 'status' in answer ? Number(answer.status) : 500
  return { kind: 'failed', fault: problemFault(status, answer, true) }
}

// A service that answers and leaves a call out has perhaps decided it.
function unanswered(): Checked {
  return { kind: 'failed', fault: problemFault(200, undefined, true) }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
