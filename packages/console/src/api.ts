import { Problem, problemFrom, unreachableProblem } from './problem.ts'
import { anyObject, flag, id, listOf, number, object, oneOf, orNull, text } from './shape.ts'
import { determiningRule, effect, explanation, reasonsAndRules } from './explanation.ts'
import type { Effect, Explanation } from './explanation.ts'
import type { Shape, Shaped } from './shape.ts'

const approvalStatus = oneOf('pending', 'approved', 'rejected', 'expired', 'consumed')
const voteChoice = oneOf('approve', 'reject')

const policyRef = object({ id: text, version: orNull(number), sha256: text })

const outcome = object({
  status: oneOf('succeeded', 'failed', 'unknown'),
  at: text,
  detail: orNull(text),
})

const obligation = object({
  kind: oneOf('redact', 'notify'),
  path: orNull(text),
  channel: orNull(text),
})

/** What a policy in shadow mode would have decided. */
const shadow = object({ effect: oneOf('deny', 'escalate'), ...reasonsAndRules })

const decision = object({
  id: id('dec'),
  effect,
  ...reasonsAndRules,
  policy: orNull(policyRef),
  record: object({ index: number }),
  approval: orNull(object({ id: id('apr'), deadline: text })),
  agent: text,
  action: text,
  callId: orNull(text),
  session: orNull(text),
  obligations: orNull(listOf(obligation)),
  shadow: orNull(shadow),
  at: text,
  params: orNull(anyObject),
  context: orNull(anyObject),
  erased: orNull(flag),
  outcome: orNull(outcome),
})

const vote = object({ person: text, vote: voteChoice, comment: orNull(text), at: text })

const terms = object({
  routes: listOf(text),
  approvers: listOf(listOf(text)),
  quorum: number,
  deadlineMs: number,
})

const approval = object({
  id: id('apr'),
  decision: id('dec'),
  agent: text,
  action: text,
  params: orNull(anyObject),
  context: orNull(anyObject),
  erased: orNull(flag),
  reasons: listOf(text),
  rules: listOf(determiningRule),
  policy: orNull(policyRef),
  status: approvalStatus,
  openedAt: text,
  deadline: text,
  terms,
  votes: listOf(vote),
  consumedBy: orNull(id('dec')),
  mayVote: flag,
})

const decisionPage = object({ decisions: listOf(decision), next: orNull(number) })
const approvalPage = object({ approvals: listOf(approval), next: orNull(number) })
const session = object({ person: object({ id: text, roles: listOf(text) }) })

/** Where an approval stands. */
export type ApprovalStatus = Shaped<typeof approvalStatus>
/** One person's answer. */
export type VoteChoice = Shaped<typeof voteChoice>
/** Something that has to be done with an allowed call. */
export type Obligation = Shaped<typeof obligation>
/** Which policy decided. */
export type PolicyRef = Shaped<typeof policyRef>
/** A recorded decision, as people see it. */
export type Decision = Shaped<typeof decision>
/** A call that waits, or waited, for people. */
export type Approval = Shaped<typeof approval>
/** One person's recorded answer. */
export type Vote = Shaped<typeof vote>
/** One page of decisions, newest first; `next` is the cursor for the page before it, or null at the end. */
export type DecisionPage = Shaped<typeof decisionPage>
/** One page of approvals, newest first. */
export type ApprovalPage = Shaped<typeof approvalPage>
/** Who is signed in. */
export type Session = Shaped<typeof session>

export type { DeterminingRule, Effect, Explanation } from './explanation.ts'

/** Which decisions to list; absent members do not filter. Names are matched whole. */
export interface DecisionFilter {
  readonly effect?: Effect
  readonly agent?: string
  readonly action?: string
}

/** The requests this console makes. Each throws `Problem` or `ShapeMismatch` where no answer came. */
export interface Api {
  /** Null: nobody is signed in. */
  session(signal?: AbortSignal): Promise<Session | null>
  signIn(token: string): Promise<Session>
  signOut(): Promise<void>
  decisions(filter: DecisionFilter, before: number | null, signal?: AbortSignal): Promise<DecisionPage>
  decision(id: string, signal?: AbortSignal): Promise<Decision>
  explanation(id: string, signal?: AbortSignal): Promise<Explanation>
  approvals(
    status: ApprovalStatus | null,
    before: number | null,
    limit: number,
    signal?: AbortSignal,
  ): Promise<ApprovalPage>
  approval(id: string, signal?: AbortSignal): Promise<Approval>
  vote(id: string, choice: VoteChoice, comment: string): Promise<Approval>
  /** The service's clock in milliseconds: deadlines are kept by it, not by this device's. */
  serviceNow(): number
}

/** How many decisions one page holds. */
const decisionPageSize = 50

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

  return {
    session: (signal) => get(session, '/v1/session', signal).catch(nullWhenSignedOut),
    signIn: async (token) => session(await request('POST', '/v1/session', { body: { token } }), ''),
    signOut: async () => {
      await request('DELETE', '/v1/session')
    },
    decisions: (filter, before, signal) =>
      get(decisionPage, `/v1/decisions${query({ limit: decisionPageSize, before, ...filter })}`, signal),
    decision: (decisionId, signal) =>
      get(decision, `/v1/decisions/${encodeURIComponent(decisionId)}`, signal),
    explanation: (decisionId, signal) =>
      get(explanation, `/v1/decisions/${encodeURIComponent(decisionId)}/explanation`, signal),
    approvals: (status, before, limit, signal) =>
      get(approvalPage, `/v1/approvals${query({ status, limit, before })}`, signal),
    approval: (approvalId, signal) =>
      get(approval, `/v1/approvals/${encodeURIComponent(approvalId)}`, signal),
    vote: async (approvalId, choice, comment) => {
      const body = comment.trim() === '' ? { vote: choice } : { vote: choice, comment: comment.trim() }
      const path = `/v1/approvals/${encodeURIComponent(approvalId)}/votes`
      return approval(await request('POST', path, { body }), '')
    },
    serviceNow: () => Date.now() + clockOffsetMs,
  }
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
