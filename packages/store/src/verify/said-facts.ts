import { canonicalJsonOfPresent, indexOfId } from '@bailiwick/core'
import type {
  DecisionRecord,
  Instant,
  LogRecord,
  RecordedStanding,
  RecordedUse,
  StoredEntry,
  VoteRecord,
} from '@bailiwick/core'
import { decimalOf, type Decimal } from '../log/decimal.ts'
import { amountBytes, amountText, isOver, outcomeCodes, statusCodes } from './fact-codes.ts'
import { tags, type FactWriter } from './facts.ts'

/** As of when, and of which records, facts are written. */
export interface SaidSettings {
  readonly now: Instant
  /** The index of the first record that is not archived; 0 where archived ones are compared as well. */
  readonly floor: number
  /**
   * Whether archived records are compared as well, which PostgreSQL cannot search: uses are then compared without their keys,
   * too, which nobody knows of an erased payload.
   */
  readonly isWhole?: boolean | undefined
}

/**
 * Writes what a record says of the tables that are folded from the log. Only of records that were found right. What is
 * said of decisions and approvals that are archived is left out: their rows are not compared.
 */
export function writeSaid(
  facts: FactWriter,
  record: LogRecord,
  entry: StoredEntry,
  settings: SaidSettings,
): void {
  const { index } = record
  if (!isHot(subjectOf(record), settings.floor)) return
  switch (record.kind) {
    case 'decision':
      writeDecision(facts, record, entry, settings)
      return
    case 'outcome':
      facts.add(tags.outcomeSaid, `outcome ${record.decision}`, { index, code: outcomeCodes[record.status] })
      // Any failed run gives back, whatever is said of it afterwards.
      if (record.status === 'failed') facts.add(tags.released, `use ${record.decision}`, { index })
      return
    case 'vote': {
      const { approval, person, vote, at, status, for: principal } = record
      const detail = voteDetail(facts, [vote, at, String(index), principal ?? null])
      facts.add(tags.voteSaid, voteKey(approval, person), { index, detail })
      facts.add(tags.approvalTouched, `approval ${approval}`, { index, code: statusCodes[status] })
      if (record.grant !== undefined) writeGrant(facts, record, record.grant)
      return
    }
    case 'revocation':
      facts.add(tags.grantRevoked, `grant ${record.grant}`, { index })
      return
    case 'expiry':
      facts.add(tags.approvalTouched, `approval ${record.approval}`, { index, code: statusCodes.expired })
      return
    case 'reminder': {
      const { approval, next } = record
      writePrompt(facts, approval, next)
      return
    }
    case 'delegation': {
      const { delegation, event, from, to, starts, ends } = record
      const key = `delegation ${delegation}`
      if (event === 'revoked') facts.add(tags.delegationRevoked, key, { index })
      else
        facts.add(tags.delegationGiven, key, {
          index,
          detail: delegationDetail(facts, [from, to, starts, ends]),
        })
      return
    }
    case 'cancellation':
      facts.add(tags.approvalTouched, `approval ${record.approval}`, { index, code: statusCodes.cancelled })
      return
    default:
      // Others are folded into no table.
      return
  }
}

/** The id of what a record is about, where that is another record. */
function subjectOf(record: LogRecord): string | undefined {
  if ('approval' in record) return record.approval
  if (record.kind === 'revocation') return record.grant
  if (record.kind === 'outcome') return record.decision
  return record.kind === 'delegation' ? record.delegation : undefined
}

// What is no id is compared.
function isHot(id: string | undefined, floor: number): boolean {
  const index = id === undefined || floor === 0 ? undefined : numberOf(id)
  return index === undefined || index >= floor
}

function numberOf(id: string): number | undefined {
  return indexOfId('apr', id) ?? indexOfId('dec', id) ?? indexOfId('dlg', id) ?? indexOfId('grt', id)
}

function writeDecision(
  facts: FactWriter,
  record: DecisionRecord,
  entry: StoredEntry,
  settings: SaidSettings,
): void {
  const { floor } = settings
  const { index, agent, callId, effect, claims, session, consumes, standing } = record
  if (callId !== null) {
    facts.add(tags.callSaid, callKey(agent, callId), { index, code: effect === 'deny' ? 1 : 0 })
  }
  if (effect === 'escalate') writeOpened(facts, record)
  if (claims?.consumed === true && isHot(claims.id, floor))
    facts.add(tags.approvalUsed, `approval ${claims.id}`, { index })
  if (session !== undefined && effect === 'allow') writeMarks(facts, record, session)
  if (consumes !== undefined) writeUses(facts, record, consumes, entry, settings)
  if (standing !== undefined && isHot(String(standing.grant), floor)) {
    facts.add(tags.grantUseSaid, grantUseKey(String(standing.grant), String(standing.use)), { index })
  }
}

function writeGrant(
  facts: FactWriter,
  { approval, index }: VoteRecord,
  { uses, until }: RecordedStanding,
): void {
  const grant = `grt_${approval.slice('apr_'.length)}`
  const detail = grantDetail(facts, [String(index), String(uses), until])
  facts.add(tags.grantMade, `grant ${grant}`, { index, detail })
}

function writeOpened(facts: FactWriter, record: DecisionRecord): void {
  const { index, agent, action, policy, opens, at } = record
  if (opens === null || policy === null || !isObject(opens.terms)) {
    facts.odd()
    return
  }
  const terms = canonicalJsonOfPresent(opens.terms)
  const detail = approvalDetail(facts, [agent, action, policy.sha256, terms, at, opens.deadline])
  facts.add(tags.approvalOpened, `approval apr_${index}`, { index, detail })
  const [first] = opens.promptsAt ?? []
  if (first !== undefined) writePrompt(facts, `apr_${index}`, first)
}

function writePrompt(facts: FactWriter, approval: string, next: string | null): void {
  const key = `prompt ${approval}`
  if (next === null) facts.add(tags.promptSaid, key, { index: 0, code: 1 })
  else facts.add(tags.promptSaid, key, { index: Date.parse(next) })
}

function writeMarks(facts: FactWriter, { index, action, labels }: DecisionRecord, session: string): void {
  facts.add(tags.markSaid, markKey(session, 'action', action), { index })
  for (const label of labels ?? []) {
    if (typeof label === 'string') facts.add(tags.markSaid, markKey(session, 'label', label), { index })
    else facts.odd()
  }
}

function writeUses(
  facts: FactWriter,
  { index, id, at }: DecisionRecord,
  consumes: readonly RecordedUse[],
  { payload }: StoredEntry,
  { now, isWhole }: SaidSettings,
): void {
  const keys = typeof payload === 'string' ? [] : keysOf(payload.body)
  for (const [n, use] of consumes.entries()) {
    const key = keys[n]
    if (!isUse(use)) {
      facts.odd()
      continue
    }
    const { counter, amount, windowMs, releasable } = use
    const over = isOver(at, windowMs, now)
    const decimal = decimalOf(amount)
    // What is given back is compared use by use, and exactly; only what is added up needs a fixed size.
    const bytes = releasable ? undefined : amountBytes(decimal)
    if (isWhole === true) {
      const of = keylessText(counter, at, windowMs)
      if (releasable)
        facts.add(tags.keylessSaid, `use ${id}`, { index, code: over, detail: useDetail(facts, of, decimal) })
      else if (bytes !== undefined)
        facts.add(tags.totalSaid, `total ${of}`, { index, code: over, detail: bytes })
    }
    // Of an erased payload nobody knows the keys: what counts still has to be compared without them.
    const isUnknown = typeof key !== 'string'
    if (isUnknown || (!releasable && bytes === undefined)) {
      if (!over && !(isUnknown && isWhole === true)) facts.odd()
      continue
    }
    const of = useText(counter, at, windowMs, facts.counterKey(key))
    if (releasable) {
      facts.add(tags.useSaid, `use ${id}`, { index, code: over, detail: useDetail(facts, of, decimal) })
    } else {
      facts.add(tags.sumSaid, `sum ${of}`, { index, code: over, detail: bytes ?? '' })
    }
  }
}

function keysOf(body: string): readonly unknown[] {
  const payload: unknown = JSON.parse(body)
  const keys: unknown = isObject(payload) ? payload['keys'] : undefined
  return Array.isArray(keys) ? (keys as readonly unknown[]) : []
}

// The record's shape is known only as far as `parseRecord` looks.
function isUse(use: unknown): use is RecordedUse {
  if (!isObject(use)) return false
  const { counter, amount, windowMs, releasable } = use
  return (
    typeof counter === 'string' &&
    typeof amount === 'number' &&
    Number.isSafeInteger(windowMs) &&
    typeof releasable === 'boolean'
  )
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

/** What the key of a caller's own id is. Lengths tell where one text ends. */
export function callKey(agent: string, callId: string): string {
  return `call ${agent.length} ${agent}${callId}`
}

/** What the key of a vote is. */
export function voteKey(approval: string, person: string): string {
  return `vote ${approval.length} ${approval}${person}`
}

/** What the key of a session's mark is. */
export function markKey(session: string, kind: string, value: string): string {
  return `mark ${kind} ${session.length} ${session}${value}`
}

/** What a use of a counter is told by, apart from its amount. `key` is hexadecimal. */
export function useText(counter: string, at: string, windowMs: number, key: string): string {
  return `${windowMs} ${at} ${key} ${counter}`
}

/** What a use of a counter is told by, apart from its amount and its key. */
export function keylessText(counter: string, at: string, windowMs: number): string {
  return `${windowMs} ${at} ${counter}`
}

/** The digest of a use that can be given back. */
export function useDetail(facts: FactWriter, of: string, amount: Decimal): string {
  return facts.digest(`${of} ${amountText(amount)}`)
}

/** The digest of what never changes of a vote. */
export function voteDetail(facts: FactWriter, columns: readonly (string | null)[]): string {
  return facts.digest(JSON.stringify(columns))
}

/** The digest of what never changes of a delegation. */
export function delegationDetail(facts: FactWriter, columns: readonly (string | null)[]): string {
  return facts.digest(JSON.stringify(columns))
}

/** The digest of what never changes of a standing grant. */
export function grantDetail(facts: FactWriter, columns: readonly (string | null)[]): string {
  return facts.digest(JSON.stringify(columns))
}

/** What the key of a use of a standing grant is. */
export function grantUseKey(grant: string, use: string): string {
  return `grant use ${grant} ${use}`
}

/** The digest of what never changes of an approval. */
export function approvalDetail(facts: FactWriter, columns: readonly (string | null)[]): string {
  return facts.digest(JSON.stringify(columns))
}
