import { generateCall } from './generate-call.ts'
import { generateTruth, type Material } from './generate-condition.ts'
import { actions, generatePolicy, namesFor } from './generate-policy.ts'
import type { CounterModel, FlowModel, HistoryCall, HistoryPolicy, WindowModel } from './history-model.ts'
import { covers } from './naive.ts'
import type { PolicyModel, Ref } from './model.ts'
import type { Random } from './random.ts'

const labels = ['untrusted', 'pii', 'secret'] as const
/** Zones of windows, with summer times and with half an hour. */
export const zones = ['UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kolkata'] as const
const hourMs = 3_600_000

/** A policy with few rules and some counters and flows, so that histories decide more than single calls do. */
export function generateHistoryPolicy(random: Random): HistoryPolicy {
  const base = generatePolicy(random, 'own')
  const policy = { ...base, rules: random.some(base.rules, 0, 2) }
  const known = actions.filter((name) =>
    [...policy.allowed, ...policy.forbidden].some((pattern) => covers(pattern, name)),
  )
  const material: Material = {
    refs: [...policy.facts, ...policy.raws],
    actions,
    agent: policy.agent,
    language: 'own',
  }
  return {
    ...policy,
    rules: policy.rules.map((rule) => ({ ...rule, id: `kept ${rule.id}`.replace(' ', '-'), named: true })),
    counters: Array.from({ length: random.whole(1, 3) }, (_, at) => counter(random, policy, at, known)),
    flows: Array.from({ length: random.whole(0, 2) }, (_, at) => flow(random, policy, material, at, known)),
    labels: random.some(known, 1, 3).map((action) => ({ action, labels: random.some(labels, 1, 2) })),
  }
}

function outcome(random: Random, policy: PolicyModel): Pick<CounterModel, 'effect' | 'route'> {
  const escalates = random.chance(0.5)
  const route = random.pick(policy.routes).name
  return escalates ? { effect: 'escalate', route } : { effect: 'deny', route: undefined }
}

function counter(random: Random, policy: PolicyModel, at: number, known: readonly string[]): CounterModel {
  const kind = random.pick(['budget', 'budget', 'rate'] as const)
  const refs: readonly Ref[] = [...policy.facts, ...policy.raws]
  const numbers = refs.filter(({ type }) => type === 'number')
  const sum = kind === 'budget' && numbers.length > 0 && random.chance(0.7) ? random.pick(numbers) : undefined
  const apart = random.some([...refs, 'agent', 'action'] as const, 0, 2)
  return {
    id: `${kind}-${at}`,
    kind,
    ...outcome(random, policy),
    on: random.chance(0.5) ? onFor(random, sum, known) : undefined,
    sum,
    per: random.chance(0.6) ? [] : apart,
    window: windowOf(random),
    max: sum === undefined ? random.whole(1, 5) : random.whole(5, 80),
  }
}

// To name an action for which the fact to add up does not exist is an error of the policy.
function onFor(random: Random, sum: Ref | undefined, known: readonly string[]): string[] | undefined {
  const exists = (name: string): boolean =>
    name.includes('*') ||
    sum?.kind !== 'fact' ||
    sum.for === undefined ||
    sum.for.some((pattern) => covers(pattern, name))
  const on = namesFor(random, known).filter(exists)
  return on.length > 0 ? on : undefined
}

function windowOf(random: Random): WindowModel {
  if (random.chance(0.5)) return { kind: 'sliding', hours: random.pick([1, 24, 72]) }
  return { kind: 'calendar', unit: random.pick(['day', 'week', 'month'] as const), zone: random.pick(zones) }
}

function flow(
  random: Random,
  policy: PolicyModel,
  material: Material,
  at: number,
  known: readonly string[],
): FlowModel {
  const label = random.chance(0.6)
  return {
    id: `flow-${at}`,
    ...outcome(random, policy),
    after: label ? { label: random.pick(labels) } : { action: random.pick(namesFor(random, known)) },
    on: random.chance(0.8) ? namesFor(random, known) : undefined,
    unless: random.chance(0.5) ? generateTruth(random, material, 1) : undefined,
  }
}

/** Calls in the order of time, in a few sessions and in none. */
export function generateHistory(random: Random, policy: HistoryPolicy, length: number): HistoryCall[] {
  // Across the end of a month, and of a summer time.
  let now = Date.UTC(2026, 9, 23)
  return Array.from({ length }, () => {
    // Now and then exactly an hour later, when what happened then falls out of a window of an hour.
    now += random.chance(0.2) ? hourMs : random.whole(0, 10 * hourMs)
    return {
      ...generateCall(random, policy, 'any'),
      now,
      session: random.chance(0.25) ? undefined : random.pick(['session-1', 'session-1', 'session-2']),
      unread: random.chance(0.03),
      fails: random.chance(0.15),
    }
  })
}
