import type { ApprovalView, GovernPorts, Voter } from '@bailiwick/core'
import type { Ledger } from './ledger.ts'

/** Records that may end the waiting. */
const ending = ['vote', 'expiry', 'cancellation']

/** How often a wait looks for what another process has done, in case nobody tells. */
const lookMs = 1_000
/** How often where others tell, and only a message that was lost would be missed. */
const rareLookMs = 5_000

/**
 * Waiting for people without holding a thread or a connection: a wait is a timer and an entry in a set,
 * woken by votes and expiries in this process and in others. What another process does not tell, as one that does
 * not work together with this one, is found by looking.
 */
export class ApprovalWaits {
  readonly #ledger: Ledger
  readonly #ports: Pick<GovernPorts, 'now' | 'sleep'>
  readonly #awake = new Set<AbortController>()
  readonly #stopListening: () => void
  #closed = false

  constructor(ledger: Ledger, ports: Pick<GovernPorts, 'now' | 'sleep'>) {
    this.#ledger = ledger
    this.#ports = ports
    this.#stopListening = ledger.onGrowth(({ kinds }) => {
      if (kinds === undefined || ending.some((kind) => kinds.has(kind))) this.#wake()
    })
  }

  /** The approval once it is not pending, or as it stands after `seconds`. */
  async wait(
    id: string,
    seconds: number,
    asker: { agent?: string | undefined; voter?: Voter | undefined },
  ): Promise<ApprovalView> {
    const until = this.#ports.now() + seconds * 1000
    for (;;) {
      const controller = new AbortController()
      // Registered before looking: a vote between the look and the sleep would be missed otherwise.
      this.#awake.add(controller)
      try {
        const approval = await this.#ledger.approval(id, asker)
        const left = until - this.#ports.now()
        if (approval.status !== 'pending' || left <= 0 || this.#closed) return approval
        const toDeadline = Math.max(1, Date.parse(approval.deadline) - this.#ports.now())
        const look = this.#ledger.hearsOthers ? rareLookMs : lookMs
        await this.#ports.sleep(Math.min(left, toDeadline, look), controller.signal)
        // The database may be gone by now: what was last seen is the answer, and the caller asks again.
        if (this.#closed) return approval
      } finally {
        this.#awake.delete(controller)
      }
    }
  }

  /** Ends every wait with the state as it is. */
  close(): void {
    this.#closed = true
    this.#stopListening()
    this.#wake()
  }

  #wake(): void {
    for (const controller of this.#awake) controller.abort()
  }
}
