import { CounterWindows } from './counter-windows.ts'
import { SealingState } from './sealing-state.ts'
import { SessionMarks } from './session-marks.ts'
import { StandingGrants } from './standing-grants.ts'
import { Suspensions } from './suspensions.ts'

/** What is remembered from batch to batch, as of one head. */
export interface Memory {
  readonly counters: CounterWindows
  readonly sessions: SessionMarks
  readonly suspensions: Suspensions
  readonly grants: StandingGrants
  readonly sealing: SealingState
}

/** A memory of nothing. */
export function emptyMemory(): Memory {
  return {
    counters: new CounterWindows(),
    sessions: new SessionMarks(),
    suspensions: new Suspensions(),
    grants: new StandingGrants(),
    sealing: new SealingState(),
  }
}
