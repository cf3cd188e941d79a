import { isCelList, isCelMap } from '@bufbuild/cel'
import type { CelInput, CelList, CelMap, CelValue } from '@bufbuild/cel'
import { create, isMessage } from '@bufbuild/protobuf'
import { isReflectMessage } from '@bufbuild/protobuf/reflect'
import { DurationSchema, TimestampSchema } from '@bufbuild/protobuf/wkt'

/** A value of the evaluator, told apart. Times are nanoseconds: since 1970, or long. */
export type Kinded =
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'int'; readonly value: bigint }
  | { readonly kind: 'bool'; readonly value: boolean }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'bytes'; readonly value: Uint8Array }
  | { readonly kind: 'null'; readonly value: null }
  | { readonly kind: 'list'; readonly value: CelList }
  | { readonly kind: 'map'; readonly value: CelMap }
  | { readonly kind: 'timestamp'; readonly value: bigint }
  | { readonly kind: 'duration'; readonly value: bigint }
  | { readonly kind: 'other'; readonly value: undefined }

const nanosPerSecond = 1_000_000_000n
const timestampSecondsMin = -62_135_596_800n
const timestampSecondsMax = 253_402_300_799n

/** Tells a value apart by what it is at run time. */
export function kindOf(value: CelValue): Kinded {
  switch (typeof value) {
    case 'number':
      return { kind: 'number', value }
    case 'bigint':
      return { kind: 'int', value }
    case 'boolean':
      return { kind: 'bool', value }
    case 'string':
      return { kind: 'string', value }
    default:
      break
  }
  if (value === null) return { kind: 'null', value }
  if (value instanceof Uint8Array) return { kind: 'bytes', value }
  if (isCelList(value)) return { kind: 'list', value }
  if (isCelMap(value)) return { kind: 'map', value }
  const message = isReflectMessage(value) ? value.message : undefined
  if (isMessage(message, TimestampSchema)) return { kind: 'timestamp', value: nanosOf(message) }
  if (isMessage(message, DurationSchema)) return { kind: 'duration', value: nanosOf(message) }
  return { kind: 'other', value: undefined }
}

function nanosOf(time: { readonly seconds: bigint; readonly nanos: number }): bigint {
  return time.seconds * nanosPerSecond + BigInt(time.nanos)
}

/** A point in time, or undefined outside the years 1 to 9999. */
export function timestampOf(nanos: bigint): CelInput | undefined {
  const rest = ((nanos % nanosPerSecond) + nanosPerSecond) % nanosPerSecond
  const seconds = (nanos - rest) / nanosPerSecond
  if (seconds < timestampSecondsMin || seconds > timestampSecondsMax) return undefined
  return create(TimestampSchema, { seconds, nanos: Number(rest) })
}

/** A span of time, or undefined where its nanoseconds do not fit 64 bits. */
export function durationOf(nanos: bigint): CelInput | undefined {
  if (BigInt.asIntN(64, nanos) !== nanos) return undefined
  return create(DurationSchema, { seconds: nanos / nanosPerSecond, nanos: Number(nanos % nanosPerSecond) })
}
