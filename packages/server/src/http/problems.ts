import { Fault, type FaultCode, type Recorded } from '@bailiwick/core'
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
  /** Where something was to be recorded, and the service failed: whether it is in the log. */
  readonly recorded?: Recorded
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
  signature_required: { status: 403, title: 'Signature required' },
  signature_invalid: { status: 403, title: 'Signature does not count' },
  second_factor_required: { status: 403, title: 'Second factor required' },
  too_large: { status: 413, title: 'Too large' },
  too_many_tries: { status: 429, title: 'Too many tries' },
  too_many_requests: { status: 429, title: 'Too many requests' },
  policy_invalid: { status: 422, title: 'Policy invalid' },
  store_unavailable: { status: 503, title: 'Store unavailable' },
  store_busy: { status: 503, title: 'Store busy' },
  log_broken: { status: 503, title: 'Log broken' },
  payload_key_missing: { status: 503, title: 'Payload key missing' },
  service_unreachable: { status: 503, title: 'Service unreachable' },
  internal: { status: 500, title: 'Internal error' },
}

/** What a problem document says that it is. */
export function problemType<Code extends FaultCode>(code: Code): `urn:bailiwick:problem:${Code}` {
  return `urn:bailiwick:problem:${code}`
}

/** The document for a fault. Only what the fault says on purpose is told; causes stay in the service's log. */
export function problemDocumentOf(fault: Fault, errors?: readonly FieldError[]): ProblemDocument {
  const { status, title } = statuses[fault.code]
  return {
    type: problemType(fault.code),
    title,
    status,
    detail: fault.message,
    fix: fault.fix,
    ...(fault.recorded === undefined ? {} : { recorded: fault.recorded }),
    ...(errors === undefined ? {} : { errors }),
  }
}

/** The headers that go with problems of this status, beside those of every answer. */
export function problemHeaders(status: number): Record<string, string> {
  const type = { 'content-type': 'application/problem+json' }
  if (status === 503) return { ...type, 'retry-after': '1' }
  if (status === 401) return { ...type, 'www-authenticate': 'Bearer' }
  return type
}

/** The answer for a fault. */
export function problem(context: Context, fault: Fault, errors?: readonly FieldError[]): Response {
  const document = problemDocumentOf(fault, errors)
  const { status } = statuses[fault.code]
  const { retryAfterSeconds } = fault
  return context.body(JSON.stringify(document), status, {
    ...problemHeaders(status),
    ...(retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }),
  })
}

/** The fault that anything thrown amounts to, after the service's log has been told of what the operator has to see. */
export function toldFault(error: unknown, log: (line: string) => void): Fault {
  const fault = faultOf(error)
  if (fault.code !== 'internal' && fault.code !== 'store_unavailable') return fault
  const { cause } = fault
  log(`${fault.code}: ${fault.message}${cause instanceof Error ? `: ${cause.message}` : ''}`)
  return fault
}

/** Of a request that was to record something: a failure of the service that does not say `recorded` leaves it open. */
export function saysWhetherRecorded(fault: Fault): Fault {
  if (fault.recorded !== undefined || statuses[fault.code].status < 500) return fault
  const { code, message, fix, cause } = fault
  return new Fault(code, message, { fix, cause, recorded: 'unknown' })
}

/**
 * The fault that anything thrown amounts to. What nobody expected is `internal`, and says nothing of itself.
 *
 * @param recorded where it is known of what is no fault yet
 */
export function faultOf(error: unknown, recorded?: Recorded): Fault {
  if (error instanceof Fault) return error
  if (isDatabaseError(error)) {
    return new Fault('store_unavailable', 'the database failed', {
      fix: 'Try again; if it stays, ask the operator to look at the service.',
      cause: error,
      recorded,
    })
  }
  return new Fault('internal', 'the service met an error that it did not expect', {
    fix: 'Ask the operator to look at the log of the service.',
    cause: error,
    recorded,
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
