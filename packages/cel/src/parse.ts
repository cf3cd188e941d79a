import { parse } from '@bufbuild/cel'
import type { Constant, Expr, Expr_Call, Expr_Comprehension } from '@bufbuild/cel-spec/cel/expr/syntax_pb.js'
import { nestingMax, nodesMax, sourceLengthMax } from './limits.ts'
import { isExact } from './exact-number.ts'
import type { BinaryOperator, CelProblem, LiteralValue, MacroName, Node } from './syntax.ts'
import { syntaxProblem } from './syntax-problem.ts'
import { checkNesting, readTokens, skipBlank, tooDeep } from './tokens.ts'
import type { Token } from './tokens.ts'

/** A source as a tree, or the first thing that keeps it from being one. */
export type Parsed =
  | { readonly kind: 'parsed'; readonly root: Node }
  | { readonly kind: 'refused'; readonly problem: CelProblem }

/** Parses a condition within the limits. Never throws. */
export function parseCondition(source: string): Parsed {
  if (source.length > sourceLengthMax) {
    const message = `the condition is longer than ${sourceLengthMax} characters`
    return refused(sourceLengthMax, message, 'split it into several rules')
  }
  const read = readTokens(source)
  if (read.kind === 'refused') return read
  if (read.tokens.length === 0)
    return refused(0, 'the condition is empty', 'write an expression such as `amount > 500`')
  const nesting = checkNesting(read.tokens)
  if (nesting !== undefined) return { kind: 'refused', problem: nesting }
  try {
    const parsed = parse(source)
    if (parsed.expr === undefined) return refused(0, 'the condition is empty', 'write an expression')
    const positions = parsed.sourceInfo?.positions ?? {}
    const macros = parsed.sourceInfo?.macroCalls ?? {}
    const reader = new TreeReader(source, positions, macros)
    const root = reader.read(parsed.expr, 0)
    const inexact = read.tokens.find((token) => token.kind === 'number' && !isExact(token.text))
    if (inexact === undefined) return { kind: 'parsed', root }
    return refused(
      inexact.offset,
      'this number is not exact as a JSON number',
      'write fewer digits, or int("…") for a long whole number',
    )
  } catch (thrown) {
    return { kind: 'refused', problem: problemOf(thrown, read.tokens) }
  }
}

/** Ends the reading at a place that has no meaning here. */
class Refusal extends Error {
  readonly problem: CelProblem

  constructor(offset: number, message: string, fix: string) {
    super(message)
    this.problem = { offset, message, fix }
  }
}

function problemOf(thrown: unknown, tokens: readonly Token[]): CelProblem {
  if (thrown instanceof Refusal) return thrown.problem
  if (thrown instanceof RangeError) return tooDeep(0)
  const offset = errorOffset(thrown)
  if (offset !== undefined && thrown instanceof Error && thrown.message.includes('reserved')) {
    const name = tokens.find((token) => token.offset + token.text.length > offset)?.text ?? ''
    const known = syntaxProblem(tokens, offset)
    if (known.message.includes('not how CEL')) return known
    return {
      offset,
      message: `\`${name}\` is a reserved word`,
      fix: `use another name, or write ["${name}"]`,
    }
  }
  if (offset !== undefined) return syntaxProblem(tokens, offset)
  return {
    offset: 0,
    message: 'a text holds an escape that stands for no character',
    fix: 'correct its `\\` escapes',
  }
}

function errorOffset(thrown: unknown): number | undefined {
  if (!(thrown instanceof Error) || !('location' in thrown)) return undefined
  const location = thrown.location
  if (typeof location !== 'object' || location === null || !('start' in location)) return undefined
  const start = location.start
  if (typeof start !== 'object' || start === null || !('offset' in start)) return undefined
  return typeof start.offset === 'number' ? start.offset : undefined
}

function refused(offset: number, message: string, fix: string): Parsed {
  return { kind: 'refused', problem: { offset, message, fix } }
}

const binaryOperators: Readonly<Record<string, BinaryOperator | undefined>> = {
  '_+_': '+',
  '_-_': '-',
  '_*_': '*',
  '_/_': '/',
  '_%_': '%',
  '_==_': '==',
  '_!=_': '!=',
  '_<_': '<',
  '_<=_': '<=',
  '_>_': '>',
  '_>=_': '>=',
  '@in': 'in',
}

/** Turns the library's tree into ours. The library has expanded the macros; this folds them back. */
class TreeReader {
  readonly #source: string
  readonly #positions: Readonly<Record<string, number>>
  readonly #macros: Readonly<Record<string, Expr>>
  #nodes = 0

  constructor(source: string, positions: Record<string, number>, macros: Record<string, Expr>) {
    this.#source = source
    this.#positions = positions
    this.#macros = macros
  }

  read(expr: Expr | undefined, depth: number): Node {
    if (expr === undefined) throw new Refusal(0, 'the condition is incomplete', 'complete it')
    const offset = this.#offset(expr)
    this.#nodes += 1
    if (this.#nodes > nodesMax) {
      throw new Refusal(
        offset,
        `the condition has more than ${nodesMax} parts`,
        'split it into several rules',
      )
    }
    if (depth > nestingMax) throw new Refusal(offset, tooDeep(offset).message, tooDeep(offset).fix)
    const below = depth + 1
    const kind = expr.exprKind
    switch (kind.case) {
      case 'constExpr':
        return { kind: 'literal', offset, value: this.#literal(kind.value, offset) }
      case 'identExpr':
        return this.#name(kind.value.name, offset)
      case 'selectExpr': {
        const operand = this.read(kind.value.operand, below)
        const tested = kind.value.testOnly
        return {
          kind: tested ? 'has' : 'select',
          offset: tested ? offset : operand.offset,
          operand,
          field: kind.value.field,
        }
      }
      case 'callExpr':
        return this.#call(kind.value, offset, below)
      case 'listExpr':
        return { kind: 'list', offset, items: kind.value.elements.map((item) => this.read(item, below)) }
      case 'structExpr': {
        if (kind.value.messageName !== '') {
          throw new Refusal(offset, 'a condition cannot build a message', 'compare the fields one by one')
        }
        const entries = kind.value.entries.map((entry) => {
          const key = entry.keyKind.case === 'mapKey' ? entry.keyKind.value : undefined
          return { key: this.read(key, below), value: this.read(entry.value, below) }
        })
        return { kind: 'map', offset, entries }
      }
      case 'comprehensionExpr':
        return this.#macro(expr.id, kind.value, offset, below)
      default:
        throw new Refusal(offset, 'this part of the condition is not understood', 'write it in another way')
    }
  }

  /** The parser places an operator at the blank before it, and a `.` call at its dot. */
  #offset(expr: Expr): number {
    return skipBlank(this.#source, this.#positions[expr.id.toString()] ?? 0)
  }

  #name(name: string, offset: number): Node {
    // The parser drops the dot, and a comprehension variable would silently take the place of the name.
    if (this.#source[offset] === '.')
      throw new Refusal(offset, 'a name cannot start with a dot', 'remove the dot')
    return { kind: 'name', offset, name }
  }

  #call(call: Expr_Call, offset: number, below: number): Node {
    const name = call.function
    if (call.target !== undefined) {
      const target = this.read(call.target, below)
      const args = call.args.map((arg) => this.read(arg, below))
      return { kind: 'call', offset: this.#afterDot(offset), name, target, args }
    }
    const args = call.args.map((arg) => this.read(arg, below))
    const [first, second, third] = args
    const operator = binaryOperators[name]
    if (first !== undefined && second !== undefined) {
      if (operator !== undefined) return { kind: 'binary', offset, operator, left: first, right: second }
      if (name === '_&&_') return { kind: 'logic', offset, operator: '&&', left: first, right: second }
      if (name === '_||_') return { kind: 'logic', offset, operator: '||', left: first, right: second }
      if (name === '_[_]') return { kind: 'index', offset: first.offset, operand: first, index: second }
      if (name === '_?_:_' && third !== undefined) {
        return { kind: 'choice', offset, condition: first, whenTrue: second, whenFalse: third }
      }
    }
    if (first !== undefined && name === '!_') return { kind: 'unary', offset, operator: '!', operand: first }
    if (first !== undefined && name === '-_') return { kind: 'unary', offset, operator: '-', operand: first }
    return { kind: 'call', offset, name, target: undefined, args }
  }

  #afterDot(offset: number): number {
    return this.#source[offset] === '.' ? skipBlank(this.#source, offset + 1) : offset
  }

  #macro(id: bigint, fold: Expr_Comprehension, offset: number, below: number): Node {
    const written = this.#macros[id.toString()]?.exprKind
    const step = callArguments(fold.loopStep)
    if (written?.case !== 'callExpr')
      throw new Refusal(offset, 'this part of the condition is not understood', 'rewrite it')
    const range = this.read(fold.iterRange, below)
    const placed = { kind: 'macro' as const, offset: this.#afterDot(offset), range, variable: fold.iterVar }
    const make = (macro: MacroName, test: Expr | undefined, result: Expr | undefined): Node => ({
      ...placed,
      macro,
      test: test === undefined ? undefined : this.read(test, below),
      step: result === undefined ? undefined : this.read(result, below),
    })
    switch (written.value.function) {
      case 'all':
        return make('all', step[1], undefined)
      case 'exists':
        return make('exists', step[1], undefined)
      case 'exists_one':
      case 'existsOne':
        return make('exists_one', step[0], undefined)
      case 'filter':
        return make('filter', step[0], undefined)
      case 'map':
        return step.length === 3
          ? make('map', step[0], appended(step[1]))
          : make('map', undefined, appended(fold.loopStep))
      default:
        throw new Refusal(
          offset,
          'this macro is not understood',
          'use all, exists, exists_one, filter or map',
        )
    }
  }

  #literal(constant: Constant, offset: number): LiteralValue {
    const kind = constant.constantKind
    switch (kind.case) {
      case 'int64Value':
        if (BigInt.asIntN(64, kind.value) === kind.value) return kind.value
        throw new Refusal(offset, 'this whole number does not fit 64 bits', 'write a smaller number')
      case 'doubleValue':
        if (Number.isFinite(kind.value)) return kind.value
        throw new Refusal(offset, 'this number is too large', 'write a smaller number')
      case 'stringValue':
      case 'boolValue':
      case 'bytesValue':
        return kind.value
      case 'nullValue':
        return null
      case 'uint64Value':
        throw new Refusal(offset, 'unsigned numbers are not used here', 'write the number without the `u`')
      default:
        throw new Refusal(offset, 'this constant is not understood', 'write it in another way')
    }
  }
}

function callArguments(expr: Expr | undefined): readonly Expr[] {
  return expr?.exprKind.case === 'callExpr' ? expr.exprKind.value.args : []
}

/** The `step` in the expansion `@result + [step]`. */
function appended(expr: Expr | undefined): Expr | undefined {
  const list = callArguments(expr)[1]
  return list?.exprKind.case === 'listExpr' ? list.exprKind.value.elements[0] : undefined
}
