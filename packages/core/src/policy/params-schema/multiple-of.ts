/** Ten to the power of `exponent` is exact up to here. */
const exactPowerMax = 22

/**
 * Whether a finite number is a whole multiple, both read as the decimals that they are written as: 0.3 is a
 * multiple of 0.1, and 19.99 of 0.01, which a division of doubles would deny.
 *
 * @param step finite and above zero
 */
export function multipleCheck(step: number): (value: number) => boolean {
  const digits = decimals(step)
  if (digits === 0) return (value) => value % step === 0
  const scale = digits <= exactPowerMax ? 10 ** digits : Number.NaN
  const wholeStep = Math.round(step * scale)
  if (!Number.isSafeInteger(wholeStep) || wholeStep / scale !== step) return (value) => slowCheck(value, step)
  return (value) => {
    const whole = Math.round(value * scale)
    if (!Number.isSafeInteger(whole)) return slowCheck(value, step)
    // Division rounds correctly, so this holds only where `value` is that very decimal.
    return whole / scale === value && whole % wholeStep === 0
  }
}

/** How many digits stand after the point in the shortest text of a number. */
function decimals(value: number): number {
  const { digits, exponent } = decimal(value)
  return digits === 0n ? 0 : Math.max(0, -exponent)
}

function slowCheck(value: number, step: number): boolean {
  const a = decimal(value)
  const b = decimal(step)
  const exponent = Math.min(a.exponent, b.exponent)
  const whole = a.digits * 10n ** BigInt(a.exponent - exponent)
  return whole % (b.digits * 10n ** BigInt(b.exponent - exponent)) === 0n
}

/** The shortest decimal that reads back as a finite number: `digits` times ten to the `exponent`. */
export function decimal(value: number): { readonly digits: bigint; readonly exponent: number } {
  const [mantissa = '0', power = '0'] = String(value).split('e')
  const [whole = '0', fraction = ''] = mantissa.split('.')
  return { digits: BigInt(whole + fraction), exponent: Number(power) - fraction.length }
}
