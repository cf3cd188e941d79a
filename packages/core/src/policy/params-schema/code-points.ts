/** Whether the text has at least `min` code points. Half a surrogate pair counts as one. */
export function isAtLeast(text: string, min: number): boolean {
  if (text.length < min) return false
  return text.length >= 2 * min || codePoints(text) >= min
}

/** Whether the text has at most `max` code points. */
export function isAtMost(text: string, max: number): boolean {
  if (text.length <= max) return true
  return text.length <= 2 * max && codePoints(text) <= max
}

function codePoints(text: string): number {
  let count = 0
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    const next = text.charCodeAt(at + 1)
    if (unit >= 0xd800 && unit <= 0xdbff && next >= 0xdc00 && next <= 0xdfff) at++
    count++
  }
  return count
}
