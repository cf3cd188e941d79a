import { decimal } from '../policy/params-schema/multiple-of.ts'

/**
 * Whether `amount` fits beside what was used before: the sum is at most `max`, all three read as the decimals that they
 * are written as. 0.1 beside 0.2 fits into 0.3, which a sum of doubles would deny; one cent more does not.
 *
 * @param before 0 or more, and not NaN
 * @param amount finite, 0 or more
 * @param max finite
 */
export function fits(before: number, amount: number, max: number): boolean {
  const sum = before + amount
  // More than any number that a policy can write.
  if (sum === Infinity) return false
  // Rounding moves the sum by less than this: further away, it cannot change the answer.
  if (!(Math.abs(sum - max) <= sum * Number.EPSILON)) return sum < max
  if (Number.isSafeInteger(before) && Number.isSafeInteger(amount) && Number.isSafeInteger(sum))
    return sum <= max
  return isAtMost(before, amount, max)
}

function isAtMost(before: number, amount: number, max: number): boolean {
  const all = [before, amount, max].map(decimal)
  const exponent = Math.min(...all.map((each) => each.exponent))
  const [a = 0n, b = 0n, most = 0n] = all.map((each) => each.digits * 10n ** BigInt(each.exponent - exponent))
  return a + b <= most
}
