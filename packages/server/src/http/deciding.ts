import { nameLengthMax, type DecisionAnswer, type DecisionRequest } from '@bailiwick/core'
import type { AdmittingKey, Ledger } from '@bailiwick/store'
import { problemDocumentOf, saysWhetherRecorded, toldFault, type ProblemDocument } from './problems.ts'
import { invalid } from './router.ts'
import { decisionRequest } from './schemas.ts'

/** The part of a ledger that decides. */
export type Deciding = Pick<Ledger, 'decide' | 'now'>

/**
 * Decides one call whose shape has been checked. Its values are taken as they were sent, because a copy made by a
 * validator may lack keys such as `__proto__`, and another call than the agent's would be decided. They come straight from the
 * body, and are read by nobody else.
 */
export function decideSent(
  ledger: Deciding,
  agent: string,
  sent: DecisionRequest,
  key?: AdmittingKey,
): Promise<DecisionAnswer> {
  const { action, params, context, callId, approvalId, session, supports, callback } = sent
  return ledger.decide(
    agent,
    { action, params, context, callId, approvalId, session, supports, callback },
    key,
    'parsed',
  )
}

/**
 * Whether a body is certainly one that `decisionRequest` takes; `false` says nothing. Most are told so, and a validator
 * that has to name every mistake takes longer to find none.
 */
export function isPlainlyRequest(body: unknown): body is DecisionRequest {
  if (!isObject(body)) return false
  let named = 0
  for (const name in body) {
    const value = body[name]
    switch (name) {
      case 'action':
        if (!isName(value)) return false
        named |= 1
        break
      case 'params':
        if (!isObject(value)) return false
        named |= 2
        break
      case 'context':
        if (!isObject(value)) return false
        break
      case 'callId':
      case 'approvalId':
      case 'session':
        if (!isName(value)) return false
        break
      default:
        return false
    }
  }
  return named === 3
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isName(value: unknown): boolean {
  return typeof value === 'string' && value.length > 0 && value.length <= nameLengthMax
}

/** What became of the calls of one request, in its order: a decision, or why there is none. */
export interface BatchAnswer {
  readonly decisions: readonly (DecisionAnswer | ProblemDocument)[]
}

/**
 * Decides each call by itself, in the order in which they were sent: a call that is wrong, or that meets a fault, is
 * answered with its problem in its place, and the others are decided all the same. Never rejects.
 */
export async function decideBatch(
  ledger: Deciding,
  agent: string,
  calls: readonly unknown[],
  log: (line: string) => void,
): Promise<BatchAnswer> {
  // What many calls have met is one line for the operator.
  const lines = new Set<string>()
  const decisions = await Promise.all(
    calls.map((sent, at) => decideOne(ledger, agent, sent, at, (line) => lines.add(line))),
  )
  for (const line of lines) log(line)
  return { decisions }
}

async function decideOne(
  ledger: Deciding,
  agent: string,
  sent: unknown,
  at: number,
  log: (line: string) => void,
): Promise<DecisionAnswer | ProblemDocument> {
  const wrong = isPlainlyRequest(sent) ? undefined : decisionRequest.safeParse(sent).error
  if (wrong !== undefined) {
    const { fault, errors } = invalid('json', wrong.issues, ['calls', at])
    return problemDocumentOf(fault, errors)
  }
  try {
    return await decideSent(ledger, agent, sent as DecisionRequest)
  } catch (error) {
    return problemDocumentOf(saysWhetherRecorded(toldFault(error, log)))
  }
}
