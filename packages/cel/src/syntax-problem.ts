import type { CelProblem } from './syntax.ts'
import type { Token } from './tokens.ts'

/** What other languages write, and what CEL writes instead. */
const idioms: Readonly<Record<string, string | undefined>> = {
  and: 'CEL writes `&&` for and',
  AND: 'CEL writes `&&` for and',
  or: 'CEL writes `||` for or',
  OR: 'CEL writes `||` for or',
  not: 'CEL writes `!` for not',
  NOT: 'CEL writes `!` for not',
  is: 'CEL compares with `==`',
  '=': 'CEL compares with `==`',
  '===': 'CEL compares with `==`',
  '!==': 'CEL compares with `!=`',
  '<>': 'CEL compares with `!=`',
  '=>': 'CEL writes `>=` for at least',
  '&': 'CEL writes `&&` for and',
  '|': 'CEL writes `||` for or',
  if: 'CEL chooses with `condition ? one : other`',
  else: 'CEL chooses with `condition ? one : other`',
  ';': 'a condition is one expression; remove the `;`',
  matches: 'CEL writes text.matches("pattern")',
  contains: 'CEL writes text.contains("part")',
  like: 'CEL writes text.startsWith("…"), text.endsWith("…") or text.contains("…")',
  between: 'CEL writes `low <= x && x <= high`',
}

/** Words that other languages use for CEL's constants. */
const constants: Readonly<Record<string, string | undefined>> = {
  True: 'true',
  TRUE: 'true',
  False: 'false',
  FALSE: 'false',
  None: 'null',
  NULL: 'null',
  Null: 'null',
  nil: 'null',
  undefined: 'null',
}

/** The fix for a word that another language would accept here, or undefined. */
export function idiomFix(name: string): string | undefined {
  const constant = Object.hasOwn(constants, name) ? constants[name] : undefined
  if (constant !== undefined) return `CEL writes \`${constant}\``
  return Object.hasOwn(idioms, name) ? idioms[name] : undefined
}

/** The problem of a word that CEL keeps for itself, with the idiom of another language recognised. */
export function reservedProblem(tokens: readonly Token[], token: Token): CelProblem {
  const known = syntaxProblem(tokens, token.offset)
  if (known.message.includes('not how CEL')) return known
  const fix = `use another name, or write ["${token.text}"]`
  return { offset: token.offset, message: `\`${token.text}\` is a reserved word`, fix }
}

/** Words a syntax error in plain language, with the idiom of another language recognised where there is one. */
export function syntaxProblem(tokens: readonly Token[], offset: number): CelProblem {
  const index = tokens.findIndex((token) => token.offset + token.text.length > offset)
  const found = index < 0 ? undefined : tokens[index]
  const before = index < 0 ? tokens.at(-1) : tokens[index - 1]
  for (const token of [found, before]) {
    const fix = token === undefined || token.kind === 'text' ? undefined : idiomFix(token.text)
    if (token === undefined || fix === undefined) continue
    return { offset: token.offset, message: `\`${token.text}\` is not how CEL writes this`, fix }
  }
  if (found?.text === 'in') {
    return {
      offset: found.offset,
      message: 'after `in` comes a list or a map',
      fix: 'write a list in square brackets, as in `x in [1, 2]`',
    }
  }
  if (found === undefined || (found === tokens.at(-1) && found.kind === 'mark')) {
    return {
      offset,
      message: 'the condition ends too early',
      fix: 'complete it, or remove its last operator',
    }
  }
  return {
    offset: found.offset,
    message:
      found.kind === 'text' ? 'this text is not expected here' : `\`${found.text}\` is not expected here`,
    fix: 'check the operator before it; CEL joins parts with `&&` and `||`',
  }
}
