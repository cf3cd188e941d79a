import { checkField, checkIndex } from './check-access.ts'
import { Inference } from './infer.ts'
import { nearest } from './nearest.ts'
import { checkBinary } from './check-binary.ts'
import { checkCall } from './check-call.ts'
import { checkBind, checkMacro } from './check-macro.ts'
import type { Checking, Variable } from './checking.ts'
import type { LibraryFunction } from './library/entry.ts'
import type { CheckScope } from './scope.ts'
import { idiomFix } from './syntax-problem.ts'
import type { CallNode, CelProblem, MacroNode, Node } from './syntax.ts'
import { isNumeric, typePhrase } from './types.ts'
import type { CelType, InferredType, OpenType } from './types.ts'

/** What the check found out about a condition. */
export interface Checked {
  readonly problems: readonly CelProblem[]
  /** Root names in order of first use. */
  readonly uses: readonly string[]
  readonly inferred: ReadonlyMap<string, InferredType>
  /** Calls whose literal text must be tried out at load: patterns, times, time zones. */
  readonly literalCalls: readonly CallNode[]
  /** For each call, the forms of its function that its types leave open. */
  readonly forms: ReadonlyMap<CallNode, readonly LibraryFunction[]>
}

/**
 * Resolves the names of a condition and checks its types, reporting every problem. The nodes get their types.
 * `wanted` is the type that the whole must have, and `what` names the whole in messages.
 */
export function checkCondition(
  root: Node,
  scope: CheckScope,
  wanted: CelType = 'bool',
  what = 'the condition',
): Checked {
  const checker = new Checker(scope)
  if (wanted === 'bool') checker.expectBool(root, what)
  else checker.expectType(root, wanted, what)
  const inferred = checker.inference.settle()
  const problems = checker.problems.toSorted((a, b) => a.offset - b.offset)
  checker.noteTypes()
  const { literalCalls, forms } = checker
  return { problems, uses: [...checker.uses], inferred, literalCalls, forms }
}

/** One pass over the tree. After a problem it goes on with `dyn`, so that one mistake is reported once. */
class Checker implements Checking {
  readonly problems: CelProblem[] = []
  readonly uses = new Set<string>()
  readonly literalCalls: CallNode[] = []
  readonly forms = new Map<CallNode, readonly LibraryFunction[]>()
  readonly inference = new Inference((problem) => this.problems.push(problem))
  readonly #scope: CheckScope
  readonly #types = new Map<Node, OpenType>()
  #macroDepth = 0
  readonly #variables: Variable[] = []

  constructor(scope: CheckScope) {
    this.#scope = scope
  }

  /** Gives the nodes their types, once all that can be inferred has been. */
  noteTypes(): void {
    for (const [node, type] of this.#types) node.type = this.inference.settled(type)
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

  /** Checks a node that must be of a type. `what` names it in the message. */
  expectType(node: Node, wanted: CelType, what: string): void {
    const type = this.visit(node)
    if (wanted === 'dyn' || this.inference.agree(type, wanted, node.offset) !== undefined) return
    const message = `${what} must be ${typePhrase(wanted)}, and is ${typePhrase(type)}`
    this.report(node.offset, message, 'give it a value of that type')
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
        return checkField(node.operand, node.field, this)
      case 'has':
        checkField(node.operand, node.field, this)
        return 'bool'
      case 'index':
        return checkIndex(node, this)
      case 'logic':
        node.operands.forEach((operand, index) => {
          this.expectBool(operand, `what stands ${index === 0 ? 'before' : 'after'} \`${node.operator}\``)
        })
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
        return { list: this.#common(node.items.map((item) => item.value)) }
      case 'map':
        return this.#map(node)
      case 'macro':
        return checkMacro(node, this)
      case 'bind':
        return checkBind(node, this)
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
  visitContainer(node: Node): OpenType {
    if (node.kind !== 'name') return this.visit(node)
    const type = this.#name(node.name, node.offset, false)
    this.#types.set(node, type)
    return type
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

  within(variables: readonly Variable[], visit: () => OpenType): OpenType {
    const depth = this.#variables.length
    this.#variables.push(...variables)
    const type = visit()
    this.#variables.length = depth
    return type
  }

  checkVariable(name: string, offset: number): void {
    const taken = this.#scope.names.has(name) || this.#variables.some((variable) => variable.name === name)
    if (!taken) return
    this.report(offset, `the variable \`${name}\` hides a name of the condition`, 'use another variable')
  }

  nested(node: MacroNode, visit: () => OpenType): OpenType {
    this.#macroDepth += 1
    if (this.#macroDepth > this.#scope.macroNestingMax) {
      const message = `\`${node.macro}\` nests deeper than ${this.#scope.macroNestingMax}`
      this.report(node.offset, message, 'check the inner list in a rule of its own')
    }
    const type = visit()
    this.#macroDepth -= 1
    return type
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
