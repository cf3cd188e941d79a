import { itemsPerStep } from '../limits.ts'
import { CelFailure, CelUint } from '../value.ts'
import type { CelValue } from '../value.ts'
import type { LibraryFunction, LibraryType } from './entry.ts'
import { free } from './forms.ts'

/** With more numbers than this, write a list. */
const argumentsMax = 6

type Number64 = bigint | number
type Beats = (candidate: Number64, best: Number64) => boolean

const greatest: Beats = (candidate, best) => candidate > best
const least: Beats = (candidate, best) => candidate < best

/** `math.greatest` and `math.least`, of one to six numbers or of a list of them. Of equal ones the first counts. */
export const extremeFunctions: readonly LibraryFunction[] = (['int', 'uint', 'double'] as const).flatMap(
  (type) => [...forms('math.greatest', type, greatest), ...forms('math.least', type, least)],
)

/**
 * The same of numbers of several types. Policies need them not, since their numbers mix anyway; and these would take
 * anything at load.
 */
export const mixedExtremes: readonly LibraryFunction[] = [
  ...forms('math.greatest', 'dyn', greatest),
  ...forms('math.least', 'dyn', least),
]

function forms(name: string, type: LibraryType, beats: Beats): readonly LibraryFunction[] {
  const listed = (items: readonly CelValue[]): CelValue | CelFailure => extreme(items, beats)
  const spread = (...items: readonly CelValue[]): CelValue | CelFailure => extreme(items, beats)
  const cost = (items = 0): number => 1 + Math.ceil(items / itemsPerStep)
  const counts = Array.from({ length: argumentsMax }, (_, index) => index + 1)
  return [
    // The list comes first: the form of one argument of any type would take it.
    free(name, [{ list: type }], type, listed, { cost, resultSize: () => 1 }),
    ...counts.map((count) =>
      free(
        name,
        Array.from({ length: count }, () => type),
        type,
        spread,
      ),
    ),
  ]
}

function extreme(items: readonly CelValue[], beats: Beats): CelValue | CelFailure {
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
