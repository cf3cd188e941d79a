import { fromSession } from '../operations/from-session.ts'
import { Fault, indexOfId, parseRecord } from '@bailiwick/core'
import type { ColdLog } from '../archive/cold-log.ts'
import { holdsNow } from '../archive/holds.ts'
import { archivedEnd } from '../archive/segments.ts'
import type { Queryable } from '../log/batches.ts'
import { readPayloadStates } from '../log/payload-states.ts'
import type { Operation } from '../log/sequencer.ts'
import { unknownDecision } from '../operations/outcome.ts'
import { readAnywhere } from '../queries.ts'
import { recordsOfCalls } from './call-records.ts'
import { readSubjectKeys } from '../sealing/subject-keys.ts'
import {
  checkedReason,
  destroyKeysOperation,
  eraseOperation,
  refuseUnderHold,
  type ErasureCause,
} from './operation.ts'

/** What is to be erased. */
export type ErasureTarget =
  | { readonly decision: string }
  /** A value of what a policy's `subject` names, such as a customer's id. */
  | { readonly subject: string | number }

/** What is to be erased, why, and on whose word. */
export interface ErasureRequest extends Omit<ErasureCause, 'scope'> {
  readonly target: ErasureTarget
  /** Only says what would be erased. */
  readonly dryRun?: boolean | undefined
  /** The id of the session that it is asked from, where there is one: each step ends with it. */
  readonly session?: string | undefined
  /** Told after each step how many payloads have been erased. */
  readonly onProgress?: ((erased: number) => void) | undefined
}

/** What was erased, or would be. */
export interface ErasureResult {
  /** The indices of the records whose payloads were erased, ascending. */
  readonly erased: readonly number[]
  /** How many of what was found had been erased before. What a person is found by goes with the erasure, so of one it is mostly 0. */
  readonly before: number
  /** The indices of the records that say so. Empty in a dry run. */
  readonly recordedAs: readonly number[]
  /** Which of them were in cold storage only. */
  readonly archived: readonly number[]
  /** The ids of the person's keys that were destroyed: what was sealed with them cannot be read any more, wherever it is. */
  readonly keys: readonly string[]
  /** Whether `VACUUM` went over what was rewritten, so that their space is used for other rows. */
  readonly vacuumed: boolean
}

/** What erasing works with. */
export interface ErasurePorts {
  readonly client: Queryable
  readonly ledger: string
  submit<Answer>(operation: Operation<Answer>): Promise<Answer>
  /** The digests under which `payload_subject` may know this value. */
  subjectDigests(subject: string | number): readonly string[]
  readonly cold: ColdLog
  /** Removes from cold storage what `erasure` records name and is still there. */
  eraseInArchive(): Promise<void>
}

/** What one step rewrites at the most; nobody else records anything meanwhile. */
const recordsPerStep = 200
const bytesPerStep = 8 * 1024 * 1024
const decisionsPerPage = 100
/** An outcome may be recorded while its decision is erased; afterwards, none with a payload is. */
const roundsMax = 10

/**
 * Erases what is asked for with everything that belongs to it, step by step; each step is one transaction with its own
 * record. It can be interrupted and done again: what is erased is passed over.
 *
 * @throws Fault `not_found` for a decision that does not exist, `conflict` under a legal hold, `bad_input`; where
 *   something was erased before it failed, the message says how much
 */
export async function erasePayloads(ports: ErasurePorts, request: ErasureRequest): Promise<ErasureResult> {
  checkedReason(request.reason)
  // The operation asks again, in its transaction; this one is for dry runs, and for failing before any work.
  refuseUnderHold(await holdsNow(ports.client, ports.ledger))
  const progress = new Progress(request)
  try {
    // First: from here on nothing that is sealed can be read, whatever keeps the rest from being removed.
    if ('subject' in request.target) await destroyKeys(ports, request, request.target.subject, progress)
    for await (const decisions of pagesOf(ports, request.target)) {
      for (let round = 0; round < roundsMax; round++) {
        const states = await statesOf(ports, decisions, progress)
        if (states.length === 0 || !(await eraseAll(ports, request, states, progress))) break
      }
    }
    // Also what an earlier erasure was interrupted over.
    if (request.dryRun !== true) {
      await ports.eraseInArchive()
      await refuseLeftBehind(ports, [...progress.erased, ...progress.before])
    }
  } catch (error) {
    throw progress.interrupted(error)
  }
  const vacuumed = await freeSpace(ports, progress)
  return progress.result(vacuumed)
}

// What lies in cold storage is found by a row that no record commits to: looked at is what really lies there.
async function refuseLeftBehind(ports: ErasurePorts, indices: readonly number[]): Promise<void> {
  const end = await archivedEnd(ports.client, ports.ledger)
  const entries = await ports.cold.entries(indices.filter((index) => index < end))
  const left = [...entries.values()].find(({ payload }) => payload !== 'erased')
  if (left === undefined) return
  throw new Fault(
    'log_broken',
    `the payload of record ${left.index} is still in cold storage, and the database says that it was erased`,
    { fix: 'Keep the database as evidence, mend the row of archive_segment from a backup, and erase again.' },
  )
}

class Progress {
  readonly erased = new Set<number>()
  readonly before = new Set<number>()
  readonly archived = new Set<number>()
  readonly firsts = new Set<number>()
  readonly recordedAs: number[] = []
  keys: readonly string[] = []
  readonly #request: ErasureRequest

  constructor(request: ErasureRequest) {
    this.#request = request
  }

  add(states: readonly KeptPayload[]): void {
    for (const { index, first } of states) {
      this.erased.add(index)
      if (first === null) this.archived.add(index)
      else this.firsts.add(first)
    }
    this.#request.onProgress?.(this.erased.size)
  }

  result(vacuumed: boolean): ErasureResult {
    const ascending = (numbers: Iterable<number>) => [...numbers].sort((a, b) => a - b)
    return {
      erased: ascending(this.erased),
      before: this.before.size,
      recordedAs: this.recordedAs,
      archived: ascending(this.archived),
      keys: this.keys,
      vacuumed,
    }
  }

  interrupted(error: unknown): unknown {
    if (!(error instanceof Fault) || this.recordedAs.length === 0) return error
    return new Fault(
      error.code,
      `${error.message}; before that, ${this.#done()}, recorded up to record ${this.recordedAs.at(-1) ?? 0}`,
      { fix: `${error.fix} Then erase again: what is erased is passed over.`, cause: error },
    )
  }

  #done(): string {
    const erased = `${this.erased.size} payloads were erased`
    if (this.keys.length === 0) return erased
    return `the key of the person was destroyed, so that nothing sealed with it can be read, and ${erased}`
  }
}

async function destroyKeys(
  ports: ErasurePorts,
  request: ErasureRequest,
  subject: string | number,
  progress: Progress,
): Promise<void> {
  const subjects = ports.subjectDigests(subject)
  const stored = await readSubjectKeys(ports.client, ports.ledger, { subjects })
  if (request.dryRun === true) {
    progress.keys = stored.map(({ id }) => id).sort()
    return
  }
  // Where nobody has a key, nothing is asked of the log. One that is made meanwhile is of a call that comes later.
  if (stored.length === 0) return
  const { index, keys } = await ports.submit(
    fromSession(destroyKeysOperation(subjects, request), request.session),
  )
  progress.keys = keys
  if (index !== null) progress.recordedAs.push(index)
}

/** The decisions that are asked for, a few at a time. */
async function* pagesOf(ports: ErasurePorts, target: ErasureTarget): AsyncGenerator<readonly number[]> {
  const { client, ledger } = ports
  if ('decision' in target) {
    const index = indexOfId('dec', target.decision)
    const entry =
      index === undefined ? undefined : (await readAnywhere(client, ledger, [index], ports.cold)).get(index)
    if (index === undefined || entry === undefined) throw unknownDecision(target.decision)
    if (parseRecord(entry.record).kind !== 'decision') throw unknownDecision(target.decision)
    yield [index]
    return
  }
  const subjects = ports.subjectDigests(target.subject).map((digest) => Buffer.from(digest, 'hex'))
  for (let after = -1; ;) {
    const { rows } = await client.query<{ index: string }>(
      `select distinct index from payload_subject where ledger = $1 and subject = any($2::bytea[]) and index > $3
      order by index limit $4`,
      [ledger, subjects, after, decisionsPerPage],
    )
    if (rows.length === 0) return
    const indices = rows.map(({ index }) => Number(index))
    yield indices
    after = indices.at(-1) ?? after
  }
}

/** A payload that is still there. */
interface KeptPayload {
  readonly index: number
  /** The index of the first record of its batch; null in cold storage. */
  readonly first: number | null
  /** What has to be rewritten to erase it, in bytes. */
  readonly batchBytes: number
}

/** The payloads that are still there. */
async function statesOf(
  { client, ledger, cold }: ErasurePorts,
  decisions: readonly number[],
  progress: Progress,
): Promise<KeptPayload[]> {
  const records = await recordsOfCalls({ client, ledger, cold }, decisions)
  const hot = await readPayloadStates(client, ledger, records)
  const stored = new Set(hot.map(({ index }) => index))
  const archived = await cold.entries(records.filter((index) => !stored.has(index)))
  const states = [
    ...hot,
    ...[...archived.values()].map(({ index, payload }) => {
      const state = typeof payload === 'string' ? payload : ('kept' as const)
      return { index, first: null, batchBytes: 0, state }
    }),
  ].sort((a, b) => a.index - b.index)
  for (const { index, state } of states) {
    if (state === 'erased' && !progress.erased.has(index)) progress.before.add(index)
  }
  // Until the end, what was erased in cold storage is named by a record and still there.
  return states.filter(({ index, state }) => state === 'kept' && !progress.erased.has(index))
}

/** Whether there may be more: a dry run is over after the first time. */
async function eraseAll(
  ports: ErasurePorts,
  request: ErasureRequest,
  states: readonly KeptPayload[],
  progress: Progress,
): Promise<boolean> {
  if (request.dryRun === true) {
    progress.add(states)
    return false
  }
  const cause = {
    scope: 'decision' in request.target ? 'decision' : 'subject',
    reason: request.reason,
    by: request.by,
  } as const
  for (const step of stepsOf(states)) {
    const { index, erased } = await ports.submit(
      fromSession(
        eraseOperation(
          step.map((state) => state.index),
          cause,
          new Set(step.filter(({ first }) => first === null).map((state) => state.index)),
        ),
        request.session,
      ),
    )
    if (index !== null) progress.recordedAs.push(index)
    progress.add(step.filter((state) => erased.includes(state.index)))
  }
  return true
}

function stepsOf(states: readonly KeptPayload[]): KeptPayload[][] {
  const steps: KeptPayload[][] = []
  let step: KeptPayload[] = []
  let bytes = 0
  let last: number | null = -1
  for (const state of states) {
    const more = state.first === last ? 0 : state.batchBytes
    if (step.length > 0 && (step.length === recordsPerStep || bytes + more > bytesPerStep)) {
      steps.push(step)
      step = []
      bytes = 0
      last = -1
    }
    if (state.first !== last) bytes += state.batchBytes
    last = state.first
    step.push(state)
  }
  if (step.length > 0) steps.push(step)
  return steps
}

// What is rewritten leaves its old version behind. PostgreSQL passes over the tables of others with a warning that
// nobody would see; those are left to autovacuum.
async function freeSpace(
  { client, ledger }: ErasurePorts,
  { firsts, recordedAs, keys }: Progress,
): Promise<boolean> {
  if (recordedAs.length === 0) return false
  try {
    const { rows } = await client.query<{ name: string; owned: boolean }>(
      `select c.oid::regclass::text as name, pg_has_role(c.relowner, 'usage') as owned from pg_class c
      where c.oid in (select distinct tableoid from log_batch where ledger = $1 and first = any($2::bigint[]))
        or ($3 and c.oid = 'subject_key'::regclass)`,
      [ledger, [...firsts], keys.length > 0],
    )
    for (const { name } of rows.filter(({ owned }) => owned)) await client.query(`vacuum ${name}`)
    return rows.every(({ owned }) => owned)
  } catch (error) {
    // The payloads are erased all the same; the caller is told that their space is not freed yet.
    if (error instanceof Error) return false
    throw error
  }
}
