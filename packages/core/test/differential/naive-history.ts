import { zones } from './generate-history.ts'
import type { CounterModel, FlowModel, HistoryCall, HistoryPolicy, WindowModel } from './history-model.ts'
import type { Ref } from './model.ts'
import { covers, existsFor, naiveVerdict, truthOf, valueOf, type Match } from './naive.ts'
import type { Verdict } from './verdict.ts'

/** What one allowed call took from one counter. */
interface Use {
  readonly counter: string
  readonly apart: string
  readonly amount: number
  readonly at: number
  /** The day it was where the counter counts days, as `2026-01-31`. */
  readonly day: string
}

/** The second reading of the manual for what is remembered between calls: everything, in plain lists. */
export class NaiveHistory {
  readonly #policy: HistoryPolicy
  #uses: Use[] = []
  readonly #sessions = new Map<string, { labels: string[]; actions: string[] }>()

  constructor(policy: HistoryPolicy) {
    this.#policy = policy
  }

  /** Decides the next call, and remembers what an allowed one leaves behind. */
  decide(call: HistoryCall): Verdict {
    const { counters, flows } = this.#policy
    const matches = [
      ...flows.flatMap((flow) => this.#flowMatch(flow, call)),
      ...counters.flatMap((counter) => this.#counterMatch(counter, call)),
    ]
    const verdict = naiveVerdict(this.#policy, call, { matches })
    if (verdict.effect === 'allow') this.#remember(call)
    return verdict
  }

  #flowMatch(flow: FlowModel, call: HistoryCall): Match[] {
    if (flow.on !== undefined && !flow.on.some((pattern) => covers(pattern, call.action))) return []
    const happened = this.#happened(flow, call)
    const excused = flow.unless === undefined ? false : truthOf(flow.unless, call)
    if (happened === false || excused === true) return []
    const certain = happened === true && excused === false
    return [{ rule: flow, because: certain ? 'matched' : 'condition_error' }]
  }

  #happened({ after }: FlowModel, { session }: HistoryCall): boolean | undefined {
    if (session === undefined) return undefined
    const before = this.#sessions.get(session) ?? { labels: [], actions: [] }
    if ('label' in after) return before.labels.includes(after.label)
    return before.actions.some((action) => covers(after.action, action))
  }

  #counterMatch(counter: CounterModel, call: HistoryCall): Match[] {
    if (!isCounted(counter, call)) return []
    const use = useOf(counter, call)
    if (use === undefined || call.unread) return [{ rule: counter, because: 'condition_error' }]
    const used = this.#uses
      .filter((one) => one.counter === use.counter && one.apart === use.apart)
      .filter((one) => isWithin(counter.window, one, use))
      .reduce((sum, one) => sum + one.amount, 0)
    return used + use.amount > counter.max ? [{ rule: counter, because: 'matched' }] : []
  }

  #remember(call: HistoryCall): void {
    const { counters, labels } = this.#policy
    // What a failed run took from a budget is given back; a rate counts attempts.
    const taking = counters.filter(({ kind }) => kind === 'rate' || !call.fails)
    this.#uses.push(
      ...taking.flatMap((counter) => (isCounted(counter, call) ? (useOf(counter, call) ?? []) : [])),
    )
    if (call.session === undefined) return
    const session = this.#sessions.get(call.session) ?? { labels: [], actions: [] }
    session.actions.push(call.action)
    session.labels.push(
      ...labels.filter(({ action }) => covers(action, call.action)).flatMap((one) => one.labels),
    )
    this.#sessions.set(call.session, session)
  }
}

function isCounted({ on, sum }: CounterModel, { action }: HistoryCall): boolean {
  if (on !== undefined && !on.some((pattern) => covers(pattern, action))) return false
  return sum?.kind !== 'fact' || existsFor(sum, action)
}

function useOf(counter: CounterModel, call: HistoryCall): Use | undefined {
  const amount = counter.sum === undefined ? 1 : valueOf(counter.sum, call)
  if (typeof amount !== 'number' || amount < 0) return undefined
  const apart: string[] = []
  for (const part of counter.per) {
    const value = part === 'agent' || part === 'action' ? call[part] : whateverIsThere(part, call)
    // 5 and "5" are one key, or a caller could have two budgets.
    if (!['string', 'number', 'boolean'].includes(typeof value)) return undefined
    apart.push(String(value))
  }
  const day = counter.window.kind === 'calendar' ? localDay(call.now, counter.window.zone) : ''
  return { counter: counter.id, apart: JSON.stringify(apart), amount, at: call.now, day }
}

// Counters are kept apart by any text, number or truth value, also by one of another type than declared.
function whateverIsThere(ref: Ref, call: HistoryCall): unknown {
  const cell = call.cells.get(ref.name)
  const exists = ref.kind === 'raw' || existsFor(ref, call.action)
  return exists && cell?.state === 'wrong' ? cell.value : valueOf(ref, call)
}

function isWithin(window: WindowModel, then: Use, now: Use): boolean {
  if (window.kind === 'sliding') return now.at - then.at < window.hours * 3_600_000
  if (window.unit === 'month') return then.day.slice(0, 7) === now.day.slice(0, 7)
  return window.unit === 'day' ? then.day === now.day : mondayOf(then.day) === mondayOf(now.day)
}

// To make one takes far longer than to use it.
const calendars: ReadonlyMap<string, Intl.DateTimeFormat> = new Map(
  zones.map((timeZone) => [
    timeZone,
    new Intl.DateTimeFormat('en-CA', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' }),
  ]),
)

function localDay(at: number, zone: string): string {
  return calendars.get(zone)?.format(at) ?? ''
}

function mondayOf(day: string): string {
  const date = new Date(`${day}T12:00:00Z`)
  date.setUTCDate(date.getUTCDate() - ((date.getUTCDay() + 6) % 7))
  return date.toISOString().slice(0, 10)
}
