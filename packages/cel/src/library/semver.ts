import { CelFailure } from '../value.ts'
import type { CelValue } from '../value.ts'
import type { LibraryFunction } from './entry.ts'
import { free } from './forms.ts'
import { scalarUnitsMax } from './limits.ts'

/** A version of Semantic Versioning 2.0.0, without its build, which does not count. */
interface Version {
  readonly numbers: readonly [major: bigint, minor: bigint, patch: bigint]
  /** The parts of the pre-release; none for a release. */
  readonly pre: readonly string[]
}

type Operator = '' | '<' | '<=' | '=' | '>' | '>=' | '^' | '~'

interface Comparator {
  readonly operator: Operator
  readonly version: Version
}

const whole = '(0|[1-9]\\d*)'
const prePart = '(?:0|[1-9]\\d*|\\d*[A-Za-z-][0-9A-Za-z-]*)'
const shape = new RegExp(
  `^${whole}\\.${whole}\\.${whole}(?:-(${prePart}(?:\\.${prePart})*))?(?:\\+[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*)?$`,
)
const comparator = /^(\^|~|<=?|>=?|=)?(\d.*)$/

function parseVersion(text: string): Version | undefined {
  if (text.length > scalarUnitsMax) return undefined
  const [matched, major = '', minor = '', patch = '', pre = ''] = shape.exec(text) ?? []
  if (matched === undefined) return undefined
  return { numbers: [BigInt(major), BigInt(minor), BigInt(patch)], pre: pre === '' ? [] : pre.split('.') }
}

/** The order of precedence: negative, zero or positive. */
function compareVersions(left: Version, right: Version): number {
  for (const [at, number] of left.numbers.entries()) {
    const order = compareNumbers(number, right.numbers[at] ?? 0n)
    if (order !== 0) return order
  }
  // A pre-release is before its release.
  if (left.pre.length === 0 || right.pre.length === 0) return right.pre.length - left.pre.length
  for (const [at, part] of left.pre.entries()) {
    const other = right.pre[at]
    if (other === undefined) return 1
    const order = compareParts(part, other)
    if (order !== 0) return order
  }
  return left.pre.length - right.pre.length
}

function compareNumbers(left: bigint, right: bigint): number {
  return Number(left > right) - Number(left < right)
}

/** Numbers by their value and before words, words by their characters. */
function compareParts(left: string, right: string): number {
  const [leftIsNumber, rightIsNumber] = [/^\d+$/.test(left), /^\d+$/.test(right)]
  if (leftIsNumber && rightIsNumber) return compareNumbers(BigInt(left), BigInt(right))
  if (leftIsNumber !== rightIsNumber) return leftIsNumber ? -1 : 1
  return Number(left > right) - Number(left < right)
}

function satisfies(version: Version, { operator, version: bound }: Comparator): boolean {
  const order = compareVersions(version, bound)
  switch (operator) {
    case '':
    case '=':
      return order === 0
    case '<':
      return order < 0
    case '<=':
      return order <= 0
    case '>':
      return order > 0
    case '>=':
      return order >= 0
    case '~':
      return order >= 0 && sameFirst(version, bound, 2)
    case '^':
      // What must stay is all up to the first number that is not zero.
      return order >= 0 && sameFirst(version, bound, bound.numbers.findIndex((each) => each > 0n) + 1 || 3)
  }
}

function sameFirst(left: Version, right: Version, count: number): boolean {
  return left.numbers.slice(0, count).every((number, at) => number === right.numbers[at])
}

/**
 * A pre-release is in a range only if the range names a pre-release of the same version: who writes `>=1.2.0` does not
 * mean the trial of 2.0.0.
 */
function isInRange(version: Version, range: readonly Comparator[]): boolean {
  const named = range.some(({ version: bound }) => bound.pre.length > 0 && sameFirst(version, bound, 3))
  if (version.pre.length > 0 && !named) return false
  return range.every((each) => satisfies(version, each))
}

function prepareRange(text: CelValue): readonly Comparator[] | CelFailure {
  const parts = typeof text === 'string' && text.length <= scalarUnitsMax ? text.split(' ') : []
  const range = parts.flatMap((part) => parseComparator(part) ?? [])
  return range.length > 0 && range.length === parts.length
    ? range
    : new CelFailure('is not a range such as ^1.2.3 or >=1.2.0 <2.0.0, with all three numbers')
}

function parseComparator(text: string): Comparator | undefined {
  const [, operator = '', written = ''] = comparator.exec(text) ?? []
  const version = parseVersion(written)
  return version === undefined ? undefined : { operator: operator as Operator, version }
}

function notAVersion(): CelFailure {
  return new CelFailure('needs versions such as 1.2.3 or 1.2.3-beta.1')
}

function semverCompare(left: string, right: string): bigint | CelFailure {
  const [one, other] = [parseVersion(left), parseVersion(right)]
  if (one === undefined || other === undefined) return notAVersion()
  return BigInt(Math.sign(compareVersions(one, other)))
}

function semverMatches(text: string, range: readonly Comparator[]): boolean | CelFailure {
  const version = parseVersion(text)
  return version === undefined ? notAVersion() : isInRange(version, range)
}

const details = { cost: () => 5, resultSize: () => 1 }

/**
 * Versions in texts, after Semantic Versioning 2.0.0. A range is one or more of `=`, `<`, `<=`, `>`, `>=`, `^` and `~` with a whole
 * version, separated by one space, all of which must hold.
 */
export const semverFunctions: readonly LibraryFunction[] = [
  free('isSemver', ['string'], 'bool', (text: string) => parseVersion(text) !== undefined, details),
  free('semverCompare', ['string', 'string'], 'int', semverCompare, details),
  free('semverMatches', ['string', 'string'], 'bool', semverMatches, {
    ...details,
    literal: { arg: 1, use: 'checked' },
    prepare: prepareRange,
  }),
]
