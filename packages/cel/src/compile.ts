import { celEnv, isCelError, plan } from '@bufbuild/cel'
import type { CelInput } from '@bufbuild/cel'
import { checkCondition } from './check.ts'
import type { Checked, ConditionScope } from './check.ts'
import { emitCondition } from './emit.ts'
import { conditionFunctions } from './functions.ts'
import { kindPhrase } from './operators.ts'
import { kindOf } from './kinds.ts'
import { labelOf } from './label.ts'
import { parseCondition } from './parse.ts'
import { Run } from './run.ts'
import type { CallNode, CelProblem, Node } from './syntax.ts'
import type { CelType, InferredType, OpenType } from './types.ts'
import { admit } from './values.ts'

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

/** A condition that has been checked and can be evaluated any number of times. */
export interface CompiledCondition {
  readonly source: string
  /** The names it uses, each once, in order of first use; not the variables of its comprehensions. */
  readonly uses: readonly string[]
  /** The undeclared names among them, with the types told from their use. */
  readonly inferred: ReadonlyMap<string, InferredType>
  /**
   * Evaluates. Never throws. As in CEL, `false && error` is false and `true || error` is true, from either side;
   * every other error is the result.
   *
   * An evaluation is bounded by `evaluationStepsMax` steps: comprehensions nest at most twice, but over a payload
   * of 64 KiB even that would be 10⁹ steps. What runs out of steps is an error, whatever the rest would say.
   */
  evaluate(values: ConditionValues): ConditionResult
}

/** A condition ready to run, or everything that is wrong with it. */
export type CompileResult =
  | { readonly kind: 'compiled'; readonly condition: CompiledCondition }
  | { readonly kind: 'invalid'; readonly problems: readonly CelProblem[] }

/**
 * Parses, resolves and type-checks a condition. Never throws; all problems of names and types are reported at
 * once, in the order of the source. A syntax error comes alone, for nothing can be said about the rest.
 */
export function compileCondition(source: string, scope: ConditionScope): CompileResult {
  try {
    const parsed = parseCondition(source)
    if (parsed.kind === 'refused') return { kind: 'invalid', problems: [parsed.problem] }
    const checked = checkCondition(parsed.root, scope)
    const problems = [...checked.problems, ...literalProblems(checked)].toSorted(
      (a, b) => a.offset - b.offset,
    )
    if (problems.length > 0) return { kind: 'invalid', problems }
    const evaluate = evaluator(parsed.root, checked, typesOf(checked, scope))
    const { uses, inferred } = checked
    return { kind: 'compiled', condition: { source, uses, inferred, evaluate } }
  } catch {
    // A fault of this package; a condition that is not understood must not be taken for one that is.
    const problem = {
      offset: 0,
      message: 'the condition could not be checked',
      fix: 'write it in another way',
    }
    return { kind: 'invalid', problems: [problem] }
  }
}

function typesOf(checked: Checked, scope: ConditionScope): ReadonlyMap<string, CelType> {
  const types = new Map<string, CelType>()
  for (const name of checked.uses)
    types.set(name, scope.names.get(name) ?? checked.inferred.get(name) ?? 'dyn')
  return types
}

function evaluator(
  root: Node,
  { typeOf }: Pick<Checked, 'typeOf'>,
  types: ReadonlyMap<string, CelType>,
): (values: ConditionValues) => ConditionResult {
  const run = new Run()
  const admitted = new Map<string, CelInput>()
  let current: ConditionValues = new Map()
  const read = (name: string): CelInput => {
    const known = admitted.get(name)
    if (known !== undefined) return known
    const value = admit(name, current.get(name), types.get(name) ?? 'dyn', run)
    admitted.set(name, value)
    return value
  }
  const { expr, labels } = emitCondition(root, typeOf)
  const program = plan(celEnv({ funcs: conditionFunctions(run, read) }), expr)
  return (values) => {
    try {
      current = values
      admitted.clear()
      run.begin()
      const result = program()
      if (run.exhausted) return failed('the condition takes too many steps')
      if (result === true) return { kind: 'true' }
      if (result === false) return { kind: 'false' }
      if (!isCelError(result)) return failed(`the condition is ${kindPhrase(kindOf(result))}, not a bool`)
      return failed(sentenceOf(result.message, labels.get(String(result.exprId)), run))
    } catch {
      return failed('the condition could not be evaluated')
    }
  }
}

function failed(message: string): ConditionResult {
  return { kind: 'error', message }
}

/** The library's own messages quote values of the call, so they are replaced. */
function sentenceOf(message: string, label: string | undefined, run: Run): string {
  const form = run.formOf(message)
  if (form === 'whole') return message
  return `${label ?? 'the condition'} ${form === 'predicate' ? message : 'could not be evaluated'}`
}

/** Tries out what stands as text in the condition, so that it fails here and not in a decision. */
function literalProblems(checked: Checked): readonly CelProblem[] {
  return checked.literalCalls
    .filter((call) => !isUsable(call))
    .map((call) => {
      const offset = call.args[0]?.offset ?? call.offset
      switch (call.name) {
        case 'matches':
          return {
            offset,
            message: 'the pattern is not a valid RE2 regular expression',
            fix: 'RE2 has no lookaround and no backreferences',
          }
        case 'timestamp':
          return {
            offset,
            message: `${labelOf(call)} is not a time`,
            fix: 'write it as "2030-01-31T00:00:00Z"',
          }
        case 'duration':
          return {
            offset,
            message: `${labelOf(call)} is not a span of time`,
            fix: 'write it as "90m" or "1h30m"; the units are h, m, s, ms, us, ns',
          }
        default:
          return {
            offset,
            message: 'the time zone is unknown',
            fix: 'write it as "Europe/Berlin", "+02:00" or "UTC"',
          }
      }
    })
}

function isUsable(call: CallNode): boolean {
  const target = call.target === undefined ? undefined : stand(call)
  const trial: Node = { ...call, target }
  const isNull: Node = { kind: 'literal', value: null, offset: 0 }
  const type = (node: Node): OpenType => (node === isNull ? 'null' : 'bool')
  const asked: Node = { kind: 'binary', operator: '!=', left: trial, right: isNull, offset: 0 }
  return evaluator(asked, { typeOf: type }, new Map())(new Map()).kind === 'true'
}

/** Any target of the right type: what is tried is the argument. */
function stand(call: CallNode): Node {
  const text = (value: string): Node => ({ kind: 'literal', value, offset: 0 })
  if (call.name === 'matches') return text('')
  return {
    kind: 'call',
    name: 'timestamp',
    target: undefined,
    args: [text('2000-01-01T00:00:00Z')],
    offset: 0,
  }
}
