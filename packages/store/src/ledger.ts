import { randomBytes } from 'node:crypto'
import {
  canonicalJson,
  indexOfId,
  instantText,
  parseCall,
  type ApprovalStatus,
  type ApprovalView,
  type CompiledPolicy,
  type DecisionAnswer,
  type DecisionRequest,
  type DecisionView,
  type Frontier,
  type Instant,
  type LogRecord,
  type Outcome,
  type VerifyResult,
  type Voter,
} from '@bailiwick/core'
import pg from 'pg'
import { ColdLog } from './archive/cold-log.ts'
import { listHolds, type StandingHold } from './archive/holds.ts'
import { segmentEnds, segmentLimits } from './archive/plan.ts'
import { coldBefore } from './archive/remove.ts'
import { archiveLog, type ArchiveOptions, type ArchiveReport } from './archive/run.ts'
import { searchLog, type FoundRecord, type LogSearch } from './archive/search.ts'
import { archivedEnd } from './archive/segments.ts'
import type { ArchiveStore } from './archive/store.ts'
import { CheckpointFile } from './checkpoints.ts'
import { explainedDecision, type ExplainedDecision } from './explain.ts'
import { followHead, readHead, refuseRestoredBackup } from './head.ts'
import { Sequencer } from './log/sequencer.ts'
import { inSchema } from './migrate.ts'
import { decideOperation, type DecideSettings } from './operations/decide.ts'
import { gather, type LookupGatherer, type Surroundings } from './operations/gather.ts'
import { expiryOperation } from './operations/expiry.ts'
import { holdOperation, type HoldChange } from './operations/hold.ts'
import { noteOperation, type NoteBody } from './operations/note.ts'
import { outcomeOperation, unknownDecision } from './operations/outcome.ts'
import { unknownApproval, voteOperation, type VoteRequest } from './operations/vote.ts'
import type { PolicySet } from './policies.ts'
import {
  deleteCounted,
  findApprovals,
  findDecisions,
  lastPolicy,
  listApprovals,
  listDecisions,
  overdueApprovals,
  type ApprovalFilter,
  type DecisionFilter,
} from './queries.ts'
import { recallDecision, replayDecision, type Replay } from './replay.ts'
import { verifyStoredLog } from './verify.ts'
import { approvalView, decisionView } from './views.ts'

/** What a ledger is opened with. */
export interface LedgerOptions {
  readonly connection: pg.ClientConfig
  readonly policies: PolicySet
  /** Where the checkpoint and its key are kept: outside the database. */
  readonly dataDir: string
  readonly ledger?: string | undefined
  /** The console's address, for links to approvals. */
  readonly consoleUrl: string
  readonly now?: (() => Instant) | undefined
  /** The environment that calls are made in, such as `prod`: conditions and policies may ask for it. */
  readonly env?: string | undefined
  /** What looks facts up; without it, every lookup counts as failed. */
  readonly lookups?: LookupGatherer | undefined
  /** Where archived records are read from; without it, reading them is a Fault. */
  readonly archive?: ArchiveStore | undefined
}

/** What is said of a run that archives, beside what the ledger knows itself. */
export type ArchiveRequest = Omit<
  ArchiveOptions,
  'connection' | 'ledger' | 'dataDir' | 'publish' | 'submit' | 'keepPolicies'
>

/** How many uses of counters a sweep looks at in one step, and how many steps it takes while there is much to delete. */
const usesPerStep = 1000
const stepsPerSweep = 10

/** What other parts hear after each commit. */
export type CommitListener = (head: Frontier, records: readonly LogRecord[]) => void

/**
 * One ledger: its policies decide, its log remembers. The same object serves the HTTP service and the
 * embedded enforcer; several processes may open one ledger on the same database.
 */
export class Ledger {
  readonly name: string
  readonly policies: PolicySet
  readonly pool: pg.Pool
  readonly checkpoints: CheckpointFile
  readonly now: () => Instant
  readonly #options: LedgerOptions
  readonly #sequencer: Sequencer
  readonly #settings: DecideSettings
  readonly #surroundings: Surroundings
  readonly #listeners = new Set<CommitListener>()
  /** The archived records. */
  readonly cold: ColdLog
  #publishing: Promise<string> | undefined
  /** The decision up to which uses of counters have been looked at, whether they count still. */
  #sweptTo = -1
  /** The head that this process last held against what was published; every later one must contain it. */
  #published: Frontier | undefined

  private constructor(options: LedgerOptions, checkpoints: CheckpointFile, name: string) {
    this.name = name
    this.#options = options
    this.policies = options.policies
    this.checkpoints = checkpoints
    this.now = options.now ?? (() => Date.now() as Instant)
    this.pool = new pg.Pool({ ...inSchema(options.connection), max: 8 })
    // A connection that breaks while idle is replaced by the pool; the next statement reports trouble.
    this.pool.on('error', () => undefined)
    this.cold = new ColdLog(this.pool, name, options.archive)
    const base = options.consoleUrl.replace(/\/+$/, '')
    this.#settings = {
      approvalUrl: (id) => `${base}/approvals/${id}`,
    }
    this.#surroundings = { env: options.env, lookups: options.lookups }
    this.#sequencer = new Sequencer({
      connection: options.connection,
      ledger: name,
      now: this.now,
      randomBytes: (size) => randomBytes(size),
      committed: (head, records) => {
        for (const listener of this.#listeners) listener(head, records)
      },
    })
  }

  /**
   * Opens a ledger on a migrated database and records the policies that are in force from here on.
   *
   * @throws Fault `log_broken` where the database has fewer records than the last published checkpoint:
   *   a restored backup must not issue the same indices again (G6)
   */
  static async open(options: LedgerOptions): Promise<Ledger> {
    const name = options.ledger ?? 'main'
    const checkpoints = await CheckpointFile.open(options.dataDir, name)
    const ledger = new Ledger(options, checkpoints, name)
    try {
      const published = await checkpoints.published()
      const kept = published && (await checkpoints.frontier(published))
      ledger.#published = await refuseRestoredBackup(ledger.pool, name, published, kept)
      await ledger.#recordPolicies()
      return ledger
    } catch (error) {
      await ledger.#release()
      throw error
    }
  }

  /** Decides, records durably, and answers. @throws Fault: then nothing may run. */
  async decide(agent: string, request: DecisionRequest): Promise<DecisionAnswer> {
    const parsed = parseCall(agent, request)
    const gathering = gather(this.policies.for(agent), parsed, this.#surroundings)
    // Nothing is waited for that need not be: the call takes its place in the order in which it came.
    const gathered = gathering instanceof Promise ? await gathering : gathering
    return await this.#sequencer.submit(decideOperation(parsed, gathered, this.#settings))
  }

  /** Records what became of an allowed call; the index is null where the same had been said before. */
  async reportOutcome(
    agent: string,
    id: string,
    outcome: Outcome,
  ): Promise<{ readonly index: number | null }> {
    return await this.#sequencer.submit(outcomeOperation(agent, id, outcome))
  }

  /** Casts a person's vote. */
  async vote(voter: Voter, id: string, request: VoteRequest): Promise<ApprovalStatus> {
    return await this.#sequencer.submit(voteOperation(id, voter, request))
  }

  /** Records a policy in force or a change of access. */
  async note(body: NoteBody, payload?: string): Promise<{ readonly index: number }> {
    return await this.#sequencer.submit(noteOperation(body, payload))
  }

  /** Places or lifts a legal hold. The index is null where it stands already. @throws as `holdOperation` does */
  async changeHold(change: HoldChange): Promise<{ readonly index: number | null }> {
    return await this.#sequencer.submit(holdOperation(change))
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
    const first = await archivedEnd(this.pool, this.name)
    return { first, ends: await segmentEnds(this.pool, this.name, first, before, segmentLimits) }
  }

  /** Archives records and removes them from the database. @throws as `archiveLog` does */
  async archive(request: ArchiveRequest): Promise<ArchiveReport> {
    const { connection, dataDir } = this.#options
    return await archiveLog({
      ...request,
      connection,
      dataDir,
      ledger: this.name,
      publish: () => this.checkpoint(),
      submit: (operation) => this.#sequencer.submit(operation),
      keepPolicies: (end) => this.#keepPolicies(end),
    })
  }

  /** Records that match, the newest first, in the database and in cold storage. */
  search(search: LogSearch): AsyncGenerator<FoundRecord> {
    return searchLog(this.pool, this.name, this.cold, search)
  }

  /**
   * Writes down deadlines that have passed, and returns how many; forgets a bounded number of uses that no counter
   * counts any more. Safe to run anywhere, any number of times.
   */
  async expireOverdue(): Promise<number> {
    await this.#forgetCounted()
    const overdue = await overdueApprovals(this.pool, this.name, instantText(this.now()), 500)
    const expired = await Promise.all(overdue.map((index) => this.#sequencer.submit(expiryOperation(index))))
    return expired.filter(Boolean).length
  }

  /** One decision, or a `not_found` Fault; `agent` restricts to that agent's own. */
  async decision(id: string, agent?: string): Promise<DecisionView> {
    const index = indexOfId('dec', id)
    const [row] = index === undefined ? [] : await findDecisions(this.pool, this.name, [index], this.cold)
    if (!row || (agent !== undefined && row.record.agent !== agent)) throw unknownDecision(id)
    return decisionView(row, this.#settings)
  }

  /** Makes a recorded decision again, from what is recorded, and says whether it comes out the same (G7). */
  async replay(id: string): Promise<Replay> {
    return await replayDecision(this.pool, this.name, id, this.cold)
  }

  /**
   * Why a decision was made, worked out from what is recorded; `agent` restricts to that agent's own.
   *
   * @throws as `recallDecision` does
   */
  async explain(id: string, agent?: string): Promise<ExplainedDecision> {
    const recalled = await recallDecision(this.pool, this.name, id, agent, this.cold)
    return explainedDecision(recalled, this.policies.for(recalled.record.agent))
  }

  /** Decisions, newest first. */
  async decisions(filter: DecisionFilter): Promise<DecisionView[]> {
    const rows = await listDecisions(this.pool, this.name, filter)
    return rows.map((row) => decisionView(row, this.#settings))
  }

  /** One approval, or a `not_found` Fault; `agent` restricts to that agent's own. */
  async approval(
    id: string,
    asker: { agent?: string | undefined; voter?: Voter | undefined },
  ): Promise<ApprovalView> {
    const index = indexOfId('apr', id)
    const found = index === undefined ? undefined : await findApprovals(this.pool, this.name, [index])
    const row = index === undefined ? undefined : found?.get(index)
    if (!row || (asker.agent !== undefined && row.approval.agent !== asker.agent)) throw unknownApproval(id)
    return approvalView(row, this.now(), asker.voter, this.#settings)
  }

  /** Approvals, newest first. */
  async approvals(filter: ApprovalFilter, voter?: Voter): Promise<ApprovalView[]> {
    const rows = await listApprovals(this.pool, this.name, filter, instantText(this.now()))
    return rows.map((row) => approvalView(row, this.now(), voter, this.#settings))
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
    // Written to disk before anyone sees it: what was shown is what a restored backup is held against.
    this.#publishing ??= followHead(this.pool, this.name, this.#published)
      .then(async (head) => {
        const note = await this.checkpoints.publish(head)
        this.#published = head
        return note
      })
      .finally(() => {
        this.#publishing = undefined
      })
    return await this.#publishing
  }

  /** Recomputes everything and names the first bad place. Reads one snapshot: appends may go on. */
  async verify(onProgress?: (done: number) => void): Promise<VerifyResult> {
    const { connection, dataDir } = this.#options
    return await verifyStoredLog({ connection, dataDir, ledger: this.name, onProgress, now: this.now() })
  }

  /** Hears of every commit of this process, before its callers do. Returns what ends it. */
  onCommit(listener: CommitListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Waits for everything submitted, publishes the last checkpoint, and lets go of the database. */
  async close(): Promise<void> {
    try {
      await this.#sequencer.close()
      // One that is being published may have read its head before the last commit.
      await this.#publishing
      await this.checkpoint()
    } finally {
      await this.pool.end()
    }
  }

  async #release(): Promise<void> {
    await this.#sequencer.close()
    await this.pool.end()
  }

  async #forgetCounted(): Promise<void> {
    for (let step = 0; step < stepsPerSweep; step++) {
      const { deleted, after } = await deleteCounted(
        this.pool,
        this.name,
        this.now(),
        this.#sweptTo,
        usesPerStep,
      )
      this.#sweptTo = after
      if (deleted < usesPerStep) return
    }
  }

  // Recorded once per change: a restart with the same policies adds nothing to the log.
  async #recordPolicies(): Promise<void> {
    for (const policy of this.policies.all) {
      const { ref } = policy
      const last = await lastPolicy(this.pool, this.name, ref.id)
      if (last?.sha256 !== ref.sha256) await this.note({ kind: 'policy', policy: ref }, sourcePayload(policy))
    }
  }

  // A policy in force whose record leaves would be looked for in cold storage by every decision that is explained.
  async #keepPolicies(end: number): Promise<void> {
    for (const policy of this.policies.all) {
      const last = await lastPolicy(this.pool, this.name, policy.ref.id)
      if (last === undefined || last.index >= end) continue
      await this.note({ kind: 'policy', policy: policy.ref }, sourcePayload(policy))
    }
  }
}

// All that it takes to compile it again.
function sourcePayload({ source, parents }: CompiledPolicy): string {
  const files = parents.map((parent) => ({ file: parent.file, source: parent.source }))
  return canonicalJson(files.length === 0 ? { source } : { parents: files, source })
}
