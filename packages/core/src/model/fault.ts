/** Every code of a fault: stable, never reworded. Over HTTP they are the types of problem documents. */
export const faultCodes = [
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
  'signature_required',
  'signature_invalid',
  'second_factor_required',
  'too_large',
  'too_many_tries',
  'too_many_requests',
  'policy_invalid',
  'store_unavailable',
  'store_busy',
  'log_broken',
  'payload_key_missing',
  'service_unreachable',
  'internal',
] as const

/** What went wrong, for programs. */
export type FaultCode = (typeof faultCodes)[number]

/**
 * Of something that was to be recorded, and met a fault: `no`, it is certainly not in the log; `unknown`, it may be.
 * Either way it does not run.
 */
export type Recorded = 'no' | 'unknown'

/**
 * Anything that is not an answer. A denial is an answer; a decision that could not be recorded is a
 * fault, and a call that meets a fault does not run.
 */
export class Fault extends Error {
  override readonly name = 'Fault'
  readonly code: FaultCode
  /** What the reader can do next, in one sentence. */
  readonly fix: string
  /**
   * Said where something was to be recorded and the service or the log failed. Absent from refusals, such as
   * `bad_input`, of which nothing is ever recorded, and where nothing was to be.
   */
  readonly recorded: Recorded | undefined
  /** When to try again, where that is known. */
  readonly retryAfterSeconds: number | undefined

  constructor(
    code: FaultCode,
    message: string,
    options: {
      fix: string
      cause?: unknown
      recorded?: Recorded | undefined
      retryAfterSeconds?: number | undefined
    },
  ) {
    super(message, { cause: options.cause })
    this.code = code
    this.fix = options.fix
    this.recorded = options.recorded
    this.retryAfterSeconds = options.retryAfterSeconds
  }
}

/** Ends an exhaustive switch: the build breaks where a new kind is not handled. */
export function unreachable(value: never): never {
  throw new Fault('internal', `a case that cannot happen: ${JSON.stringify(value)}`, {
    fix: 'Please report this with the policy and the call that led here.',
  })
}
