/** A CEL `uint`: 0 to 2^64 - 1. */
export class CelUint {
  readonly value: bigint

  constructor(value: bigint) {
    this.value = value
  }
}

/** A CEL `timestamp`: nanoseconds since the Unix epoch, within the years 1 to 9999. */
export class CelTimestamp {
  readonly nanos: bigint

  constructor(nanos: bigint) {
    this.nanos = nanos
  }
}

/** A CEL `duration` in nanoseconds, in 64 bits: within about ±292 years. */
export class CelDuration {
  readonly nanos: bigint

  constructor(nanos: bigint) {
    this.nanos = nanos
  }
}

/** A type as a value, such as what `type(1)` gives. */
export class CelTypeValue {
  readonly name: string

  constructor(name: string) {
    this.name = name
  }
}

/** A value that may be absent. */
export class CelOptional {
  readonly value: CelValue | undefined

  constructor(value: CelValue | undefined) {
    this.value = value
  }
}

/** Why an expression has no value. Returned and never thrown: exceptions would cost more than deciding. */
export class CelFailure {
  /** One short sentence with names, paths and types, and with no value of the call. */
  readonly message: string

  constructor(message: string) {
    this.message = message
  }
}

/** A map that a CEL expression built, or a JSON object: own members only, never what an object inherits. */
export type CelMap = ReadonlyMap<CelMapKey, CelValue> | { readonly [name: string]: CelValue }

/** Keys as CEL compares them: ints and uints that are equal are one key (a bigint). */
export type CelMapKey = string | bigint | boolean

/**
 * A value during evaluation. `int` is a bigint, `double` and JSON's `number` are a number, `bytes` a Uint8Array, a
 * list an array. JSON values stand for themselves, so a call's params are read without copying.
 */
export type CelValue =
  | null
  | boolean
  | bigint
  | number
  | string
  | Uint8Array
  | CelUint
  | CelTimestamp
  | CelDuration
  | CelTypeValue
  | CelOptional
  | readonly CelValue[]
  | CelMap
