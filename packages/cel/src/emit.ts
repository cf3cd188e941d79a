import type { Expr } from '@bufbuild/cel-spec/cel/expr/syntax_pb.js'
import { labelOf } from './label.ts'
import { signaturesOf } from './signatures.ts'
import type { CallNode, LiteralValue, MacroNode, Node } from './syntax.ts'
import type { OpenType } from './types.ts'

/** A condition as the evaluator runs it. */
export interface Emitted {
  readonly expr: Expr
  /** The part of the condition that an expression id stands for, in words. */
  readonly labels: ReadonlyMap<string, string>
}

/**
 * Writes a checked tree as the library's, with our own functions in place of its operators, and with checks
 * wherever a type is only known at run time.
 */
export function emitCondition(root: Node, typeOf: (node: Node) => OpenType): Emitted {
  const emitter = new Emitter(typeOf)
  return { expr: emitter.bool(root), labels: emitter.labels }
}

const accumulator = '@result'

class Emitter {
  readonly labels = new Map<string, string>()
  readonly #typeOf: (node: Node) => OpenType
  readonly #variables: string[] = []
  #lastId = 0n

  constructor(typeOf: (node: Node) => OpenType) {
    this.#typeOf = typeOf
  }

  /** A node where a bool is needed. */
  bool(node: Node): Expr {
    return this.#guarded('@bool', node, this.#typeOf(node) === 'dyn')
  }

  /** Whoever sends a map where a list is meant must not get the keys looked at in place of the items. */
  #listed(node: Node): Expr {
    return this.#guarded('@listed', node, this.#typeOf(node) === 'dyn')
  }

  #guarded(guard: string, node: Node, needed: boolean): Expr {
    const expr = this.#expr(node)
    return needed ? this.#call(node, guard, [expr]) : expr
  }

  #expr(node: Node): Expr {
    switch (node.kind) {
      case 'literal':
        return this.#literal(node.value)
      case 'name':
        if (this.#variables.includes(node.name)) return this.#variable(node.name)
        return this.#call(node, '@read', [this.#literal(node.name)])
      case 'select':
        return this.#call(node, '@select', [this.#expr(node.operand), this.#literal(node.field)])
      case 'has':
        return this.#call(node, '@has', [this.#expr(node.operand), this.#literal(node.field)])
      case 'index':
        return this.#call(node, '@index', [this.#expr(node.operand), this.#expr(node.index)])
      case 'logic':
        return this.#call(node, `_${node.operator}_`, [this.bool(node.left), this.bool(node.right)])
      case 'unary':
        if (node.operator === '!') return this.#call(node, '!_', [this.bool(node.operand)])
        return this.#call(node, '@negate', [this.#expr(node.operand)])
      case 'choice': {
        const choices = [this.#expr(node.whenTrue), this.#expr(node.whenFalse)]
        return this.#call(node, '_?_:_', [this.bool(node.condition), ...choices])
      }
      case 'binary': {
        const right = node.operator === 'in' ? this.#listed(node.right) : this.#expr(node.right)
        return this.#call(node, this.#operator(node), [this.#expr(node.left), right])
      }
      case 'call':
        return this.#function(node)
      case 'list':
        return this.#list(node.items.map((item) => this.#expr(item)))
      case 'map':
        return this.#map(node)
      case 'macro':
        return this.#macro(node)
      default:
        return node
    }
  }

  /** To compare with a written `null` is to ask whether there is a value, and so never ill-typed. */
  #operator(node: Node & { readonly kind: 'binary' }): string {
    // The library has an `@in` of its own, and would find it first.
    if (node.operator === 'in') return '@within'
    const equality = node.operator === '==' || node.operator === '!='
    const asksForNull = this.#typeOf(node.left) === 'null' || this.#typeOf(node.right) === 'null'
    return `@${node.operator}${equality && asksForNull ? 'null' : ''}`
  }

  #function(node: CallNode): Expr {
    const form = signaturesOf(node.name)?.find(
      (one) =>
        (one.target === undefined) === (node.target === undefined) && one.args.length === node.args.length,
    )
    if (node.name === 'size') {
      const measured = (one: Node): Expr =>
        this.#guarded(this.#typeOf(one) === 'dyn' ? '@counted' : '@measured', one, true)
      const target = node.target === undefined ? undefined : measured(node.target)
      return this.#call(node, node.name, node.args.map(measured), target)
    }
    if (node.target === undefined || form?.target !== 'string') {
      const args = node.args.map((arg) => this.#expr(arg))
      return this.#call(
        node,
        node.name,
        args,
        node.target === undefined ? undefined : this.#expr(node.target),
      )
    }
    // Each text is counted against the budget, so the guard is there even where the type is known.
    const args = node.args.map((arg, index) => {
      const isDyn = this.#typeOf(arg) === 'dyn'
      return form.args[index] === 'int'
        ? this.#guarded('@whole', arg, isDyn)
        : this.#guarded('@text', arg, isDyn)
    })
    return this.#call(
      node,
      node.name,
      args,
      this.#guarded('@text', node.target, node.target.kind !== 'literal'),
    )
  }

  #macro(node: MacroNode): Expr {
    const range = this.#call(node.range, '@range', [this.#listed(node.range)])
    this.#variables.push(node.variable)
    const parts = this.#fold(node)
    this.#variables.pop()
    return this.#node({
      case: 'comprehensionExpr',
      value: {
        $typeName: 'cel.expr.Expr.Comprehension',
        iterVar: node.variable,
        iterVar2: '',
        iterRange: range,
        accuVar: accumulator,
        accuInit: parts.init,
        loopCondition: this.#call(node, '@step', [parts.goOn]),
        loopStep: parts.step,
        result: parts.result,
      },
    })
  }

  #fold(node: MacroNode): Record<'init' | 'goOn' | 'step' | 'result', Expr> {
    const soFar = (): Expr => this.#variable(accumulator)
    const test = node.test === undefined ? undefined : this.bool(node.test)
    const whenTested = (step: Expr): Expr =>
      test === undefined ? step : this.#call(node, '_?_:_', [test, step, soFar()])
    const append = (item: Expr): Expr => whenTested(this.#call(node, '@append', [soFar(), item]))
    const always = this.#literal(true)
    switch (node.macro) {
      case 'all': {
        const goOn = this.#call(node, '@not_strictly_false', [soFar()])
        const step = this.#call(node, '_&&_', [soFar(), test ?? always])
        return { init: this.#literal(true), goOn, step, result: soFar() }
      }
      case 'exists': {
        const goOn = this.#call(node, '@not_strictly_false', [this.#call(node, '!_', [soFar()])])
        const step = this.#call(node, '_||_', [soFar(), test ?? always])
        return { init: this.#literal(false), goOn, step, result: soFar() }
      }
      case 'exists_one': {
        const step = whenTested(this.#call(node, '@+', [soFar(), this.#literal(1n)]))
        const result = this.#call(node, '@==', [soFar(), this.#literal(1n)])
        return { init: this.#literal(0n), goOn: always, step, result }
      }
      case 'filter':
        return {
          init: this.#call(node, '@list', []),
          goOn: always,
          step: append(this.#variable(node.variable)),
          result: soFar(),
        }
      case 'map': {
        const step = node.step === undefined ? always : this.#expr(node.step)
        return { init: this.#call(node, '@list', []), goOn: always, step: append(step), result: soFar() }
      }
      default:
        return node.macro
    }
  }

  #map(node: Node & { readonly kind: 'map' }): Expr {
    const entries = node.entries.map(({ key, value }) => ({
      $typeName: 'cel.expr.Expr.CreateStruct.Entry' as const,
      id: this.#nextId(),
      keyKind: { case: 'mapKey' as const, value: this.#guarded('@text', key, this.#typeOf(key) === 'dyn') },
      value: this.#expr(value),
      optionalEntry: false,
    }))
    return this.#node({
      case: 'structExpr',
      value: { $typeName: 'cel.expr.Expr.CreateStruct', messageName: '', entries },
    })
  }

  #call(node: Node, name: string, args: Expr[], target?: Expr): Expr {
    const call = { $typeName: 'cel.expr.Expr.Call' as const, function: name, args }
    const value = target === undefined ? call : { ...call, target }
    const expr = this.#node({ case: 'callExpr', value })
    this.labels.set(expr.id.toString(), labelOf(node))
    return expr
  }

  #list(elements: Expr[]): Expr {
    const value = { $typeName: 'cel.expr.Expr.CreateList' as const, elements, optionalIndices: [] }
    return this.#node({ case: 'listExpr', value })
  }

  #variable(name: string): Expr {
    return this.#node({ case: 'identExpr', value: { $typeName: 'cel.expr.Expr.Ident', name } })
  }

  #literal(value: LiteralValue): Expr {
    return this.#node({
      case: 'constExpr',
      value: { $typeName: 'cel.expr.Constant', constantKind: constantOf(value) },
    })
  }

  #node(exprKind: Expr['exprKind']): Expr {
    return { $typeName: 'cel.expr.Expr', id: this.#nextId(), exprKind }
  }

  #nextId(): bigint {
    this.#lastId += 1n
    return this.#lastId
  }
}

type ConstantKind = (Expr['exprKind'] & { case: 'constExpr' })['value']['constantKind']

function constantOf(value: LiteralValue): ConstantKind {
  if (value === null) return { case: 'nullValue', value: 0 }
  switch (typeof value) {
    case 'string':
      return { case: 'stringValue', value }
    case 'bigint':
      return { case: 'int64Value', value }
    case 'number':
      return { case: 'doubleValue', value }
    case 'boolean':
      return { case: 'boolValue', value }
    default:
      return { case: 'bytesValue', value: Uint8Array.from(value) }
  }
}
