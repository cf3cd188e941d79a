import { Fault, type FaultCode } from '@bailiwick/core'
import type { Context } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'

/** Where in a request something is wrong. */
export interface FieldError {
  readonly path: string
  readonly message: string
}

/** A problem document (RFC 9457), with `fix`: what the caller can do next. */
export interface ProblemDocument {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly fix: string
  readonly errors?: readonly FieldError[]
}

const statuses: Record<FaultCode, { readonly status: ContentfulStatusCode; readonly title: string }> = {
  bad_input: { status: 400, title: 'Bad input' },
  malformed_call: { status: 400, title: 'Malformed call' },
  not_authenticated: { status: 401, title: 'Not authenticated' },
  not_permitted: { status: 403, title: 'Not permitted' },
  not_found: { status: 404, title: 'Not found' },
  erased: { status: 410, title: 'Erased' },
  conflict: { status: 409, title: 'Conflict' },
  call_id_reused: { status: 409, title: 'Call id used for another call' },
  approval_closed: { status: 409, title: 'Approval closed' },
  already_voted: { status: 409, title: 'Already voted' },
  too_large: { status: 413, title: 'Too large' },
  policy_invalid: { status: 422, title: 'Policy invalid' },
  store_unavailable: { status: 503, title: 'Store unavailable' },
  store_busy: { status: 503, title: 'Store busy' },
  log_broken: { status: 503, title: 'Log broken' },
  service_unreachable: { status: 503, title: 'Service unreachable' },
  internal: { status: 500, title: 'Internal error' },
}

/** The answer for a fault. Only what the fault says on purpose is told; causes stay in the service's log. */
export function problem(context: Context, fault: Fault, errors?: readonly FieldError[]): Response {
  const { status, title } = statuses[fault.code]
  const body: ProblemDocument = {
    type: `urn:bailiwick:problem:${fault.code}`,
    title,
    status,
    detail: fault.message,
    fix: fault.fix,
    ...(errors === undefined ? {} : { errors }),
  }
  if (status === 503) context.header('Retry-After', '1')
  if (status === 401) context.header('WWW-Authenticate', 'Bearer')
  return context.body(JSON.stringify(body), status, { 'content-type': 'application/problem+json' })
}

/** The fault that anything thrown amounts to. What nobody expected is `internal`, and says nothing of itself. */
export function faultOf(error: unknown): Fault {
  if (error instanceof Fault) return error
  if (isDatabaseError(error)) {
    return new Fault('store_unavailable', 'the database failed', {
      fix: 'Try again; if it stays, ask the operator to look at the service.',
      cause: error,
    })
  }
  return new Fault('internal', 'the service met an error that it did not expect', {
    fix: 'Ask the operator to look at the log of the service.',
    cause: error,
  })
}

// Connections fail with the codes of the operating system, statements with five-character SQL states.
function isDatabaseError(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const { code } = error as Error & { code?: unknown }
  if (typeof code === 'string' && (/^[0-9A-Z]{5}$/.test(code) || /^E[A-Z]+$/.test(code))) return true
  // What pg says without a code, of connections that broke or are being closed.
  return /Connection terminated|timeout exceeded when trying to connect|timeout expired|not queryable|calling end on the pool/.test(
    error.message,
  )
}
