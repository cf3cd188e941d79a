import type { Checking, Variable } from './checking.ts'
import type { BindNode, MacroNode } from './syntax.ts'
import { typePhrase } from './types.ts'
import type { OpenType } from './types.ts'

/** Checks `range.macro(variables, test, step)`. */
export function checkMacro(node: MacroNode, checker: Checking): OpenType {
  const range = checker.visitContainer(node.range)
  const item = itemType(range, node, checker)
  return checker.nested(node, () => {
    const variables = variablesOf(node, range, item)
    for (const { name } of variables) checker.checkVariable(name, node.offset)
    return checker.within(variables, () => {
      if (node.test !== undefined) checker.expectBool(node.test, `the test of \`${node.macro}\``)
      const step = node.step === undefined ? 'dyn' : checker.visit(node.step)
      return resultType(node, item, step, range)
    })
  })
}

function variablesOf(node: MacroNode, range: OpenType, item: OpenType): readonly Variable[] {
  if (node.second === undefined) return [{ name: node.variable, type: item }]
  const isMap = typeof range === 'object' && ('map' in range || 'record' in range)
  return [
    { name: node.variable, type: isMap ? 'string' : 'int' },
    { name: node.second, type: valueType(range, item) },
  ]
}

/** Checks `cel.bind(variable, value, body)`. */
export function checkBind(node: BindNode, checker: Checking): OpenType {
  const type = checker.visit(node.value)
  checker.checkVariable(node.variable, node.offset)
  return checker.within([{ name: node.variable, type }], () => checker.visit(node.body))
}

function itemType(range: OpenType, node: MacroNode, checker: Checking): OpenType {
  if (range === 'dyn') return 'dyn'
  if (typeof range === 'object' && 'list' in range) return range.list
  if (typeof range === 'object' && ('map' in range || 'record' in range)) return 'string'
  return checker.report(
    node.range.offset,
    `\`${node.macro}\` goes over a list or a map, not ${typePhrase(range)}`,
    'use a list',
  )
}

/** The type of the second of two variables: the items of a list, the values of a map. */
function valueType(range: OpenType, item: OpenType): OpenType {
  if (typeof range !== 'object') return 'dyn'
  return 'map' in range ? range.map : 'list' in range ? item : 'dyn'
}

function resultType(node: MacroNode, item: OpenType, step: OpenType, range: OpenType): OpenType {
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
      return typeof range === 'object' && 'list' in range ? 'dyn' : { map: step }
    case 'transformMapEntry':
    case 'optMap':
    case 'optFlatMap':
      return 'dyn'
    default:
      return node.macro
  }
}
