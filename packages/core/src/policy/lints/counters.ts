import type { Counter } from '../../model/policy.ts'
import type { ProblemCode } from '../problem-codes.ts'
import type { Subject } from './atoms.ts'
import { factsSpeakOf, isOwn, type Linted, type Written } from './linted.ts'
import type { ValueSet } from './value-sets.ts'

/** What one call takes from a counter, at least and at most. */
interface Amount {
  readonly least: number
  readonly most: number
}

/** Budgets that every call passes, and those that no call can. */
export function checkCounters(linted: Linted): void {
  for (const written of linted.counters.filter(isOwn)) {
    const { rule } = written
    const actions = linted.callable
      .coveredBy(rule.on)
      .filter((action) => factsSpeakOf(summed(rule), linted.policy, action))
    const amounts = actions.map((action) => amountOf(rule, action, linted))
    if (amounts.length === 0 || linted.callable.mayCoverOthers(rule.on)) continue
    const least = Math.min(...amounts.map((amount) => amount.least))
    const most = Math.max(...amounts.map((amount) => amount.most))
    if (rule.max < least || (rule.max === 0 && rule.kind === 'budget' && least >= 0)) {
      report(written, 'counter-always', alwaysText(rule, least), 'raise `max`, or write a rule', linted)
      continue
    }
    const calls = callsAtMost(rule, actions, linted)
    if (calls === undefined || most * calls > rule.max) continue
    const message = `\`${rule.id}\` is never reached: ${calls} calls in its window are the most that \`${cap(rule, linted)}\` lets through`
    report(written, 'counter-never', message, 'lower `max`, or remove it', linted)
  }
}

function summed({ sum }: Counter): readonly string[] {
  return sum === undefined || sum.path.length > 0 ? [] : [sum.root]
}

function alwaysText({ id, max, kind, sum }: Counter, least: number): string {
  if (max > 0) return `every call passes \`${id}\`: one takes at least ${least}, and \`max\` is ${max}`
  const what = kind === 'budget' && sum !== undefined ? 'every call that takes anything' : 'every call'
  return `${what} passes \`${id}\`: \`max\` is 0`
}

function report(
  { source, path }: Written<Counter>,
  code: ProblemCode,
  message: string,
  fix: string,
  { findings }: Linted,
): void {
  findings.warning(source, source.positions.ofValue([...path, 'max']), message, fix, { code })
}

function amountOf({ sum }: Counter, action: string, { policy, domains }: Linted): Amount {
  if (sum === undefined) return { least: 1, most: 1 }
  const read: Subject['read'] =
    sum.path.length === 0 ? { from: 'name', name: sum.root } : { from: 'path', path: [sum.root, ...sum.path] }
  const fact = policy.facts.get(sum.root)
  if (fact?.source === 'lookup') return { least: 0, most: Infinity }
  return rangeOf(domains.setOf({ key: sum.source, kind: 'numbers', read }, action))
}

// What is no number counts as matched by itself, and takes nothing.
function rangeOf(set: ValueSet): Amount {
  const intervals = set.kind === 'numbers' ? set.intervals : []
  const least = Math.max(0, Math.min(Infinity, ...intervals.map(({ low }) => low)))
  const most = Math.max(0, ...intervals.map(({ high }) => high))
  return { least: Number.isFinite(least) ? least : 0, most }
}

/** How many calls can fall into the window of a budget, by the rates that deny; undefined: any number. */
function callsAtMost(budget: Counter, actions: readonly string[], linted: Linted): number | undefined {
  const { window } = budget
  if (budget.kind !== 'budget' || window.kind !== 'sliding') return undefined
  const counts = cappingRates(budget, actions, linted).map(callsIn(window.ms))
  return counts.length === 0 ? undefined : Math.min(...counts)
}

function callsIn(ms: number): (rate: Counter) => number {
  return ({ window, max }) => (window.kind === 'sliding' ? Math.ceil(ms / window.ms) * max : Infinity)
}

function cap(budget: Counter, linted: Linted): string {
  const { window } = budget
  const actions = linted.callable.coveredBy(budget.on)
  const ms = window.kind === 'sliding' ? window.ms : 0
  const [best] = [...cappingRates(budget, actions, linted)].sort((a, b) => callsIn(ms)(a) - callsIn(ms)(b))
  return best?.id ?? ''
}

/** The rates that no call of the budget gets round, counted together at least as widely as the budget. */
function cappingRates(budget: Counter, actions: readonly string[], { policy }: Linted): readonly Counter[] {
  const keys = new Set(budget.per.map(({ source }) => source))
  return policy.counters.filter(
    ({ kind, effect, shadow, on, per, window }) =>
      kind === 'rate' &&
      effect === 'deny' &&
      !shadow &&
      window.kind === 'sliding' &&
      per.every(({ source }) => keys.has(source)) &&
      actions.every((action) => on === undefined || on.some((pattern) => pattern.matches(action))),
  )
}
