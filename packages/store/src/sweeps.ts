import { instantText, type Instant } from '@bailiwick/core'
import type pg from 'pg'
import { CounterSweep } from './counter-sweep.ts'
import type { Operation } from './log/operation.ts'
import { expiryOperation } from './operations/expiry.ts'
import { remindOperation } from './operations/remind.ts'
import { duePrompts, overdueApprovals } from './queries.ts'
import { forwardable, type Forwardable } from './replicas/peer-requests.ts'

/** How many approvals one sweep takes. */
const approvalsPerSweep = 500

/** What sweeping takes of a ledger. */
export interface SweepPorts {
  readonly pool: pg.Pool
  readonly ledger: string
  readonly now: () => Instant
  /** @throws a Fault where the ledger is halted */
  readonly submit: <Answer>(operation: Operation<Answer>, asked: () => Forwardable<Answer>) => Promise<Answer>
}

/** What is done from time to time, by any process and any number of times. */
export class Sweeps {
  readonly #ports: SweepPorts
  readonly #counters: CounterSweep

  constructor(ports: SweepPorts) {
    this.#ports = ports
    this.#counters = new CounterSweep(ports.pool, ports.ledger, ports.now)
  }

  /** Writes down deadlines that have passed, and forgets uses that no counter counts any more. */
  async expireOverdue(): Promise<number> {
    await this.#counters.sweep()
    const { pool, ledger, now, submit } = this.#ports
    const overdue = await overdueApprovals(pool, ledger, instantText(now()), approvalsPerSweep)
    const expired = await Promise.all(
      overdue.map((index) => submit(expiryOperation(index), () => forwardable({ kind: 'expiry', index }))),
    )
    return expired.filter(Boolean).length
  }

  /** Writes down of which approvals people are told again, or others are asked. */
  async remindDue(): Promise<number> {
    const { pool, ledger, now, submit } = this.#ports
    const due = await duePrompts(pool, ledger, instantText(now()), approvalsPerSweep)
    const told = await Promise.all(
      due.map((index) => submit(remindOperation(index), () => forwardable({ kind: 'remind', index }))),
    )
    return told.filter(Boolean).length
  }
}
