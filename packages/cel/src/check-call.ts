import type { Checking } from './checking.ts'
import { nearest } from './nearest.ts'
import { functionHints, functionNames, signaturesOf } from './signatures.ts'
import type { Signature } from './signatures.ts'
import type { CallNode, Node } from './syntax.ts'
import { typePhrase } from './types.ts'
import type { OpenType } from './types.ts'

/** Checks a call of a function or method: that it exists, and that it takes what it is given. */
export function checkCall(node: CallNode, checker: Checking): OpenType {
  const target = node.target === undefined ? undefined : checker.visit(node.target)
  const args = node.args.map((arg) => (isMisplacedMacro(node) ? 'dyn' : checker.visit(arg)))
  const signatures = signaturesOf(node.name)
  if (signatures === undefined) return unknownFunction(node, checker)
  const shaped = signatures.filter((one) => (one.target === undefined) === (target === undefined))
  const counted = shaped.filter((one) => one.args.length === args.length)
  if (shaped.length === 0) return misshapen(node, signatures, checker)
  if (counted.length === 0) return miscounted(node, shaped, checker)

  const fitting = counted.filter((one) => fits(one, target, args, checker))
  const [chosen] = fitting
  if (chosen === undefined) return illTyped(node, counted, target, args, checker)
  if (fitting.length === 1) {
    // Only one form fits, so it tells the types of names that are not declared.
    if (target !== undefined) learn(node.target, target, chosen.target, checker)
    chosen.args.forEach((wanted, index) => learn(node.args[index], args[index], wanted, checker))
  }
  checkLiterals(node, chosen, checker)
  return fitting.every((one) => one.result === chosen.result) ? chosen.result : 'dyn'
}

/** `list.exists(t.x, test)` stays a call, because its first argument is no variable; its names mean nothing. */
function isMisplacedMacro(node: CallNode): boolean {
  return (
    signaturesOf(node.name) === undefined &&
    functionHints[node.name]?.startsWith('write it as list.') === true
  )
}

function unknownFunction(node: CallNode, checker: Checking): 'dyn' {
  const hint = Object.hasOwn(functionHints, node.name) ? functionHints[node.name] : undefined
  const near = nearest(node.name, functionNames)
  const usual = near === undefined ? 'use a function of CEL' : `did you mean \`${near}\`?`
  return checker.report(node.offset, `unknown function \`${node.name}\``, hint ?? usual)
}

function misshapen(node: CallNode, signatures: readonly Signature[], checker: Checking): 'dyn' {
  const example = signatures[0]?.args.length === 0 ? `${node.name}()` : `${node.name}(…)`
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

function miscounted(node: CallNode, shaped: readonly Signature[], checker: Checking): 'dyn' {
  const counts = [...new Set(shaped.map((one) => one.args.length))].toSorted((a, b) => a - b).join(' or ')
  const message = `\`${node.name}\` takes ${counts} argument${counts === '1' ? '' : 's'}, not ${node.args.length}`
  return checker.report(node.offset, message, `give it ${counts}`)
}

function fits(
  one: Signature,
  target: OpenType | undefined,
  args: readonly OpenType[],
  checker: Checking,
): boolean {
  if (one.target !== undefined && target !== undefined && !accepts(one.target, target, checker)) return false
  return one.args.every((wanted, index) => accepts(wanted, args[index] ?? 'dyn', checker))
}

/** Whether a parameter takes a value of this type. Learns nothing: several forms are tried. */
function accepts(wanted: OpenType, given: OpenType, checker: Checking): boolean {
  const type = checker.inference.resolve(given)
  if (wanted === 'dyn' || type === 'dyn') return true
  if (typeof type === 'object' && 'open' in type) return true
  if (typeof wanted !== 'object' || typeof type !== 'object') return wanted === type
  if ('list' in wanted && 'list' in type) return accepts(wanted.list, type.list, checker)
  return 'map' in wanted && 'map' in type && accepts(wanted.map, type.map, checker)
}

function learn(
  node: Node | undefined,
  type: OpenType | undefined,
  wanted: OpenType | undefined,
  checker: Checking,
): void {
  if (node === undefined || type === undefined || wanted === undefined) return
  checker.inference.agree(type, wanted, node.offset)
}

function illTyped(
  node: CallNode,
  forms: readonly Signature[],
  target: OpenType | undefined,
  args: readonly OpenType[],
  checker: Checking,
): 'dyn' {
  const targets = forms.filter(
    (one) => one.target === undefined || target === undefined || accepts(one.target, target, checker),
  )
  if (target !== undefined && targets.length === 0) {
    const wanted = alternatives(forms.map((one) => one.target))
    const message = `\`${node.name}\` is called on ${typePhrase(target)}, and needs ${wanted}`
    return checker.report(node.target?.offset ?? node.offset, message, convertFix(target))
  }
  const wrong = args.findIndex(
    (arg, index) => !targets.some((one) => accepts(one.args[index] ?? 'dyn', arg, checker)),
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

function alternatives(types: readonly (OpenType | undefined)[]): string {
  const phrases = [...new Set(types.filter((type) => type !== undefined).map(typePhrase))]
  const last = phrases.pop() ?? 'another value'
  return phrases.length === 0 ? last : `${phrases.join(', ')} or ${last}`
}

function convertFix(given: OpenType): string {
  if (given === 'number') return 'convert it, as in `string(x)` or `int(x)`'
  if (given === 'int') return 'convert it, as in `string(x)` or `double(x)`'
  return given === 'bool' ? 'use the bool by itself' : 'give it a value of that type'
}

function checkLiterals(node: CallNode, chosen: Signature, checker: Checking): void {
  if (chosen.literal === undefined) return
  const [text] = node.args
  if (text?.kind === 'literal') checker.literalCalls.push(node)
  else if (chosen.literal === 'required') {
    checker.report(
      text?.offset ?? node.offset,
      `the pattern of \`${node.name}\` must be written out`,
      'use a text in quotes',
    )
  }
}
