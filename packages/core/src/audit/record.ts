import { Fault, unreachable } from '../model/fault.ts'
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
      const { by, keys, kind, records, scope } = body
      return { at, by, index, keys, kind, ledger, payload, records, scope, v: 1 }
    }
    case 'sealing': {
      const { by, event, fingerprint, key, kind } = body
      return { at, by, event, fingerprint, index, key, kind, ledger, payload, v: 1 }
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
