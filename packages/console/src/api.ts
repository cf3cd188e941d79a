import { createAccountApi } from './account-api.ts'
import type { AccountApi } from './account-api.ts'
import { createAccessApi } from './access-api.ts'
import type { AccessApi } from './access-api.ts'
import * as answers from './answers.ts'
import { explanation } from './explanation.ts'
import { createPasskeyApi } from './passkeys/api.ts'
import type { PasskeyApi } from './passkeys/api.ts'
import { Problem, problemFrom, unreachableProblem } from './problem.ts'
import { anyObject } from './shape.ts'
import { createSignInApi } from './sign-in-api.ts'
import type { SignInApi } from './sign-in-api.ts'
import { createVotingApi } from './voting-api.ts'
import type { VotingApi } from './voting-api.ts'
import type {
  Activity,
  Agent,
  Approval,
  ApprovalContext,
  ApprovalPage,
  ApprovalStatus,
  Decision,
  DecisionPage,
  ListedPolicy,
  PolicySource,
  Proof,
  Revealed,
  Session,
} from './answers.ts'
import type { Effect, Explanation } from './explanation.ts'
import type { Shape } from './shape.ts'

export type * from './answers.ts'
export type { Ballot, Cast, Delegation, Grant } from './voting-api.ts'
export type { DeterminingRule, Effect, Explanation } from './explanation.ts'

/** Which decisions to list; absent members do not filter. */
export interface DecisionFilter {
  readonly effect?: Effect
  /** Agents, actions and policies are matched by their whole name. */
  readonly agent?: string
  readonly action?: string
  readonly policy?: string
  /** RFC 3339. */
  readonly since?: string
  readonly until?: string
  /** Somewhere in names, ids, rules and reasons. */
  readonly text?: string
}

/** The requests this console makes. Each throws `Problem` or `ShapeMismatch` where no answer came. */
export interface Api {
  /** Null: nobody is signed in. */
  session(signal?: AbortSignal): Promise<Session | null>
  readonly signIn: SignInApi
  readonly account: AccountApi
  signOut(): Promise<void>
  /** Without params and context. */
  decisions(
    filter: DecisionFilter,
    before: number | null,
    limit: number,
    signal?: AbortSignal,
  ): Promise<DecisionPage>
  decision(id: string, signal?: AbortSignal): Promise<Decision>
  explanation(id: string, signal?: AbortSignal): Promise<Explanation>
  proof(id: string, signal?: AbortSignal): Promise<Proof>
  /** Shows one masked value; the service records who saw it and why. */
  reveal(decision: string, path: string, reason: string): Promise<Revealed>
  approvals(
    status: ApprovalStatus | null,
    before: number | null,
    limit: number,
    signal?: AbortSignal,
  ): Promise<ApprovalPage>
  approval(id: string, signal?: AbortSignal): Promise<Approval>
  approvalContext(id: string, signal?: AbortSignal): Promise<ApprovalContext>
  /** Voting, also in somebody's stead, and withdrawing. */
  readonly voting: VotingApi
  agents(signal?: AbortSignal): Promise<readonly Agent[]>
  activity(agent: string, signal?: AbortSignal): Promise<Activity>
  changeSuspension(agent: string, state: 'suspended' | 'active', reason: string): Promise<void>
  policies(signal?: AbortSignal): Promise<readonly ListedPolicy[]>
  policy(sha256: string, signal?: AbortSignal): Promise<PolicySource>
  /** The passkeys of who is signed in, and signing in with one. */
  readonly passkeys: PasskeyApi
  /** Who may use the service. */
  readonly access: AccessApi
  /** The service's clock in milliseconds: deadlines are kept by it, not by this device's. */
  serviceNow(): number
}

/** The service at this page's own origin. */
export function createApi(): Api {
  let clockOffsetMs = 0

  const request = async (method: string, path: string, options: RequestOptions = {}): Promise<unknown> => {
    const response = await send(method, path, options)
    clockOffsetMs = clockOffset(response) ?? clockOffsetMs
    const body: unknown = response.status === 204 ? null : await bodyOf(response)
    if (!response.ok) throw problemFrom(response.status, body)
    return body
  }
  const get = async <T>(shape: Shape<T>, path: string, signal?: AbortSignal): Promise<T> =>
    shape(await request('GET', path, { signal }), '')
  const post = (path: string, body: unknown): Promise<unknown> => request('POST', path, { body })

  return {
    session: (signal) => get(answers.session, '/v1/session', signal).catch(nullWhenSignedOut),
    account: createAccountApi((method, path, body, signal) => request(method, path, { body, signal })),
    signIn: createSignInApi((method, path, body, signal) => request(method, path, { body, signal })),
    signOut: async () => {
      await request('DELETE', '/v1/session')
    },
    decisions: (filter, before, limit, signal) =>
      get(answers.decisionPage, `/v1/decisions${query({ brief: 'true', limit, before, ...filter })}`, signal),
    decision: (id, signal) => get(answers.decision, pathOf`/v1/decisions/${id}`, signal),
    explanation: (id, signal) => get(explanation, pathOf`/v1/decisions/${id}/explanation`, signal),
    proof: async (id, signal) => {
      const body = await request('GET', pathOf`/v1/log/proof/${id}`, { signal })
      return { ...answers.proof(body, ''), bundle: JSON.stringify(body) }
    },
    reveal: async (id, path, reason) => {
      const body = await post(pathOf`/v1/decisions/${id}/reveal`, { path, reason })
      return { ...answers.revealed(body, ''), value: anyObject(body, '')['value'] }
    },
    approvals: (status, before, limit, signal) =>
      get(answers.approvalPage, `/v1/approvals${query({ status, limit, before })}`, signal),
    approval: (id, signal) => get(answers.approval, pathOf`/v1/approvals/${id}`, signal),
    approvalContext: (id, signal) =>
      get(answers.approvalContext, pathOf`/v1/approvals/${id}/context`, signal),
    voting: createVotingApi((method, path, body, signal) => request(method, path, { body, signal })),
    agents: async (signal) => (await get(answers.agentList, '/v1/agents', signal)).agents,
    activity: (agent, signal) => get(answers.activity, pathOf`/v1/agents/${agent}/activity`, signal),
    changeSuspension: async (agent, state, reason) => {
      await post(pathOf`/v1/agents/${agent}/suspension`, { state, reason })
    },
    policies: async (signal) => (await get(answers.policyList, '/v1/policies', signal)).policies,
    policy: (sha256, signal) => get(answers.policy, pathOf`/v1/policies/${sha256}`, signal),
    passkeys: createPasskeyApi(request),
    access: createAccessApi((method, path, body, signal) => request(method, path, { body, signal })),
    serviceNow: () => Date.now() + clockOffsetMs,
  }
}

/** A path whose variable parts are names of anybody's making. */
function pathOf(texts: TemplateStringsArray, ...names: readonly string[]): string {
  return texts.map((text, index) => text + encodeURIComponent(names[index] ?? '')).join('')
}

interface RequestOptions {
  readonly body?: unknown
  readonly signal?: AbortSignal | undefined
}

async function send(method: string, path: string, { body, signal }: RequestOptions): Promise<Response> {
  const headers: Record<string, string> = { accept: 'application/json' }
  if (body !== undefined) headers['content-type'] = 'application/json'
  try {
    return await fetch(path, {
      method,
      headers,
      credentials: 'same-origin',
      cache: 'no-store',
      body: body === undefined ? null : JSON.stringify(body),
      signal: signal ?? null,
    })
  } catch (thrown) {
    if (signal?.aborted === true) throw thrown
    throw unreachableProblem()
  }
}

async function bodyOf(response: Response): Promise<unknown> {
  const type = response.headers.get('content-type') ?? ''
  const isJson = /^application\/([a-z.-]+\+)?json\b/.test(type)
  // A proxy's HTML error page is no problem document; its status alone has to do.
  return isJson ? response.json() : null
}

/** How far the service's clock is ahead of this device's; the header counts whole seconds, so small differences mean nothing. */
function clockOffset(response: Response): number | null {
  const at = Date.parse(response.headers.get('date') ?? '')
  if (Number.isNaN(at)) return null
  const offset = at + 500 - Date.now()
  return Math.abs(offset) > 2000 ? offset : 0
}

function nullWhenSignedOut(thrown: unknown): null {
  if (thrown instanceof Problem && thrown.status === 401) return null
  throw thrown
}

function query(members: Readonly<Record<string, string | number | null | undefined>>): string {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(members)) {
    if (value !== null && value !== undefined && value !== '') search.set(name, String(value))
  }
  return search.size === 0 ? '' : `?${search}`
}
