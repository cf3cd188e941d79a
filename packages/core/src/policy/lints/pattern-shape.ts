/** What can be told of a regular expression by looking at its text. */
export interface PatternShape {
  /** Whether every alternative is tied to the start of the text, or begins with `.*`. */
  readonly isTiedToStart: boolean
  /** Whether every alternative is tied to the end, or ends with `.*`. */
  readonly isTiedToEnd: boolean
  /** Whether some alternatives are tied to an end and others are not: `^a|b$`. */
  readonly isUneven: boolean
  /** Whether it can match no text at all, because something has to stand before the start or behind the end. */
  readonly isImpossible: boolean
}

/** One thing that a pattern asks for, in order. A group is taken as a whole. */
interface Piece {
  readonly text: string
  readonly kind: 'start' | 'end' | 'group' | 'other'
  /** Whether it may be left out: `a*`, `a?`, a group, of which that is not told. */
  readonly canBeEmpty: boolean
}

/** Looks at a pattern that has been compiled before. */
export function patternShape(pattern: string): PatternShape {
  const { flags, rest } = withoutFlags(pattern)
  const alternatives = alternativesOf(rest).map((alternative) => piecesOf(alternative))
  const starts = alternatives.map((pieces) => isTied(pieces, 'start'))
  const ends = alternatives.map((pieces) => isTied(pieces, 'end'))
  const tied = alternatives.map((_, at) => starts[at] === true || ends[at] === true)
  return {
    isTiedToStart: starts.every(Boolean),
    isTiedToEnd: ends.every(Boolean),
    isUneven:
      alternatives.length > 1 &&
      tied.some(Boolean) &&
      !(starts.every(Boolean) && ends.every(Boolean)) &&
      !allAlike(starts, ends),
    isImpossible: !flags.includes('m') && alternatives.every(isImpossible),
  }
}

function allAlike(starts: readonly boolean[], ends: readonly boolean[]): boolean {
  return new Set(starts).size === 1 && new Set(ends).size === 1
}

function withoutFlags(pattern: string): { readonly flags: string; readonly rest: string } {
  const [written = '', flags = ''] = /^\(\?([a-zA-Z-]+)\)/.exec(pattern) ?? []
  return { flags, rest: pattern.slice(written.length) }
}

function isTied(pieces: readonly Piece[], side: 'start' | 'end'): boolean {
  const piece = side === 'start' ? pieces[0] : pieces[pieces.length - 1]
  if (piece === undefined) return false
  if (pieces.some(({ kind }) => kind === side) || piece.text === '.*') return true
  // `(^a$|^b$)` is tied where what stands in it is.
  if (piece.kind !== 'group') return false
  const inner = /^\((?:\?:|\?P?<\w+>)?(.*)\)$/s.exec(piece.text)?.[1]
  if (inner === undefined) return false
  const shape = patternShape(inner)
  return side === 'start' ? shape.isTiedToStart : shape.isTiedToEnd
}

function isImpossible(pieces: readonly Piece[]): boolean {
  const firstEnd = pieces.findIndex(({ kind }) => kind === 'end')
  const lastStart = pieces.findLastIndex(({ kind }) => kind === 'start')
  const isSolid = ({ kind, canBeEmpty }: Piece): boolean => kind === 'other' && !canBeEmpty
  const isBehindEnd = firstEnd !== -1 && pieces.slice(firstEnd + 1).some(isSolid)
  const isBeforeStart = lastStart !== -1 && pieces.slice(0, lastStart).some(isSolid)
  return isBehindEnd || isBeforeStart
}

/** The parts between the `|` that stand in no group and no class. */
function alternativesOf(pattern: string): readonly string[] {
  const parts: string[] = []
  let part = ''
  for (const token of tokensOf(pattern)) {
    if (token === '|') {
      parts.push(part)
      part = ''
    } else part += token
  }
  return [...parts, part]
}

function piecesOf(alternative: string): readonly Piece[] {
  const pieces: Piece[] = []
  for (const token of tokensOf(alternative)) {
    const last = pieces[pieces.length - 1]
    if (last !== undefined && /^(?:[*+?]|\{\d*,?\d*\})\??$/.test(token)) {
      pieces[pieces.length - 1] = {
        text: last.text + token.replace(/(.)\?$/, '$1'),
        kind: last.kind === 'group' ? 'group' : 'other',
        canBeEmpty: last.canBeEmpty || /^(?:[*?]|\{0?,)/.test(token) || token.startsWith('{0}'),
      }
    } else pieces.push({ text: token, kind: kindOf(token), canBeEmpty: token.startsWith('(') })
  }
  return pieces
}

function kindOf(token: string): Piece['kind'] {
  if (token === '^' || token === '\\A') return 'start'
  if (token === '$' || token === '\\z') return 'end'
  // A word boundary takes up no room; nothing follows from it.
  return token.startsWith('(') || /^\\[bB]$/.test(token) ? 'group' : 'other'
}

/** Escapes, classes, groups with all that is in them, quantifiers, and single characters. */
function tokensOf(pattern: string): readonly string[] {
  const tokens: string[] = []
  for (let at = 0; at < pattern.length;) {
    const end = tokenEnd(pattern, at)
    tokens.push(pattern.slice(at, end))
    at = end
  }
  return tokens
}

function tokenEnd(pattern: string, at: number): number {
  const rest = pattern.slice(at)
  switch (pattern[at]) {
    case '\\':
      return (
        at +
        (/^\\(?:Q.*?(?:\\E|$)|[pP]\{[^}]*\}|x\{[^}]*\}|x[0-9a-fA-F]{2}|.|$)/s.exec(rest)?.[0].length ?? 1)
      )
    case '[':
      return at + (/^\[\^?\]?(?:\\.|\[:\^?\w+:\]|[^\]\\])*\]/s.exec(rest)?.[0].length ?? rest.length)
    case '(':
      return groupEnd(pattern, at)
    case '*':
    case '+':
    case '?':
      return at + (pattern[at + 1] === '?' ? 2 : 1)
    case '{':
      return at + (/^\{\d*,?\d*\}\??/.exec(rest)?.[0].length ?? 1)
    default:
      return at + 1
  }
}

function groupEnd(pattern: string, start: number): number {
  let at = start + 1
  while (at < pattern.length && pattern[at] !== ')') at = tokenEnd(pattern, at)
  return Math.min(at + 1, pattern.length)
}
