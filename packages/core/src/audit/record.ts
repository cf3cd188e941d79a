import { Fault, unreachable } from '../model/fault.ts'
import { indexOfId } from '../model/ids.ts'
import { recordBytesMax } from '../model/limits.ts'
import type { DeterminingRule, Obligation, PolicyRef, ShadowedDecision } from '../model/decision.ts'
import type { RegisteredPasskey } from '../model/passkey.ts'
import type { DecisionRecord, LogRecord, RecordBody, RecordedUse } from '../model/record.ts'
import { completeOfPeople, orderedOpens, orderedUseOf } from './approval-record.ts'
import type { RecordPlace } from './record-place.ts'
import { canonicalJsonOfPresent } from '../model/canonical-json.ts'

/**
 * The whole record, all of its members in canonical order, so that writing it sorts nothing.
 * Nothing in `body` can replace what `place` says.
 */
export function completeRecord(body: RecordBody, place: RecordPlace): LogRecord {
  const { ledger, index, at, payload } = place
  switch (body.kind) {
    case 'decision':
      return completeDecision(body, place)
    case 'outcome': {
      const { agent, decision, kind, status } = body
      return { agent, at, decision, index, kind, ledger, payload, status, v: 1 }
    }
    case 'vote':
    case 'expiry':
    case 'cancellation':
    case 'reminder':
    case 'delegation':
    case 'revocation':
      return completeOfPeople(body, place)
    case 'policy': {
      const { kind, policy } = body
      return { at, index, kind, ledger, payload, policy: orderedPolicy(policy), v: 1 }
    }
    case 'access': {
      const { by, event, grants, kind, passkey, subject, until } = body
      const ordered = passkey && orderedPasskey(passkey)
      return { at, by, event, grants, index, kind, ledger, passkey: ordered, payload, subject, until, v: 1 }
    }
    case 'suspension': {
      const { agent, by, kind, state } = body
      return { agent, at, by, index, kind, ledger, payload, state, v: 1 }
    }
    case 'erasure': {
      const { by, kind, records, scope } = body
      return { at, by, index, kind, ledger, payload, records, scope, v: 1 }
    }
    case 'archive': {
      const { end, first, frontier, kind, manifest, store } = body
      return { at, end, first, frontier, index, kind, ledger, manifest, payload, store, v: 1 }
    }
    case 'hold': {
      const { by, event, hold, kind } = body
      return { at, by, event, hold, index, kind, ledger, payload, v: 1 }
    }
    case 'read': {
      const { kind, person, records, what } = body
      return { at, index, kind, ledger, payload, person, records, v: 1, what }
    }
    case 'key': {
      const { by, event, kind, verifierKey } = body
      return { at, by, event, index, kind, ledger, payload, v: 1, verifierKey }
    }
    default:
      return unreachable(body)
  }
}

function completeDecision(body: DecisionBody, { ledger, index, at, payload }: RecordPlace): DecisionRecord {
  const { action, agent, callId, claims, code, effect, id, kind, opens, policy, reasons, rules } = body
  const { consumes, labels, obligations, session, shadow, standing } = body
  return {
    action,
    agent,
    at,
    callId,
    claims: claims === null ? null : { consumed: claims.consumed, id: claims.id },
    code,
    consumes: consumes?.map(orderedUse),
    effect,
    id,
    index,
    kind,
    labels,
    ledger,
    obligations: obligations?.map(orderedObligation),
    opens: opens === null ? null : orderedOpens(opens),
    payload,
    policy: policy === null ? null : orderedPolicy(policy),
    reasons,
    rules: rules.map(orderedRule),
    session,
    shadow: shadow && orderedShadow(shadow),
    standing: standing && orderedUseOf(standing),
    v: 1,
  }
}

type DecisionBody = Extract<RecordBody, { readonly kind: 'decision' }>

// The order is that of RFC 8785: names by UTF-16 code units. A test holds every kind of record to it.
/** A rule with its members in canonical order. */
export function orderedRule({
  because,
  condition,
  detail,
  effect,
  file,
  id,
  line,
  link,
  route,
  shadow,
}: DeterminingRule): DeterminingRule {
  return { because, condition, detail, effect, file, id, line, link, route, shadow }
}

/** An obligation with its members in canonical order. */
export function orderedObligation(obligation: Obligation): Obligation {
  switch (obligation.kind) {
    case 'redact':
      return { kind: 'redact', path: obligation.path }
    case 'notify':
      return { channel: obligation.channel, kind: 'notify' }
    default:
      return unreachable(obligation)
  }
}

/** What is recorded of a use, in canonical order: its key, which may hold personal data, is left out. */
export function orderedUse({ amount, counter, releasable, windowMs }: RecordedUse): RecordedUse {
  return { amount, counter, releasable, windowMs }
}

/** A shadowed decision with its members in canonical order. */
export function orderedShadow({ code, effect, reasons, rules }: ShadowedDecision): ShadowedDecision {
  return { code, effect, reasons, rules: rules.map(orderedRule) }
}

/** What names a policy, in canonical order. */
export function orderedPolicy({ id, sha256, version }: PolicyRef): PolicyRef {
  return { id, sha256, version }
}

function orderedPasskey({ id, origin, publicKey, rpId }: RegisteredPasskey): RegisteredPasskey {
  return { id, origin, publicKey, rpId }
}

/**
 * The record as it is stored and hashed: canonical JSON. Members that are undefined are left out.
 *
 * @throws Fault `too_large` above `recordBytesMax`; `malformed_call` where a member is not JSON
 */
export function recordText(record: LogRecord): string {
  const text = canonicalJsonOfPresent(record)
  // No UTF-16 unit takes more than three bytes, so short records need no counting.
  if (text.length * 3 > recordBytesMax && Buffer.byteLength(text) > recordBytesMax) {
    throw new Fault('too_large', `a record of kind ${record.kind} has more than ${recordBytesMax} bytes`, {
      fix: 'Make reasons and conditions shorter, or let fewer rules match one call.',
    })
  }
  return text
}

/**
 * What a record can be found by: `agent=` and `action=` of decisions, `effect=` of those that did not allow, `claims=`
 * and `call=` of those that claimed an approval, and `kind=` of what is neither decision nor outcome. Kept beside the
 * records; it proves nothing, and verification compares it.
 */
export function recordTerms(record: LogRecord | RecordBody): readonly string[] {
  switch (record.kind) {
    case 'decision': {
      const { agent, action, effect } = record
      const terms = [`agent=${agent}`, `action=${action}`]
      if (effect !== 'allow') terms.push(`effect=${effect}`)
      if (record.claims !== null) terms.push(...claimTerms(record, record.claims.id))
      return terms
    }
    case 'outcome':
      return []
    case 'vote':
    case 'expiry':
    case 'cancellation':
    case 'reminder':
    case 'delegation':
    case 'revocation':
    case 'policy':
    case 'access':
    case 'suspension':
    case 'erasure':
    case 'archive':
    case 'hold':
    case 'read':
    case 'key':
      return [`kind=${record.kind}`]
    default:
      return unreachable(record)
  }
}

/** The `recordTerms` of many records, each once. */
export class TermSet {
  readonly #terms = new Set<string>()
  /** Decisions whose terms are here already: by agent, action and effect, which are all that their terms say. */
  readonly #decisions = new Map<string, Map<string, Set<string>>>()

  add(record: LogRecord | RecordBody): void {
    // What claims an approval has terms of its own.
    if (record.kind === 'decision' && record.claims === null && this.#isKnown(record)) return
    for (const term of recordTerms(record)) this.#terms.add(term)
  }

  list(): string[] {
    return [...this.#terms]
  }

  // Most decisions of a batch are like others of it, and putting their terms together takes time.
  #isKnown({ agent, action, effect }: Pick<DecisionRecord, 'agent' | 'action' | 'effect'>): boolean {
    const actions = this.#decisions.get(agent) ?? new Map<string, Set<string>>()
    const effects = actions.get(action) ?? new Set<string>()
    if (effects.size === 0) this.#decisions.set(agent, actions.set(action, effects))
    if (effects.has(effect)) return true
    effects.add(effect)
    return false
  }
}

// All of a call's decisions but the first claim an approval: without one, its call id gives that first answer again.
function claimTerms({ agent, callId }: ClaimingRecord, claimed: string): string[] {
  // What is claimed is the caller's own text; only an approval can be looked for.
  if (indexOfId('apr', claimed) === undefined) return callId === null ? [] : [callTerm(agent, callId)]
  return callId === null ? [`claims=${claimed}`] : [`claims=${claimed}`, callTerm(agent, callId)]
}

type ClaimingRecord = Pick<DecisionRecord, 'agent' | 'callId'>

/** The term of the decisions under a call id that claimed an approval. */
export function callTerm(agent: string, callId: string): string {
  return `call=${agent} ${callId}`
}

/** What a member has to be; a list names all the values it may have. */
type Shape =
  | 'text'
  | 'text or null'
  | 'text or absent'
  | 'list'
  | 'list or absent'
  | 'object'
  | 'object or null'
  | 'object or absent'
  | 'index'
  | 'instant'
  | 'sha256'
  | 'sha256 or null'
  | 'sha256 or absent'
  | 'true or absent'
  | readonly (string | number)[]
type Members<Kind extends LogRecord['kind']> = Exclude<
  keyof Extract<LogRecord, { kind: Kind }>,
  keyof typeof base
>

const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/
const sha256 = /^[0-9a-f]{64}$/
const statuses = ['pending', 'approved', 'rejected', 'expired', 'cancelled', 'consumed']

const base = {
  v: [1],
  ledger: 'text',
  index: 'index',
  at: 'instant',
  payload: 'sha256 or null',
  kind: 'text',
} as const

// A member that the types know and this table does not, or the reverse, breaks the build.
const kinds: { readonly [Kind in LogRecord['kind']]: { readonly [Member in Members<Kind>]: Shape } } = {
  decision: {
    id: 'text',
    agent: 'text',
    action: 'text',
    callId: 'text or null',
    effect: ['allow', 'deny', 'escalate'],
    code: 'text or null',
    reasons: 'list',
    rules: 'list',
    policy: 'object or null',
    opens: 'object or null',
    claims: 'object or null',
    consumes: 'list or absent',
    labels: 'list or absent',
    obligations: 'list or absent',
    session: 'text or absent',
    shadow: 'object or absent',
    standing: 'object or absent',
  },
  outcome: { decision: 'text', agent: 'text', status: ['succeeded', 'failed', 'unknown'] },
  vote: {
    approval: 'text',
    person: 'text',
    vote: ['approve', 'reject', 'acknowledge'],
    status: statuses,
    digest: 'sha256 or absent',
    for: 'text or absent',
    counts: 'list or absent',
    signature: 'object or absent',
    breakGlass: 'true or absent',
    standing: 'object or absent',
    grant: 'object or absent',
    channel: 'text or absent',
  },
  reminder: { approval: 'text', agent: 'text', action: 'text', asks: 'list', next: 'text or null' },
  delegation: {
    event: ['granted', 'revoked'],
    delegation: 'text',
    from: 'text',
    to: 'text',
    starts: 'instant',
    ends: 'instant',
    by: 'text',
  },
  revocation: { grant: 'text', agent: 'text', action: 'text', by: 'text' },
  cancellation: { approval: 'text', agent: 'text', action: 'text', by: 'text' },
  expiry: { approval: 'text', agent: 'text', action: 'text' },
  policy: { policy: 'object' },
  access: {
    event: [
      'key_created',
      'key_revoked',
      'key_rotated',
      'owner_added',
      'owner_removed',
      'password_removed',
      'password_set',
      'person_created',
      'person_removed',
      'recovery_codes_made',
      'roles_changed',
      'session_ended',
      'sessions_revoked',
      'sign_in_link_created',
      'signed_in',
      'signed_out',
      'totp_added',
      'totp_removed',
      'passkey_registered',
      'passkey_removed',
      'account_confirmed',
      'account_linked',
      'account_unlinked',
    ],
    subject: 'text',
    grants: 'list',
    by: 'text or absent',
    until: 'text or absent',
    passkey: 'object or absent',
  },
  suspension: { agent: 'text', state: ['suspended', 'active'], by: 'text' },
  erasure: { scope: ['decision', 'subject'], records: 'list', by: 'text' },
  archive: { first: 'index', end: 'index', frontier: 'text', manifest: 'sha256', store: 'text' },
  hold: { hold: 'text', event: ['placed', 'lifted'], by: 'text' },
  read: {
    person: 'text',
    what: ['list', 'search', 'decision', 'approval', 'reveal', 'export'],
    records: 'list',
  },
  key: { event: ['added', 'retired'], verifierKey: 'text', by: 'text' },
}

/**
 * Reads a stored record. Members that this version does not know are kept.
 *
 * @throws Fault `log_broken` where the text is not a record of version 1 and a known kind
 */
export function parseRecord(text: string): LogRecord {
  const value = parseJson(text)
  const problem = recordProblem(value)
  if (problem !== undefined) throw notRecord(problem)
  return value as LogRecord
}

function recordProblem(value: unknown): string | undefined {
  if (!isObject(value)) return 'it is not a JSON object'
  if (value.v !== 1) return 'its version is not 1'
  if (!isKind(value.kind)) return 'its kind is unknown'
  const misfit = misfitOf(value, base) ?? misfitOf(value, kinds[value.kind])
  return misfit === undefined ? undefined : `its member ${misfit} is missing or malformed`
}

function misfitOf(
  value: Record<string, unknown>,
  shapes: Readonly<Record<string, Shape>>,
): string | undefined {
  for (const member in shapes) {
    const shape = shapes[member]
    if (shape === undefined) continue
    if (!Object.hasOwn(value, member)) {
      if (isOptional(shape)) continue
      return member
    }
    if (!hasShape(value[member], shape)) return member
  }
  return undefined
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw notRecord('it is not JSON', cause)
  }
}

// Members that came later: older records lack them.
function isOptional(shape: Shape): boolean {
  return typeof shape === 'string' && shape.endsWith('or absent')
}

function hasShape(value: unknown, shape: Shape): boolean {
  switch (shape) {
    case 'text':
    case 'text or absent':
      return typeof value === 'string'
    case 'text or null':
      return typeof value === 'string' || value === null
    case 'list':
    case 'list or absent':
      return Array.isArray(value)
    case 'object':
    case 'object or absent':
      return isObject(value)
    case 'object or null':
      return isObject(value) || value === null
    case 'index':
      return Number.isSafeInteger(value) && Number(value) >= 0
    case 'instant':
      return typeof value === 'string' && instant.test(value)
    case 'true or absent':
      return value === true
    case 'sha256':
    case 'sha256 or absent':
      return typeof value === 'string' && sha256.test(value)
    case 'sha256 or null':
      return value === null || (typeof value === 'string' && sha256.test(value))
    default:
      return shape.some((allowed) => allowed === value)
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isKind(value: unknown): value is LogRecord['kind'] {
  return typeof value === 'string' && Object.hasOwn(kinds, value)
}

function notRecord(why: string, cause?: unknown): Fault {
  return new Fault('log_broken', `a stored text is not a record: ${why}`, {
    fix: 'Verify the log; a newer version of the service may have written it.',
    cause,
  })
}
