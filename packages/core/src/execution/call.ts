import { principalProblem } from '../approval/principals.ts'
import { captureJson, type JsonSource } from '../model/captured-json.ts'
import type { ToolCall } from '../model/call.ts'
import { Fault } from '../model/fault.ts'
import type { ActionName, AgentId, ApprovalId, CallId, SessionId } from '../model/ids.ts'
import type { JsonObject } from '../model/json.ts'
import { callbackLengthMax, nameLengthMax, payloadBytesMax, payloadDepthMax } from '../model/limits.ts'
import type { DecisionRequest } from './answer.ts'

/** A call whose outside text has been checked, once. */
export interface ParsedCall {
  readonly call: ToolCall
  /** Canonical JSON of `{context, params}`, or of null where the call is malformed. */
  readonly payload: string
  /** The obligations that the caller says it carries out, by kind. For `Facts.supports`. */
  readonly supports: readonly string[]
  /** Where the agent wants to be told that its approval is over. */
  readonly callback?: string | undefined
  /** Why the call has no canonical form, or nobody can tell for whom it is made; such a call is denied, and recorded without its parameters. */
  readonly malformed: string | undefined
}

const name = /^[^\s\p{C}]+$/u
/** How many obligations a caller may name; there are fewer. */
const supportsMax = 20
// Most names, told faster.
const plainName = /^[!-~]+$/

const nothing: JsonObject = Object.freeze({})
const noNames: readonly string[] = Object.freeze([])

/**
 * Checks what a caller asked for.
 *
 * @param source of `params` and `context`, as `captureJson` has it
 * @throws Fault `bad_input` for names and shapes that no call has, `too_large` for a payload over the limit
 */
export function parseCall(
  agent: string,
  request: DecisionRequest,
  source: JsonSource = 'handed',
): ParsedCall {
  const agentId = checkedName(agent, 'agent') as AgentId
  const action = checkedName(request.action, 'action')
  const callId = request.callId === undefined ? undefined : checkedName(request.callId, 'callId')
  const approvalId =
    request.approvalId === undefined ? undefined : checkedName(request.approvalId, 'approvalId')
  const session = request.session === undefined ? undefined : checkedName(request.session, 'session')
  const callback = request.callback === undefined ? undefined : checkedUrl(request.callback, 'callback')
  const supports = checkedNames(request.supports ?? noNames, 'supports')
  const params = checkedObject(request.params, 'params')
  const context = checkedObject(request.context ?? nothing, 'context')
  // A copy: the caller's object may change while the call waits for its batch.
  const captured = captureJson({ context, params }, payloadDepthMax, source)
  const malformed = captured.kind === 'malformed' ? captured.problem : principalProblem(captured.context)
  const taken = captured.kind === 'malformed' || malformed !== undefined ? undefined : captured
  const payload = taken?.text ?? 'null'
  if (utf8Length(payload) > payloadBytesMax) {
    throw new Fault(
      'too_large',
      `params and context are larger than ${payloadBytesMax / 1024} KiB together`,
      {
        fix: 'Pass a reference, such as an order id, instead of the content.',
      },
    )
  }
  const call: ToolCall = {
    agent: agentId,
    action: action as ActionName,
    params: taken?.params ?? nothing,
    context: taken?.context ?? nothing,
    callId: callId as CallId | undefined,
    approvalId: approvalId as ApprovalId | undefined,
  }
  return {
    call: session === undefined ? call : { ...call, session: session as SessionId },
    payload,
    supports,
    malformed,
    ...(callback === undefined ? {} : { callback }),
  }
}

// One UTF-16 unit is at most three bytes, so most payloads need no counting.
function utf8Length(text: string): number {
  return text.length * 3 <= payloadBytesMax ? text.length : new TextEncoder().encode(text).length
}

function checkedName(value: unknown, what: string): string {
  if (
    typeof value === 'string' &&
    value.length <= nameLengthMax &&
    (plainName.test(value) || name.test(value))
  ) {
    return value
  }
  throw new Fault('bad_input', `\`${what}\` must be 1 to ${nameLengthMax} characters without white space`, {
    fix: `Correct \`${what}\`.`,
  })
}

// Which hosts may be called is for the service to say.
function checkedUrl(value: unknown, what: string): string {
  if (typeof value === 'string' && value.length <= callbackLengthMax && URL.canParse(value)) {
    const { protocol, username, password } = new URL(value)
    if ((protocol === 'https:' || protocol === 'http:') && username === '' && password === '') return value
  }
  throw new Fault(
    'bad_input',
    `\`${what}\` must be a URL of at most ${callbackLengthMax} characters, without a password`,
    {
      fix: `Give a whole URL such as https://agents.example.com/told, or leave \`${what}\` out.`,
    },
  )
}

function checkedNames(value: unknown, what: string): readonly string[] {
  if (value === noNames) return noNames
  if (Array.isArray(value) && value.length <= supportsMax) {
    return value.map((item: unknown) => checkedName(item, what))
  }
  throw new Fault('bad_input', `\`${what}\` must be a list of at most ${supportsMax} names`, {
    fix: `Correct \`${what}\`.`,
  })
}

function checkedObject(value: unknown, what: string): JsonObject {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject
  throw new Fault('bad_input', `\`${what}\` must be an object`, { fix: `Pass \`${what}\` as a JSON object.` })
}
