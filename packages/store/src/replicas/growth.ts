/** The log has grown, here or in another process. */
export interface Growth {
  /** The kinds of records that came; undefined where it may have been any, or none. */
  readonly kinds: ReadonlySet<string> | undefined
}

/** Hears that the log has grown. */
export type GrowthListener = (growth: Growth) => void

/** The shortest time between two messages to other processes: a NOTIFY takes a lock that the whole server shares. */
const sayMs = 100

/**
 * Passes on that the log has grown: from this process's commits to its listeners at once, and to other processes'
 * listeners within a tenth of a second. What is said is that something has come and of which kind; what it is,
 * whoever listens reads. A message that is lost delays the listeners until they look by themselves.
 */
export class GrowthFeed {
  readonly #self: string
  readonly #listeners = new Set<GrowthListener>()
  #say: ((message: string) => Promise<void>) | undefined
  readonly #unsaid = new Set<string>()
  #timer: NodeJS.Timeout | undefined

  /** @param self a name that no other process has: what comes back to its sender is no news */
  constructor(self: string) {
    this.#self = self
  }

  /** Says to other processes what is committed from here on. */
  tellBy(say: (message: string) => Promise<void>): void {
    this.#say = say
  }

  /** Tells others nothing more. */
  close(): void {
    clearTimeout(this.#timer)
    this.#say = undefined
  }

  /** Hears of all growth, of this process's before its callers do. Returns what ends it. */
  listen(listener: GrowthListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** This process has committed records of these kinds. */
  committed(kinds: ReadonlySet<string>): void {
    this.#tell({ kinds })
    if (this.#say === undefined) return
    for (const kind of kinds) this.#unsaid.add(kind)
    this.#timer ??= setTimeout(() => this.#sayUnsaid(), sayMs).unref()
  }

  /** Another process has said this; undefined: something may have been missed. */
  heard(message: string | undefined): void {
    if (message === undefined) return this.#tell({ kinds: undefined })
    const [from, ...kinds] = message.split(' ')
    if (from !== this.#self) this.#tell({ kinds: new Set(kinds) })
  }

  #sayUnsaid(): void {
    this.#timer = undefined
    const message = [this.#self, ...this.#unsaid].join(' ')
    this.#unsaid.clear()
    // Nobody waits for it: whoever does not hear it looks by himself.
    this.#say?.(message).catch(() => undefined)
  }

  #tell(growth: Growth): void {
    for (const listener of this.#listeners) listener(growth)
  }
}
