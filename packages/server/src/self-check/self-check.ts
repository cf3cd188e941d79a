import {
  Fault,
  instantText,
  logBrokenNotice,
  onOneLine,
  type BrokenLog,
  type Frontier,
  type NoticeLinks,
} from '@bailiwick/core'
import { enqueueMessages, LogWalk, type Ledger, type Walk, type WalkStep } from '@bailiwick/store'
import { messagesOfNotice } from '../delivery/outbox-worker.ts'
import type { Target } from '../delivery/targets.ts'
import { repeat, type Repetition } from '../repeat.ts'
import { secondsDefault } from './settings.ts'

/** How many records a round verifies at the most: of those that came since the last one, and of the others. */
const newRecordsPerRound = 50_000
const oldRecordsDefault = 10_000

/** What the self-check needs. */
export interface SelfCheckOptions {
  readonly ledger: Ledger
  /** Whom to tell, by name. */
  readonly targets: ReadonlyMap<string, Target>
  readonly links: NoticeLinks
  /** How often it checks; undefined: never, but for a log that was found broken before. */
  readonly seconds: number | undefined
  /** Told when the log is found broken, and when it could not be read. */
  readonly log: (line: string) => void
  /** How many old records a round verifies. */
  readonly oldRecordsPerRound?: number | undefined
  /** How to walk along the log from a tree that is known to be right; default: in this thread. */
  readonly walk?: ((from?: Frontier) => Walk) | undefined
}

/**
 * Verifies the service's own log while it runs (G5): every round the records that came since the last one, and a piece of
 * all the others, over and over from the first to the last, against the published checkpoint and the copies of it. Where something is wrong,
 * it halts the ledger, tells the operator and every target, and rests until the service starts again.
 */
export class SelfCheck {
  readonly #options: SelfCheckOptions
  #newest: Walk | undefined
  #round: Walk
  /** Whether the log was verified whole since the start, where it had been found broken before. */
  #isJudged = false
  /** What nobody was told yet. */
  #untold: BrokenLog | undefined

  constructor(options: SelfCheckOptions) {
    this.#options = options
    this.#round = this.#walk()
  }

  /** Checks the next piece. @throws the database's error where it could not be read, and nothing is known */
  async runOnce(): Promise<void> {
    const { ledger, seconds } = this.#options
    if (ledger.halted !== undefined) {
      await this.#judge()
      await this.#tell()
      return
    }
    if (seconds === undefined) return
    const broken = await this.#find().catch(brokenBy)
    if (broken !== undefined) await this.#halt(broken)
  }

  /** Checks piece by piece until it is stopped: at once, and then every some seconds. */
  start(): Repetition {
    const { seconds = secondsDefault, log } = this.#options
    let isStopping = false
    const failed = (error: unknown): void => {
      if (!isStopping) log(onOneLine(`self-check: ${messageOf(error)}; trying again`))
    }
    const first = this.runOnce().catch(failed)
    const repetition = repeat(
      seconds * 1000,
      () => first.then(() => (isStopping ? undefined : this.runOnce())),
      failed,
    )
    return {
      stop: async () => {
        isStopping = true
        await repetition.stop()
        await first
      },
    }
  }

  async #find(): Promise<BrokenLog | undefined> {
    const { ledger, oldRecordsPerRound: old = oldRecordsDefault } = this.#options
    // Read before any head: a checkpoint of later records would look like a cut-off tail.
    const published = await ledger.checkpoints.published()
    this.#newest ??= this.#walk(await ledger.head())
    const newest = await twice(() => this.#newest?.step(newRecordsPerRound))
    if (newest?.broken !== undefined) return newest.broken
    const round = await twice(() => this.#round.step(old, published))
    if (round?.isAtEnd === true) this.#round = this.#walk()
    if (round?.broken !== undefined) return round.broken
    // A statement or two; the tables besides are for whoever verifies.
    await ledger.sealing.checkSecret()
    // Last: copies that cannot be reached must not keep the log from being checked.
    await ledger.holdAgainstCopies()
    return undefined
  }

  #walk(from?: Frontier): Walk {
    const { ledger, walk } = this.#options
    return walk?.(from) ?? new LogWalk({ client: ledger.pool, ledger: ledger.name }, from)
  }

  // Halted first: whatever fails afterwards, nothing more is decided.
  async #halt(broken: BrokenLog): Promise<void> {
    const { ledger, log } = this.#options
    this.#isJudged = true
    this.#untold = broken
    log(onOneLine(`the log is broken, and nothing is decided on it: ${broken.problem}`))
    await ledger.halt(broken)
    await this.#tell()
  }

  // Enqueued once for each place, also where it is found again after a restart.
  async #tell(): Promise<void> {
    if (this.#untold === undefined) return
    const { ledger, targets, links } = this.#options
    const notice = logBrokenNotice(ledger.name, this.#untold, instantText(ledger.now()))
    await enqueueMessages(ledger.pool, ledger.name, messagesOfNotice(notice, targets, links))
    this.#untold = undefined
  }

  // A log that was found broken before this start is verified whole, once; the operator may have mended it.
  async #judge(): Promise<void> {
    const { ledger, log } = this.#options
    if (this.#isJudged) return
    log('self-check: the log was found broken before; verifying all of it')
    const result = await ledger.resume()
    this.#isJudged = true
    if (result.kind === 'broken') {
      log(onOneLine(`the log is broken, and nothing is decided on it: ${result.problem}`))
      this.#untold = result
    } else {
      log(`self-check: the log is intact: ${result.size} records; going on`)
    }
  }
}

/** What the step found, and found again: nobody should be woken by what only looked broken for a moment. */
async function twice(step: () => Promise<WalkStep> | undefined): Promise<WalkStep | undefined> {
  const found = await step()
  return found?.broken === undefined ? found : await step()
}

/** A checkpoint or a head that is none is as good as a broken log; another error says nothing of the log. */
function brokenBy(error: unknown): BrokenLog {
  if (!(error instanceof Fault) || error.code !== 'log_broken') throw error
  return { kind: 'broken', index: null, problem: error.message, fix: error.fix }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
