import {
  Fault,
  indexOfId,
  instantText,
  parseCall,
  type ApprovalStatus,
  type ApprovalView,
  type BrokenLog,
  type ConsistencyProof,
  type DecisionAnswer,
  type DecisionRequest,
  type DecisionView,
  type Frontier,
  type Instant,
  type JsonSource,
  type Outcome,
  type ProofBundle,
  type VerifyResult,
} from '@bailiwick/core'
import pg from 'pg'
import { ApprovalReads, refuseCallback } from './approval-reads.ts'
import { ColdLog } from './archive/cold-log.ts'
import { recordsOf } from './archive/cold-records.ts'
import { listHolds, type StandingHold } from './archive/holds.ts'
import { coldBefore } from './archive/remove.ts'
import type { ArchiveReport } from './archive/run.ts'
import { searchLog, type FoundRecord, type LogSearch } from './archive/search.ts'
import { brokenFault, markBroken, readBrokenMark, unmarkBroken } from './broken-mark.ts'
import { CheckpointFile } from './checkpoints/checkpoint-file.ts'
import { readKnownKeys } from './checkpoints/known-keys.ts'
import { listDecisions, type DecisionFilter, type ListedDecisions } from './decision-list.ts'
import type { ErasureRequest, ErasureResult } from './erasure/erase.ts'
import { Delegations } from './delegations.ts'
import { explainedDecision, type ExplainedDecision } from './explain.ts'
import { Grants } from './grants.ts'
import { readHead } from './head.ts'
import type { ArchiveRequest, CommitListener, LedgerOptions } from './ledger-options.ts'
import { recordKeys, recordPolicies, signedElsewhere } from './ledger-notes.ts'
import type { AdmittingKey } from './log/admission.ts'
import { digestsOf, ledgerSecrets, type LedgerSecrets } from './log/digests.ts'
import { randomPool } from './log/random-pool.ts'
import { Sequencer, type Operation } from './log/sequencer.ts'
import { readSuspended, type SuspendedAgent } from './log/suspensions.ts'
import { inSchema } from './migrate.ts'
import { settleMove } from './move/settle.ts'
import { accessOperation, type Changed } from './operations/access.ts'
import { cancelOperation, type CancelRequest } from './operations/cancel.ts'
import { decideOperation } from './operations/decide.ts'
import { gather, type Gathered, type Surroundings } from './operations/gather.ts'
import { holdOperation, type HoldChange } from './operations/hold.ts'
import { noteOperation, type NoteBody } from './operations/note.ts'
import { outcomeOperation, unknownDecision } from './operations/outcome.ts'
import { revealOperation, type Revealed, type RevealRequest } from './operations/reveal.ts'
import type { Asking } from './operations/from-session.ts'
import { suspensionOperation, type SuspensionChange } from './operations/suspend.ts'
import { unknownApproval, voteOperation, type VoteRequest } from './operations/vote.ts'
import type { PolicySet } from './policies.ts'
import { findDecisions, listApprovals, type ApprovalFilter } from './queries.ts'
import type { ProveOptions } from './prove.ts'
import { Publishing } from './publishing.ts'
import { forwardable, forwardableDecision, type Forwardable } from './replicas/peer-requests.ts'
import type { GrowthListener } from './replicas/growth.ts'
import { ReplicatedWriter } from './replicas/replicated-writer.ts'
import { recallDecision, replayDecision, type Replay } from './replay.ts'
import { archiveRecords, eraseEverywhere, plannedSegments, type RetentionPorts } from './retention.ts'
import { PayloadReader } from './sealing/payload-reader.ts'
import { Sealing } from './sealing/sealing.ts'
import { Sweeps } from './sweeps.ts'
import { LogTiles } from './tiles.ts'
import { verifyStoredLog } from './verify.ts'
import { approvalView, decisionView, type ApprovalAsker, type ViewSettings } from './views.ts'

export type { ArchiveRequest, CommitListener, LedgerOptions } from './ledger-options.ts'

type LedgerParts = Pick<Ledger, 'checkpoints' | 'name' | 'pool'> & { readonly secrets: LedgerSecrets }

/**
 * One ledger: its policies decide, its log remembers. The same object serves the HTTP service and the
 * embedded enforcer; several processes may open one ledger on the same database.
 */
export class Ledger {
  readonly name: string
  readonly policies: PolicySet
  readonly pool: pg.Pool
  readonly checkpoints: CheckpointFile
  /** Approvals as those who wait for them read them. */
  readonly reads: ApprovalReads
  /** The published log as tiles. */
  readonly tiles: LogTiles
  readonly now: () => Instant
  /** Whether what ends, ends by the database's clock, too. */
  readonly databaseClock: boolean
  /** Who votes in whose stead. */
  readonly delegations: Delegations
  /** Which calls are let through without asking people again. */
  readonly grants: Grants
  /** Whether payloads that hold data of people are sealed. */
  readonly sealing: Sealing
  readonly #sweeps: Sweeps
  readonly #options: LedgerOptions
  readonly #sequencer: Sequencer
  readonly #writer: ReplicatedWriter
  readonly #settings: ViewSettings
  readonly #surroundings: Surroundings
  readonly #listeners = new Set<CommitListener>()
  /** The archived records. */
  readonly cold: ColdLog
  readonly #publishing: Publishing
  readonly #retention: RetentionPorts
  readonly #payloads: PayloadReader
  #halted: Fault | undefined

  private constructor(options: LedgerOptions, { checkpoints, name, pool, secrets }: LedgerParts) {
    const digests = digestsOf(secrets)
    this.name = name
    this.#options = options
    this.policies = options.policies
    this.checkpoints = checkpoints
    this.now = options.now ?? (() => Date.now() as Instant)
    this.databaseClock = options.databaseClock ?? options.now === undefined
    this.pool = pool
    const published = async () => (await checkpoints.published())?.size ?? 0
    this.cold = new ColdLog(this.pool, name, options.archive)
    const records = recordsOf(this.pool, name, this.cold)
    this.tiles = new LogTiles({ client: this.pool, ledger: name, published, records })
    const log = { client: pool, ledger: name, checkpoints, tiles: this.tiles, cold: this.cold }
    const { dataDir, logKey, checkpointCopies } = options
    const copies = { dataDir, ledger: name, directory: checkpointCopies, logKey }
    this.#publishing = new Publishing({ ...log, copies, halted: () => this.#halted })
    const base = options.consoleUrl.replace(/\/+$/, '')
    this.#settings = { approvalUrl: (id) => `${base}/approvals/${id}`, policies: options.policies }
    this.#payloads = new PayloadReader(name, options.payloadKey)
    const payloads = this.#payloads
    const reading = { client: this.pool, ledger: name, payloads, now: this.now, cold: this.cold }
    this.reads = new ApprovalReads({ ...reading, settings: this.#settings })
    this.#surroundings = { env: options.env, lookups: options.lookups, digests }
    this.#sequencer = new Sequencer({
      connection: options.connection,
      ledger: name,
      now: this.now,
      databaseClock: this.databaseClock,
      randomBytes: randomPool(),
      payloadKey: options.payloadKey,
      wholeBatches: options.wholeBatches ?? false,
      committed: (head, kinds, made) => {
        this.#publishing.committed(head)
        this.#writer.growth.committed(kinds)
        if (this.#listeners.size === 0) return
        const told = made()
        for (const listener of this.#listeners) listener(head, told)
      },
    })
    const submit = <Answer>(operation: Operation<Answer>, asked?: () => Forwardable<Answer>) =>
      this.#submit(operation, asked)
    const ofPeople = { pool, ledger: name, now: this.now, submit }
    this.#sweeps = new Sweeps(ofPeople)
    this.delegations = new Delegations(ofPeople)
    this.grants = new Grants({ ...ofPeople, payloads, databaseClock: this.databaseClock })
    const { payloadKey: key } = options
    this.sealing = new Sealing({ client: pool, ledger: name, key, secret: secrets.subject, submit })
    this.#retention = { options, digests, sealing: this.sealing, submit }
    const { connection, policies } = options
    const parts = { sequencer: this.#sequencer, connection, pool, ledger: name, policies, digests }
    this.#writer = new ReplicatedWriter({ ...parts, settings: this.#settings })
  }

  /**
   * Opens a ledger on a migrated database and records the policies that are in force from here on.
   *
   * @throws Fault `log_broken` where the database does not go on from the last published checkpoint, or from a copy of
   *   one: a restored backup must not issue the same indices again (G6)
   * A log that was found broken, and never verified since, opens halted.
   */
  static async open(options: LedgerOptions): Promise<Ledger> {
    const name = options.ledger ?? 'main'
    const known = await readKnownKeys(options.connection, name)
    const checkpoints = await CheckpointFile.open(options.dataDir, name, options.logKey, known.length === 0)
    if (options.mustSign === true && !checkpoints.signs) throw signedElsewhere(name)
    const pool = new pg.Pool({ ...inSchema(options.connection), max: 8 })
    // A connection that breaks while idle is replaced by the pool; the next statement reports trouble.
    pool.on('error', () => undefined)
    const secrets = await ledgerSecrets(pool, name).catch(async (error: unknown) => {
      await pool.end()
      throw error
    })
    const ledger = new Ledger(options, { checkpoints, name, pool, secrets })
    try {
      await settleMove(ledger.pool, name, options.dataDir)
      await ledger.#publishing.begin()
      const mark = await readBrokenMark(options.dataDir, name)
      if (mark === undefined) {
        await recordPolicies(ledger)
        await recordKeys(ledger)
      } else {
        ledger.#halted = brokenFault(mark)
        ledger.#writer.standAside(true)
      }
      if (options.peers !== undefined) await ledger.#writer.join(options.peers)
      return ledger
    } catch (error) {
      await ledger.#sequencer.close()
      await ledger.pool.end()
      throw error
    }
  }

  /**
   * Decides, records durably, and answers.
   *
   * @param key as `Admission` has it, where the agent was let in by a key that was remembered
   * @param source `parsed` where the request came of `JSON.parse` and nobody else holds it
   * @throws Fault: then nothing may run; `AdmissionLapsed` where the key has changed since: then nothing was recorded
   */
  decide(
    agent: string,
    request: DecisionRequest,
    key?: AdmittingKey,
    source?: JsonSource,
  ): Promise<DecisionAnswer> {
    // Nothing is waited for that need not be: the call takes its place in the order in which it came, and one promise
    // is all that it costs.
    try {
      const parsed = parseCall(agent, request, source)
      refuseCallback(parsed.callback, this.#options.allowsCallback)
      const gathering = gather(this.policies.for(agent), parsed, this.#surroundings)
      const submit = (gathered: Gathered) =>
        this.#submit(decideOperation(parsed, gathered, this.#settings, key), () =>
          forwardableDecision(parsed, gathered, this.#settings),
        )
      return gathering instanceof Promise ? gathering.then(submit) : submit(gathering)
    } catch (fault) {
      return Promise.reject(fault instanceof Error ? fault : new Error(String(fault)))
    }
  }

  /** Records what became of an allowed call; the index is null where the same had been said before. */
  async reportOutcome(
    agent: string,
    id: string,
    outcome: Outcome,
  ): Promise<{ readonly index: number | null }> {
    return await this.#submit(outcomeOperation(agent, id, outcome), () =>
      forwardable({ kind: 'outcome', agent, id, outcome }),
    )
  }

  /** Casts a person's vote. */
  async vote(voter: Asking, id: string, request: VoteRequest): Promise<ApprovalStatus> {
    return await this.#submit(voteOperation(id, voter, request), () =>
      forwardable({ kind: 'vote', id, voter, request }),
    )
  }

  /**
   * Withdraws an approval that nobody has used: an agent its own, a person with a role that it takes.
   *
   * @throws as `cancelOperation` does
   */
  async cancel(id: string, request: CancelRequest): Promise<ApprovalStatus> {
    return await this.#submit(cancelOperation(id, request), () =>
      forwardable({ kind: 'cancel', id, request }),
    )
  }

  /**
   * Suspends an agent, or lets it decide again: from its next decision on, on every process (G11). The index is null
   * where it was so already.
   *
   * @throws Fault `bad_input` for what is no agent or no reason
   */
  async changeSuspension(change: SuspensionChange): Promise<{ readonly index: number | null }> {
    return await this.#submit(suspensionOperation(change))
  }

  /** The agents that may not act, by name. */
  async suspended(): Promise<SuspendedAgent[]> {
    return await readSuspended(this.pool, this.name)
  }

  /** Changes who may use the service and records it, both or neither. @throws as `accessOperation` does */
  async changeAccess(...change: Parameters<typeof accessOperation>): Promise<Changed> {
    return await this.#submit(accessOperation(...change))
  }

  /** Changes a person; what the ledger knows of the person is read in the transaction that records it. */
  async changePerson<Answer>(operation: Operation<Answer>): Promise<Answer> {
    return await this.#submit(operation)
  }

  /** Registers a passkey, or removes one; the state is judged in the transaction that records it. */
  async changePasskeys<Answer>(operation: Operation<Answer>): Promise<Answer> {
    return await this.#submit(operation)
  }

  /** Records what happened, whatever the state: a policy in force, a person's reading. */
  async note(body: NoteBody, payload?: string): Promise<{ readonly index: number }> {
    return await this.#submit(noteOperation(body, payload), () =>
      forwardable({ kind: 'note', body, payload }),
    )
  }

  /**
   * Erases payloads with their salts, each step in one transaction with the record that says so (G9). What is asked for
   * may be erased in part where this fails; it can be done again.
   *
   * @throws as `erasePayloads` does
   */
  async erase(request: ErasureRequest): Promise<ErasureResult> {
    this.#refuseHalted()
    return await eraseEverywhere(this, this.#retention, request)
  }

  /** Places or lifts a legal hold. The index is null where it stands already. @throws as `holdOperation` does */
  async changeHold(change: HoldChange): Promise<{ readonly index: number | null }> {
    return await this.#submit(holdOperation(change))
  }

  /** The legal holds that stand, by name. */
  async holds(): Promise<readonly StandingHold[]> {
    return await listHolds(this.pool, this.name)
  }

  /** Before when records are no longer hot: the end of the newest partition all of which is older than that. */
  async coldBefore(hotMs: number): Promise<Instant> {
    return await coldBefore(this.pool, (this.now() - hotMs) as Instant)
  }

  /** What a run would archive now: where its segments would end. Changes nothing. */
  async plannedSegments(
    before: Instant,
  ): Promise<{ readonly first: number; readonly ends: readonly number[] }> {
    return await plannedSegments(this.pool, this.name, before, this.#retention.options.archive)
  }

  /** Archives records and removes them from the database. @throws as `archiveLog` does */
  async archive(request: ArchiveRequest): Promise<ArchiveReport> {
    this.#refuseHalted()
    return await archiveRecords(this, this.#retention, request)
  }

  /** Records that match, the newest first, in the database and in cold storage. */
  search(search: LogSearch): AsyncGenerator<FoundRecord> {
    return searchLog(this.pool, this.#payloads, this.cold, search)
  }

  /**
   * Writes down deadlines that have passed, and returns how many; forgets a bounded number of uses that no counter
   * counts any more. Safe to run anywhere, any number of times.
   */
  async expireOverdue(): Promise<number> {
    this.#refuseHalted()
    return await this.#sweeps.expireOverdue()
  }

  /** Writes down of which approvals people are told again, or others are asked, by now; returns of how many. */
  async remindDue(): Promise<number> {
    this.#refuseHalted()
    return await this.#sweeps.remindDue()
  }

  /** One decision, or a `not_found` Fault; `agent` restricts to that agent's own. */
  async decision(id: string, agent?: string): Promise<DecisionView> {
    const index = indexOfId('dec', id)
    const [row] =
      index === undefined ? [] : await findDecisions(this.pool, this.#payloads, [index], this.cold)
    if (!row || (agent !== undefined && row.record.agent !== agent)) throw unknownDecision(id)
    const [opened] = row.record.opens === null ? [] : await this.reads.standing([row.record.index])
    return decisionView(row, this.#settings, opened?.status === 'pending' ? this.now() : undefined)
  }

  /** Makes a recorded decision again, from what is recorded, and says whether it comes out the same (G7). */
  async replay(id: string): Promise<Replay> {
    return await replayDecision(this.pool, this.#payloads, id, this.cold)
  }

  /**
   * Why a decision was made, worked out from what is recorded; `agent` restricts to that agent's own.
   *
   * @throws as `recallDecision` does
   */
  async explain(id: string, agent?: string): Promise<ExplainedDecision> {
    const recalled = await recallDecision(this.pool, this.#payloads, id, agent, this.cold)
    return explainedDecision(recalled, this.policies.for(recalled.record.agent))
  }

  /** Decisions, newest first, and where the next ones start: null where there are no more. */
  async decisions(filter: DecisionFilter): Promise<ListedDecisions> {
    return await listDecisions(this.pool, this.#payloads, filter, this.#settings)
  }

  /**
   * Shows a person one value that the policy calls sensitive, and records that, both or neither.
   *
   * @throws as `revealOperation` does
   */
  async reveal(viewer: Asking, request: RevealRequest): Promise<Revealed> {
    return await this.#submit(revealOperation(request, viewer))
  }

  /** One approval, or a `not_found` Fault; `agent` restricts to that agent's own. */
  async approval(id: string, asker: ApprovalAsker): Promise<ApprovalView> {
    const [view = unknownApproval(id)] = await this.reads.approvalsOf([{ id, asker }])
    if (view instanceof Fault) throw view
    return view
  }

  /** Approvals, newest first. */
  async approvals(filter: ApprovalFilter, asker: ApprovalAsker = {}): Promise<ApprovalView[]> {
    const rows = await listApprovals(this.pool, this.#payloads, filter, instantText(this.now()))
    return rows.map((row) => approvalView(row, this.now(), asker, this.#settings))
  }

  /** The committed head. */
  async head(): Promise<Frontier> {
    return await readHead(this.pool, this.name)
  }

  /**
   * Publishes the committed head's checkpoint outside the database and returns it. Callers that come
   * while one is being published share it.
   */
  async checkpoint(): Promise<string> {
    return await this.#publishing.checkpoint()
  }

  /**
   * Holds the log against the copies of its checkpoints that are kept elsewhere.
   *
   * @throws Fault `log_broken` where it does not contain one of them, or where one is not of this log
   */
  async holdAgainstCopies(): Promise<void> {
    await this.#publishing.holdAgainstCopies()
  }

  /**
   * Proof that a record, by its index or the id of its decision, is in the log; against a checkpoint that is published
   * for it.
   *
   * @throws as `recordIndex` and `proveRecord` do
   */
  async prove(which: string | number, options: ProveOptions = {}): Promise<ProofBundle> {
    return await this.#publishing.prove(which, options)
  }

  /** Proof that the log of `to` records, or the published one, continues the one of `from`. @throws as `proveContinuation` does */
  async consistency(from: number, to?: number): Promise<ConsistencyProof> {
    return await this.#publishing.consistency(from, to)
  }

  /** Recomputes everything and names the first bad place. Reads one snapshot: appends may go on. */
  async verify(onProgress?: (done: number) => void): Promise<VerifyResult> {
    const { connection, dataDir, checkpointCopies, payloadKey } = this.#options
    const where = { connection, dataDir, ledger: this.name, checkpointCopies, payloadKey }
    return await verifyStoredLog({ ...where, onProgress, now: this.now() })
  }

  /** Why nothing is recorded any more; undefined while everything is well. */
  get halted(): Fault | undefined {
    return this.#halted
  }

  /** Why this process could record nothing just now: the last that it tried found the disk full, seconds ago. */
  get full(): Fault | undefined {
    return this.#sequencer.full
  }

  /**
   * Records and signs nothing from here on: every operation ends in a Fault. What is under way may still be recorded.
   * It is written down outside the database, so that whoever opens the ledger on this data directory halts as well.
   */
  async halt(broken: BrokenLog): Promise<void> {
    this.#halted ??= brokenFault(broken)
    // Others find another sequencer, or write by themselves, unless they find the log broken as well.
    this.#writer.standAside(true)
    await markBroken(this.#options.dataDir, this.name, broken, instantText(this.now()))
  }

  /**
   * Goes on, where the whole log is intact.
   *
   * @returns what was found; where that is broken, nothing changes
   */
  async resume(onProgress?: (done: number) => void): Promise<VerifyResult> {
    const result = await this.verify(onProgress)
    if (result.kind === 'broken') return result
    // A crash in between leaves the mark, and the log is verified once more.
    await unmarkBroken(this.#options.dataDir, this.name)
    this.#halted = undefined
    this.#writer.standAside(false)
    await recordPolicies(this)
    await recordKeys(this)
    return result
  }

  /** Hears of every commit of this process, before its callers do. Returns what ends it. */
  onCommit(listener: CommitListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /**
   * Hears that the log has grown, in this process or, with `peers`, in another: of this one's commits before their
   * callers do, of others within moments, and not of each. Returns what ends it.
   */
  onGrowth(listener: GrowthListener): () => void {
    return this.#writer.growth.listen(listener)
  }

  /** Whether `onGrowth` hears of other processes just now; looking for what they have done can then be rare. */
  get hearsOthers(): boolean {
    return this.#writer.hears
  }

  /** Whether this process writes for others, sends to another, or writes for itself. */
  get role(): 'sequencer' | 'follower' | 'alone' {
    if (this.#writer.leads) return 'sequencer'
    return this.#writer.leader === undefined ? 'alone' : 'follower'
  }

  /**
   * Takes nothing of other processes any more, and lets another be the sequencer, until told otherwise. What others
   * send is refused in a way that tells them that nothing of it was recorded.
   */
  standAside(aside: boolean): void {
    this.#writer.standAside(aside)
  }

  /** Answers another process that has this ledger open and sends what its callers asked for to this one. */
  async answerPeer(request: Request): Promise<Response> {
    return await this.#writer.answerPeer(request)
  }

  /** Waits for everything submitted, publishes the last checkpoint, and lets go of the database. */
  async close(): Promise<void> {
    try {
      await this.#writer.leave()
      await this.#sequencer.close()
      // One that is being published may have read its head before the last commit.
      await this.#publishing.settled()
      if (this.#halted === undefined && this.checkpoints.signs) await this.checkpoint()
    } finally {
      await this.pool.end()
    }
  }

  #refuseHalted(): void {
    if (this.#halted !== undefined) throw this.#halted
  }

  #submit<Answer>(operation: Operation<Answer>, asked?: () => Forwardable<Answer>): Promise<Answer> {
    return this.#halted === undefined ? this.#writer.submit(operation, asked) : Promise.reject(this.#halted)
  }
}
