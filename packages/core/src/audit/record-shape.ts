import { Fault } from '../model/fault.ts'
import type { LogRecord } from '../model/record.ts'

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
  erasure: { scope: ['decision', 'subject'], records: 'list', by: 'text', keys: 'list or absent' },
  sealing: { event: ['on', 'off'], key: 'text or null', by: 'text', fingerprint: 'sha256 or absent' },
  archive: { first: 'index', end: 'index', frontier: 'text', manifest: 'sha256', store: 'text' },
  hold: { hold: 'text', event: ['placed', 'lifted'], by: 'text' },
  read: {
    person: 'text',
    what: ['list', 'search', 'decision', 'approval', 'reveal', 'export'],
    records: 'list',
  },
  key: { event: ['added', 'retired'], verifierKey: 'text', by: 'text' },
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
