import type {
  AllowDecision,
  CompiledPolicy,
  CounterKey,
  Decision,
  Facts,
  Instant,
  SessionId,
  ToolCall,
} from '../../src/index.ts'
import type { Engine } from './differential.ts'
import { writeCall, writeFacts } from './generate-call.ts'
import type { CounterModel, HistoryCall, HistoryPolicy, WindowModel } from './history-model.ts'
import { pathText, writeCel, writeYaml } from './write-yaml.ts'

interface Used {
  readonly key: string
  readonly amount: number
  readonly at: number
}

/** A store as the product's own would be, without a database: it keeps what allowed calls use and leave behind. */
export class OurHistory {
  readonly #engine: Engine
  readonly #policy: CompiledPolicy
  readonly #model: HistoryPolicy
  readonly #used: Used[] = []
  readonly #sessions = new Map<string, { labels: Set<string>; actions: Set<string> }>()

  constructor(engine: Engine, policy: CompiledPolicy, model: HistoryPolicy) {
    this.#engine = engine
    this.#policy = policy
    this.#model = model
  }

  /** Gathers what the policy needs, decides, and remembers what an allowed call uses and leaves. */
  decide(model: HistoryCall): Decision {
    const named = model.session === undefined ? {} : { session: model.session as SessionId }
    const call: ToolCall = { ...writeCall(this.#model, model), ...named }
    const session = model.session === undefined ? {} : { session: this.#sessionOf(model.session) }
    const counters = model.unread ? {} : { counters: this.#countersFor(call, model.now) }
    const facts: Facts = { ...writeFacts(model), ...session, ...counters }
    const decision = this.#engine.decide(this.#policy, call, facts)
    if (decision.effect === 'allow') this.#remember(decision, model)
    return decision
  }

  #sessionOf(id: string): { labels: readonly string[]; actions: readonly string[] } {
    const known = this.#sessions.get(id)
    return { labels: [...(known?.labels ?? [])], actions: [...(known?.actions ?? [])] }
  }

  #countersFor(call: ToolCall, now: number): ReadonlyMap<CounterKey, number> {
    const needs = this.#engine.needsOf(this.#policy, call).counters
    const used = needs.map(({ key, window }): [CounterKey, number] => {
      const start = this.#engine.windowStart(window, now as Instant)
      const within = this.#used.filter((one) => one.key === key && one.at >= start)
      return [key, within.reduce((sum, one) => sum + one.amount, 0)]
    })
    return new Map(used)
  }

  #remember({ consumes, leaves }: AllowDecision, model: HistoryCall): void {
    for (const { key, amount, releasable } of consumes) {
      if (!(releasable && model.fails)) this.#used.push({ key, amount, at: model.now })
    }
    if (leaves === undefined || model.session === undefined) return
    const session = this.#sessions.get(model.session) ?? { labels: new Set(), actions: new Set() }
    session.actions.add(leaves.action)
    for (const label of leaves.labels) session.labels.add(label)
    this.#sessions.set(model.session, session)
  }
}

/** The policy's text, with counters, flows and labels. */
export function writeHistoryYaml(policy: HistoryPolicy): string {
  const counters = (kind: CounterModel['kind']): object[] =>
    policy.counters.filter((counter) => counter.kind === kind).map(writeCounter)
  return writeYaml(policy, {
    budgets: counters('budget'),
    rates: counters('rate'),
    flows: policy.flows.map(({ id, after, unless, ...flow }) => ({
      id,
      after,
      ...(unless === undefined ? {} : { unless: writeCel(unless) }),
      ...ending(flow),
    })),
    actions: Object.fromEntries(policy.labels.map(({ action, labels }) => [action, { labels }])),
  })
}

function writeCounter({ id, kind, sum, per, window, max, ...counter }: CounterModel): object {
  const apart = per.map((part) => (typeof part === 'string' ? part : sourceText(part)))
  const what = sum === undefined ? { count: true } : { sum: sourceText(sum) }
  return {
    id,
    ...(kind === 'budget' ? what : {}),
    ...(apart.length === 0 ? {} : { per: apart }),
    window: writeWindow(window),
    max,
    ...ending(counter),
  }
}

function sourceText(ref: Parameters<typeof pathText>[0]): string {
  return ref.kind === 'fact' ? ref.name : pathText(ref)
}

function ending({ on, effect, route }: Pick<CounterModel, 'on' | 'effect' | 'route'>): object {
  return {
    ...(on === undefined ? {} : { on }),
    ...(route === undefined ? { effect } : { action: route }),
  }
}

function writeWindow(window: WindowModel): unknown {
  return window.kind === 'sliding' ? `${window.hours}h` : { calendar: window.unit, zone: window.zone }
}
