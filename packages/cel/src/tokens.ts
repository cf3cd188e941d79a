import { nestingMax } from './limits.ts'
import type { CelProblem } from './syntax.ts'

/** A word, number, quoted text or mark of the source, with its place. */
export interface Token {
  readonly kind: 'word' | 'number' | 'text' | 'mark'
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
const word = /[A-Za-z_][A-Za-z0-9_]*/y
const number = /(?:0[xX][0-9a-fA-F]+|[0-9]*\.?[0-9]+(?:[eE][+-]?[0-9]+)?)[uU]?/y
const textOpening = /[rRbB]{0,2}("""|'''|"|')/y
const mark = /===|!==|==|!=|<=|>=|<>|=>|&&|\|\||[^]/y

const comment = 'a condition has no comments; in a folded YAML text the rest would be lost'

/**
 * Splits a source into tokens. It is coarser than the parser: it exists to refuse what would exhaust the
 * parser's stack before the parser sees it, and to word syntax errors.
 */
export function readTokens(source: string): Tokens {
  const tokens: Token[] = []
  let offset = skipBlank(source, 0)
  while (offset < source.length) {
    if (source.startsWith('//', offset)) return refused(offset, comment, 'remove it, or write it elsewhere')
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
export function skipBlank(source: string, offset: number): number {
  blank.lastIndex = offset
  blank.exec(source)
  return Math.max(offset, blank.lastIndex)
}

/** Finds brackets that don't match, and nesting that the recursive parser must never see. */
export function checkNesting(tokens: readonly Token[]): CelProblem | undefined {
  const open: { readonly token: Token; readonly outerTernaries: number }[] = []
  let ternaries = 0
  let unaries = 0
  let previous: Token | undefined
  for (const token of tokens) {
    unaries = isPrefix(token, previous) ? unaries + 1 : 0
    if (token.kind === 'mark') {
      if (token.text === '?') ternaries += 1
      if (closingOf[token.text] !== undefined) {
        open.push({ token, outerTernaries: ternaries })
      } else if (token.text === ')' || token.text === ']' || token.text === '}') {
        const opening = open.pop()
        if (opening === undefined || closingOf[opening.token.text] !== token.text) {
          return problem(
            token.offset,
            `this \`${token.text}\` closes nothing`,
            'remove it, or open the bracket before it',
          )
        }
        ternaries = opening.outerTernaries
      }
    }
    if (open.length + ternaries + unaries > nestingMax) return tooDeep(token.offset)
    previous = token
  }
  const unclosed = open.at(-1)
  if (unclosed === undefined) return undefined
  const { text, offset } = unclosed.token
  return problem(offset, `this \`${text}\` is never closed`, `add the closing \`${closingOf[text]}\``)
}

/** The problem of a condition that nests too deeply. */
export function tooDeep(offset: number): CelProblem {
  return problem(offset, `the condition nests deeper than ${nestingMax}`, 'split it into several rules')
}

const closingOf: Readonly<Record<string, string | undefined>> = { '(': ')', '[': ']', '{': '}' }

function isPrefix(token: Token, previous: Token | undefined): boolean {
  if (token.text === '!') return true
  if (token.text !== '-') return false
  return previous?.kind === 'mark' && previous.text !== ')' && previous.text !== ']' && previous.text !== '}'
}

function plainToken(source: string, offset: number): Token {
  for (const [kind, pattern] of [['word', word] as const, ['number', number] as const]) {
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
  return { kind: 'refused', problem: problem(offset, message, fix) }
}

function problem(offset: number, message: string, fix: string): CelProblem {
  return { offset, message, fix }
}
