import { CelFailure, CelUint } from '../value.ts'
import type { LibraryFunction, LibraryType } from './entry.ts'
import { bitFunctions } from './bits.ts'
import { extremeFunctions } from './extremes.ts'
import { free } from './forms.ts'

const intMin = -(2n ** 63n)

function roundings(name: string, round: (value: number) => number): LibraryFunction {
  return free(`math.${name}`, ['double'], 'double', round)
}

function tests(name: string, test: (value: number) => boolean): LibraryFunction {
  return free(`math.${name}`, ['double'], 'bool', test)
}

/** To the nearest whole number, halves away from zero. */
function halvesAway(value: number): number {
  const whole = Math.trunc(value)
  return Math.abs(value - whole) >= 0.5 ? whole + Math.sign(value) : whole
}

function absoluteInt(value: bigint): bigint | CelFailure {
  if (value === intMin) return new CelFailure('is out of the range of whole numbers')
  return value < 0n ? -value : value
}

function signOfInt(value: bigint): bigint {
  if (value === 0n) return 0n
  return value < 0n ? -1n : 1n
}

const signOfUint = ({ value }: CelUint): CelUint => new CelUint(value === 0n ? 0n : 1n)

/** What is not a number must not come of numbers: every comparison with it is false. */
function rootOf(value: number): number | CelFailure {
  return value < 0 ? new CelFailure('needs a number that is not negative') : Math.sqrt(value)
}

const roots: readonly (readonly [LibraryType, (value: never) => number | CelFailure])[] = [
  ['int', (value: bigint) => rootOf(Number(value))],
  ['uint', ({ value }: CelUint) => rootOf(Number(value))],
  ['double', rootOf],
]

/** The math extension. What can overflow fails; what is not a number stays so, as IEEE 754 has it. */
export const mathFunctions: readonly LibraryFunction[] = [
  roundings('ceil', Math.ceil),
  roundings('floor', Math.floor),
  roundings('round', halvesAway),
  roundings('trunc', Math.trunc),
  tests('isNaN', Number.isNaN),
  tests('isInf', (value) => value === Infinity || value === -Infinity),
  tests('isFinite', Number.isFinite),
  free('math.abs', ['int'], 'int', absoluteInt),
  free('math.abs', ['uint'], 'uint', (value: CelUint) => value),
  free('math.abs', ['double'], 'double', Math.abs),
  free('math.sign', ['int'], 'int', signOfInt),
  free('math.sign', ['uint'], 'uint', signOfUint),
  free('math.sign', ['double'], 'double', Math.sign),
  ...roots.map(([type, root]) => free('math.sqrt', [type], 'double', root)),
  ...extremeFunctions,
  ...bitFunctions,
]
