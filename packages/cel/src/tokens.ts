import type { CelProblem } from './syntax.ts'

/** A word, number, quoted text, quoted field name or mark of the source, with its place. */
export interface Token {
  readonly kind: 'word' | 'number' | 'text' | 'field' | 'mark'
  readonly text: string
  readonly offset: number
}

/** What stands in the source, or the first place where it can't be told. */
export type Tokens = { readonly kind: 'read'; readonly tokens: readonly Token[] } | Refused

interface Refused {
  readonly kind: 'refused'
  readonly problem: CelProblem
}

const blank = /[\t\n\f\r ]*/y
const comment = /\/\/[^\n]*/y
const word = /[A-Za-z_][A-Za-z0-9_]*/y
const number = /(?:0[xX][0-9a-fA-F]+|[0-9]*\.?[0-9]+(?:[eE][+-]?[0-9]+)?)[uU]?/y
const field = /`[A-Za-z0-9_.\-/ ]+`/y
const textOpening = /(?:[rR][bB]?|[bB][rR]?)?("""|'''|"|')/y
const mark = /===|!==|==|!=|<=|>=|<>|=>|&&|\|\||[^]/y

const noComments = 'a condition has no comments; in a folded YAML text the rest would be lost'

/** Splits a source into tokens. With `comments`, `//` takes the rest of its line; without, it is refused. */
export function readTokens(source: string, comments: boolean): Tokens {
  const tokens: Token[] = []
  let offset = skipBlank(source, 0)
  while (offset < source.length) {
    if (source.startsWith('//', offset)) {
      if (!comments) return refused(offset, noComments, 'remove it, or write it elsewhere')
      offset = skipBlank(source, offset + (matchAt(comment, source, offset)?.[0].length ?? 2))
      continue
    }
    const opening = matchAt(textOpening, source, offset)
    if (opening !== undefined) {
      const end = textEnd(source, offset, opening)
      if (end === undefined)
        return refused(offset, 'the text that starts here is never closed', 'add the closing quote')
      tokens.push({ kind: 'text', text: source.slice(offset, end), offset })
      offset = skipBlank(source, end)
      continue
    }
    const token = plainToken(source, offset)
    tokens.push(token)
    offset = skipBlank(source, offset + token.text.length)
  }
  return { kind: 'read', tokens }
}

/** The offset of the next token at or after `offset`: blanks are passed over. */
function skipBlank(source: string, offset: number): number {
  blank.lastIndex = offset
  blank.exec(source)
  return Math.max(offset, blank.lastIndex)
}

function plainToken(source: string, offset: number): Token {
  const forms = [['word', word] as const, ['number', number] as const, ['field', field] as const]
  for (const [kind, pattern] of forms) {
    const text = matchAt(pattern, source, offset)?.[0]
    if (text !== undefined) return { kind, text, offset }
  }
  return { kind: 'mark', text: matchAt(mark, source, offset)?.[0] ?? source.charAt(offset), offset }
}

function textEnd(source: string, offset: number, opening: RegExpExecArray): number | undefined {
  const quote = opening[1] ?? ''
  const raw = /r/i.test(opening[0].slice(0, -quote.length))
  for (let at = offset + opening[0].length; at < source.length; at++) {
    if (source.startsWith(quote, at)) return at + quote.length
    if (source[at] === '\\' && !raw) at += 1
    else if (quote.length === 1 && (source[at] === '\n' || source[at] === '\r')) return undefined
  }
  return undefined
}

function matchAt(pattern: RegExp, source: string, offset: number): RegExpExecArray | undefined {
  pattern.lastIndex = offset
  return pattern.exec(source) ?? undefined
}

function refused(offset: number, message: string, fix: string): Refused {
  return { kind: 'refused', problem: { offset, message, fix } }
}
