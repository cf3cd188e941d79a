import {
  canonicalJson,
  commitPayload,
  completeRecord,
  decideCall,
  factsFromRecord,
  Fault,
  indexOfId,
  parsePolicy,
  parseRecord,
  recordText,
  type ActionName,
  type AgentId,
  type ApprovalId,
  type CallId,
  type CompiledPolicy,
  type Decision,
  type DecisionRecord,
  type Facts,
  type Instant,
  type Json,
  type JsonObject,
  type ParsedCall,
  type PolicyRef,
  type SessionId,
  type StoredEntry,
} from '@bailiwick/core'
import pg from 'pg'
import { whileConnected } from './engine/one-connection.ts'
import { hasCode } from './engine/errno.ts'
import { ColdLog } from './archive/cold-log.ts'
import type { ArchiveStore } from './archive/store.ts'
import { batchesBackwards, type Queryable } from './log/batches.ts'
import { inSchema } from './migrate.ts'
import type { PayloadKey } from './sealing/payload-key.ts'
import { PayloadReader } from './sealing/payload-reader.ts'
import { decisionBody } from './operations/decide.ts'
import { unknownDecision } from './operations/outcome.ts'
import { readAnywhere } from './queries.ts'

/** All that a recorded decision was made from. */
export interface RecalledDecision {
  readonly record: DecisionRecord
  /** Its payload; empty where the call was malformed. */
  readonly payload: JsonObject
  readonly parsed: ParsedCall
  readonly facts: Facts
  /** As it was recorded; undefined where no policy bound the agent. */
  readonly policy: CompiledPolicy | undefined
}

/** A recorded decision, made again from what is recorded. */
export interface Replay {
  /** Whether it came out as it was recorded, in everything that the record says. */
  readonly same: boolean
  /** As it comes out now. */
  readonly decision: Decision
  /** The members of the record that came out otherwise, and `keys` where it would count under others. */
  readonly differences: readonly string[]
}

/**
 * Finds what a recorded decision was made from: its record, its payload with the facts that were known, and the recorded
 * source of its policy. Reads nothing else.
 *
 * @param agent where given, the decision has to be that agent's own
 * @param cold where archived records are; without it they are not found
 * @throws Fault `not_found` where there is no such decision; `erased` where what it was made from has been erased;
 *   `payload_key_missing` where it is sealed and cannot be opened here; `log_broken` where the payload is not the one that the record commits to; `policy_invalid` where this version cannot
 *   compile the policy
 */
export async function recallDecision(
  client: Queryable,
  payloads: PayloadReader,
  id: string,
  agent?: string,
  cold?: ColdLog,
): Promise<RecalledDecision> {
  const { ledger } = payloads
  const index = indexOfId('dec', id)
  const entry =
    index === undefined ? undefined : (await readAnywhere(client, ledger, [index], cold)).get(index)
  const record = entry === undefined ? undefined : parseRecord(entry.record)
  if (entry === undefined || record?.kind !== 'decision') throw unknownDecision(id)
  if (agent !== undefined && record.agent !== agent) throw unknownDecision(id)
  const payload = await payloadOf(client, payloads, entry, record)
  const policy =
    record.policy === null ? undefined : await recordedPolicy(client, ledger, record.policy, cold)
  const at = Date.parse(record.at) as Instant
  const facts = factsFromRecord((payload['facts'] ?? {}) as JsonObject, at)
  return { record, payload, parsed: callOf(record, payload), facts, policy }
}

/** Makes a decision again (G7), and compares it with what was recorded. */
export function replayOf({ record, payload, parsed, policy, facts }: RecalledDecision): Replay {
  const decision = decideCall(policy, parsed, facts)
  const differences = differencesOf(record, payload, parsed, policy, decision)
  return { same: differences.length === 0, decision, differences }
}

/** Makes a recorded decision again (G7). Records nothing. @throws as `recallDecision` does */
export async function replayDecision(
  client: Queryable,
  payloads: PayloadReader,
  id: string,
  cold?: ColdLog,
): Promise<Replay> {
  return replayOf(await recallDecision(client, payloads, id, undefined, cold))
}

/**
 * Recalls a decision of a stored log. Needs no opened ledger and changes nothing.
 *
 * @param archive where archived records are read from
 * @param payloadKey what opens sealed payloads
 * @throws as `recallDecision` does
 */
export async function recallStoredDecision(
  connection: pg.ClientConfig,
  ledger: string,
  id: string,
  archive?: ArchiveStore,
  payloadKey?: PayloadKey,
): Promise<RecalledDecision> {
  const payloads = new PayloadReader(ledger, payloadKey)
  try {
    return await whileConnected(new pg.Client(inSchema(connection)), (client) =>
      recallDecision(client, payloads, id, undefined, new ColdLog(client, ledger, archive)),
    )
  } catch (error) {
    // Tables that are not there hold no decisions.
    if (hasCode(error, '42P01', '3F000')) throw unknownDecision(id)
    throw error
  }
}

async function payloadOf(
  client: Queryable,
  payloads: PayloadReader,
  entry: StoredEntry,
  record: DecisionRecord,
): Promise<JsonObject> {
  const { payload } = entry
  if (typeof payload === 'string') throw erasedPayload(record)
  if (commitPayload(payload.salt, payload.body) !== record.payload) {
    throw new Fault('log_broken', `the payload of ${record.id} is not the one that its record commits to`, {
      fix: 'Run `bailiwick log verify`.',
    })
  }
  const body = await payloads.text(client, entry)
  if (body === null) throw erasedPayload(record)
  // Null where the call was malformed.
  return (JSON.parse(body) as JsonObject | null) ?? {}
}

function erasedPayload({ id }: DecisionRecord): Fault {
  return new Fault('erased', `the payload of ${id} has been erased`, {
    fix: 'Its record can still be verified; it cannot be made again without its parameters.',
  })
}

// A malformed call is recorded without its parameters; what was wrong with it is what it was denied for.
const malformedReason = 'Call is malformed: '

function callOf(record: DecisionRecord, payload: JsonObject): ParsedCall {
  const { agent, action, callId, claims, session, code, reasons } = record
  const { context = {}, params = {} } = payload as { context?: JsonObject; params?: JsonObject }
  return {
    call: {
      agent: agent as AgentId,
      action: action as ActionName,
      params,
      context,
      callId: callId === null ? undefined : (callId as CallId),
      approvalId: claims === null ? undefined : (claims.id as ApprovalId),
      ...(session === undefined ? {} : { session: session as SessionId }),
    },
    payload: canonicalJson({ context, params }),
    supports: [],
    malformed: code === 'malformed_call' ? (reasons[0] ?? '').slice(malformedReason.length) : undefined,
  }
}

/**
 * The policy that a decision names, compiled from the source that was recorded.
 *
 * @throws Fault `erased` where it is not there any more; `policy_invalid` where this version cannot compile it
 */
export async function recordedPolicy(
  client: Queryable,
  ledger: string,
  ref: PolicyRef,
  cold?: ColdLog,
): Promise<CompiledPolicy> {
  for await (const { entries } of batchesBackwards(client, ledger, Number.MAX_SAFE_INTEGER, [
    'kind=policy',
  ])) {
    for (const { record: text, payload } of entries.toReversed()) {
      const record = parseRecord(text)
      if (record.kind !== 'policy' || record.policy.sha256 !== ref.sha256) continue
      if (typeof payload !== 'string') return compiled(payload.body, ref)
    }
  }
  const everything = { before: Number.MAX_SAFE_INTEGER, searches: [['kind=policy']] }
  for await (const { record, entry } of cold?.backwards(everything) ?? []) {
    if (record.kind !== 'policy' || record.policy.sha256 !== ref.sha256) continue
    if (typeof entry.payload !== 'string') return compiled(entry.payload.body, ref)
  }
  throw new Fault('erased', `the source of the policy \`${ref.id}\` is not in the log, or has been erased`, {
    fix: 'Replay a decision of a policy that was recorded.',
  })
}

/** A policy from the payload of its record; undefined where this version does not read it as it was recorded. */
export function compiledPolicy(body: string, ref: PolicyRef): CompiledPolicy | undefined {
  const { source, parents = [] } = JSON.parse(body) as {
    source: string
    parents?: readonly { file: string; source: string }[]
  }
  const files = new Map(parents.map((parent) => [parent.file, parent.source]))
  const parsed = parsePolicy(source, { load: (path) => files.get(path) })
  return parsed.kind === 'valid' && parsed.policy.ref.sha256 === ref.sha256 ? parsed.policy : undefined
}

function compiled(body: string, ref: PolicyRef): CompiledPolicy {
  const policy = compiledPolicy(body, ref)
  if (policy !== undefined) return policy
  throw new Fault(
    'policy_invalid',
    `this version does not read the policy \`${ref.id}\` as it was recorded`,
    {
      fix: 'Replay with the version that recorded it.',
    },
  )
}

function differencesOf(
  record: DecisionRecord,
  payload: JsonObject,
  { call }: ParsedCall,
  policy: CompiledPolicy | undefined,
  decision: Decision,
): string[] {
  const { ledger, index, at } = record
  const body = decisionBody(call, policy, decision, { index, at: Date.parse(at) as Instant })
  const made = completeRecord(body, { ledger, index, at, payload: record.payload })
  const now = JSON.parse(recordText(made)) as JsonObject
  // Through its text: members that are absent and members that are undefined are the same.
  const then = JSON.parse(recordText(record)) as JsonObject
  const names = new Set([...Object.keys(then), ...Object.keys(now)])
  const differing = [...names].filter((name) => !equal(then[name], now[name])).sort()
  const keys = decision.effect === 'allow' ? decision.consumes.map(({ key }) => key) : []
  return equal(payload['keys'] ?? [], keys) ? differing : [...differing, 'keys']
}

function equal(one: Json | undefined, other: Json | undefined): boolean {
  if (one === undefined || other === undefined) return one === other
  return canonicalJson(one) === canonicalJson(other)
}
