import { isExact } from './exact-number.ts'
import type { SourceLimits } from './limits.ts'
import { checkNesting, tooDeep } from './nesting.ts'
import { binaryPower, NodeBuilder, Refusal } from './node-builder.ts'
import type { Draft } from './node-builder.ts'
import { literalOf } from './parse-literal.ts'
import { isMacroName, macroOf } from './parse-macro.ts'
import { reservedProblem, syntaxProblem } from './syntax-problem.ts'
import { qualifiedName } from './syntax.ts'
import type { BinaryOperator, CelProblem, ListItem, MapEntry, Node } from './syntax.ts'
import { readTokens } from './tokens.ts'
import type { Token } from './tokens.ts'

/** How a dialect is written. */
export interface Grammar {
  readonly limits: SourceLimits
  /**
   * Whether all of CEL may be written: comments, optionals, `5u`, `.name`, numbers that are not exact in JSON. A macro
   * whose variable is no name is refused here then; the check of conditions does that with more to say.
   */
  readonly standard: boolean
  /** Whether a name with dots, such as `math.abs`, is a function. */
  readonly isFunction: (qualified: string) => boolean
}

/** A source as a tree, or the first thing that keeps it from being one. */
export type Parsed =
  | { readonly kind: 'parsed'; readonly root: Node }
  | { readonly kind: 'refused'; readonly problem: CelProblem }

/** Parses an expression within the limits. Never throws. */
export function parseSource(source: string, grammar: Grammar): Parsed {
  const { limits } = grammar
  if (source.length > limits.length) {
    const message = `the condition is longer than ${limits.length} characters`
    return refused(limits.length, message, 'split it into several rules')
  }
  const read = readTokens(source, grammar.standard)
  if (read.kind === 'refused') return read
  if (read.tokens.length === 0)
    return refused(0, 'the condition is empty', 'write an expression such as `amount > 500`')
  const nesting = checkNesting(read.tokens, limits.nesting)
  if (nesting !== undefined) return { kind: 'refused', problem: nesting }
  try {
    const root = new Parser(source, read.tokens, grammar).parseAll()
    const inexact = grammar.standard
      ? undefined
      : read.tokens.find((token) => token.kind === 'number' && !isExact(token.text))
    if (inexact === undefined) return { kind: 'parsed', root }
    return refused(
      inexact.offset,
      'this number is not exact as a JSON number',
      'write fewer digits, or int("…") for a long whole number',
    )
  } catch (thrown) {
    if (thrown instanceof Refusal) return { kind: 'refused', problem: thrown.problem }
    if (thrown instanceof RangeError) return { kind: 'refused', problem: tooDeep(0, limits.nesting) }
    return refused(0, 'the condition could not be read', 'write it in another way')
  }
}

function refused(offset: number, message: string, fix: string): Parsed {
  return { kind: 'refused', problem: { offset, message, fix } }
}

const unaryPower = 7
const constants: ReadonlyMap<string, boolean | null> = new Map<string, boolean | null>([
  ['true', true],
  ['false', false],
  ['null', null],
])

/** Recursive descent with binding powers. Its recursion is bounded by `checkNesting` and by the depth of nodes. */
class Parser {
  readonly #source: string
  readonly #tokens: readonly Token[]
  readonly #grammar: Grammar
  readonly #make: NodeBuilder
  #at = 0

  constructor(source: string, tokens: readonly Token[], grammar: Grammar) {
    this.#source = source
    this.#tokens = tokens
    this.#grammar = grammar
    this.#make = new NodeBuilder(grammar.limits)
  }

  parseAll(): Node {
    const root = this.#expression()
    if (this.#peek() !== undefined) throw this.#unexpected()
    return root
  }

  #peek(ahead = 0): Token | undefined {
    return this.#tokens[this.#at + ahead]
  }

  /** Whether the next token is this mark. */
  #is(text: string): boolean {
    const token = this.#peek()
    return token?.kind === 'mark' && token.text === text
  }

  #take(text: string): boolean {
    if (!this.#is(text)) return false
    this.#at += 1
    return true
  }

  #expect(text: string): void {
    if (!this.#take(text)) throw this.#unexpected()
  }

  #start(): number {
    return this.#peek()?.offset ?? this.#source.length
  }

  /** Where the token before the next one ends. */
  #end(): number {
    const last = this.#tokens[this.#at - 1]
    return last === undefined ? 0 : last.offset + last.text.length
  }

  #unexpected(): Refusal {
    const token = this.#peek()
    const last = this.#tokens.at(-1)
    const end = last?.kind === 'mark' || last?.text === 'in' ? last.offset : this.#source.length
    return new Refusal(syntaxProblem(this.#tokens, token?.offset ?? end))
  }

  #expression(): Node {
    const start = this.#start()
    const condition = this.#binary(1)
    const mark = this.#peek()
    if (mark === undefined || !this.#take('?')) return condition
    const whenTrue = this.#binary(1)
    this.#expect(':')
    const whenFalse = this.#expression()
    return this.#make.node({ kind: 'choice', condition, whenTrue, whenFalse }, mark.offset, [
      start,
      this.#end(),
    ])
  }

  #binary(minPower: number): Node {
    const start = this.#start()
    let left = this.#unary()
    for (;;) {
      const token = this.#peek()
      const power = token === undefined || token.kind === 'text' ? undefined : binaryPower.get(token.text)
      if (token === undefined || power === undefined || power < minPower) return left
      this.#at += 1
      left =
        token.text === '&&' || token.text === '||'
          ? this.#logic(token, token.text, left, start)
          : this.#operation(token, left, start)
    }
  }

  #operation(token: Token, left: Node, start: number): Node {
    const operator = token.text as BinaryOperator
    const right = this.#binary((binaryPower.get(operator) ?? 0) + 1)
    return this.#make.node({ kind: 'binary', operator, left, right }, token.offset, [start, this.#end()])
  }

  #logic(token: Token, operator: '&&' | '||', first: Node, start: number): Node {
    const power = binaryPower.get(operator) ?? 0
    const operands = [first, this.#binary(power + 1)]
    while (this.#take(operator)) {
      this.#make.count(token.offset)
      operands.push(this.#binary(power + 1))
    }
    return this.#make.node({ kind: 'logic', operator, operands }, token.offset, [start, this.#end()])
  }

  #unary(): Node {
    const token = this.#peek()
    if (token?.kind !== 'mark' || (token.text !== '!' && token.text !== '-')) return this.#member()
    this.#at += 1
    const next = this.#peek()
    if (token.text === '-' && next?.kind === 'number' && next.offset === token.offset + 1) {
      return this.#member(token)
    }
    const operand = this.#binary(unaryPower)
    return this.#make.node({ kind: 'unary', operator: token.text, operand }, token.offset, [
      token.offset,
      this.#end(),
    ])
  }

  /** A primary and what follows it: `.field`, `.method(…)`, `[index]`. `minus` belongs to the number that comes. */
  #member(minus?: Token): Node {
    const start = minus?.offset ?? this.#start()
    let node = this.#primary(minus)
    for (;;) {
      if (this.#take('.')) node = this.#afterDot(node, start)
      else if (this.#take('[')) node = this.#index(node, start)
      else return node
    }
  }

  #index(operand: Node, start: number): Node {
    const optional = this.#optionalMark()
    const index = this.#expression()
    this.#expect(']')
    const draft: Draft = { kind: 'index', operand, index, optional }
    return this.#make.node(draft, operand.offset, [start, this.#end()])
  }

  #optionalMark(): boolean {
    if (!this.#grammar.standard || !this.#is('?')) return false
    this.#at += 1
    return true
  }

  #afterDot(operand: Node, start: number): Node {
    const optional = this.#optionalMark()
    const token = this.#peek()
    if (token === undefined || (token.kind !== 'word' && token.kind !== 'field')) throw this.#unexpected()
    if (token.text === 'in' || constants.has(token.text)) {
      throw new Refusal(reservedProblem(this.#tokens, token))
    }
    this.#at += 1
    if (token.kind === 'field' || optional || !this.#is('(')) {
      const field = token.kind === 'field' ? token.text.slice(1, -1) : token.text
      const draft: Draft = { kind: 'select', operand, field, optional }
      return this.#make.node(draft, operand.offset, [start, this.#end()])
    }
    return this.#method(operand, token, start)
  }

  #method(target: Node, token: Token, start: number): Node {
    const args = this.#arguments()
    const span = [start, this.#end()] as const
    const macro = macroOf(target, token.text, args, this.#grammar.standard)
    if (macro !== undefined) return this.#make.node(macro, token.offset, span)
    if (this.#grammar.standard && isMacroName(token.text, args.length)) {
      const message = `a variable of \`${token.text}\` must be a plain name`
      throw Refusal.at(args[0]?.offset ?? token.offset, message, `write it as list.${token.text}(x, …)`)
    }
    const path = qualifiedName(target)
    const qualified = path === undefined ? undefined : `${path}.${token.text}`
    if (qualified !== undefined && this.#grammar.isFunction(qualified)) {
      return this.#make.node({ kind: 'call', name: qualified, target: undefined, args }, target.offset, span)
    }
    return this.#make.node({ kind: 'call', name: token.text, target, args }, token.offset, span)
  }

  #arguments(): Node[] {
    const opening = this.#at
    this.#expect('(')
    const args: Node[] = []
    if (this.#take(')')) return args
    do args.push(this.#expression())
    while (this.#take(','))
    if (!this.#take(')')) throw this.#inOfArguments(opening)
    return args
  }

  /** `x in ("a", "b")` is what other languages write. */
  #inOfArguments(opening: number): Refusal {
    const before = this.#tokens[opening - 1]
    if (before?.text === 'in' && this.#is(',')) return new Refusal(syntaxProblem(this.#tokens, before.offset))
    return this.#unexpected()
  }

  #primary(minus: Token | undefined): Node {
    const token = this.#peek()
    if (token === undefined) throw this.#unexpected()
    switch (token.kind) {
      case 'number':
      case 'text':
        return this.#literal(token, minus)
      case 'word':
        return this.#word(token, undefined)
      case 'field':
        throw this.#unexpected()
      default:
        return this.#marked(token)
    }
  }

  #marked(token: Token): Node {
    const opening = this.#at
    switch (token.text) {
      case '(': {
        this.#at += 1
        const inner = this.#expression()
        if (!this.#take(')')) throw this.#inOfArguments(opening)
        return inner
      }
      case '[':
        return this.#list(token)
      case '{':
        return this.#map(token)
      case '.': {
        const word = this.#peek(1)
        if (word?.kind !== 'word') break
        if (!this.#grammar.standard)
          throw Refusal.at(token.offset, 'a name cannot start with a dot', 'remove the dot')
        this.#at += 1
        return this.#word(word, token)
      }
      default:
    }
    throw this.#unexpected()
  }

  #list(token: Token): Node {
    this.#at += 1
    const items: ListItem[] = []
    while (!this.#is(']')) {
      const optional = this.#optionalMark()
      items.push({ value: this.#expression(), optional })
      if (!this.#take(',')) break
    }
    this.#expect(']')
    return this.#make.node({ kind: 'list', items }, token.offset, [token.offset, this.#end()])
  }

  #map(token: Token): Node {
    this.#at += 1
    const entries: MapEntry[] = []
    while (!this.#is('}')) {
      const optional = this.#optionalMark()
      const key = this.#expression()
      this.#expect(':')
      entries.push({ key, value: this.#expression(), optional })
      if (!this.#take(',')) break
    }
    this.#expect('}')
    return this.#make.node({ kind: 'map', entries }, token.offset, [token.offset, this.#end()])
  }

  #word(token: Token, dot: Token | undefined): Node {
    const start = dot?.offset ?? token.offset
    if (token.text === 'in') throw this.#unexpected()
    const constant = dot === undefined ? constants.get(token.text) : undefined
    this.#at += 1
    if (constant !== undefined) {
      return this.#make.node({ kind: 'literal', value: constant }, token.offset, [start, this.#end()])
    }
    if (reservedWords.has(token.text)) throw new Refusal(reservedProblem(this.#tokens, token))
    if (this.#is('(')) {
      const args = this.#arguments()
      const [only] = args
      const span = [start, this.#end()] as const
      if (token.text === 'has' && args.length === 1 && only?.kind === 'select' && !only.optional) {
        const { operand, field } = only
        return this.#make.node({ kind: 'has', operand, field }, token.offset, span)
      }
      if (token.text === 'has' && this.#grammar.standard) {
        throw Refusal.at(token.offset, '`has` takes one field', 'write it as has(value.field)')
      }
      return this.#make.node({ kind: 'call', name: token.text, target: undefined, args }, token.offset, span)
    }
    const draft: Draft = { kind: 'name', name: token.text, absolute: dot !== undefined }
    const name = this.#make.node(draft, start, [start, this.#end()])
    if (this.#is('{')) {
      throw Refusal.at(start, 'a condition cannot build a message', 'compare the fields one by one')
    }
    return name
  }

  #literal(token: Token, minus: Token | undefined): Node {
    this.#at += 1
    const start = minus?.offset ?? token.offset
    const value = literalOf(token, minus !== undefined, this.#grammar.standard)
    return this.#make.node({ kind: 'literal', value }, start, [start, this.#end()])
  }
}

const reservedWords: ReadonlySet<string> = new Set(
  'as break const continue else for function if import let loop package namespace return var void while'.split(
    ' ',
  ),
)
