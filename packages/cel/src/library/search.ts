import { readingSteps, walkingSteps } from './limits.ts'

/** Up to this product of lengths, the host's own search cannot take long, however unlucky the texts are. */
const hostProductMax = 1 << 20

/** Steps for one search: the host's search goes through the text in a fraction of the time that ours takes. */
export function searchingSteps(text = 0, part = 0): number {
  return text * part <= hostProductMax ? readingSteps(text, part) : walkingSteps(text) + walkingSteps(part)
}

/**
 * Where `part` begins in `text` at or after `from`; -1 where it does not. As `text.indexOf`, but in linear time:
 * the host takes seconds for `'aaaa…'` and `'aa…baa…'` of a megabyte.
 */
export function indexFrom(text: string, part: string, from: number): number {
  const length = text.length - from
  if (part.length > length) return -1
  if (part.length * length <= hostProductMax) return text.indexOf(part, from)
  const borders = bordersOf(part.length, (at) => part.charCodeAt(at))
  let matched = 0
  for (let at = from; at < text.length; at += 1) {
    const unit = text.charCodeAt(at)
    while (matched > 0 && part.charCodeAt(matched) !== unit) matched = borders[matched - 1] ?? 0
    if (part.charCodeAt(matched) === unit) matched += 1
    if (matched === part.length) return at - part.length + 1
  }
  return -1
}

/** Where the last `part` begins in `text`, at `upTo` or before it; -1 where there is none. Linear as `indexFrom`. */
export function lastIndexUpTo(text: string, part: string, upTo: number): number {
  const end = Math.min(upTo + part.length, text.length)
  if (part.length > end) return -1
  if (part.length * end <= hostProductMax) return text.lastIndexOf(part, upTo)
  const last = part.length - 1
  const borders = bordersOf(part.length, (at) => part.charCodeAt(last - at))
  let matched = 0
  for (let at = end - 1; at >= 0; at -= 1) {
    const unit = text.charCodeAt(at)
    while (matched > 0 && part.charCodeAt(last - matched) !== unit) matched = borders[matched - 1] ?? 0
    if (part.charCodeAt(last - matched) === unit) matched += 1
    if (matched === part.length) return at
  }
  return -1
}

/** For each beginning of a sequence, how long its longest proper beginning is that is also its end (Knuth, Morris, Pratt). */
function bordersOf(length: number, unitAt: (at: number) => number): Int32Array {
  const borders = new Int32Array(length)
  let matched = 0
  for (let at = 1; at < length; at += 1) {
    const unit = unitAt(at)
    while (matched > 0 && unitAt(matched) !== unit) matched = borders[matched - 1] ?? 0
    if (unitAt(matched) === unit) matched += 1
    borders[at] = matched
  }
  return borders
}
