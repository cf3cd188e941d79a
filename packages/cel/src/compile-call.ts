import { parametersOf } from './check-call.ts'
import { labelled } from './compile-context.ts'
import type { CompileContext } from './compile-context.ts'
import { exhausted } from './frame.ts'
import type { Evaluate, Frame, Outcome } from './frame.ts'
import { isList, isMap, phraseOf, sizeOf } from './kinds.ts'
import { labelOf } from './label.ts'
import { charactersPerStep } from './limits.ts'
import type { LibraryFunction } from './library/entry.ts'
import { literalProblem } from './literal-problem.ts'
import { acceptOf } from './parameters.ts'
import type { Accept } from './parameters.ts'
import { wholeOf } from './policy-dialect.ts'
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
}

/** `name(args)` or `target.name(args)`. Which form is meant may hang on the values. */
export function compileCall(node: CallNode, context: CompileContext): Evaluate {
  const nodes = node.target === undefined ? node.args : [node.target, ...node.args]
  const args = nodes.map((arg) => context.compile(arg))
  const forms = context.formsOf(node) ?? shapedForms(node, context)
  if (forms.length === 0) {
    const failure = new CelFailure(`${labelOf(node)} could not be evaluated: there is no such function`)
    return () => failure
  }
  const policy = context.dialect.policy
  const exact = forms.map((form) => prepareForm(form, node, context, false))
  const loose = policy ? forms.filter(takesNumbers).map((form) => prepareForm(form, node, context, true)) : []
  const candidates = [...exact, ...loose]
  const [only] = exact
  const misfit =
    policy && forms.length === 1 && only !== undefined
      ? explainer(node, nodes, only.form)
      : generalMisfit(node)
  if (nodes.length === 1) return callOne(node, args[0], candidates, misfit, policy)
  return callMany(node, args, candidates, misfit)
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
  if (form.literal === undefined || form.prepare === undefined)
    return { form, accept, prepared: undefined, call }
  const at = form.literal.arg + (form.target === undefined ? 0 : 1)
  const arg = node.args[form.literal.arg]
  if (arg?.kind !== 'literal' || accept[at]?.(arg.value) === undefined)
    return { form, accept, prepared: { at, literal: undefined }, call }
  const literal = form.prepare(arg.value)
  if (literal instanceof CelFailure && !loosely)
    context.problems.push(literalProblem(node, arg.offset, literal))
  return { form, accept, prepared: { at, literal }, call }
}

type Misfit = (values: readonly CelValue[]) => CelFailure

function generalMisfit(node: CallNode): Misfit {
  return (values) => {
    const given = values.map(phraseOf).join(' and ')
    return new CelFailure(
      `${labelOf(node)} could not be evaluated: no such overload of ${node.name} for ${given}`,
    )
  }
}

/** What is wrong with the values, where only one form can be meant. */
function explainer(node: CallNode, nodes: readonly Node[], form: LibraryFunction): Misfit {
  const types = parametersOf(form)
  return (values) => {
    for (const [index, type] of types.entries()) {
      const [value, arg] = [values[index], nodes[index]]
      if (value === undefined || arg === undefined) continue
      if (acceptOf(type, true, true)(value) !== undefined) continue
      if (type === 'int') {
        const whole = wholeOf(value)
        return whole instanceof CelFailure ? labelled(arg, whole) : labelled(arg, new CelFailure('fails'))
      }
      if (typeof type === 'string')
        return new CelFailure(`${labelOf(arg)} is ${phraseOf(value)}, not a ${type}`)
      const what = 'list' in type ? 'list' : 'map'
      if (what === 'list' && isList(value)) {
        const items = 'list' in type && typeof type.list === 'string' ? `${type.list}s` : 'the right items'
        const verb = node.name === 'join' ? 'joins' : 'takes'
        return labelled(node, new CelFailure(`${verb} a list that is not only ${items}`))
      }
      const why = `could not be evaluated: ${labelOf(arg)} is ${phraseOf(value)}, not a ${what}`
      return labelled(node, new CelFailure(why))
    }
    return generalMisfit(node)(values)
  }
}

function callOne(
  node: CallNode,
  arg: Evaluate | undefined,
  candidates: readonly PreparedForm[],
  misfit: Misfit,
  policy: boolean,
): Evaluate {
  // Of a value of any type, only a list is counted: what is sent in place of it has another size.
  const counted = policy && node.name === 'size' && isAnything(node.target ?? node.args[0])
  const [first] = candidates
  return (frame) => {
    const value = arg?.(frame) ?? null
    if (value instanceof CelFailure) return value
    if (counted && !isList(value)) return uncounted(node, value)
    const accepted = first?.accept[0]?.(value)
    if (first !== undefined && accepted !== undefined) return invoke(node, first, [accepted], frame)
    for (const candidate of candidates) {
      const taken = candidate.accept[0]?.(value)
      if (taken !== undefined) return invoke(node, candidate, [taken], frame)
    }
    return misfit([value])
  }
}

function isAnything(node: Node | undefined): boolean {
  return node?.type === 'dyn'
}

function uncounted(node: CallNode, value: CelValue): CelFailure {
  const label = labelOf(node.target ?? node.args[0] ?? node)
  const text = 'is a string; write size(string(…)) if a text is meant'
  return new CelFailure(`${label} ${typeof value === 'string' ? text : `is ${phraseOf(value)}, not a list`}`)
}

function callMany(
  node: CallNode,
  args: readonly Evaluate[],
  candidates: readonly PreparedForm[],
  misfit: Misfit,
): Evaluate {
  return (frame) => {
    const values: CelValue[] = []
    for (const arg of args) {
      const value = arg(frame)
      if (value instanceof CelFailure) return value
      values.push(value)
    }
    for (const candidate of candidates) {
      const taken = takenBy(candidate, values)
      if (taken !== undefined) return invoke(node, candidate, taken, frame)
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
  node: CallNode,
  { form, prepared, call }: PreparedForm,
  values: readonly CelValue[],
  frame: Frame,
): Outcome {
  if (!frame.charge(costOf(form, values))) return exhausted
  const args: unknown[] = [...values]
  if (prepared !== undefined) {
    const { at, literal } = prepared
    const argument = values[at] ?? null
    if (literal === undefined && !frame.charge(form.prepareCost?.(measure(argument)) ?? 0)) return exhausted
    const ready = literal ?? form.prepare?.(argument)
    if (ready instanceof CelFailure) return labelled(node, ready)
    args[at] = ready
  }
  const result = call(...args)
  return result instanceof CelFailure ? labelled(node, result) : result
}

/** Within a comprehension, what a call costs must not exceed what it reads. */
function costOf(form: LibraryFunction, values: readonly CelValue[]): number {
  if (form.cost !== undefined) return Math.ceil(form.cost(...values.map(measure)))
  let units = 0
  for (const value of values) units += typeof value === 'string' ? value.length : 0
  return Math.floor(units / charactersPerStep)
}

/** The size of a value as cost functions take it. */
export function measure(value: CelValue): number {
  if (typeof value === 'string' || value instanceof Uint8Array || isList(value)) return value.length
  return isMap(value) ? sizeOf(value) : 1
}
