/** A number as it is written in decimal: `units` divided by ten to the power of `scale`. */
export interface Decimal {
  readonly units: bigint
  /** 0 or more. */
  readonly scale: number
}

export const zero: Decimal = Object.freeze({ units: 0n, scale: 0 })

/** The number that JavaScript writes for `amount`: 0.1 is one tenth and nothing near it. `amount` has to be finite. */
export function decimalOf(amount: number): Decimal {
  if (Number.isSafeInteger(amount)) return { units: BigInt(amount), scale: 0 }
  return decimalFrom(String(amount)) ?? zero
}

const written = /^(-?\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/

/** The number that the text writes, as JavaScript and PostgreSQL write numbers; undefined where it writes none. */
export function decimalFrom(text: string): Decimal | undefined {
  const match = written.exec(text)
  if (match === null) return undefined
  const [, whole = '', fraction = '', exponent = '0'] = match
  const units = BigInt(whole + fraction)
  const scale = fraction.length - Number(exponent)
  return scale >= 0 ? { units, scale } : { units: units * 10n ** BigInt(-scale), scale: 0 }
}

/** The sum, exactly. */
export function plus(one: Decimal, other: Decimal): Decimal {
  if (one.scale === other.scale) return { units: one.units + other.units, scale: one.scale }
  const [fine, coarse] = one.scale > other.scale ? [one, other] : [other, one]
  return { units: fine.units + coarse.units * 10n ** BigInt(fine.scale - coarse.scale), scale: fine.scale }
}

/** The difference, exactly. */
export function minus(one: Decimal, other: Decimal): Decimal {
  return plus(one, { units: -other.units, scale: other.scale })
}

/** The nearest number that JavaScript has. */
export function numberOf({ units, scale }: Decimal): number {
  return scale === 0 ? Number(units) : Number(`${units}e-${scale}`)
}

/** As JavaScript and PostgreSQL read it. */
export function decimalText({ units, scale }: Decimal): string {
  return scale === 0 ? String(units) : `${units}e-${scale}`
}
