import { fieldType } from './admit.ts'
import type { Checking } from './checking.ts'
import { labelOf } from './label.ts'
import { nearest } from './nearest.ts'
import type { IndexNode, Node } from './syntax.ts'
import { typePhrase } from './types.ts'
import type { OpenType, RecordType } from './types.ts'

/** Checks `operand.field`. */
export function checkField(operand: Node, field: string, checker: Checking): OpenType {
  const type = checker.visitContainer(operand)
  if (type === 'dyn') return 'dyn'
  if (typeof type === 'object' && 'map' in type) return type.map
  if (typeof type === 'object' && 'record' in type) return recordField(type, field, operand, checker)
  const isList = typeof type === 'object' && 'list' in type
  const isTime = type === 'timestamp' || type === 'duration'
  const asMethod = isTime ? `call a method on it, as in \`x.getHours()\`` : `remove \`.${field}\``
  const fix = isList ? `take one item first, as in \`list[0].${field}\`` : asMethod
  return checker.report(
    operand.offset,
    `\`.${field}\` selects from ${typePhrase(type)}, which has no fields`,
    fix,
  )
}

function recordField(type: RecordType, field: string, operand: Node, checker: Checking): OpenType {
  const known = fieldType(type, field)
  if (known !== undefined) return known
  const fields = Object.keys(type.record)
  const near = nearest(field, fields)
  const listed = fields
    .slice(0, 8)
    .map((one) => `\`${one}\``)
    .join(', ')
  const others = fields.length === 0 ? 'it has no fields' : `it has ${listed}`
  const message = `${labelOf(operand)} has no field \`${field}\``
  return checker.report(operand.offset, message, near === undefined ? others : `did you mean \`${near}\`?`)
}

/** Checks `operand[index]`. */
export function checkIndex({ operand, index }: IndexNode, checker: Checking): OpenType {
  const type = checker.visitContainer(operand)
  const by = checker.visit(index)
  if (type === 'dyn') {
    if (by === 'dyn' || by === 'int' || isText(by, index, checker)) return 'dyn'
    return checker.report(
      index.offset,
      `an index cannot be ${typePhrase(by)}`,
      'use a whole number or a string',
    )
  }
  if (typeof type === 'object' && 'list' in type) {
    if (by === 'dyn' || by === 'int') return type.list
    return checker.report(
      index.offset,
      `a list is indexed by a whole number, not ${typePhrase(by)}`,
      'use int(x)',
    )
  }
  if (typeof type === 'object' && 'map' in type) {
    if (by === 'dyn' || isText(by, index, checker)) return type.map
    return checker.report(
      index.offset,
      `a map is indexed by a string, not ${typePhrase(by)}`,
      'use string(x)',
    )
  }
  if (typeof type === 'object' && 'record' in type) {
    if (index.kind === 'literal' && typeof index.value === 'string')
      return recordField(type, index.value, operand, checker)
    if (by === 'dyn' || isText(by, index, checker)) return 'dyn'
  }
  return checker.report(operand.offset, `${typePhrase(type)} cannot be indexed`, 'index a list or a map')
}

function isText(type: OpenType, node: Node, checker: Checking): boolean {
  return checker.inference.agree(type, 'string', node.offset) !== undefined
}
