/**
 * Whether a number is the same number once it went through JSON: a whole number within ±(2^53 - 1), a decimal
 * number whose digits a double gives back. A limit that is silently another one is not the limit that was written.
 */
export function isExact(text: string): boolean {
  if (/^(?:0[xX][0-9a-fA-F]+|[0-9]+)$/.test(text)) return BigInt(text) <= BigInt(Number.MAX_SAFE_INTEGER)
  return scientific(text) === scientific(String(Number(text)))
}

/** A decimal number in one form for all ways to write it: its digits without outer zeros, and their exponent. */
function scientific(text: string): string {
  const [mantissa = '', exponent = '0'] = text.toLowerCase().split('e')
  const [whole = '', fraction = ''] = mantissa.split('.')
  const digits = `${whole}${fraction}`.replace(/^0+/, '')
  const significant = digits.replace(/0+$/, '')
  if (significant === '') return '0'
  return `${significant}e${Number(exponent) - fraction.length + digits.length - significant.length}`
}
