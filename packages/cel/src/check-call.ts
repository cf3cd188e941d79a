import type { Checking } from './checking.ts'
import { functionHints, policyFunctions } from './function-table.ts'
import type { LibraryFunction, LibraryType } from './library/entry.ts'
import { nearest } from './nearest.ts'
import type { CallNode, Node } from './syntax.ts'
import { openName, typePhrase } from './types.ts'
import type { OpenType } from './types.ts'

/** Checks a call of a function or method: that it exists, and that it takes what it is given. */
export function checkCall(node: CallNode, checker: Checking): OpenType {
  const target = node.target === undefined ? undefined : checker.visit(node.target)
  const args = node.args.map((arg) => (isMisplacedMacro(node) ? 'dyn' : checker.visit(arg)))
  const forms = policyFunctions.formsOf(node.name)
  if (forms === undefined) return unknownFunction(node, checker)
  const shaped = forms.filter((one) => (one.target === undefined) === (target === undefined))
  const counted = shaped.filter((one) => one.args.length === args.length)
  if (shaped.length === 0) return misshapen(node, forms, checker)
  if (counted.length === 0) return miscounted(node, shaped, checker)

  const given = target === undefined ? args : [target, ...args]
  const exact = counted.filter((one) => fits(one, given, checker, false))
  // What a value of any type turns out to be may ask for another form, in which whole numbers are numbers.
  const isOpen = given.some((type) => isUntold(type, checker))
  const fitting =
    exact.length > 0 && !isOpen ? exact : counted.filter((one) => fits(one, given, checker, true))
  const [chosen] = fitting
  if (chosen === undefined) return illTyped(node, counted, target, args, checker)
  checker.forms.set(node, fitting)
  const nodes = node.target === undefined ? node.args : [node.target, ...node.args]
  for (const [index, part] of nodes.entries()) learn(part, given[index], wantedAt(index, fitting), checker)
  checkLiterals(node, chosen, checker)
  if (fitting.length === 1 && !isOneType(node, chosen, given, checker)) return 'dyn'
  const results = fitting.map((one) => resultOf(one, given, checker))
  const [result = 'dyn'] = results
  return results.every((one) => one === result) ? result : 'dyn'
}

/** What a form takes: the receiver first, where there is one. */
export function parametersOf(form: LibraryFunction): readonly LibraryType[] {
  return form.target === undefined ? form.args : [form.target, ...form.args]
}

/** `list.exists(t.x, test)` stays a call, because its first argument is no variable; its names mean nothing. */
function isMisplacedMacro(node: CallNode): boolean {
  return (
    policyFunctions.formsOf(node.name) === undefined &&
    hintFor(node.name)?.startsWith('write it as list.') === true
  )
}

function hintFor(name: string): string | undefined {
  return Object.hasOwn(functionHints, name) ? functionHints[name] : undefined
}

function unknownFunction(node: CallNode, checker: Checking): 'dyn' {
  const near = nearest(node.name, policyFunctions.names)
  const usual = near === undefined ? 'use a function of CEL' : `did you mean \`${near}\`?`
  return checker.report(node.offset, `unknown function \`${node.name}\``, hintFor(node.name) ?? usual)
}

function misshapen(node: CallNode, forms: readonly LibraryFunction[], checker: Checking): 'dyn' {
  const example = forms[0]?.args.length === 0 ? `${node.name}()` : `${node.name}(…)`
  if (node.target === undefined) {
    return checker.report(
      node.offset,
      `\`${node.name}\` is called on a value`,
      `write it as \`value.${example}\``,
    )
  }
  return checker.report(
    node.offset,
    `\`${node.name}\` is not called on a value`,
    `write it as \`${node.name}(value)\``,
  )
}

function miscounted(node: CallNode, forms: readonly LibraryFunction[], checker: Checking): 'dyn' {
  const lengths = [...new Set(forms.map((one) => one.args.length))].toSorted((a, b) => a - b)
  const counts = lengths.join(' or ')
  const message = `\`${node.name}\` takes ${counts} argument${counts === '1' ? '' : 's'}, not ${node.args.length}`
  return checker.report(node.offset, message, `give it ${counts}`)
}

function fits(
  one: LibraryFunction,
  given: readonly OpenType[],
  checker: Checking,
  loosely: boolean,
): boolean {
  return parametersOf(one).every((wanted, index) => accepts(wanted, given[index] ?? 'dyn', checker, loosely))
}

/**
 * Whether a parameter takes a value of this type; `loosely`, a number takes a whole number. Learns nothing: several
 * forms are tried.
 */
function accepts(wanted: LibraryType, given: OpenType, checker: Checking, loosely: boolean): boolean {
  const type = checker.inference.resolve(given)
  if (wanted === 'dyn' || wanted === 'T' || type === 'dyn' || openName(type) !== undefined) return true
  if (typeof wanted !== 'object' || typeof type !== 'object') {
    if (wanted === 'double' || wanted === 'number') return type === 'number' || (loosely && type === 'int')
    return wanted === type
  }
  if ('list' in wanted) return 'list' in type && accepts(wanted.list, type.list, checker, loosely)
  if (!('map' in wanted)) return false
  if ('record' in type) return true
  return 'map' in type && accepts(wanted.map[1], type.map, checker, loosely)
}

/** The type as the check has it, with the type that `T` stands for. */
function openTypeOf(type: LibraryType, bound: OpenType): OpenType {
  if (type === 'T') return bound
  if (type === 'double') return 'number'
  if (typeof type === 'string') return type
  if ('list' in type) return { list: openTypeOf(type.list, bound) }
  if ('map' in type) return { map: openTypeOf(type.map[1], bound), key: openTypeOf(type.map[0], bound) }
  return 'dyn'
}

/** Whether the type of an argument is told only by its value, or by other uses of a name. */
function isUntold(type: OpenType, checker: Checking): boolean {
  const known = checker.inference.resolve(type)
  return known === 'dyn' || openName(known) !== undefined
}

/** What all forms that fit want at a place, where they agree: it tells the type of a name that is not declared. */
function wantedAt(index: number, forms: readonly LibraryFunction[]): LibraryType | undefined {
  const wanted = forms.map((form) => parametersOf(form)[index])
  const [first] = wanted
  if (wanted.every((type) => type === first)) return first
  return wanted.every((type) => type === 'int' || type === 'double' || type === 'number')
    ? 'number'
    : undefined
}

/** Whether what a form takes as `T` is of one type throughout; reports where it is not. */
function isOneType(
  node: CallNode,
  form: LibraryFunction,
  given: readonly OpenType[],
  checker: Checking,
): boolean {
  const lists = given.filter((_, index) => JSON.stringify(parametersOf(form)[index]) === '{"list":"T"}')
  const items = lists.map((type) => (typeof type === 'object' && 'list' in type ? type.list : 'dyn'))
  const [first, second] = items
  if (first === undefined || second === undefined) return true
  if (checker.inference.agree(first, second, node.offset) !== undefined) return true
  const message = `\`${node.name}\` compares ${typePhrase(first)} with ${typePhrase(second)}`
  checker.report(node.offset, message, 'use lists of the same type')
  return false
}

function resultOf(form: LibraryFunction, given: readonly OpenType[], checker: Checking): OpenType {
  return openTypeOf(form.result, boundType(form, given, checker))
}

/** What `T` stands for in a call; `dyn` where that is left open. */
function boundType(form: LibraryFunction, given: readonly OpenType[], checker: Checking): OpenType {
  let bound: OpenType | undefined
  const bind = (wanted: LibraryType, type: OpenType, offset: number): void => {
    const known = checker.inference.resolve(type)
    if (wanted === 'T')
      bound = bound === undefined ? known : (checker.inference.agree(bound, known, offset) ?? 'dyn')
    else if (typeof wanted === 'object' && 'list' in wanted && typeof known === 'object' && 'list' in known)
      bind(wanted.list, known.list, offset)
  }
  parametersOf(form).forEach((wanted, index) => {
    bind(wanted, given[index] ?? 'dyn', 0)
  })
  return bound ?? 'dyn'
}

function learn(
  node: Node | undefined,
  type: OpenType | undefined,
  wanted: LibraryType | undefined,
  checker: Checking,
): void {
  if (node === undefined || type === undefined || wanted === undefined) return
  if (openName(checker.inference.resolve(type)) === undefined) return
  checker.inference.agree(type, openTypeOf(wanted, 'dyn'), node.offset)
}

function illTyped(
  node: CallNode,
  forms: readonly LibraryFunction[],
  target: OpenType | undefined,
  args: readonly OpenType[],
  checker: Checking,
): 'dyn' {
  const targets = forms.filter(
    (one) => one.target === undefined || target === undefined || accepts(one.target, target, checker, true),
  )
  if (target !== undefined && targets.length === 0) {
    const wanted = alternatives(forms.map((one) => one.target))
    const message = `\`${node.name}\` is called on ${typePhrase(target)}, and needs ${wanted}`
    return checker.report(node.target?.offset ?? node.offset, message, convertFix(target))
  }
  const wrong = args.findIndex(
    (arg, index) => !targets.some((one) => accepts(one.args[index] ?? 'dyn', arg, checker, true)),
  )
  const given = args[Math.max(0, wrong)] ?? 'dyn'
  const wanted = alternatives(targets.map((one) => one.args[Math.max(0, wrong)]))
  const offset = node.args[Math.max(0, wrong)]?.offset ?? node.offset
  return checker.report(
    offset,
    `\`${node.name}\` takes ${wanted}, not ${typePhrase(given)}`,
    convertFix(given),
  )
}

function alternatives(types: readonly (LibraryType | undefined)[]): string {
  const known = types.filter((type) => type !== undefined)
  const phrases = [...new Set(known.map((type) => typePhrase(openTypeOf(type, 'dyn'))))]
  const last = phrases.pop() ?? 'another value'
  return phrases.length === 0 ? last : `${phrases.join(', ')} or ${last}`
}

function convertFix(given: OpenType): string {
  if (given === 'number') return 'convert it, as in `string(x)` or `int(x)`'
  if (given === 'int') return 'convert it, as in `string(x)` or `double(x)`'
  return given === 'bool' ? 'use the bool by itself' : 'give it a value of that type'
}

function checkLiterals(node: CallNode, chosen: LibraryFunction, checker: Checking): void {
  if (chosen.literal === undefined) return
  const text = node.args[chosen.literal.arg]
  if (text?.kind === 'literal') checker.literalCalls.push(node)
  else if (chosen.literal.use === 'required') {
    checker.report(
      text?.offset ?? node.offset,
      node.name === 'matches'
        ? `the pattern of \`${node.name}\` must be written out`
        : `this argument of \`${node.name}\` must be written out`,
      'use a text in quotes',
    )
  }
}
