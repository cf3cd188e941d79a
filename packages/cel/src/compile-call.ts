import { generalMisfit, misfitOf, uncounted } from './call-misfit.ts'
import type { Misfit } from './call-misfit.ts'
import { parametersOf } from './check-call.ts'
import { labelled } from './compile-context.ts'
import type { CompileContext } from './compile-context.ts'
import { exhausted, Frame } from './frame.ts'
import type { Evaluate, Outcome } from './frame.ts'
import { isList } from './kinds.ts'
import { labelOf } from './label.ts'
import { charactersPerStep } from './limits.ts'
import type { LibraryFunction } from './library/entry.ts'
import { literalProblem } from './literal-problem.ts'
import { measure } from './measure.ts'
import { acceptOf } from './parameters.ts'
import type { Accept } from './parameters.ts'
import type { CallNode, Node } from './syntax.ts'
import { CelFailure } from './value.ts'
import type { CelValue } from './value.ts'

/** A form of a function, ready to be called with values. */
interface PreparedForm {
  readonly form: LibraryFunction
  readonly accept: readonly Accept[]
  /** Which argument of `call` goes through `prepare` first, and what it gave where that was a literal. */
  readonly prepared: { readonly at: number; readonly literal: unknown } | undefined
  readonly call: (...args: unknown[]) => CelValue | CelFailure
  /** What becomes of a result: in conditions, a number must be finite. */
  readonly finish: (result: CelValue | CelFailure) => Outcome
}

/** `name(args)` or `target.name(args)`. Which form is meant may hang on the values. */
export function compileCall(node: CallNode, context: CompileContext): Evaluate {
  const nodes = node.target === undefined ? node.args : [node.target, ...node.args]
  const evaluate = compileForms(node, nodes, context)
  if (context.observed || nodes.length === 0 || !nodes.every((one) => one.kind === 'literal')) return evaluate
  // What stands written out is worked out once. A failure stays where it is: it may never be asked for.
  const value = evaluate(new Frame(0))
  return value instanceof CelFailure ? evaluate : () => value
}

function compileForms(node: CallNode, nodes: readonly Node[], context: CompileContext): Evaluate {
  const args = nodes.map((arg) => context.compile(arg))
  const forms = context.formsOf(node) ?? shapedForms(node, context)
  const [form] = forms
  if (form === undefined) {
    const failure = new CelFailure(`${labelOf(node)} could not be evaluated: there is no such function`)
    return () => failure
  }
  const { policy } = context.dialect
  const exact = forms.map((one) => prepareForm(one, node, context, false))
  const loose = policy ? forms.filter(takesNumbers).map((one) => prepareForm(one, node, context, true)) : []
  const candidates = [...exact, ...loose]
  const misfit = policy && forms.length === 1 ? misfitOf(node, nodes, form) : generalMisfit(node)
  const [first, second] = args
  if (first !== undefined && args.length === 1) {
    const counted = policy && node.name === 'size' && nodes[0]?.type === 'dyn'
    return callOne(candidates, counted ? countable(node, first) : first, misfit)
  }
  if (first !== undefined && second !== undefined && args.length === 2)
    return callTwo(candidates, first, second, misfit)
  return callMany(candidates, args, misfit)
}

function takesNumbers(form: LibraryFunction): boolean {
  return parametersOf(form).some((type) => /"(?:double|number)"/.test(JSON.stringify(type)))
}

function shapedForms(node: CallNode, context: CompileContext): readonly LibraryFunction[] {
  const forms = context.functions.formsOf(node.name) ?? []
  return forms.filter(
    (form) =>
      (form.target === undefined) === (node.target === undefined) && form.args.length === node.args.length,
  )
}

function prepareForm(
  form: LibraryFunction,
  node: CallNode,
  context: CompileContext,
  loosely: boolean,
): PreparedForm {
  const accept = parametersOf(form).map((type) => acceptOf(type, context.dialect.policy, loosely))
  const call = form.call as (...args: unknown[]) => CelValue | CelFailure
  const plain = { form, accept, prepared: undefined, call, finish: finisher(node, context.dialect.policy) }
  if (form.literal === undefined || form.prepare === undefined) return plain
  const at = form.literal.arg + (form.target === undefined ? 0 : 1)
  const arg = node.args[form.literal.arg]
  if (arg?.kind !== 'literal' || accept[at]?.(arg.value) === undefined)
    return { ...plain, prepared: { at, literal: undefined } }
  const literal = form.prepare(arg.value)
  if (literal instanceof CelFailure && !loosely)
    context.problems.push(literalProblem(node, arg.offset, literal))
  return { ...plain, prepared: { at, literal } }
}

function finisher(node: CallNode, policy: boolean): (result: CelValue | CelFailure) => Outcome {
  const notFinite = new CelFailure('is not a finite number')
  return (result) => {
    if (result instanceof CelFailure) return labelled(node, result)
    // A comparison with what is not a number would quietly be false.
    return policy && typeof result === 'number' && !Number.isFinite(result)
      ? labelled(node, notFinite)
      : result
  }
}

function countable(node: CallNode, evaluate: Evaluate): Evaluate {
  return (frame) => {
    const value = evaluate(frame)
    return isList(value) || value instanceof CelFailure ? value : uncounted(node, value)
  }
}

function callOne(candidates: readonly PreparedForm[], arg: Evaluate, misfit: Misfit): Evaluate {
  return (frame) => {
    const value = arg(frame)
    if (value instanceof CelFailure) return value
    for (const candidate of candidates) {
      const taken = candidate.accept[0]?.(value)
      if (taken === undefined) continue
      if (candidate.prepared !== undefined) return invoke(candidate, [taken], frame)
      const { form, call, finish } = candidate
      const steps = form.cost === undefined ? plainCost(taken) : Math.ceil(form.cost(measure(taken)))
      return frame.charge(steps) ? finish(call(taken)) : exhausted
    }
    return misfit([value])
  }
}

function callTwo(
  candidates: readonly PreparedForm[],
  left: Evaluate,
  right: Evaluate,
  misfit: Misfit,
): Evaluate {
  return (frame) => {
    const one = left(frame)
    if (one instanceof CelFailure) return one
    const other = right(frame)
    if (other instanceof CelFailure) return other
    for (const candidate of candidates) {
      const a = candidate.accept[0]?.(one)
      const b = candidate.accept[1]?.(other)
      if (a === undefined || b === undefined) continue
      const { form, prepared, call, finish } = candidate
      if (prepared !== undefined && (prepared.at !== 1 || isUnready(prepared.literal)))
        return invoke(candidate, [a, b], frame)
      const steps =
        form.cost === undefined ? plainCost(a) + plainCost(b) : Math.ceil(form.cost(measure(a), measure(b)))
      if (!frame.charge(steps)) return exhausted
      return finish(prepared === undefined ? call(a, b) : call(a, prepared.literal))
    }
    return misfit([one, other])
  }
}

/** Whether an argument is still to be prepared, or could not be. */
function isUnready(literal: unknown): boolean {
  return literal === undefined || literal instanceof CelFailure
}

function callMany(candidates: readonly PreparedForm[], args: readonly Evaluate[], misfit: Misfit): Evaluate {
  return (frame) => {
    const values: CelValue[] = []
    for (const arg of args) {
      const value = arg(frame)
      if (value instanceof CelFailure) return value
      values.push(value)
    }
    for (const candidate of candidates) {
      const taken = takenBy(candidate, values)
      if (taken !== undefined) return invoke(candidate, taken, frame)
    }
    return misfit(values)
  }
}

function takenBy({ accept }: PreparedForm, values: readonly CelValue[]): CelValue[] | undefined {
  const taken: CelValue[] = []
  for (let index = 0; index < values.length; index++) {
    const value = values[index]
    const one = value === undefined ? undefined : accept[index]?.(value)
    if (one === undefined) return undefined
    taken.push(one)
  }
  return taken
}

function invoke(
  { form, prepared, call, finish }: PreparedForm,
  values: readonly CelValue[],
  frame: Frame,
): Outcome {
  if (!frame.charge(costOf(form, values))) return exhausted
  if (prepared === undefined) return finish(call(...values))
  const { at, literal } = prepared
  const argument = values[at] ?? null
  if (literal === undefined && !frame.charge(form.prepareCost?.(measure(argument)) ?? 0)) return exhausted
  const ready = literal ?? form.prepare?.(argument)
  if (ready instanceof CelFailure) return finish(ready)
  const args: unknown[] = [...values]
  args[at] = ready
  return finish(call(...args))
}

function costOf(form: LibraryFunction, values: readonly CelValue[]): number {
  if (form.cost !== undefined) return Math.ceil(form.cost(...values.map(measure)))
  return values.reduce<number>((steps, value) => steps + plainCost(value), 0)
}

/** Where a function tells no cost: within a comprehension, a call must not cost less than it may read. */
function plainCost(value: CelValue): number {
  return typeof value === 'string' ? Math.floor(value.length / charactersPerStep) : 0
}
