import { Fault, faultCodes, type FaultCode, type Recorded } from '../model/fault.ts'

const codes: ReadonlySet<string> = new Set(faultCodes)

/**
 * The fault that a problem document of a service tells, or what stands where one was expected.
 *
 * @param records whether something was to be recorded: then a failure that does not say whether it was leaves it open
 */
export function problemFault(status: number, answer: unknown, records: boolean): Fault {
  const problem = (typeof answer === 'object' && answer !== null ? answer : {}) as Record<string, unknown>
  const type =
    typeof problem['type'] === 'string' ? problem['type'].replace('urn:bailiwick:problem:', '') : ''
  const code = codes.has(type) ? (type as FaultCode) : status >= 502 ? 'service_unreachable' : 'internal'
  const detail = typeof problem['detail'] === 'string' ? problem['detail'] : `the service answered ${status}`
  const fix = typeof problem['fix'] === 'string' ? problem['fix'] : 'Look at the log of the service.'
  return new Fault(code, detail, { fix, recorded: recordedOf(problem['recorded'], status, records) })
}

function recordedOf(said: unknown, status: number, records: boolean): Recorded | undefined {
  if (said === 'no' || said === 'unknown') return said
  // A success that cannot be read has happened all the same.
  return records && (status < 400 || status >= 500) ? 'unknown' : undefined
}

/** The fault of a request that was not answered. */
export function unreachableFault(base: string, cause: unknown, records: boolean): Fault {
  const recorded = neverSent(cause) ? 'no' : 'unknown'
  return new Fault('service_unreachable', `no answer from the Bailiwick service at \`${base}\``, {
    fix: 'Check that the service runs and that the address is right; the call was not run.',
    cause,
    recorded: records ? recorded : undefined,
  })
}

// Where there was no connection, nothing went over it.
function neverSent(error: unknown): boolean {
  if (!(error instanceof Error) || !(error.cause instanceof Error)) return false
  const { code } = error.cause as Error & { readonly code?: unknown }
  return code === 'ECONNREFUSED' || code === 'ENOTFOUND'
}
