import { itemsPerStep } from '../limits.ts'
import { CelFailure, CelUint } from '../value.ts'
import type { CelValue } from '../value.ts'
import type { LibraryFunction, LibraryType } from './entry.ts'
import { free } from './forms.ts'

/** With more numbers than this, write a list. */
const argumentsMax = 6

/** Forms from the narrowest type to the widest, so that the first that fits tells most. */
const types: readonly LibraryType[] = ['int', 'uint', 'double', 'number', 'dyn']

/** `math.greatest` and `math.least`, of one to six numbers or of a list of them. Of equal ones the first counts. */
export const extremeFunctions: readonly LibraryFunction[] = [
  ...forms('math.greatest', (candidate, best) => candidate > best),
  ...forms('math.least', (candidate, best) => candidate < best),
]

type Number64 = bigint | number

function forms(name: string, beats: (candidate: Number64, best: Number64) => boolean): LibraryFunction[] {
  const listed = (items: readonly CelValue[]): CelValue | CelFailure => extreme(items, beats)
  const spread = (...items: readonly CelValue[]): CelValue | CelFailure => extreme(items, beats)
  const cost = (items = 0): number => 1 + Math.ceil(items / itemsPerStep)
  const lists = types.map((type) => free(name, [{ list: type }], type, listed, { cost, resultSize: () => 1 }))
  const counts = Array.from({ length: argumentsMax }, (_, index) => index + 1)
  const spreads = counts.flatMap((count) =>
    types.map((type) =>
      free(
        name,
        Array.from({ length: count }, () => type),
        type,
        spread,
      ),
    ),
  )
  // A list comes first: the form of one argument of any type would take it.
  return [...lists, ...spreads]
}

function extreme(
  items: readonly CelValue[],
  beats: (candidate: Number64, best: Number64) => boolean,
): CelValue | CelFailure {
  let [best, bestNumber]: [CelValue, Number64 | undefined] = [null, undefined]
  for (const item of items) {
    const number = numberOf(item)
    if (number === undefined) return new CelFailure('needs numbers that can be ordered')
    if (bestNumber === undefined || beats(number, bestNumber)) [best, bestNumber] = [item, number]
  }
  return bestNumber === undefined ? new CelFailure('needs at least one number') : best
}

/** Whole numbers and doubles are compared by value: the host compares a bigint with a number exactly. */
function numberOf(value: CelValue): Number64 | undefined {
  if (value instanceof CelUint) return value.value
  if (typeof value === 'bigint') return value
  return typeof value === 'number' && !Number.isNaN(value) ? value : undefined
}
