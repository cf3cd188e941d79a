import type { SessionFact } from '@bailiwick/core'
import type { Queryable } from './batches.ts'

/** What an allowed call leaves in its session. */
export interface SessionMark {
  readonly session: string
  readonly kind: 'action' | 'label'
  readonly value: string
}

/**
 * How many different marks a session may have. Of one that has more, nothing is said to be known, so flows count as
 * matched: it goes into the payload of each of its decisions.
 */
const sessionMarksMax = 1000
const sessionsMax = 10_000

interface Marks {
  readonly labels: Set<string>
  readonly actions: Set<string>
}

const read = {
  name: 'read_sessions',
  text: `select w.session, m.kind, m.value from unnest($2::text[]) as w (session),
      lateral (select kind, value from session_mark where ledger = $1 and session = w.session limit $3) as m`,
}

/** What sessions have been through, as of one head: read once, and then kept up with what each batch adds. */
export class SessionMarks {
  readonly #known = new Map<string, Marks>()

  clear(): void {
    this.#known.clear()
  }

  /** Reads what is not known yet. */
  async load(client: Queryable, ledger: string, sessions: readonly string[]): Promise<void> {
    for (const session of this.#known.keys()) {
      if (this.#known.size <= sessionsMax) break
      this.#known.delete(session)
    }
    const missing = [...new Set(sessions)].filter((session) => !this.#known.has(session))
    if (missing.length === 0) return
    const values = [ledger, missing, sessionMarksMax + 1]
    const { rows } = await client.query<SessionMark>({ ...read, values })
    for (const session of missing) this.#known.set(session, { labels: new Set(), actions: new Set() })
    for (const mark of rows) this.add(mark)
  }

  /** What the session has been through, or undefined where that is not known. */
  fact(session: string): SessionFact | undefined {
    const known = this.#known.get(session)
    if (known === undefined || known.labels.size + known.actions.size > sessionMarksMax) return undefined
    return { labels: [...known.labels].sort(), actions: [...known.actions].sort() }
  }

  /** Whether the session is known to have the mark. */
  has({ session, kind, value }: SessionMark): boolean {
    const known = this.#known.get(session)
    return known !== undefined && (kind === 'label' ? known.labels : known.actions).has(value)
  }

  add({ session, kind, value }: SessionMark): void {
    const known = this.#known.get(session)
    if (known !== undefined) (kind === 'label' ? known.labels : known.actions).add(value)
  }
}
