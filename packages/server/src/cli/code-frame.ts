import { onOneLine } from '@bailiwick/core'

/** A place in a text; one-based, the column in UTF-16 code units. */
export interface Place {
  readonly line: number
  readonly column: number
}

const widthMax = 110

/**
 * The line of a text that a problem means, and a caret under the place: two lines, or none where the text has no such
 * line. Tabs become spaces, control characters are written out, long lines are cut around the place.
 */
export function codeFrame(text: string, { line, column }: Place): readonly string[] {
  const written = text.split(/\r?\n/)[line - 1]
  if (written === undefined || written.trim() === '') return []
  const before = shown(written.slice(0, column - 1))
  const after = shown(written.slice(column - 1))
  const cutStart =
    before.length > widthMax - 20 ? `…${before.slice(before.length - (widthMax - 30))}` : before
  const room = widthMax - cutStart.length
  const cutEnd = after.length > room ? `${after.slice(0, room)}…` : after
  const number = String(line).padStart(5)
  return [`${number} | ${cutStart}${cutEnd}`, `${' '.repeat(5)} | ${' '.repeat(cells(cutStart))}^`]
}

function shown(text: string): string {
  return onOneLine(text.replaceAll('\t', '  '))
}

// Terminals give characters of East Asian scripts and emoji two cells, and marks that combine none.
function cells(text: string): number {
  let count = 0
  for (const character of text) {
    if (/\p{Mn}/u.test(character)) continue
    count +=
      /[\u1100-\u115F\u2E80-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60]|\p{Extended_Pictographic}/u.test(
        character,
      )
        ? 2
        : 1
  }
  return count
}
