import { standardValue } from './compile-access.ts'
import { compileTree } from './compile.ts'
import type { CompileOptions } from './compile.ts'
import { standardFunctions } from './function-table.ts'
import type { Evaluate, Outcome } from './frame.ts'
import { standardGrammar } from './grammars.ts'
import { parseSource } from './parse.ts'
import { runnerOf } from './runner.ts'
import { checkExpression } from './standard-check.ts'
import type { StandardScope } from './standard-check.ts'
import { standardDialect } from './standard-dialect.ts'
import { qualifiedName } from './syntax.ts'
import type { CelProblem, NameNode, Node, SelectNode } from './syntax.ts'
import type { CelType } from './types.ts'
import { CelFailure, CelTypeValue } from './value.ts'
import type { CelValue } from './value.ts'

/** What the names of an expression stand for in one evaluation; a name may have dots, such as `request.auth`. */
export type ExpressionValues = ReadonlyMap<string, CelValue>

/** What an expression may name. */
export interface ExpressionScope {
  /** The namespace in which names are looked for first: in `a.b`, the name `x` is `a.b.x`, `a.x` or `x`. */
  readonly container?: string | undefined
  /**
   * The names and their types; a name may have dots. With them, types are checked at load, as the specification has it.
   * Without them, everything is told when it is evaluated.
   */
  readonly names?: ReadonlyMap<string, CelType> | undefined
}

/** What became of an evaluation. The message is one sentence and quotes no value. */
export type ExpressionResult =
  { readonly kind: 'value'; readonly value: CelValue } | { readonly kind: 'error'; readonly message: string }

/** An expression of the Common Expression Language as its specification has it. */
export interface CompiledExpression {
  readonly source: string
  /** The tree. Its types are told where the names were declared. */
  readonly ast: Node
  /** Evaluates. Never throws. An evaluation that takes more than `evaluationStepsMax` steps is an error. */
  evaluate(values: ExpressionValues): ExpressionResult
}

/** An expression ready to run, or what is wrong with it. */
export type CompileExpressionResult =
  | { readonly kind: 'compiled'; readonly expression: CompiledExpression }
  | { readonly kind: 'invalid'; readonly problems: readonly CelProblem[] }

/** Parses, checks and compiles an expression of the standard dialect. Never throws. */
export function compileExpression(source: string, scope: ExpressionScope = {}): CompileExpressionResult {
  try {
    return compile(source, scope)
  } catch {
    // A fault of this package.
    const fix = 'write it in another way'
    return {
      kind: 'invalid',
      problems: [{ offset: 0, message: 'the expression could not be compiled', fix }],
    }
  }
}

function compile(source: string, scope: ExpressionScope): CompileExpressionResult {
  const parsed = parseSource(source, standardGrammar)
  if (parsed.kind === 'refused') return { kind: 'invalid', problems: [parsed.problem] }
  const { root } = parsed
  const problems =
    scope.names === undefined ? [] : checkExpression(root, checkScope(scope.names, scope.container))
  if (problems.length > 0) return { kind: 'invalid', problems }
  const run = runnerOf(compileTree(root, optionsOf(scope), false))
  const evaluate = (values: ExpressionValues): ExpressionResult => {
    const outcome = run(values)
    if (outcome instanceof CelFailure) return { kind: 'error', message: outcome.message }
    return { kind: 'value', value: outcome }
  }
  return { kind: 'compiled', expression: { source, ast: root, evaluate } }
}

const typeNames =
  'bool int uint double string bytes list map null_type type optional_type google.protobuf.Timestamp google.protobuf.Duration'
const typeValues: ReadonlyMap<string, CelTypeValue> = new Map(
  typeNames.split(' ').map((name) => [name, new CelTypeValue(name)] as const),
)

function checkScope(names: ReadonlyMap<string, CelType>, container = ''): StandardScope {
  return {
    names,
    candidatesOf: (name, absolute) => (absolute ? [name] : candidatesOf(name, container)),
    isTypeName: (name) => typeValues.has(name),
  }
}

function optionsOf({ container = '' }: ExpressionScope): CompileOptions {
  return {
    dialect: standardDialect,
    functions: standardFunctions,
    formsOf: () => undefined,
    readName: (node) => readName(node, container),
    readQualified: (node) => readQualified(node, container),
    observed: false,
  }
}

/** The full names that a name may stand for, the innermost first. */
function candidatesOf(name: string, container: string): readonly string[] {
  const parts = container === '' ? [] : container.split('.')
  return Array.from({ length: parts.length + 1 }, (_, dropped) =>
    [...parts.slice(0, parts.length - dropped), name].join('.'),
  )
}

function readName(node: NameNode, container: string): Evaluate {
  const candidates = node.absolute ? [node.name] : candidatesOf(node.name, container)
  const type = typeValues.get(node.name)
  const unknown = new CelFailure(`${node.name} is unknown`)
  return (frame) => {
    const found = lookUp(frame.input, candidates)
    return found === undefined ? (type ?? unknown) : found
  }
}

function readQualified(
  node: SelectNode,
  container: string,
): ((input: unknown) => Outcome | undefined) | undefined {
  const name = qualifiedName(node)
  if (name === undefined) return undefined
  const candidates = isAbsolute(node) ? [name] : candidatesOf(name, container)
  const type = typeValues.get(name)
  return (input) => {
    const found = lookUp(input, candidates)
    return found === undefined ? type : found
  }
}

function isAbsolute(node: Node): boolean {
  if (node.kind === 'select') return isAbsolute(node.operand)
  return node.kind === 'name' && node.absolute
}

/** The value of the first candidate that has one; undefined where none has. */
function lookUp(input: unknown, candidates: readonly string[]): Outcome | undefined {
  if (!(input instanceof Map)) return undefined
  for (const candidate of candidates) {
    if (input.has(candidate)) return standardValue(input.get(candidate))
  }
  return undefined
}
