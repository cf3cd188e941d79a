import { macroNestingMax } from './limits.ts'
import { Inference } from './infer.ts'
import { nearest } from './nearest.ts'
import { checkBinary } from './check-binary.ts'
import { checkCall } from './check-call.ts'
import type { Checking } from './checking.ts'
import { idiomFix } from './syntax-problem.ts'
import type { CallNode, CelProblem, MacroNode, Node } from './syntax.ts'
import { isNumeric, typePhrase } from './types.ts'
import type { CelType, InferredType, OpenType } from './types.ts'

/** What a condition may name. */
export interface ConditionScope {
  /** The declared names and their types. */
  readonly names: ReadonlyMap<string, CelType>
  /**
   * Whether an undeclared name is accepted where it is used as a number, bool or string, its type inferred from
   * its use. Such a name can't be selected from or indexed.
   */
  readonly inferUnknown: boolean
  /** Fixes to show instead of the usual one: unknown name → whole sentence. */
  readonly suggestFor?: ReadonlyMap<string, string>
}

/** What the check found out about a condition. */
export interface Checked {
  readonly problems: readonly CelProblem[]
  /** Root names in order of first use. */
  readonly uses: readonly string[]
  readonly inferred: ReadonlyMap<string, InferredType>
  /** Calls whose literal text must be tried out at load: patterns, times, time zones. */
  readonly literalCalls: readonly CallNode[]
  typeOf(node: Node): OpenType
}

/** Resolves the names of a condition and checks its types, reporting every problem. */
export function checkCondition(root: Node, scope: ConditionScope): Checked {
  const checker = new Checker(scope)
  checker.expectBool(root, 'the condition')
  const inferred = checker.inference.settle()
  const problems = checker.problems.toSorted((a, b) => a.offset - b.offset)
  const typeOf = (node: Node): OpenType => checker.typeOf(node)
  return { problems, uses: [...checker.uses], inferred, literalCalls: checker.literalCalls, typeOf }
}

/** One pass over the tree. After a problem it goes on with `dyn`, so that one mistake is reported once. */
class Checker implements Checking {
  readonly problems: CelProblem[] = []
  readonly uses = new Set<string>()
  readonly literalCalls: CallNode[] = []
  readonly inference = new Inference((problem) => this.problems.push(problem))
  readonly #scope: ConditionScope
  readonly #types = new Map<Node, OpenType>()
  readonly #variables: { readonly name: string; readonly type: OpenType }[] = []

  constructor(scope: ConditionScope) {
    this.#scope = scope
  }

  /** The type of a node that was visited. */
  typeOf(node: Node): OpenType {
    return this.inference.resolve(this.#types.get(node) ?? 'dyn')
  }

  /** Checks a node and everything below it. */
  visit(node: Node): OpenType {
    const type = this.inference.resolve(this.#typeFor(node))
    this.#types.set(node, type)
    return type
  }

  /** Checks a node that must be true or false. `what` names it in the message. */
  expectBool(node: Node, what: string): void {
    const type = this.visit(node)
    if (this.inference.agree(type, 'bool', node.offset) !== undefined) return
    const fix = isNumeric(type) ? 'compare it with a number, as in `x > 0`' : 'compare it with something'
    this.report(node.offset, `${what} must be true or false, and is ${typePhrase(type)}`, fix)
  }

  /** Notes a problem. @returns `dyn`, to go on with */
  report(offset: number, message: string, fix: string): 'dyn' {
    this.problems.push({ offset, message, fix })
    return 'dyn'
  }

  #typeFor(node: Node): OpenType {
    switch (node.kind) {
      case 'literal':
        return literalType(node.value)
      case 'name':
        return this.#name(node.name, node.offset, true)
      case 'select':
        return this.#field(node.operand, node.field)
      case 'has':
        this.#field(node.operand, node.field)
        return 'bool'
      case 'index':
        return this.#index(node.operand, node.index)
      case 'logic':
        this.expectBool(node.left, `what stands before \`${node.operator}\``)
        this.expectBool(node.right, `what stands after \`${node.operator}\``)
        return 'bool'
      case 'unary':
        return this.#unary(node.operator, node.operand)
      case 'choice':
        return this.#choice(node)
      case 'binary':
        return checkBinary(node, this)
      case 'call':
        return checkCall(node, this)
      case 'list':
        return { list: this.#common(node.items) }
      case 'map':
        return this.#map(node)
      case 'macro':
        return this.#macro(node)
      default:
        return node
    }
  }

  #name(name: string, offset: number, inferable: boolean): OpenType {
    const variable = this.#variables.findLast((candidate) => candidate.name === name)
    if (variable !== undefined) return variable.type
    const declared = this.#scope.names.get(name)
    if (declared === undefined && !(inferable && this.#scope.inferUnknown && idiomFix(name) === undefined)) {
      return this.#unknownName(name, offset)
    }
    this.uses.add(name)
    return declared ?? this.inference.typeOf(name, offset)
  }

  #unknownName(name: string, offset: number): 'dyn' {
    const known = [...this.#variables.map((variable) => variable.name), ...this.#scope.names.keys()]
    const near = nearest(name, known)
    const usual = near === undefined ? undefined : `did you mean \`${near}\`?`
    const listed = known
      .slice(0, 8)
      .map((one) => `\`${one}\``)
      .join(', ')
    const others = known.length === 0 ? 'declare it first' : `declare it, or use a known name: ${listed}`
    const fix = this.#scope.suggestFor?.get(name) ?? idiomFix(name) ?? usual ?? others
    return this.report(offset, `unknown name \`${name}\``, fix)
  }

  /** A name that is selected from or indexed must be declared: its use does not tell its type. */
  #container(node: Node): OpenType {
    if (node.kind !== 'name') return this.visit(node)
    const type = this.#name(node.name, node.offset, false)
    this.#types.set(node, type)
    return type
  }

  #field(operand: Node, field: string): OpenType {
    const type = this.#container(operand)
    if (type === 'dyn') return 'dyn'
    if (typeof type === 'object' && 'map' in type) return type.map
    const isList = typeof type === 'object' && 'list' in type
    const isTime = type === 'timestamp' || type === 'duration'
    const asMethod = isTime ? `call a method on it, as in \`x.getHours()\`` : `remove \`.${field}\``
    const fix = isList ? `take one item first, as in \`list[0].${field}\`` : asMethod
    return this.report(
      operand.offset,
      `\`.${field}\` selects from ${typePhrase(type)}, which has no fields`,
      fix,
    )
  }

  #index(operand: Node, index: Node): OpenType {
    const type = this.#container(operand)
    const by = this.visit(index)
    if (type === 'dyn') {
      if (by === 'dyn' || by === 'int' || this.#isOpenOr(by, 'string', index.offset)) return 'dyn'
      return this.report(
        index.offset,
        `an index cannot be ${typePhrase(by)}`,
        'use a whole number or a string',
      )
    }
    if (typeof type === 'object' && 'list' in type) {
      if (by === 'dyn' || by === 'int') return type.list
      return this.report(
        index.offset,
        `a list is indexed by a whole number, not ${typePhrase(by)}`,
        'use int(x)',
      )
    }
    if (typeof type === 'object' && 'map' in type) {
      if (by === 'dyn' || this.#isOpenOr(by, 'string', index.offset)) return type.map
      return this.report(index.offset, `a map is indexed by a string, not ${typePhrase(by)}`, 'use string(x)')
    }
    return this.report(operand.offset, `${typePhrase(type)} cannot be indexed`, 'index a list or a map')
  }

  #isOpenOr(type: OpenType, wanted: CelType, offset: number): boolean {
    return this.inference.agree(type, wanted, offset) !== undefined
  }

  #unary(operator: '!' | '-', operand: Node): OpenType {
    if (operator === '!') {
      this.expectBool(operand, 'what stands after `!`')
      return 'bool'
    }
    const type = this.visit(operand)
    const negated =
      type === 'int' || type === 'dyn' ? type : this.inference.agree(type, 'number', operand.offset)
    if (negated !== undefined) return negated
    return this.report(operand.offset, `\`-\` cannot negate ${typePhrase(type)}`, 'use it on a number')
  }

  #choice(node: Node & { readonly kind: 'choice' }): OpenType {
    this.expectBool(node.condition, 'what stands before `?`')
    const [one, other] = [this.visit(node.whenTrue), this.visit(node.whenFalse)]
    const type = this.inference.agree(one, other, node.whenTrue.offset)
    if (type !== undefined) return type
    const message = `\`?:\` chooses between ${typePhrase(one)} and ${typePhrase(other)}`
    return this.report(node.whenTrue.offset, message, 'give both the same type')
  }

  #common(items: readonly Node[]): OpenType {
    let common: OpenType | undefined
    for (const item of items) {
      const type = this.visit(item)
      common = common === undefined ? type : (this.inference.agree(common, type, item.offset) ?? 'dyn')
    }
    return common ?? 'dyn'
  }

  #map(node: Node & { readonly kind: 'map' }): OpenType {
    for (const { key } of node.entries) {
      const type = this.visit(key)
      if (this.inference.agree(type, 'string', key.offset) === undefined) {
        this.report(
          key.offset,
          `the keys of a map are strings, not ${typePhrase(type)}`,
          'put the key in quotes',
        )
      }
    }
    return { map: this.#common(node.entries.map((entry) => entry.value)) }
  }

  #macro(node: MacroNode): OpenType {
    const range = this.#container(node.range)
    const item = this.#itemType(range, node)
    if (this.#variables.length >= macroNestingMax) {
      const message = `\`${node.macro}\` nests deeper than ${macroNestingMax}`
      this.report(node.offset, message, 'check the inner list in a rule of its own')
    }
    if (this.#scope.names.has(node.variable) || this.#variables.some(({ name }) => name === node.variable)) {
      this.report(
        node.offset,
        `the variable \`${node.variable}\` hides a name of the condition`,
        'use another variable',
      )
    }
    this.#variables.push({ name: node.variable, type: item })
    if (node.test !== undefined) this.expectBool(node.test, `the test of \`${node.macro}\``)
    const step = node.step === undefined ? 'dyn' : this.visit(node.step)
    this.#variables.pop()
    switch (node.macro) {
      case 'all':
      case 'exists':
      case 'exists_one':
        return 'bool'
      case 'filter':
        return { list: item }
      case 'map':
        return { list: step }
      default:
        return node.macro
    }
  }

  #itemType(range: OpenType, node: MacroNode): OpenType {
    if (range === 'dyn') return 'dyn'
    if (typeof range === 'object' && 'list' in range) return range.list
    if (typeof range === 'object' && 'map' in range) return 'string'
    return this.report(
      node.range.offset,
      `\`${node.macro}\` goes over a list or a map, not ${typePhrase(range)}`,
      'use a list',
    )
  }
}

function literalType(value: unknown): CelType {
  if (value === null) return 'null'
  if (value instanceof Uint8Array) return 'bytes'
  switch (typeof value) {
    case 'bigint':
      return 'int'
    case 'number':
      return 'number'
    case 'boolean':
      return 'bool'
    default:
      return 'string'
  }
}
