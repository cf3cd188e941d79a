import { CelFailure, CelUint } from '../value.ts'
import type { LibraryFunction } from './entry.ts'
import { free } from './forms.ts'

/** An operation on 64 bits, for `int` in two's complement and for `uint`. Takes and gives bits as they are. */
type Operation = (left: bigint, right: bigint) => bigint

const signed = (bits: bigint): bigint => BigInt.asIntN(64, bits)
const unsigned = (bits: bigint): bigint => BigInt.asUintN(64, bits)

function pair(name: string, operation: Operation): readonly LibraryFunction[] {
  return [
    free(name, ['int', 'int'], 'int', (left: bigint, right: bigint) => signed(operation(left, right))),
    free(
      name,
      ['uint', 'uint'],
      'uint',
      (left: CelUint, right: CelUint) => new CelUint(unsigned(operation(left.value, right.value))),
    ),
  ]
}

/** Shifts fill with zeros, to the right too. A shift by 64 or more leaves nothing. */
function shift(name: string, operation: Operation): readonly LibraryFunction[] {
  const shifted = (bits: bigint, by: bigint): bigint | CelFailure => {
    if (by < 0n) return new CelFailure('needs a shift that is not negative')
    return by > 63n ? 0n : operation(unsigned(bits), by)
  }
  return [
    free(name, ['int', 'int'], 'int', (bits: bigint, by: bigint) => {
      const result = shifted(bits, by)
      return result instanceof CelFailure ? result : signed(result)
    }),
    free(name, ['uint', 'int'], 'uint', (bits: CelUint, by: bigint) => {
      const result = shifted(bits.value, by)
      return result instanceof CelFailure ? result : new CelUint(unsigned(result))
    }),
  ]
}

/** Bits of the math extension. */
export const bitFunctions: readonly LibraryFunction[] = [
  ...pair('math.bitAnd', (left, right) => left & right),
  ...pair('math.bitOr', (left, right) => left | right),
  ...pair('math.bitXor', (left, right) => left ^ right),
  free('math.bitNot', ['int'], 'int', (bits: bigint) => ~bits),
  free('math.bitNot', ['uint'], 'uint', (bits: CelUint) => new CelUint(unsigned(~bits.value))),
  ...shift('math.bitShiftLeft', (bits, by) => bits << by),
  ...shift('math.bitShiftRight', (bits, by) => bits >> by),
]
