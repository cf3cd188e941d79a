import type { NamePattern } from '../model/policy.ts'

/**
 * Compiles a pattern for names of actions or agents. `*` stands for any run of characters, also none; everything
 * else stands for itself, and the whole name has to match.
 */
export function namePattern(text: string): NamePattern {
  const pieces = text.split('*')
  if (pieces.length === 1) return { text, exact: true, matches: (name) => name === text }
  return { text, exact: false, matches: (name) => matchesPieces(pieces, name) }
}

// Leftmost placement of each middle piece is enough: a later placement never leaves more room.
function matchesPieces(pieces: readonly string[], action: string): boolean {
  const first = pieces[0] ?? ''
  const last = pieces[pieces.length - 1] ?? ''
  if (action.length < first.length + last.length) return false
  if (!action.startsWith(first) || !action.endsWith(last)) return false
  const end = action.length - last.length
  let at = first.length
  for (const piece of pieces.slice(1, -1)) {
    const found = action.indexOf(piece, at)
    if (found === -1 || found + piece.length > end) return false
    at = found + piece.length
  }
  return true
}

/** Whether some name matches both patterns. */
export function patternsMeet(
  { text: one, exact }: NamePattern,
  { text: other, exact: otherExact }: NamePattern,
): boolean {
  const reached = new Set<number>()
  const open: (readonly [number, number])[] = [[0, 0]]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [at, otherAt] = next
    const key = at * (other.length + 1) + otherAt
    if (reached.has(key)) continue
    reached.add(key)
    if (at === one.length && otherAt === other.length) return true
    const star = !exact && one[at] === '*'
    const otherStar = !otherExact && other[otherAt] === '*'
    // A star may stand for nothing, or for whatever the other text has next.
    if (star) open.push([at + 1, otherAt])
    if (otherStar) open.push([at, otherAt + 1])
    if (star && otherAt < other.length && !otherStar) open.push([at, otherAt + 1])
    if (otherStar && at < one.length && !star) open.push([at + 1, otherAt])
    if (!star && !otherStar && at < one.length && one[at] === other[otherAt]) open.push([at + 1, otherAt + 1])
  }
  return false
}
