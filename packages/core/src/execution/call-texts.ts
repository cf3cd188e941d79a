import { canonicalJsonOfPresent, frozenCopy } from '../model/canonical-json.ts'
import { Fault } from '../model/fault.ts'
import { batchCallsMax } from '../model/limits.ts'
import type { DecisionRequest } from './answer.ts'

/** What a service takes as one body; see `bodyBytesMax` of its HTTP API. */
const bodyBytesMax = 256 * 1024
/** Of `{"calls":[…]}`, and a comma for each call. */
const frameBytes = 12

/**
 * A call as JSON.
 *
 * @throws Fault `malformed_call` for values that JSON has no form for. They are refused here and not mended: a member
 *   that is undefined would be left out on the way, and another call decided than the caller made
 */
export function callText(request: DecisionRequest): string {
  const params = frozenCopy(request.params)
  const context = request.context === undefined ? undefined : frozenCopy(request.context)
  // Canonical, because JSON.stringify writes NaN as null: another call than the caller's would be decided.
  return canonicalJsonOfPresent({ ...request, params, context })
}

/** The same, with a fault in place of what has no text. */
export function callTextOrFault(request: DecisionRequest): string | Fault {
  try {
    return callText(request)
  } catch (error) {
    if (error instanceof Fault) return error
    throw error
  }
}

/**
 * The places of the texts, in groups of which each fits into one request; faults are in none. A text that is too long
 * for any request has a group of its own, for the service to refuse.
 */
export function groupsForRequests(texts: readonly (string | Fault)[]): readonly (readonly number[])[] {
  const encoder = new TextEncoder()
  const groups: number[][] = []
  let group: number[] = []
  let bytes = 0
  for (const [place, text] of texts.entries()) {
    if (typeof text !== 'string') continue
    const more = encoder.encode(text).length + 1
    if (group.length === batchCallsMax || bytes + more > bodyBytesMax || group.length === 0) {
      group = []
      groups.push(group)
      bytes = frameBytes
    }
    group.push(place)
    bytes += more
  }
  return groups
}
