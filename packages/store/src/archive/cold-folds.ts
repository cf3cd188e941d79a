import { randomBytes } from 'node:crypto'
import { Fault, type Instant, type LogRecord, type StoredEntry } from '@bailiwick/core'
import pg from 'pg'
import { whileConnected } from '../engine/one-connection.ts'
import { readStoredHead } from '../head.ts'
import { readSecrets } from '../log/digests.ts'
import { inSchema } from '../migrate.ts'
import { oneLine } from '../verify/one-line.ts'
import { FactWriter, tags, type Fact, type Tag } from '../verify/facts.ts'
import { Folds } from '../verify/folds.ts'
import { recordsPerWindow, verifyParts } from '../verify/parts.ts'
import { suspensions } from '../verify/folded-tables.ts'
import { writeSaid } from '../verify/said-facts.ts'
import { beginSnapshot, lockedOrAsIs } from '../verify/snapshot.ts'
import { startRunners, type RunnerOptions } from '../verify/start-runners.ts'
import type { WindowSettings } from '../verify/window.ts'
import { archivedFrontier } from './verify-archive.ts'

/** How tables are held against a whole log. */
export interface ColdFoldsOptions extends RunnerOptions {
  /** What no counter counts any more may have been deleted. */
  readonly now: Instant
}

const bytesPerHand = 64 * 1024

/**
 * Holds the tables that are folded from records against all records of a log, the archived ones as well: what archived calls
 * used of budgets, left behind in sessions and were called, and what became of their approvals, is what later calls are
 * decided by.
 *
 * The rows and the records in the database are read in one snapshot, at the beginning; the archived ones of that time follow,
 * with `take`, as they are read back.
 */
export class ColdFolds {
  readonly #settings: WindowSettings
  readonly #floor: number
  readonly #cold: Folds
  readonly #hot: Folds
  readonly #facts: FactWriter
  /** The agents of whose suspension a record in the database speaks: what was in force is recorded again before its record is archived. */
  readonly #spokenOf: ReadonlySet<string>
  /** By agent, the archived record that suspended it last. */
  readonly #suspended = new Map<string, number>()

  private constructor(settings: WindowSettings, floor: number, hot: Folds, spokenOf: ReadonlySet<string>) {
    this.#settings = settings
    this.#floor = floor
    this.#hot = hot
    this.#spokenOf = spokenOf
    this.#cold = new Folds(settings.size)
    this.#facts = new FactWriter(settings.secret, settings.counterPrefix)
  }

  /** @throws Fault `log_broken` where the records in the database are not what they were, or a row says what no record can */
  static async begin(ledger: string, options: ColdFoldsOptions): Promise<ColdFolds> {
    return await whileConnected(new pg.Client(inSchema(options.connection)), async (client) => {
      await beginSnapshot(client)
      const head = { ledger, ...(await readStoredHead(client, ledger)) }
      const archived = await archivedFrontier(client, ledger)
      const settings: WindowSettings = {
        ledger,
        size: head.size,
        cut: undefined,
        secret: randomBytes(32).toString('hex'),
        counterPrefix: (await readSecrets(client, ledger))?.counter.toString('hex') ?? '',
        now: options.now,
        floor: 0,
        isWhole: true,
      }
      const hot = new Folds(head.size)
      const runners = await startRunners(client, settings, options)
      try {
        const { result } = await verifyParts({
          client,
          runners,
          head,
          checkpoint: undefined,
          from: archived.size === 0 ? undefined : archived,
          recordsPerWindow: options.recordsPerPart ?? recordsPerWindow,
          facts: (facts) => hot.add(facts),
          onProgress: undefined,
        })
        if (result.kind === 'broken') throw new Fault('log_broken', result.problem, { fix: result.fix })
        if (!(await hot.addStored(client, runners))) {
          throw broken('a row of a table that is folded from the records says what no record can say')
        }
        return new ColdFolds(
          settings,
          archived.size,
          hot,
          await suspensionsSince(client, ledger, archived.size),
        )
      } catch (error) {
        hot.close()
        throw lockedOrAsIs(error)
      } finally {
        await Promise.all(runners.map((runner) => runner.close()))
      }
    })
  }

  /** Takes the archived records, in the order of the log; what has been archived meanwhile was read in the database. */
  take(record: LogRecord, entry: StoredEntry): void {
    if (record.index >= this.#floor) return
    if (record.kind === 'suspension') {
      if (record.state === 'suspended') this.#suspended.set(record.agent, record.index)
      else this.#suspended.delete(record.agent)
    }
    writeSaid(this.#facts, record, entry, this.#settings)
    if (this.#facts.length >= bytesPerHand) this.#cold.add(this.#facts.take())
  }

  /**
   * Compares, once all archived records have been taken.
   *
   * @throws Fault `log_broken` where a table does not say what the records say
   */
  check(): void {
    this.#cold.add(this.#facts.take())
    if (this.#facts.isOdd) throw broken('an archived record says of a table what no row can say')
    for (const [agent, index] of this.#suspended) {
      if (!this.#spokenOf.has(agent))
        throw broken(
          `the suspension of ${oneLine(agent)}, record ${index}, was archived and not recorded again`,
        )
    }
    const differing = this.#hot.disagreeing(this.#cold, this.#settings)
    if (differing !== undefined) throw broken(problemOf(differing))
  }

  /** Lets go of what it holds. */
  close(): void {
    this.#cold.close()
    this.#hot.close()
  }
}

async function suspensionsSince(
  client: pg.Client,
  ledger: string,
  floor: number,
): Promise<ReadonlySet<string>> {
  const { rows } = await client.query<{ key: string }>(`select key from (${suspensions.said}) as said`, [
    ledger,
    floor,
  ])
  return new Set(rows.map(({ key }) => key))
}

function broken(problem: string): Fault {
  return new Fault('log_broken', problem, {
    fix: 'Keep the database as evidence and decide nothing on it before its rows are as the records have them; find out who can write to the tables.',
  })
}

const storedIn: ReadonlyMap<Tag, string> = new Map([
  [tags.callStored, 'call'],
  [tags.outcomeStored, 'outcome'],
  [tags.earlierStored, 'outcome'],
  [tags.markStored, 'session_mark'],
  [tags.voteStored, 'vote'],
  [tags.approvalStored, 'approval'],
  [tags.promptStored, 'approval'],
  [tags.useStored, 'counter_entry'],
  [tags.keylessStored, 'counter_entry'],
  [tags.sumStored, 'counter_entry'],
  [tags.totalStored, 'counter_entry'],
  [tags.delegationStored, 'delegation'],
  [tags.grantStored, 'standing_grant'],
  [tags.grantUseStored, 'standing_use'],
])

const saidOf: ReadonlyMap<Tag, string> = new Map([
  [tags.callSaid, 'call'],
  [tags.outcomeSaid, 'outcome'],
  [tags.markSaid, 'session_mark'],
  [tags.voteSaid, 'vote'],
  [tags.approvalOpened, 'approval'],
  [tags.approvalTouched, 'approval'],
  [tags.approvalUsed, 'approval'],
  [tags.promptSaid, 'approval'],
  [tags.useSaid, 'counter_entry'],
  [tags.keylessSaid, 'counter_entry'],
  [tags.released, 'counter_entry'],
  [tags.sumSaid, 'counter_entry'],
  [tags.totalSaid, 'counter_entry'],
  [tags.delegationGiven, 'delegation'],
  [tags.delegationRevoked, 'delegation'],
  [tags.grantMade, 'standing_grant'],
  [tags.grantRevoked, 'standing_grant'],
  [tags.grantUseSaid, 'standing_use'],
])

function problemOf(facts: readonly Fact[]): string {
  const said = facts.find(({ tag }) => saidOf.has(tag))
  const stored = facts.find(({ tag }) => storedIn.has(tag))
  const table = (said && saidOf.get(said.tag)) ?? (stored && storedIn.get(stored.tag)) ?? 'a table'
  if (said === undefined) return `\`${table}\` has a row that no record accounts for`
  const what = stored === undefined ? 'has no row for what' : 'does not say what'
  return `\`${table}\` ${what} record ${said.index} says, or a later one of the same`
}
