import { createHash } from 'node:crypto'
import type { CounterKey } from '../model/ids.ts'
import { counterKeyValueLengthMax } from '../model/limits.ts'
import type { CounterUse, DeterminingRule } from '../model/decision.ts'
import type { Given, PlannedCounter } from '../model/plan.ts'
import type { CompiledPolicy, Counter, ValueExpression } from '../model/policy.ts'
import { spanText } from '../policy/spans.ts'
import { windowMsMax } from '../policy/windows.ts'
import { existsFor, valueReader, type Reader } from '../policy/readers.ts'
import { absentFacts } from './facts.ts'
import { fits } from './fits.ts'
import { isOn, listingOf, unevaluated } from './planned-rules.ts'

/** Whether a counter counts an action. One that adds up a fact does not count actions for which the fact does not exist. */
export function counts(counter: Counter, policy: CompiledPolicy, action: string): boolean {
  if (!isOn(counter, action)) return false
  const { sum } = counter
  if (sum === undefined || sum.path.length > 0) return true
  const fact = policy.facts.get(sum.root)
  return fact === undefined || existsFor(fact, action)
}

/** Prepares a counter for calls of an action that it counts. */
export function planCounter(counter: Counter, policy: CompiledPolicy): PlannedCounter {
  const { max, reason, kind, id } = counter
  const matched = listingOf(counter, limitText(counter))
  const use = useOf(counter, policy)
  return {
    rule: counter,
    denial: reason ?? `Denied by ${kind} ${id}`,
    matched,
    use,
    match: (given, used) => {
      if (typeof used === 'string') return failed(counter, matched, policy, given, used)
      const before = given.facts.counters?.get(used.key)
      if (before === undefined || !(before >= 0)) {
        return unevaluated(matched, ['what has been used of it is not known'])
      }
      return fits(before, used.amount, max) ? undefined : matched
    },
  }
}

function failed(
  { facts }: Counter,
  matched: DeterminingRule,
  policy: CompiledPolicy,
  given: Given,
  why: string,
): DeterminingRule {
  return unevaluated(matched, [why, ...absentFacts(facts, policy, given)])
}

/** What the counter allows, said for people: `sum of refund_amount above 2000 in 1d per context.customer.id`. */
function limitText({ sum, per, window, max }: Counter): string {
  const what = sum === undefined ? 'calls' : `sum of ${sum.source}`
  const span =
    window.kind === 'sliding' ? `in ${spanText(window.ms)}` : `in a ${window.unit} of ${window.zone}`
  const apart = per.length === 0 ? '' : ` per ${per.map(({ source }) => source).join(', ')}`
  return `${what} above ${max} ${span}${apart}`
}

function useOf(counter: Counter, policy: CompiledPolicy): PlannedCounter['use'] {
  const { id, name, kind, sum, per, window } = counter
  const readAmount = sum && valueReader(sum, policy)
  const apart = per.map((value) => [value, valueReader(value, policy)] as const)
  const windowMs = windowMsMax(window)
  const releasable = kind === 'budget'
  const whole = name as CounterKey
  return (given) => {
    const amount = sum === undefined || readAmount === undefined ? 1 : amountOf(sum, readAmount(given))
    if (typeof amount === 'string') return amount
    const key = apart.length === 0 ? whole : keyOf(name, apart, given)
    if (typeof key === 'object') return key.why
    return { counter: id, key, amount, windowMs, releasable }
  }
}

function amountOf({ source }: ValueExpression, value: unknown): number | string {
  if (typeof value !== 'number') return `${source} is ${value === undefined ? 'absent' : 'not a number'}`
  if (!Number.isFinite(value)) return `${source} is not a finite number`
  return value < 0 ? `${source} is negative` : value
}

// A number and the text that writes it are one key, or whoever sends the value could have twice the budget.
function keyOf(
  name: string,
  apart: readonly (readonly [ValueExpression, Reader])[],
  given: Given,
): CounterKey | { readonly why: string } {
  let text = ''
  for (const [{ source }, read] of apart) {
    const value = read(given)
    switch (typeof value) {
      case 'string':
      case 'number':
      case 'boolean':
        text += `${text === '' ? '[' : ','}${JSON.stringify(String(value))}`
        break
      default:
        return { why: `${source} is ${value === undefined ? 'absent' : 'neither text, number nor bool'}` }
    }
  }
  text += ']'
  const short =
    text.length <= counterKeyValueLengthMax
      ? text
      : `sha256:${createHash('sha256').update(text).digest('hex')}`
  return `${name} ${short}` as CounterKey
}

/** What an allowed call takes from its counters. What cannot be told is not taken; what is nothing needs no row. */
export function consumed(uses: readonly (CounterUse | string)[]): readonly CounterUse[] {
  return uses.filter((use): use is CounterUse => typeof use !== 'string' && use.amount > 0)
}
