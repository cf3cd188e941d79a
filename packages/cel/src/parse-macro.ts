import type { Draft } from './node-builder.ts'
import type { MacroName, Node } from './syntax.ts'

interface MacroForm {
  readonly macro: MacroName
  /** How many variables it takes. */
  readonly variables: 1 | 2
  /** What its other arguments are, in order. */
  readonly parts: readonly ('test' | 'step')[]
}

const forms: ReadonlyMap<string, readonly MacroForm[]> = new Map<string, readonly MacroForm[]>([
  ...(['all', 'exists'] as const).map((macro) => [macro, testing(macro)] as const),
  ['exists_one', testing('exists_one')],
  ['existsOne', testing('exists_one')],
  ['filter', [{ macro: 'filter', variables: 1, parts: ['test'] }]],
  [
    'map',
    [
      { macro: 'map', variables: 1, parts: ['step'] },
      { macro: 'map', variables: 1, parts: ['test', 'step'] },
    ],
  ],
  ['transformList', mapping('transformList')],
  ['transformMap', mapping('transformMap')],
  ['transformMapEntry', mapping('transformMapEntry')],
])

const optionalForms: ReadonlyMap<string, readonly MacroForm[]> = new Map<string, readonly MacroForm[]>([
  ['optMap', [{ macro: 'optMap', variables: 1, parts: ['step'] }]],
  ['optFlatMap', [{ macro: 'optFlatMap', variables: 1, parts: ['step'] }]],
])

function testing(macro: MacroName): readonly MacroForm[] {
  return [
    { macro, variables: 1, parts: ['test'] },
    { macro, variables: 2, parts: ['test'] },
  ]
}

function mapping(macro: MacroName): readonly MacroForm[] {
  return [
    { macro, variables: 2, parts: ['step'] },
    { macro, variables: 2, parts: ['test', 'step'] },
  ]
}

/**
 * The macro that a method call spells; undefined where it is a call like any other: its name is no macro's, it has
 * another number of arguments, or its variables are no plain names.
 */
export function macroOf(
  target: Node,
  name: string,
  args: readonly Node[],
  optionals: boolean,
): Draft | undefined {
  const [first] = args
  if (target.kind === 'name' && target.name === 'cel' && name === 'bind') return bindOf(args)
  const candidates = forms.get(name) ?? (optionals ? optionalForms.get(name) : undefined)
  const variables = args.findIndex((arg) => variableOf(arg) === undefined)
  const form = candidates?.find(
    (one) =>
      one.variables + one.parts.length === args.length && (variables < 0 || variables >= one.variables),
  )
  const variable = variableOf(first)
  if (form === undefined || variable === undefined) return undefined
  const part = (wanted: 'test' | 'step'): Node | undefined => {
    const at = form.parts.indexOf(wanted)
    return at < 0 ? undefined : args[form.variables + at]
  }
  return {
    kind: 'macro',
    macro: form.macro,
    range: target,
    variable,
    second: form.variables === 2 ? variableOf(args[1]) : undefined,
    test: part('test'),
    step: part('step'),
  }
}

/** Whether a macro of that name takes that many arguments. */
export function isMacroName(name: string, count: number): boolean {
  const candidates = forms.get(name) ?? optionalForms.get(name) ?? []
  return candidates.some((one) => one.variables + one.parts.length === count)
}

function bindOf(args: readonly Node[]): Draft | undefined {
  const [first, value, body] = args
  const variable = variableOf(first)
  if (variable === undefined || value === undefined || body === undefined || args.length !== 3)
    return undefined
  return { kind: 'bind', variable, value, body }
}

function variableOf(node: Node | undefined): string | undefined {
  // CEL keeps `__result__` for the inside of its macros.
  const isName = node?.kind === 'name' && !node.absolute && node.name !== '__result__'
  return isName ? node.name : undefined
}
