/** A run of numbers; an open end does not belong to it. */
export interface Interval {
  readonly low: number
  readonly high: number
  readonly lowOpen: boolean
  readonly highOpen: boolean
}

/**
 * Values that one name may have. `failing`: the name may also be absent or of another type, so that whatever is asked
 * of it cannot be evaluated.
 */
export type ValueSet =
  | {
      readonly kind: 'numbers'
      /** In order, apart from each other, none of them empty. */
      readonly intervals: readonly Interval[]
      readonly whole: boolean
      readonly failing: boolean
    }
  | {
      readonly kind: 'texts'
      readonly listed: ReadonlySet<string>
      /** Whether it is all texts but those that are listed. */
      readonly others: boolean
      readonly failing: boolean
    }
  | { readonly kind: 'bools'; readonly yes: boolean; readonly no: boolean; readonly failing: boolean }

/** What the values of a set are. */
export type ValueKind = ValueSet['kind']

const everyNumber: Interval = { low: -Infinity, high: Infinity, lowOpen: true, highOpen: true }

/** All values of a kind, and no value. */
export function everything(kind: ValueKind): ValueSet {
  switch (kind) {
    case 'numbers':
      return numbers([everyNumber], { failing: true })
    case 'texts':
      return { kind, listed: new Set(), others: true, failing: true }
    case 'bools':
      return { kind, yes: true, no: true, failing: true }
    default:
      return kind
  }
}

/** A set of numbers. `whole`: only those without a fraction. */
export function numbers(
  intervals: readonly Interval[],
  { whole = false, failing = false }: { readonly whole?: boolean; readonly failing?: boolean } = {},
): ValueSet {
  const kept = (whole ? intervals.map(toWhole) : intervals).filter(isFilled)
  return { kind: 'numbers', intervals: kept, whole, failing }
}

/** A set of texts. */
export function texts(listed: Iterable<string>, failing = false): ValueSet {
  return { kind: 'texts', listed: new Set(listed), others: false, failing }
}

/** Some of true and false. */
export function bools(values: readonly boolean[], failing = false): ValueSet {
  return { kind: 'bools', yes: values.includes(true), no: values.includes(false), failing }
}

/** The numbers that stand in a relation to one number. */
export function comparedTo(
  operator: '<' | '<=' | '>' | '>=' | '==' | '!=',
  value: number,
): readonly Interval[] {
  const below: Interval = { ...everyNumber, high: value, highOpen: operator !== '<=' }
  const above: Interval = { ...everyNumber, low: value, lowOpen: operator !== '>=' }
  switch (operator) {
    case '<':
    case '<=':
      return [below]
    case '>':
    case '>=':
      return [above]
    case '==':
      return [{ low: value, high: value, lowOpen: false, highOpen: false }]
    case '!=':
      return [below, above]
    default:
      return operator
  }
}

/** The same set, with or without what cannot be evaluated. */
export function withFailing(set: ValueSet, failing: boolean): ValueSet {
  return { ...set, failing }
}

/** Whether there is nothing in it. */
export function isNothing(set: ValueSet): boolean {
  if (set.failing) return false
  switch (set.kind) {
    case 'numbers':
      return set.intervals.length === 0
    case 'texts':
      return !set.others && set.listed.size === 0
    case 'bools':
      return !set.yes && !set.no
    default:
      return set
  }
}

/** What is in both. Sets of different kinds share nothing but what cannot be evaluated. */
export function both(one: ValueSet, other: ValueSet): ValueSet {
  const failing = one.failing && other.failing
  if (one.kind === 'numbers' && other.kind === 'numbers') {
    const intervals = one.intervals.flatMap((left) => other.intervals.map((right) => overlap(left, right)))
    return numbers(intervals.filter(isFilled), { whole: one.whole || other.whole, failing })
  }
  if (one.kind === 'texts' && other.kind === 'texts') return { ...bothTexts(one, other), failing }
  if (one.kind === 'bools' && other.kind === 'bools') {
    return { kind: 'bools', yes: one.yes && other.yes, no: one.no && other.no, failing }
  }
  return { ...one, ...(one.kind === 'numbers' ? { intervals: [] } : {}), failing }
}

type Texts = Extract<ValueSet, { kind: 'texts' }>

function bothTexts(one: Texts, other: Texts): Texts {
  if (one.others && other.others) return { ...one, listed: new Set([...one.listed, ...other.listed]) }
  const [listed, tested] = one.others ? [other, one] : [one, other]
  return { ...listed, listed: new Set([...listed.listed].filter((text) => hasText(tested, text))) }
}

function hasText({ listed, others }: Texts, text: string): boolean {
  return listed.has(text) !== others
}

/** What is not in it. */
export function outside(set: ValueSet): ValueSet {
  const failing = !set.failing
  switch (set.kind) {
    case 'numbers':
      return numbers(between(set.intervals), { whole: set.whole, failing })
    case 'texts':
      return { ...set, others: !set.others, failing }
    case 'bools':
      return { kind: 'bools', yes: !set.yes, no: !set.no, failing }
    default:
      return set
  }
}

/** The runs between and beyond intervals. */
export function between(intervals: readonly Interval[]): readonly Interval[] {
  const gaps: Interval[] = []
  let rest: Interval = everyNumber
  for (const { low, high, lowOpen, highOpen } of intervals) {
    gaps.push({ ...rest, high: low, highOpen: !lowOpen })
    rest = { ...everyNumber, low: high, lowOpen: !highOpen }
  }
  return [...gaps, rest].filter(isFilled)
}

/** Intervals that touch or overlap as one, in order. */
export function merged(intervals: readonly Interval[]): readonly Interval[] {
  const inOrder = [...intervals].sort((a, b) => a.low - b.low || Number(a.lowOpen) - Number(b.lowOpen))
  const result: Interval[] = []
  for (const next of inOrder) {
    const last = result[result.length - 1]
    const apart =
      last === undefined || next.low > last.high || (next.low === last.high && next.lowOpen && last.highOpen)
    if (apart) result.push(next)
    else result[result.length - 1] = { ...last, ...farther(last, next) }
  }
  return result
}

function farther(one: Interval, other: Interval): Pick<Interval, 'high' | 'highOpen'> {
  if (one.high !== other.high) return one.high > other.high ? one : other
  return { high: one.high, highOpen: one.highOpen && other.highOpen }
}

function overlap(one: Interval, other: Interval): Interval {
  const low = Math.max(one.low, other.low)
  const high = Math.min(one.high, other.high)
  return {
    low,
    high,
    lowOpen: (one.low === low && one.lowOpen) || (other.low === low && other.lowOpen),
    highOpen: (one.high === high && one.highOpen) || (other.high === high && other.highOpen),
  }
}

function isFilled({ low, high, lowOpen, highOpen }: Interval): boolean {
  return low < high || (low === high && !lowOpen && !highOpen)
}

function toWhole({ low, high, lowOpen, highOpen }: Interval): Interval {
  const first = lowOpen && Number.isInteger(low) ? low + 1 : Math.ceil(low)
  const last = highOpen && Number.isInteger(high) ? high - 1 : Math.floor(high)
  return { low: first, high: last, lowOpen: first === -Infinity, highOpen: last === Infinity }
}
