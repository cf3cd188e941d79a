import type { ApprovalStatus, Instant, OutcomeStatus } from '@bailiwick/core'
import type { Decimal } from '../log/decimal.ts'

/** The statuses of an approval as codes of facts. */
export const statusCodes: Readonly<Record<ApprovalStatus, number>> = {
  pending: 1,
  approved: 2,
  rejected: 3,
  expired: 4,
  consumed: 5,
  cancelled: 6,
}

/** Added to the code of a stored approval that names the record that used it up, or withdrew it. */
export const namesUser = 16

/** The statuses of an outcome as codes of facts. */
export const outcomeCodes: Readonly<Record<OutcomeStatus, number>> = { succeeded: 1, failed: 2, unknown: 3 }

/** 1 where no counter counts any more what was used at `at`, RFC 3339, and 0 where one does. */
export function isOver(at: string, windowMs: number, now: Instant): number {
  return Date.parse(at) + windowMs <= now ? 1 : 0
}

/** Amounts in facts are whole numbers of this many decimal places. */
const places = 18
const amountBits = 128n

/** The amount as 16 bytes in Latin-1; undefined where it is negative, too large, or too fine. */
export function amountBytes({ units, scale }: Decimal): string | undefined {
  let whole = units
  if (scale <= places) {
    whole *= 10n ** BigInt(places - scale)
  } else {
    const surplus = 10n ** BigInt(scale - places)
    if (whole % surplus !== 0n) return undefined
    whole /= surplus
  }
  if (whole < 0n || whole >> amountBits !== 0n) return undefined
  return Buffer.from(whole.toString(16).padStart(32, '0'), 'hex').toString('latin1')
}

/** The amount exactly, the same text for the same amount. */
export function amountText({ units, scale }: Decimal): string {
  let [plain, left] = [units, scale]
  for (; left > 0 && plain % 10n === 0n; left -= 1) plain /= 10n
  return `${plain}e-${left}`
}

/** The whole number that `amountBytes` wrote. */
export function amountOf(bytes: string): bigint {
  return BigInt(`0x${Buffer.from(bytes, 'latin1').toString('hex')}`)
}
