import { durationText } from '@bailiwick/core/words'
import { Fault } from '@bailiwick/core'
import type { Ledger } from '@bailiwick/store'
import { repeat } from './repeat.ts'

/** By so much a service's clock may be ahead of the database's, in milliseconds. */
export const clockAheadMsMax = 30_000
const everyMs = 60_000

/**
 * Deadlines and the windows of budgets run from the service's clock: one that is ahead would give people longer than the
 * policy says, and agents their budgets anew. One that is behind only denies early.
 *
 * @param now the service's clock, in milliseconds
 * @throws Fault `conflict` where it is ahead of the database's by more than `clockAheadMsMax`
 */
export async function refuseClockAhead(pool: Ledger['pool'], now: () => number = Date.now): Promise<void> {
  // Before the question: what that takes makes the clock look behind, never ahead.
  const here = now()
  const { rows } = await pool.query<{ ms: number }>(
    'select (extract(epoch from clock_timestamp()) * 1000)::float8 as ms',
  )
  // Without an answer it is no number, which is not small enough.
  const ahead = here - Number(rows[0]?.ms)
  if (ahead <= clockAheadMsMax) return
  throw new Fault(
    'conflict',
    `this machine's clock is ${durationText(Math.round(ahead / 1000) * 1000)} ahead of the database's`,
    {
      fix: 'Set both by the same source of time, such as NTP: deadlines of people and budgets of agents rest on them.',
    },
  )
}

/**
 * The same at the start, and every minute while the service runs: then it goes on, and tells the operator.
 *
 * @param undo gets what ends it
 * @throws Fault as `refuseClockAhead` does, at the start
 */
export async function watchClock(
  pool: Ledger['pool'],
  log: (line: string) => void,
  undo: (() => Promise<unknown>)[],
): Promise<void> {
  await refuseClockAhead(pool)
  const watch = repeat(
    everyMs,
    () => refuseClockAhead(pool),
    (error) => {
      if (error instanceof Fault) log(`CLOCK: ${error.message}. ${error.fix}`)
    },
  )
  undo.push(() => watch.stop())
}
