/**
 * The candidate that `name` was probably meant to be: edit distance at most a third of its length (at least 1;
 * swapped neighbours count once), case ignored. The first of equally near ones; undefined where none is near.
 */
export function nearest(name: string, candidates: Iterable<string>): string | undefined {
  const wanted = name.toLowerCase().slice(0, comparedLengthMax)
  let best: string | undefined
  let bestDistance = Math.max(1, Math.floor(wanted.length / 3)) + 1
  for (const candidate of candidates) {
    if (candidate === name) continue
    const offered = candidate.toLowerCase().slice(0, comparedLengthMax)
    if (Math.abs(offered.length - wanted.length) >= bestDistance) continue
    const distance = editDistance(wanted, offered, bestDistance)
    // A name of one or two characters is "near" to every other such name; that helps nobody.
    if (distance >= bestDistance || distance >= Math.max(wanted.length, offered.length)) continue
    best = candidate
    bestDistance = distance
  }
  return best
}

const comparedLengthMax = 100

/**
 * Insertions, deletions, replacements and swaps of neighbours that turn one text into the other; infinity where that
 * takes `enough` or more, which is mostly seen after a few characters.
 */
function editDistance(from: string, to: string, enough: number): number {
  let leastBefore = 0
  let beforeLast: number[] = []
  let last = Array.from({ length: to.length + 1 }, (_, column) => column)
  for (let row = 1; row <= from.length; row++) {
    const current = [row]
    let leastOfRow = row
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1]
      let least = Math.min(
        at(last, column) + 1,
        at(current, column - 1) + 1,
        at(last, column - 1) + (same ? 0 : 1),
      )
      if (row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1]) {
        least = Math.min(least, at(beforeLast, column - 2) + 1)
      }
      current.push(least)
      leastOfRow = Math.min(leastOfRow, least)
    }
    // Every way on leads through one of two rows: a swap leaps over one.
    if (leastOfRow >= enough && leastBefore >= enough) return Number.POSITIVE_INFINITY
    leastBefore = leastOfRow
    beforeLast = last
    last = current
  }
  return at(last, to.length)
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY
}
