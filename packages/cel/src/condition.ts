import { policyGrammar } from './grammars.ts'
import { checkCondition } from './check.ts'
import type { Checked } from './check.ts'
import { costOf } from './cost.ts'
import { compileTree } from './compile.ts'
import type { Compiled, CompileOptions } from './compile.ts'
import { policyFunctions } from './function-table.ts'
import { Frame } from './frame.ts'
import { kindOf, phraseOf } from './kinds.ts'
import { macroNestingMax } from './limits.ts'
import { nameReader, readFromMap } from './names.ts'
import type { RawReader } from './names.ts'
import { parseSource } from './parse.ts'
import { policyDialect } from './policy-dialect.ts'
import { boolRunnerOf, runnerOf } from './runner.ts'
import type { ConditionScope } from './scope.ts'
import type { CelProblem, Node } from './syntax.ts'
import { traceOf } from './trace.ts'
import type { TracedPart } from './trace.ts'
import { typePhrase } from './types.ts'
import type { CelType, InferredType } from './types.ts'
import { CelFailure } from './value.ts'
import type { CelValue } from './value.ts'

/**
 * What the names stand for in one evaluation: JSON values, a Date for a `timestamp`, whole milliseconds for a
 * `duration`, a Uint8Array for `bytes`. A name that is not in the map, or is undefined, is missing.
 */
export type ConditionValues = ReadonlyMap<string, unknown>

/**
 * What became of an evaluation. `error`: something was missing, ill-typed, not finite, or took too many steps. The
 * message is one short sentence with names, paths and types, and with no value of the call.
 */
export type ConditionResult =
  | { readonly kind: 'true' }
  | { readonly kind: 'false' }
  | { readonly kind: 'error'; readonly message: string }

/** What became of an evaluation that gives a value; an `error` is as for a condition. */
export type ValueResult =
  { readonly kind: 'value'; readonly value: CelValue } | { readonly kind: 'error'; readonly message: string }

/** What conditions and other compiled expressions of a policy have in common. */
interface CompiledSource<Input> {
  readonly source: string
  /** The names it uses, each once, in order of first use; not the variables of its comprehensions. */
  readonly uses: readonly string[]
  /** The undeclared names among them, with the types told from their use. */
  readonly inferred: ReadonlyMap<string, InferredType>
  /** The tree, with the type of every part. */
  readonly ast: Node
  /**
   * The steps that one evaluation takes at most, told from the bounds of the scope. It may be far beyond what an
   * evaluation is given; that one then ends in an error.
   */
  readonly cost: number
  /**
   * Evaluates slowly, and tells what became of every part, from the whole down to the names and literals. Never
   * throws. The values are those of the call.
   */
  trace(input: Input): TracedPart
}

/** A condition that has been checked and can be evaluated any number of times. */
export interface CompiledCondition<Input = ConditionValues> extends CompiledSource<Input> {
  /**
   * Evaluates. Never throws. As in CEL, `false && error` is false and `true || error` is true, from either side;
   * every other error is the result.
   *
   * An evaluation is bounded by `evaluationStepsMax` steps: comprehensions nest at most twice, but over a payload
   * of 64 KiB even that would be 10⁹ steps. What runs out of steps is an error, whatever the rest would say.
   */
  evaluate(input: Input): ConditionResult
  /** As `evaluate`, cheaper: true, false, or why neither. */
  readonly outcome: (input: Input) => boolean | CelFailure
}

/** An expression of a policy that gives a value, such as what a budget sums. */
export interface CompiledValue<Input = ConditionValues> extends CompiledSource<Input> {
  /** Evaluates. Never throws. As for a condition; what is not of the wanted type is an error. */
  evaluate(input: Input): ValueResult
}

/** A condition ready to run, or everything that is wrong with it. */
export type CompileResult<Input = ConditionValues> =
  | { readonly kind: 'compiled'; readonly condition: CompiledCondition<Input> }
  | { readonly kind: 'invalid'; readonly problems: readonly CelProblem[] }

/** An expression ready to run, or everything that is wrong with it. */
export type CompileValueResult<Input = ConditionValues> =
  | { readonly kind: 'compiled'; readonly expression: CompiledValue<Input> }
  | { readonly kind: 'invalid'; readonly problems: readonly CelProblem[] }

/** The types that an expression of a policy may be asked for. */
export type ValueType = 'number' | 'int' | 'bool' | 'string'

const isTrue: ConditionResult = Object.freeze({ kind: 'true' })
const isFalse: ConditionResult = Object.freeze({ kind: 'false' })

/**
 * Parses, resolves and type-checks a condition. Never throws; all problems of names and types are reported at
 * once, in the order of the source. A syntax error comes alone, for nothing can be said about the rest.
 */
export function compileCondition<Input = ConditionValues>(
  source: string,
  scope: ConditionScope<Input>,
): CompileResult<Input> {
  const prepared = prepare(source, scope, 'bool')
  if (prepared.kind === 'invalid') return prepared
  const { parts, compiled } = prepared
  const outcome = boolRunnerOf(compiled, scope.shared?.frame ?? new Frame(0))
  const evaluate = (input: Input): ConditionResult => {
    const found = outcome(input)
    if (typeof found === 'boolean') return found ? isTrue : isFalse
    return { kind: 'error', message: found.message }
  }
  return { kind: 'compiled', condition: { ...parts, evaluate, outcome } }
}

/** As `compileCondition`, for an expression that gives a value of a type. */
export function compileValue<Input = ConditionValues>(
  source: string,
  scope: ConditionScope<Input>,
  type: ValueType,
): CompileValueResult<Input> {
  const prepared = prepare(source, scope, type)
  if (prepared.kind === 'invalid') return prepared
  const { parts, compiled } = prepared
  const run = runnerOf(compiled)
  const evaluate = (input: Input): ValueResult => {
    const outcome = run(input)
    if (outcome instanceof CelFailure) return { kind: 'error', message: outcome.message }
    const value = asType(outcome, type)
    if (value !== undefined) return { kind: 'value', value }
    return { kind: 'error', message: `the expression is ${phraseOf(outcome)}, not ${typePhrase(type)}` }
  }
  return { kind: 'compiled', expression: { ...parts, evaluate } }
}

/** Whole numbers are numbers where a number is asked for, and the other way round where nothing is lost. */
function asType(value: CelValue, type: ValueType): CelValue | undefined {
  if (type === 'number' && typeof value === 'bigint') return Number(value)
  if (type === 'int' && typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value)
  return kindOf(value) === type ? value : undefined
}

type Prepared<Input> =
  | {
      readonly kind: 'prepared'
      readonly parts: CompiledSource<Input>
      readonly compiled: Compiled
    }
  | { readonly kind: 'invalid'; readonly problems: readonly CelProblem[] }

function prepare<Input>(source: string, scope: ConditionScope<Input>, type: ValueType): Prepared<Input> {
  try {
    const parsed = parseSource(source, policyGrammar)
    if (parsed.kind === 'refused') return { kind: 'invalid', problems: [parsed.problem] }
    const { root } = parsed
    const what = type === 'bool' ? 'the condition' : 'the expression'
    const { names, inferUnknown, suggestFor } = scope
    const checked = checkCondition(root, { names, inferUnknown, suggestFor, macroNestingMax }, type, what)
    const compile = (observed: boolean): Compiled =>
      compileTree(root, optionsOf(scope, checked, observed), type === 'bool')
    const compiled = compile(false)
    const problems = [...checked.problems, ...compiled.problems].toSorted((a, b) => a.offset - b.offset)
    if (problems.length > 0) return { kind: 'invalid', problems }
    const cost = costOf(root, { bounds: scope.bounds, formsOf: (node) => checked.forms.get(node) })
    if (scope.costMax !== undefined && cost > scope.costMax)
      return { kind: 'invalid', problems: [tooCostly(root, cost, scope.costMax)] }
    const { uses, inferred } = checked
    let observed: Compiled | undefined
    const trace = (input: Input): TracedPart => traceOf(source, root, (observed ??= compile(true)), input)
    const parts = { source, uses, inferred, ast: root, cost, trace }
    return { kind: 'prepared', parts, compiled }
  } catch {
    // A fault of this package; a condition that is not understood must not be taken for one that is.
    const fix = 'write it in another way'
    return { kind: 'invalid', problems: [{ offset: 0, message: 'the condition could not be checked', fix }] }
  }
}

function tooCostly(root: Node, cost: number, costMax: number): CelProblem {
  const rounded = cost > 1e9 ? 'more than a billion' : String(cost)
  return {
    offset: root.offset,
    message: `the condition may take ${rounded} steps, and ${costMax} are allowed`,
    fix: 'declare how long its lists and texts may be, or go over fewer of them',
  }
}

function optionsOf<Input>(scope: ConditionScope<Input>, checked: Checked, observed: boolean): CompileOptions {
  const typeOf = (name: string): CelType => scope.names.get(name) ?? checked.inferred.get(name) ?? 'dyn'
  const { read, shared } = scope
  // The runner hands `evaluate`'s own input on, which is an `Input`.
  const rawReader = (name: string): RawReader | undefined =>
    read === undefined ? readFromMap(name) : (read(name) as RawReader | undefined)
  const readers = new Map<string, RawReader | undefined>()
  return {
    dialect: policyDialect,
    functions: policyFunctions,
    formsOf: (node) => checked.forms.get(node),
    readName: ({ name }, newSlot) => {
      const known = shared?.readers.get(name)
      if (known !== undefined) return known
      let ownSlot = false
      if (!readers.has(name)) readers.set(name, rawReader(name))
      const reader = nameReader(name, typeOf(name), readers.get(name), () => {
        ownSlot = true
        return newSlot()
      })
      // An undeclared name may be of another type in the next condition.
      if (!ownSlot && scope.names.has(name)) shared?.readers.set(name, reader)
      return reader
    },
    readQualified: () => undefined,
    observed,
  }
}
