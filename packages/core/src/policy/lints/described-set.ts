import type { Interval, ValueSet } from './value-sets.ts'

const shownMax = 8

/** What the values of a set are, to be read after "is"; undefined where they can be anything. */
export function setText(set: ValueSet): string | undefined {
  switch (set.kind) {
    case 'numbers':
      return numbersText(set.intervals)
    case 'texts':
      return set.others ? undefined : listText([...set.listed].map((text) => `"${text}"`))
    case 'bools':
      return set.yes === set.no ? undefined : `always ${String(set.yes)}`
    default:
      return set
  }
}

function numbersText(intervals: readonly Interval[]): string | undefined {
  const points = intervals.filter(({ low, high }) => low === high)
  if (intervals.length > 1) {
    return points.length === intervals.length ? listText(points.map(({ low }) => String(low))) : undefined
  }
  const [only] = intervals
  return only && intervalText(only)
}

/** `at least 0`, `above 5`, `from 0 to 100`; undefined for all numbers. */
export function intervalText({ low, high, lowOpen, highOpen }: Interval): string | undefined {
  if (low === high) return `always ${low}`
  const from = low === -Infinity ? undefined : `${lowOpen ? 'above' : 'at least'} ${low}`
  const to = high === Infinity ? undefined : `${highOpen ? 'below' : 'at most'} ${high}`
  if (from === undefined || to === undefined) return from ?? to
  return `${from} and ${to}`
}

function listText(items: readonly string[]): string | undefined {
  if (items.length === 0) return undefined
  if (items.length === 1) return `always ${items.join()}`
  const shown = items.slice(0, shownMax).join(', ')
  return `one of ${items.length > shownMax ? `${shown}, …` : shown}`
}
