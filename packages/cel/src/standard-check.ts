import { parametersOf } from './check-call.ts'
import { standardFunctions } from './function-table.ts'
import { nearest } from './nearest.ts'
import { operatorForms } from './operator-forms.ts'
import { parameterType, staticTypeOf, typeText, TypeVariable, Unifier } from './static-types.ts'
import type { StaticType } from './static-types.ts'
import { qualifiedName } from './syntax.ts'
import type { CallNode, CelProblem, MacroNode, Node } from './syntax.ts'
import type { CelType } from './types.ts'
import { CelUint } from './value.ts'

/** What the names of an expression are, and how a name is looked for. */
export interface StandardScope {
  readonly names: ReadonlyMap<string, CelType>
  /** The full names that a name may stand for, the innermost first. */
  readonly candidatesOf: (name: string, absolute: boolean) => readonly string[]
  readonly isTypeName: (name: string) => boolean
}

/** Tells the type of every node as the specification has it. @returns every problem, in the order of the source */
export function checkExpression(root: Node, scope: StandardScope): readonly CelProblem[] {
  const checker = new StandardChecker(scope)
  checker.visit(root)
  checker.noteTypes()
  return checker.problems.toSorted((a, b) => a.offset - b.offset)
}

const keyTypes: ReadonlySet<string> = new Set(['int', 'uint', 'bool', 'string', 'dyn'])

class StandardChecker {
  readonly problems: CelProblem[] = []
  readonly #unifier = new Unifier()
  readonly #scope: StandardScope
  readonly #types = new Map<Node, StaticType>()
  readonly #variables: { readonly name: string; readonly type: StaticType }[] = []

  constructor(scope: StandardScope) {
    this.#scope = scope
  }

  visit(node: Node): StaticType {
    const type = this.#visit(node)
    this.#types.set(node, type)
    return type
  }

  noteTypes(): void {
    for (const [node, type] of this.#types) node.type = this.#unifier.settle(type)
  }

  #report(offset: number, message: string, fix: string): 'dyn' {
    this.problems.push({ offset, message, fix })
    return 'dyn'
  }

  #show(type: StaticType): string {
    return typeText(this.#unifier.settle(type))
  }

  #visit(node: Node): StaticType {
    switch (node.kind) {
      case 'literal':
        return literalType(node.value)
      case 'name':
        return this.#name(node.name, node.absolute) ?? this.#unknown(node.name, node.offset)
      case 'select':
        return this.#select(node, node.optional)
      case 'has':
        this.#field(this.visit(node.operand), node.field, node.operand.offset)
        return 'bool'
      case 'index':
        return this.#index(node)
      case 'logic':
        for (const operand of node.operands) this.#bool(operand)
        return 'bool'
      case 'unary':
        if (node.operator === '!') this.#bool(node.operand)
        return node.operator === '!' ? 'bool' : this.#operator(node, '-_', [node.operand])
      case 'choice': {
        this.#bool(node.condition)
        const [one, other] = [this.visit(node.whenTrue), this.visit(node.whenFalse)]
        if (this.#unifier.wouldUnify([[one, other]])) return this.#unifier.join(one, other)
        const message = `\`?:\` chooses between ${this.#show(one)} and ${this.#show(other)}`
        return this.#report(node.offset, message, 'give both the same type, or write dyn(…)')
      }
      case 'binary':
        return this.#operator(node, node.operator, [node.left, node.right])
      case 'call':
        return this.#call(node)
      case 'list':
        return { list: this.#common(node.items.map((item) => this.#item(item.value, item.optional))) }
      case 'map':
        return {
          key: this.#key(node.entries.map((entry) => entry.key)),
          map: this.#common(node.entries.map((entry) => this.#item(entry.value, entry.optional))),
        }
      case 'macro':
        return this.#macro(node)
      case 'bind':
        return this.#within([{ name: node.variable, type: this.visit(node.value) }], () =>
          this.visit(node.body),
        )
      default:
        return node
    }
  }

  #name(name: string, absolute: boolean): StaticType | undefined {
    const variable = absolute ? undefined : this.#variables.findLast((one) => one.name === name)
    if (variable !== undefined) return variable.type
    for (const candidate of this.#scope.candidatesOf(name, absolute)) {
      const declared = this.#scope.names.get(candidate)
      if (declared !== undefined) return staticTypeOf(declared)
    }
    return this.#scope.isTypeName(name) ? 'type' : undefined
  }

  #unknown(name: string, offset: number): 'dyn' {
    const near = nearest(name, this.#scope.names.keys())
    return this.#report(
      offset,
      `unknown name \`${name}\``,
      near === undefined ? 'declare it' : `did you mean \`${near}\`?`,
    )
  }

  #bool(node: Node): void {
    const type = this.visit(node)
    if (this.#unifier.unify(type, 'bool')) return
    this.#report(
      node.offset,
      `a bool is needed, and this is ${this.#show(type)}`,
      'compare it with something',
    )
  }

  #common(types: readonly StaticType[]): StaticType {
    const [first = new TypeVariable(), ...others] = types
    return others.reduce((common, type) => this.#unifier.join(common, type), first)
  }

  /** The type of the keys of a map literal. Types of keys never nest, so that a type stays as small as its source. */
  #key(keys: readonly Node[]): StaticType {
    const type = this.#unifier.resolve(this.#common(keys.map((key) => this.visit(key))))
    const [first] = keys
    const isKey = type instanceof TypeVariable || (typeof type === 'string' && keyTypes.has(type))
    if (isKey || first === undefined) return type
    return this.#report(
      first.offset,
      `${this.#show(type)} is no key of a map`,
      'use an int, uint, bool or string',
    )
  }

  /** What a list or map literal holds; an optional part holds what the optional holds. */
  #item(node: Node, optional: boolean): StaticType {
    const type = this.visit(node)
    if (!optional) return type
    const held = new TypeVariable()
    if (this.#unifier.unify(type, { optional: held })) return held
    return this.#report(
      node.offset,
      `an optional is needed, and this is ${this.#show(type)}`,
      'remove the `?`',
    )
  }

  #select(node: Node & { readonly kind: 'select' }, optional: boolean): StaticType {
    const path = optional ? undefined : qualifiedName(node)
    const root = path?.split('.')[0] ?? ''
    if (path !== undefined && !this.#variables.some(({ name }) => name === root)) {
      const type = this.#name(path, isAbsolute(node))
      if (type !== undefined) return type
    }
    const type = this.#field(this.visit(node.operand), node.field, node.operand.offset)
    return optional ? this.#optional(type) : type
  }

  /** An optional of an optional is one. */
  #optional(type: StaticType): StaticType {
    const known = this.#unifier.resolve(type)
    return typeof known === 'object' && 'optional' in known ? known : { optional: known }
  }

  #field(operand: StaticType, field: string, offset: number): StaticType {
    const type = this.#unifier.resolve(operand)
    if (type === 'dyn' || type instanceof TypeVariable) return 'dyn'
    if (typeof type === 'object' && 'map' in type) return type.map
    if (typeof type === 'object' && 'optional' in type)
      return this.#optional(this.#field(type.optional, field, offset))
    return this.#report(offset, `${this.#show(type)} has no field \`${field}\``, 'select from a map')
  }

  #index(node: Node & { readonly kind: 'index' }): StaticType {
    const [operand, by] = [this.visit(node.operand), this.visit(node.index)]
    const known = this.#unifier.resolve(operand)
    const isOptional = typeof known === 'object' && 'optional' in known
    const type = this.#element(isOptional ? known.optional : known, by, node)
    return isOptional || node.optional ? this.#optional(type) : type
  }

  #element(container: StaticType, by: StaticType, node: Node): StaticType {
    const type = this.#unifier.resolve(container)
    if (type === 'dyn' || type instanceof TypeVariable) return 'dyn'
    if (typeof type === 'object' && 'list' in type && this.#unifier.unify(by, 'int')) return type.list
    if (typeof type === 'object' && 'map' in type && this.#unifier.unify(by, type.key)) return type.map
    const message = `${this.#show(type)} is not indexed by ${this.#show(by)}`
    return this.#report(node.offset, message, 'index a list by an int, a map by its keys')
  }

  #operator(node: Node, operator: string, operands: readonly Node[]): StaticType {
    const given = operands.map((operand) => this.visit(operand))
    const result = this.#resolve(operatorForms(operator), given)
    if (result !== undefined) return result
    const shown = given.map((type) => this.#show(type)).join(' and ')
    return this.#report(
      node.offset,
      `\`${operator}\` has no form for ${shown}`,
      'convert one, or write dyn(…)',
    )
  }

  #call(node: CallNode): StaticType {
    const nodes = node.target === undefined ? node.args : [node.target, ...node.args]
    const given = nodes.map((one) => this.visit(one))
    const known = standardFunctions.formsOf(node.name)
    if (known === undefined) {
      const near = nearest(node.name, standardFunctions.names)
      const fix = near === undefined ? 'use a function of CEL' : `did you mean \`${near}\`?`
      return this.#report(node.offset, `unknown function \`${node.name}\``, fix)
    }
    const forms = known.filter(
      (form) =>
        (form.target === undefined) === (node.target === undefined) && form.args.length === node.args.length,
    )
    const result = this.#resolve(
      forms.map((form) => {
        const variable = new TypeVariable()
        return {
          parameters: parametersOf(form).map((type) => parameterType(type, variable)),
          result: node.name === 'type' ? 'type' : parameterType(form.result, variable),
        }
      }),
      given,
    )
    if (result !== undefined) return result
    const shown = given.map((type) => this.#show(type)).join(' and ')
    return this.#report(
      node.offset,
      `\`${node.name}\` has no form for ${shown || 'no argument'}`,
      'convert one',
    )
  }

  /** The result of the forms that fit; `dyn` where they differ; undefined where none fits. */
  #resolve(
    forms: readonly { readonly parameters: readonly StaticType[]; readonly result: StaticType }[],
    given: readonly StaticType[],
  ): StaticType | undefined {
    const pairsOf = (parameters: readonly StaticType[]): (readonly [StaticType, StaticType])[] =>
      given.map((type, index) => [type, parameters[index] ?? 'dyn'] as const)
    const fitting = forms.filter(({ parameters }) => this.#unifier.wouldUnify(pairsOf(parameters)))
    const [only] = fitting
    if (only === undefined) return undefined
    if (fitting.length > 1) {
      const results = new Set(fitting.map(({ result }) => this.#show(result)))
      return results.size === 1 ? only.result : 'dyn'
    }
    this.#unifier.unifyAll(pairsOf(only.parameters))
    return only.result
  }

  #within(
    variables: readonly { readonly name: string; readonly type: StaticType }[],
    visit: () => StaticType,
  ): StaticType {
    const depth = this.#variables.length
    this.#variables.push(...variables)
    const type = visit()
    this.#variables.length = depth
    return type
  }

  #macro(node: MacroNode): StaticType {
    const range = this.#unifier.resolve(this.visit(node.range))
    if (node.macro === 'optMap' || node.macro === 'optFlatMap') return this.#optionalMacro(node, range)
    const [key, value] = this.#parts(range, node)
    const isList = typeof range === 'object' && 'list' in range
    const variables =
      node.second === undefined
        ? [{ name: node.variable, type: isList || range === 'dyn' ? value : key }]
        : [
            { name: node.variable, type: key },
            { name: node.second, type: value },
          ]
    return this.#within(variables, () => {
      if (node.test !== undefined) this.#bool(node.test)
      const step = node.step === undefined ? 'dyn' : this.visit(node.step)
      return this.#made(node, variables[0]?.type ?? 'dyn', step, key)
    })
  }

  /** The index or key, and the item or value, of what a macro goes over. */
  #parts(range: StaticType, node: MacroNode): readonly [StaticType, StaticType] {
    if (range === 'dyn' || range instanceof TypeVariable) return ['dyn', 'dyn']
    if (typeof range === 'object' && 'list' in range) return ['int', range.list]
    if (typeof range === 'object' && 'map' in range) return [range.key, range.map]
    this.#report(
      node.range.offset,
      `\`${node.macro}\` does not go over ${this.#show(range)}`,
      'use a list or map',
    )
    return ['dyn', 'dyn']
  }

  #made(node: MacroNode, item: StaticType, step: StaticType, key: StaticType): StaticType {
    switch (node.macro) {
      case 'all':
      case 'exists':
      case 'exists_one':
        return 'bool'
      case 'filter':
        return { list: item }
      case 'map':
      case 'transformList':
        return { list: step }
      case 'transformMap':
        return { map: step, key }
      default:
        return this.#unifier.resolve(step)
    }
  }

  #optionalMacro(node: MacroNode, range: StaticType): StaticType {
    const held = new TypeVariable()
    if (range !== 'dyn' && !this.#unifier.unify(range, { optional: held }))
      this.#report(
        node.range.offset,
        `\`${node.macro}\` is not called on ${this.#show(range)}`,
        'use an optional',
      )
    return this.#within([{ name: node.variable, type: held }], () => {
      const step = node.step === undefined ? 'dyn' : this.visit(node.step)
      return node.macro === 'optFlatMap' ? step : { optional: step }
    })
  }
}

function isAbsolute(node: Node): boolean {
  return node.kind === 'select' ? isAbsolute(node.operand) : node.kind === 'name' && node.absolute
}

function literalType(value: unknown): StaticType {
  if (value === null) return 'null'
  if (value instanceof Uint8Array) return 'bytes'
  if (value instanceof CelUint) return 'uint'
  switch (typeof value) {
    case 'bigint':
      return 'int'
    case 'number':
      return 'double'
    case 'boolean':
      return 'bool'
    default:
      return 'string'
  }
}
