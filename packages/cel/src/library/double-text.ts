/** The shortest text that gives the double back, as in JSON; `NaN`, `Infinity` and `-Infinity` too. */
export function doubleText(value: number): string {
  return String(value)
}

/** With `precision` digits after the point. Rounded once, from the double's exact value, halves to the even digit. */
export function fixedText(value: number, precision: number): string {
  const { sign, digits, scale } = exactDecimal(value)
  const rounded = withScale(digits, scale, precision)
    .toString()
    .padStart(precision + 1, '0')
  if (precision === 0) return sign + rounded
  return `${sign}${rounded.slice(0, -precision)}.${rounded.slice(-precision)}`
}

/** One digit, `precision` more after the point, and an exponent of at least two digits: `1.052033e+03`. */
export function scientificText(value: number, precision: number): string {
  const { sign, digits, scale } = exactDecimal(value)
  if (digits === 0n) return `${sign}${pointed('0'.repeat(precision + 1))}e+00`
  const surplus = digits.toString().length - (precision + 1)
  const rounded = withScale(digits, surplus, 0).toString()
  // 9.99 becomes 10.0: one digit more than asked for, and it is zero.
  const carried = rounded.length - (precision + 1)
  const exponent = surplus + carried + precision - scale
  const size = String(Math.abs(exponent)).padStart(2, '0')
  return `${sign}${pointed(rounded.slice(0, precision + 1))}e${exponent < 0 ? '-' : '+'}${size}`
}

function pointed(digits: string): string {
  return digits.length === 1 ? digits : `${digits.slice(0, 1)}.${digits.slice(1)}`
}

/** A finite double exactly: its absolute value is `digits` / 10^`scale`. */
function exactDecimal(value: number): {
  readonly sign: '' | '-'
  readonly digits: bigint
  readonly scale: number
} {
  const sign = value < 0 || Object.is(value, -0) ? '-' : ''
  let [fraction, halvings] = [Math.abs(value), 0]
  // Doubling is exact. A double is whole after 1,074 times at most.
  while (!Number.isInteger(fraction)) {
    fraction *= 2
    halvings += 1
  }
  return { sign, digits: BigInt(fraction) * 5n ** BigInt(halvings), scale: halvings }
}

/** `digits` / 10^`scale` as a whole number of 10^-`wanted`, halves to even. */
function withScale(digits: bigint, scale: number, wanted: number): bigint {
  if (scale <= wanted) return digits * 10n ** BigInt(wanted - scale)
  const unit = 10n ** BigInt(scale - wanted)
  const [whole, rest] = [digits / unit, digits % unit]
  const up = rest * 2n > unit || (rest * 2n === unit && whole % 2n === 1n)
  return up ? whole + 1n : whole
}
