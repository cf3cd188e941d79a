import { Fault, indexOfId, type ApprovalView, type GovernPorts } from '@bailiwick/core'
import { AskedTogether } from './asked-together.ts'
import type { ApprovalReads, StandingApproval } from './approval-reads.ts'
import type { Ledger } from './ledger.ts'
import type { ApprovalAsker } from './views.ts'

/** How often waits look for what another process has done, in case nobody tells. */
const lookMs = 1_000
/** How often where others tell, and only a message that was lost would be missed. */
const rareLookMs = 5_000
/** How many may wait in one process; whoever comes after them is answered at once, and asks again. */
const waitsMax = 50_000
/** How many whole approvals are read at a time, and of how many it is read where they stand. */
const viewsAtOnce = 100
const standingAtOnce = 20_000

interface Wanted {
  readonly id: string
  readonly asker: ApprovalAsker
}

/** What waits need of a ledger. */
export interface WaitingLedger extends Pick<Ledger, 'hearsOthers' | 'onGrowth'> {
  readonly reads: Pick<ApprovalReads, 'approvalsOf' | 'standing'>
}

/**
 * Waiting for people without holding a thread or a connection: a wait is a timer and an entry in a map. When a vote, an
 * expiry or a cancellation was recorded, in this process or in another, one query finds out for all waits which of them
 * are over; so ten thousand cost as many queries as one. What another process does not tell, as one that does not work
 * together with this one, is found by looking now and then, for all of them at once.
 */
export class ApprovalWaits {
  readonly #ledger: WaitingLedger
  readonly #ports: Pick<GovernPorts, 'now' | 'sleep'>
  /** By the index of the decision that opened the approval. */
  readonly #waiting = new Map<number, Set<AbortController>>()
  readonly #views: AskedTogether<Wanted, ApprovalView | Fault>
  readonly #standing: AskedTogether<number, StandingApproval | undefined>
  readonly #stopListening: () => void
  readonly #stopped = new AbortController()
  #count = 0
  #changed = false
  #looking = false
  #watching = false

  constructor(ledger: WaitingLedger, ports: Pick<GovernPorts, 'now' | 'sleep'>) {
    this.#ledger = ledger
    this.#ports = ports
    this.#views = new AskedTogether((wanted) => ledger.reads.approvalsOf(wanted), viewsAtOnce)
    this.#standing = new AskedTogether((indices) => ledger.reads.standing(indices), standingAtOnce)
    this.#stopListening = ledger.onGrowth(({ kinds }) => {
      if (kinds === undefined || ending.some((kind) => kinds.has(kind))) this.#look()
    })
  }

  /** How many wait. */
  get count(): number {
    return this.#count
  }

  /** Whether every wait has been ended for good. */
  get closed(): boolean {
    return this.#stopped.signal.aborted
  }

  /**
   * The approval once it is not pending, or as it stands after `seconds`.
   *
   * @param signal ends the wait early, as where whoever asked has gone
   */
  async wait(id: string, seconds: number, asker: ApprovalAsker, signal?: AbortSignal): Promise<ApprovalView> {
    const index = indexOfId('apr', id)
    if (seconds > 0 && index !== undefined && !this.closed && this.#count < waitsMax) {
      await this.#settled(index, this.#ports.now() + seconds * 1000, asker, signal)
    }
    const view = await this.#views.ask({ id, asker })
    if (view instanceof Fault) throw view
    return view
  }

  /** Ends every wait with the state as it is. */
  close(): void {
    this.#stopListening()
    this.#stopped.abort()
    for (const controllers of this.#waiting.values()) for (const each of controllers) each.abort()
  }

  /** Resolves when the approval may be over, at the latest at its deadline or at `until`. */
  async #settled(index: number, until: number, asker: ApprovalAsker, signal?: AbortSignal): Promise<void> {
    const controller = new AbortController()
    const end = () => controller.abort()
    // Registered before looking: a vote between the look and the sleep would be missed otherwise.
    this.#register(index, controller)
    signal?.addEventListener('abort', end, { once: true })
    try {
      const standing = await this.#standing.ask(index)
      if (standing?.status !== 'pending' || signal?.aborted === true) return
      // What is not the asker's is refused when it is read whole.
      if (asker.agent !== undefined && asker.agent !== standing.agent) return
      const left = Math.min(until, standing.expiresAt) - this.#ports.now()
      if (left > 0 && !controller.signal.aborted) await this.#ports.sleep(left, controller.signal)
    } finally {
      signal?.removeEventListener('abort', end)
      this.#forget(index, controller)
    }
  }

  #register(index: number, controller: AbortController): void {
    const controllers = this.#waiting.get(index) ?? new Set()
    this.#waiting.set(index, controllers.add(controller))
    this.#count += 1
    void this.#watch()
  }

  #forget(index: number, controller: AbortController): void {
    const controllers = this.#waiting.get(index)
    this.#count -= 1
    controllers?.delete(controller)
    if (controllers?.size === 0) this.#waiting.delete(index)
  }

  /** Looks now and then, as long as anybody waits. */
  async #watch(): Promise<void> {
    if (this.#watching) return
    this.#watching = true
    while (this.#count > 0 && !this.closed) {
      const pause = this.#ledger.hearsOthers ? rareLookMs : lookMs
      await this.#ports.sleep(pause, this.#stopped.signal)
      this.#look()
    }
    this.#watching = false
  }

  /** Finds out which waits are over. What happens while it looks makes it look once more. */
  #look(): void {
    this.#changed = true
    if (this.#looking || this.#count === 0) return
    this.#looking = true
    void this.#lookAll()
  }

  async #lookAll(): Promise<void> {
    while (this.#changed && this.#count > 0 && !this.closed) {
      this.#changed = false
      const indices = [...this.#waiting.keys()]
      // A database that is gone ends no wait: it is looked again, and every wait has its own end.
      const standing = await this.#ledger.reads.standing(indices).catch(() => [])
      for (const [at, approval] of standing.entries()) {
        if (approval?.status === 'pending') continue
        for (const controller of this.#waiting.get(indices[at] ?? -1) ?? []) controller.abort()
      }
    }
    // In the same turn as the last question of the loop, or what comes in between would be missed.
    this.#looking = false
  }
}

/** The kinds of records after which an approval may be over. */
const ending = ['vote', 'expiry', 'cancellation']
