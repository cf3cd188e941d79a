import type { Instant } from '@bailiwick/core'
import {
  canWalkAside,
  createNoticeFeed,
  createOutbox,
  WalksAside,
  type Ledger,
  type OpenedDatabase,
} from '@bailiwick/store'
import { createOutboxWorker } from './delivery/outbox-worker.ts'
import type { targetsFromEnvironment } from './delivery/targets.ts'
import { repeat } from './repeat.ts'
import { SelfCheck } from './self-check/self-check.ts'

const sweepMs = 500
const checkpointMs = 1_000

/** What the workers work on. */
export interface Workplace {
  readonly connection: OpenedDatabase['connection']
  readonly ledger: Ledger
  readonly targets: ReturnType<typeof targetsFromEnvironment>
  /** Every how many seconds; undefined: never. */
  readonly selfCheck: number | undefined
  readonly url: string
  readonly log: (line: string) => void
}

/**
 * Starts what goes on beside answering requests: telling of notices, writing down deadlines and reminders, publishing
 * checkpoints and tiles, and checking the log.
 *
 * @param undo what ends it is added to it
 */
export function startWorkers(
  { connection, ledger, targets, selfCheck, url, log }: Workplace,
  undo: (() => Promise<unknown>)[],
): void {
  const { pool, name } = ledger
  const worker = createOutboxWorker({
    feed: createNoticeFeed({ pool, ledger: name, name: 'notices' }),
    outbox: createOutbox({ pool, ledger: name }),
    targets,
    links: { consoleUrl: url },
    clock: { now: () => Date.now() as Instant },
    random: Math.random,
    log,
  })
  worker.start()
  undo.push(() => worker.stop())
  ledger.onGrowth(() => worker.poke())

  const failed = (what: string) => (error: unknown) =>
    log(`${what}: ${error instanceof Error ? error.message : String(error)}`)
  for (const repetition of [
    repeat(sweepMs, () => ledger.expireOverdue(), failed('expiry')),
    repeat(sweepMs, () => ledger.remindDue(), failed('reminders')),
    repeat(checkpointMs, () => ledger.checkpoint(), failed('checkpoint')),
    repeat(checkpointMs, () => ledger.tiles.fill(), failed('tiles')),
  ]) {
    undo.push(() => repetition.stop())
  }

  const aside = canWalkAside() ? new WalksAside({ connection, ledger: ledger.name }) : undefined
  const check = new SelfCheck({
    ledger,
    targets,
    links: { consoleUrl: url },
    seconds: selfCheck,
    log,
    walk: aside && ((from) => aside.walk(from)),
  })
  const checking = check.start()
  undo.push(async () => {
    const stopped = checking.stop()
    // What it is at would take its time, and says nothing any more.
    await aside?.close()
    await stopped
  })
}
