/** What went wrong, for programs: stable, never reworded. */
export type FaultCode =
  | 'bad_input'
  | 'malformed_call'
  | 'not_authenticated'
  | 'not_permitted'
  | 'not_found'
  | 'erased'
  | 'conflict'
  | 'call_id_reused'
  | 'approval_closed'
  | 'already_voted'
  | 'too_large'
  | 'policy_invalid'
  | 'store_unavailable'
  | 'store_busy'
  | 'log_broken'
  | 'service_unreachable'
  | 'internal'

/**
 * Anything that is not an answer. A denial is an answer; a decision that could not be recorded is a
 * fault, and a call that meets a fault does not run.
 */
export class Fault extends Error {
  override readonly name = 'Fault'
  readonly code: FaultCode
  /** What the reader can do next, in one sentence. */
  readonly fix: string
  /** Of a fault that kept the log from answering: whether anything was recorded. Absent where nothing can have been. */
  readonly recorded: 'no' | 'unknown' | undefined

  constructor(
    code: FaultCode,
    message: string,
    options: { fix: string; cause?: unknown; recorded?: 'no' | 'unknown' | undefined },
  ) {
    super(message, { cause: options.cause })
    this.code = code
    this.fix = options.fix
    this.recorded = options.recorded
  }
}

/** Ends an exhaustive switch: the build breaks where a new kind is not handled. */
export function unreachable(value: never): never {
  throw new Fault('internal', `a case that cannot happen: ${JSON.stringify(value)}`, {
    fix: 'Please report this with the policy and the call that led here.',
  })
}
