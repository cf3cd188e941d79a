import type { CelProblem } from './syntax.ts'
import type { Token } from './tokens.ts'

/** Finds brackets that don't match, and nesting that the recursive parser must never see. */
export function checkNesting(tokens: readonly Token[], nestingMax: number): CelProblem | undefined {
  const open: { readonly token: Token; readonly outerTernaries: number }[] = []
  let ternaries = 0
  let unaries = 0
  let previous: Token | undefined
  for (const token of tokens) {
    unaries = isPrefix(token, previous) ? unaries + 1 : 0
    if (token.kind === 'mark') {
      if (token.text === '?' && !isOptionalMark(previous)) ternaries += 1
      if (closingOf[token.text] !== undefined) {
        open.push({ token, outerTernaries: ternaries })
      } else if (token.text === ')' || token.text === ']' || token.text === '}') {
        const opening = open.pop()
        if (opening === undefined || closingOf[opening.token.text] !== token.text) {
          const fix = 'remove it, or open the bracket before it'
          return { offset: token.offset, message: `this \`${token.text}\` closes nothing`, fix }
        }
        ternaries = opening.outerTernaries
      }
    }
    if (open.length + ternaries + unaries > nestingMax) return tooDeep(token.offset, nestingMax)
    previous = token
  }
  const unclosed = open.at(-1)
  if (unclosed === undefined) return undefined
  const { text, offset } = unclosed.token
  const fix = `add the closing \`${closingOf[text]}\``
  return { offset, message: `this \`${text}\` is never closed`, fix }
}

/** The problem of an expression that nests too deeply. */
export function tooDeep(offset: number, nestingMax: number): CelProblem {
  const message = `the condition nests deeper than ${nestingMax}`
  return { offset, message, fix: 'split it into several rules' }
}

const closingOf: Readonly<Record<string, string | undefined>> = { '(': ')', '[': ']', '{': '}' }

function isPrefix(token: Token, previous: Token | undefined): boolean {
  if (token.text === '!') return true
  if (token.text !== '-') return false
  return previous?.kind === 'mark' && previous.text !== ')' && previous.text !== ']' && previous.text !== '}'
}

/** `a.?b`, `a[?b]`, `{?a: b}` and `[a, ?b]` hold an optional, and choose nothing. */
function isOptionalMark(previous: Token | undefined): boolean {
  return previous?.kind === 'mark' && ['.', '[', '{', ','].includes(previous.text)
}
