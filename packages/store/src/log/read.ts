import { parseRecord, type Instant, type OutcomeStatus, windowStart } from '@bailiwick/core'
import { holdsNow } from '../archive/holds.ts'
import { archivedEnd } from '../archive/segments.ts'
import { readEntries, type Queryable } from './batches.ts'
import { decimalFrom } from './decimal.ts'
import { readPasskeys } from './passkeys.ts'
import { readPayloadStates } from './payload-states.ts'
import { readApprovals, readRestingOn } from './read-approvals.ts'
import { readPersonSessions, type PersonSession } from './person-sessions.ts'
import { readLiveGrants } from './read-grants.ts'
import { readDelegations, readVoting, type VotingRead } from './voting.ts'
import type { Use } from './counter-fold.ts'
import { Fold } from './fold.ts'
import type { Memory } from './memory.ts'
import { PayloadReader } from '../sealing/payload-reader.ts'
import { keyIdsOf, readAllSubjectKeys, readSubjectKeys } from '../sealing/subject-keys.ts'
import type { KnownDecision, Needs } from './needs.ts'
import type { Sealer } from './seal-fold.ts'

const calls = {
  name: 'read_calls',
  text: `select agent, call_id, index from call
    join unnest($2::text[], $3::text[]) as wanted (agent, call_id) using (agent, call_id)
    where ledger = $1`,
}

// Whole milliseconds, never rounded up: a deadline that has come by this has come.
const clock = {
  name: 'read_clock',
  text: 'select floor(extract(epoch from clock_timestamp()) * 1000)::bigint as now',
}

async function readClock(client: Queryable): Promise<Instant> {
  const { rows } = await client.query<{ now: string }>({ ...clock, values: [] })
  return Number(rows[0]?.now) as Instant
}

const delegationsByIndex = {
  name: 'read_delegations_by_index',
  text: 'select index, revoked_by from delegation where ledger = $1 and index = any($2::bigint[])',
}

const outcomes = {
  name: 'read_outcomes',
  text: 'select decision, status from outcome where ledger = $1 and decision = any($2::bigint[])',
}

const releasable = {
  name: 'read_releasable',
  text: `select decision, encode(key, 'hex') as key, counter, (extract(epoch from at) * 1000)::bigint as at, amount, window_ms
    from counter_entry where ledger = $1 and decision = any($2::bigint[]) and releasable`,
}

/** As of when, and with what, the needs of a batch are read. */
export interface ReadSettings {
  /** The instant of the batch. */
  readonly at: Instant
  /** Whether deadlines are held against the database's clock as well. */
  readonly databaseClock: boolean
  readonly sealer: Sealer
}

/**
 * Reads what a batch of operations needs and `memory` does not have yet; on the sequencer's connection, so after every
 * batch before it.
 *
 */
export async function readFold(
  client: Queryable,
  ledger: string,
  needs: readonly Needs[],
  memory: Memory,
  settings: ReadSettings,
): Promise<Fold> {
  const { databaseClock, sealer } = settings
  const fold = new Fold(memory, sealer)
  const wantedCalls = needs.flatMap((need) => need.calls ?? [])
  const voters = needs.flatMap((need) => need.votedOnBy ?? [])
  const wantedApprovals = needs.flatMap((need) => need.approvals ?? [])
  if (voters.length > 0) wantedApprovals.push(...(await readRestingOn(client, ledger, voters)))
  const wantedUses = needs.flatMap((need) => need.uses ?? [])
  const signedIn = needs.flatMap((need) => need.signedIn ?? [])
  const wantedPayloads = needs.flatMap((need) => need.payloads ?? [])
  // All of them are sent at once, and answered one after the other.
  const [callRows, approvalRows, uses, payloads, people, databaseNow] = await Promise.all([
    wantedCalls.length === 0 ? [] : readCalls(client, ledger, wantedCalls),
    wantedApprovals.length === 0 ? [] : readApprovals(client, ledger, wantedApprovals),
    wantedUses.length === 0 ? [] : readUses(client, ledger, wantedUses),
    wantedPayloads.length === 0 ? [] : readPayloadStates(client, ledger, wantedPayloads),
    readPeople(client, ledger, needs, wantedApprovals),
    databaseClock && wantedApprovals.length + signedIn.length + voters.length > 0
      ? readClock(client)
      : undefined,
    remember(client, ledger, needs, memory, settings),
  ])
  const wantedDecisions = [
    ...needs.flatMap((need) => need.decisions ?? []),
    ...callRows.map(({ index }) => index),
    ...approvalRows.map(([index]) => index),
  ]
  // A call that is replayed says whether what it opened still waits.
  const openedByCalls = callRows.map(({ index }) => index)
  const [decisions, openedRows] = await Promise.all([
    wantedDecisions.length === 0 ? [] : readDecisions(client, ledger, wantedDecisions),
    openedByCalls.length === 0 ? [] : readApprovals(client, ledger, openedByCalls),
  ])
  await readSeals(client, ledger, needs, decisions, fold)
  const decisionRows = decisions.map((each): KnownDecision => {
    const { record, payload, outcome } = each
    return {
      record,
      outcome,
      payload: payload && fold.seals.known(record.index, payload.salt, payload.stored),
    }
  })
  const retention = needs.some((need) => need.retention === true || need.payloads !== undefined)
    ? { archivedEnd: await archivedEnd(client, ledger), holds: await holdsNow(client, ledger) }
    : undefined
  const ids = needs.flatMap((need) => need.passkeys ?? [])
  const owners = needs.flatMap((need) => need.passkeysOf ?? [])
  fold.load({
    calls: callRows,
    approvals: [...approvalRows, ...openedRows],
    decisions: decisionRows,
    uses,
    payloads,
    retention,
    databaseNow,
    passkeys:
      ids.length + owners.length === 0 ? [] : await readPasskeys(client, ledger, { ids, people: owners }),
    ...people,
  })
  return fold
}

// Who votes, in whose stead, and from which sessions.
async function readPeople(
  client: Queryable,
  ledger: string,
  needs: readonly Needs[],
  approvals: readonly number[],
): Promise<{ readonly voting: VotingRead; readonly signedIn: readonly PersonSession[] }> {
  const wanted = needs.flatMap((need) => need.voting ?? [])
  const byIndex = needs.flatMap((need) => need.delegations ?? [])
  const sessions = needs.flatMap((need) => need.signedIn ?? [])
  const [voting, delegations, signedIn] = await Promise.all([
    wanted.length === 0 ? nobody : readVoting(client, ledger, wanted, approvals),
    byIndex.length === 0
      ? []
      : readDelegations(client, ledger, { ...delegationsByIndex, values: [ledger, byIndex] }),
    sessions.length === 0 ? [] : readPersonSessions(client, sessions),
  ])
  return { voting: { ...voting, delegations: [...voting.delegations, ...delegations] }, signedIn }
}

const nobody: VotingRead = Object.freeze({ people: [], ended: [], delegations: [], owners: [] })

/** Has `memory` know what it does not know yet. */
async function remember(
  client: Queryable,
  ledger: string,
  needs: readonly Needs[],
  memory: Memory,
  { at, databaseClock, sealer }: ReadSettings,
): Promise<void> {
  const counters = needs.flatMap((need) => need.counters ?? [])
  const sessions = needs.flatMap((need) => need.session ?? [])
  const wantsGrants = !memory.grants.loaded && needs.some((need) => need.grants === true)
  const since = counters.map(({ key, window }) => ({ key, since: windowStart(window, at) }))
  const payloads = new PayloadReader(ledger, sealer.key)
  const [grants] = await Promise.all([
    wantsGrants ? readLiveGrants(client, payloads, databaseClock ? undefined : at) : undefined,
    counters.length === 0 ? undefined : memory.counters.load(client, ledger, since),
    sessions.length === 0 ? undefined : memory.sessions.load(client, ledger, sessions),
  ])
  if (grants === undefined) return
  const live = grants.live.map(({ grant }) => grant)
  memory.grants.load(live, grants.shut, databaseClock)
}

async function readUses(client: Queryable, ledger: string, decisions: readonly number[]): Promise<Use[]> {
  const { rows } = await client.query<{
    decision: string
    key: string
    counter: string
    at: string
    amount: string
    window_ms: string
  }>({ ...releasable, values: [ledger, decisions] })
  return rows.flatMap(({ decision, key, counter, at, amount: text, window_ms: windowMs }) => {
    const amount = decimalFrom(text)
    if (amount === undefined) return []
    return [
      {
        decision: Number(decision),
        key,
        counter,
        at: Number(at),
        amount,
        windowMs: Number(windowMs),
        releasable: true,
      },
    ]
  })
}

async function readCalls(
  client: Queryable,
  ledger: string,
  wanted: readonly { readonly agent: string; readonly callId: string }[],
): Promise<{ agent: string; call_id: string; index: number }[]> {
  const agents = wanted.map(({ agent }) => agent)
  const callIds = wanted.map(({ callId }) => callId)
  const { rows } = await client.query<{ agent: string; call_id: string; index: string }>({
    ...calls,
    values: [ledger, agents, callIds],
  })
  return rows.map((row) => ({ ...row, index: Number(row.index) }))
}

/** A decision with its payload as it is stored. */
interface StoredDecision extends Omit<KnownDecision, 'payload'> {
  readonly payload: { readonly salt: Buffer; readonly stored: string } | null
}

// The keys of people, where any are needed: on a ledger that seals nothing, nobody asks.
async function readSeals(
  client: Queryable,
  ledger: string,
  needs: readonly Needs[],
  decisions: readonly StoredDecision[],
  { seals }: Fold,
): Promise<void> {
  if (seals.state === undefined) return
  if (needs.some(({ allSubjects }) => allSubjects === true)) {
    seals.load(await readAllSubjectKeys(client, ledger))
    return
  }
  const subjects = needs.flatMap((need) => need.subjects ?? [])
  const ids = keyIdsOf(decisions.map(({ payload }) => payload?.stored))
  seals.load(await readSubjectKeys(client, ledger, { subjects, ids }))
}

/** Decisions by index, with payload and outcome; indices that hold no decision are left out. */
async function readDecisions(
  client: Queryable,
  ledger: string,
  indices: readonly number[],
): Promise<StoredDecision[]> {
  const [entries, settled] = await Promise.all([
    readEntries(client, ledger, indices),
    client.query<{ decision: string; status: OutcomeStatus }>({ ...outcomes, values: [ledger, indices] }),
  ])
  const statuses = new Map(settled.rows.map(({ decision, status }) => [Number(decision), status]))
  return [...entries.values()].flatMap(({ index, record: text, payload }) => {
    const record = parseRecord(text)
    if (record.kind !== 'decision') return []
    const kept =
      typeof payload === 'string' ? null : { salt: Buffer.from(payload.salt), stored: payload.body }
    return [{ record, payload: kept, outcome: statuses.get(index) ?? null }]
  })
}
