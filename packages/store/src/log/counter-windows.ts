import type { Instant } from '@bailiwick/core'
import type { Queryable } from './batches.ts'
import { decimalFrom, minus, numberOf, plus, zero, type Decimal } from './decimal.ts'

/** What has been used of a counter since an instant, which is part of it. `key` is the digest of its key. */
export interface CounterRead {
  readonly key: string
  readonly since: Instant
}

interface Entry {
  readonly at: number
  readonly amount: Decimal
}

/** What is known of one counter. */
interface Known {
  /** The sum of everything at `since` or later. */
  total: Decimal
  since: number
  /** Everything before `through`, each instant once, in order. */
  readonly entries: Entry[]
  through: number
}

interface Missing {
  readonly key: string
  readonly since: number
  /** Whether the sum is asked for, too, and not only the entries that follow on those that are known. */
  readonly whole: boolean
}

/** How much is kept. Whatever is not is read again. */
export interface CounterLimits {
  /** Of one counter: those that leave its window first. */
  readonly entriesPerKey: number
  readonly keys: number
  /** Of all counters together. */
  readonly entries: number
}

const limitsDefault: CounterLimits = { entriesPerKey: 256, keys: 50_000, entries: 500_000 }

// Whoever needs the next entries only is told no total: adding up a long window takes time.
const read = {
  name: 'read_counters',
  text: `select w.n::int - 1 as n,
      case when w.whole then (select coalesce(sum(e.amount), 0) from counter_entry e
        where e.ledger = $1 and e.key = w.key and e.at >= w.since)::text end as total,
      array(select (extract(epoch from e.at) * 1000)::bigint || ' ' || sum(e.amount) from counter_entry e
        where e.ledger = $1 and e.key = w.key and e.at >= w.since group by e.at order by e.at limit $5) as entries
    from unnest($2::bytea[], $3::timestamptz[], $4::boolean[]) with ordinality as w (key, since, whole, n)`,
}

/**
 * What has been used of counters, as of one head: read once, and then kept up with what each batch adds, so that most
 * batches read nothing. Of each counter it holds the sum and the entries that leave its window next, so its size does
 * not grow with the window. Sums are exact.
 */
export class CounterWindows {
  readonly #limits: CounterLimits
  readonly #known = new Map<string, Known>()
  #entries = 0

  constructor(limits: CounterLimits = limitsDefault) {
    this.#limits = limits
  }

  clear(): void {
    this.#known.clear()
    this.#entries = 0
  }

  /** Reads what is not known yet. Afterwards, `used` knows each of these for as long as nothing else is loaded. */
  async load(client: Queryable, ledger: string, reads: readonly CounterRead[]): Promise<void> {
    this.#evict()
    const earliest = new Map<string, number>()
    for (const { key, since } of reads) earliest.set(key, Math.min(since, earliest.get(key) ?? since))
    // At most twice: the entries that follow, and where these are not enough, all.
    const asked = new Map<string, Missing>()
    for (;;) {
      const missing = [...earliest].flatMap(([key, since]) => this.#missing(key, since, asked.get(key)) ?? [])
      if (missing.length === 0) return
      for (const one of missing) asked.set(one.key, one)
      await this.#read(client, ledger, missing)
    }
  }

  /** The sum of what has been used since then, or undefined where that is not known. */
  used(key: string, since: Instant): number | undefined {
    const known = this.#known.get(key)
    if (known === undefined || since < known.since || since > known.through) return undefined
    let sum = known.total
    for (const { at, amount } of known.entries) {
      if (at >= since) break
      sum = minus(sum, amount)
    }
    return numberOf(sum)
  }

  add(key: string, at: number, amount: Decimal): void {
    const known = this.#known.get(key)
    if (known === undefined || at < known.since) return
    known.total = plus(known.total, amount)
    if (at >= known.through) return
    const { entries } = known
    let place = entries.length
    while (place > 0 && (entries[place - 1]?.at ?? at) > at) place--
    const same = entries[place - 1]
    if (same?.at === at) entries[place - 1] = { at, amount: plus(same.amount, amount) }
    else this.#insert(known, place, { at, amount })
  }

  /** Takes back what was added. */
  subtract(key: string, at: number, amount: Decimal): void {
    this.add(key, at, minus(zero, amount))
  }

  #insert(known: Known, place: number, entry: Entry): void {
    const { entries } = known
    entries.splice(place, 0, entry)
    this.#entries += 1
    if (entries.length <= this.#limits.entriesPerKey) return
    const last = entries.pop()
    this.#entries -= 1
    known.through = last?.at ?? known.through
  }

  /** What has to be read so that the sum since then is known; undefined where it is. */
  #missing(key: string, since: number, asked: Missing | undefined): Missing | undefined {
    const known = this.#known.get(key)
    if (known === undefined || since < known.since || since > known.through) {
      if (asked?.whole === true) return undefined
      if (known === undefined || since < known.since || asked !== undefined)
        return { key, since, whole: true }
      return { key, since: known.through, whole: false }
    }
    this.#leave(known, since)
    // The least recently used counters are the first to be forgotten.
    this.#known.delete(key)
    this.#known.set(key, known)
    return undefined
  }

  /** Forgets what has left the window. */
  #leave(known: Known, since: number): void {
    let gone = 0
    for (const { at, amount } of known.entries) {
      if (at >= since) break
      known.total = minus(known.total, amount)
      gone += 1
    }
    if (gone > 0) known.entries.splice(0, gone)
    this.#entries -= gone
    known.since = since
  }

  async #read(client: Queryable, ledger: string, missing: readonly Missing[]): Promise<void> {
    const { rows } = await client.query<{ n: number; total: string | null; entries: readonly string[] }>({
      ...read,
      values: [
        ledger,
        missing.map(({ key }) => Buffer.from(key, 'hex')),
        missing.map(({ since }) => new Date(since).toISOString()),
        missing.map(({ whole }) => whole),
        this.#limits.entriesPerKey + 1,
      ],
    })
    for (const { n, total, entries } of rows) {
      const asked = missing[n]
      if (asked === undefined) continue
      const before = this.#known.get(asked.key)
      const sum = asked.whole ? decimalFrom(total ?? '') : before?.total
      this.#take(asked, sum, asked.whole ? [] : (before?.entries ?? []), entries.map(entryOf))
    }
  }

  // Amounts that are no numbers are nothing that this wrote; whoever asks is told that nothing is known.
  #take(
    { key, since, whole }: Missing,
    total: Decimal | undefined,
    before: readonly Entry[],
    entries: readonly (Entry | undefined)[],
  ): void {
    const known = this.#known.get(key)
    this.#entries -= known?.entries.length ?? 0
    this.#known.delete(key)
    const { entriesPerKey } = this.#limits
    const sound = entries.filter((entry) => entry !== undefined)
    const through = sound.length > entriesPerKey ? (sound.pop()?.at ?? since) : Infinity
    if (total === undefined || sound.length < Math.min(entries.length, entriesPerKey)) return
    const all = [...before, ...sound]
    this.#entries += all.length
    this.#known.set(key, { total, since: whole ? since : (known?.since ?? since), entries: all, through })
  }

  #evict(): void {
    for (const [key, { entries }] of this.#known) {
      if (this.#known.size <= this.#limits.keys && this.#entries <= this.#limits.entries) return
      this.#known.delete(key)
      this.#entries -= entries.length
    }
  }
}

function entryOf(text: string): Entry | undefined {
  const [at = '', sum = ''] = text.split(' ')
  const amount = decimalFrom(sum)
  return amount === undefined ? undefined : { at: Number(at), amount }
}
