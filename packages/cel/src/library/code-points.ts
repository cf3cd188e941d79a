const surrogates = /[\uD800-\uDFFF]/

/** The length of a text in Unicode code points. Half of a pair that stands alone counts as one. */
export function codePointCount(text: string): number {
  if (!surrogates.test(text)) return text.length
  let count = 0
  for (let unit = 0; unit < text.length; unit += widthAt(text, unit)) count += 1
  return count
}

/** Where the code point number `position` begins in UTF-16 units; the length of the text for its end. */
export function unitOf(text: string, position: bigint): number | undefined {
  // A position is at most the number of units, so that a comparison tells before it is made a number.
  if (position < 0n || position > BigInt(text.length)) return undefined
  if (!surrogates.test(text)) return Number(position)
  let unit = 0
  for (let left = Number(position); left > 0; left -= 1) {
    if (unit >= text.length) return undefined
    unit += widthAt(text, unit)
  }
  return unit
}

/** The number of the code point that begins at `unit`. */
export function positionOf(text: string, unit: number): number {
  return surrogates.test(text) ? codePointCount(text.slice(0, unit)) : unit
}

/** UTF-16 units of the code point that begins at `unit`. */
export function widthAt(text: string, unit: number): 1 | 2 {
  return (text.codePointAt(unit) ?? 0) > 0xff_ff ? 2 : 1
}
