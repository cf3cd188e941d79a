import { admit, jsonValue, fieldType, whyNotJson } from './admit.ts'
import { labelled, named } from './compile-context.ts'
import type { CompileContext } from './compile-context.ts'
import type { Evaluate, Outcome } from './frame.ts'
import { hasMember, isBuilt, isList, isMap, keyOf, kindOf, memberOf, phraseOf } from './kinds.ts'
import { labelOf } from './label.ts'
import { wholeOf } from './policy-dialect.ts'
import type { IndexNode, Node, SelectNode } from './syntax.ts'
import type { CelType } from './types.ts'
import { CelFailure, CelOptional, CelUint } from './value.ts'
import type { CelMapKey, CelValue } from './value.ts'

const none = new CelOptional(undefined)

/** There is no such field, key or item. */
class Missing extends CelFailure {
  constructor(node: Node) {
    super(`${labelOf(node)} is missing`)
  }
}

/** Checks what is read from JSON: `number` of a policy is finite, and nothing is what JSON cannot carry. */
type Check = (value: unknown) => Outcome

function checkOf(type: CelType | undefined, node: Node, policy: boolean): Check {
  if (type !== undefined && type !== 'dyn') return (value) => admit(labelOf(node), value, type)
  if (policy) {
    return (value) => {
      const json = jsonValue(value)
      return json === undefined ? new CelFailure(`${labelOf(node)} ${whyNotJson(value)}`) : json
    }
  }
  return standardValue
}

/** Any value that an expression can hold. */
export function standardValue(value: unknown): Outcome {
  if (kindOf(value) === 'other') return new CelFailure('a value is of no type that an expression can hold')
  return value as CelValue
}

/** The declared type of the field, where the operand is a record. */
function declaredField(operand: Node, field: string): CelType | undefined {
  const { type } = operand
  return typeof type === 'object' && 'record' in type ? fieldType(type, field) : undefined
}

/** `operand.field`. */
export function compileSelect(node: SelectNode, context: CompileContext): Evaluate {
  const qualified = node.optional ? undefined : context.readQualified(node)
  const select = compileField(node, context)
  if (qualified === undefined) return select
  return (frame) => {
    const value = qualified(frame.input)
    return value === undefined ? select(frame) : value
  }
}

function compileField(node: SelectNode, context: CompileContext): Evaluate {
  const operand = context.compile(node.operand)
  const read = fieldReader(node, context)
  const { field, optional } = node
  if (optional) return optionally(operand, read)
  const slowly = (container: Outcome): Outcome => {
    if (container instanceof CelFailure) return container
    return container instanceof CelOptional ? within(container, read) : read(container)
  }
  if (!isOnlyOfMaps(field)) return (frame) => slowly(operand(frame))
  const check = checkOf(declaredField(node.operand, field), node, context.dialect.policy)
  return (frame) => {
    const container = operand(frame)
    if (typeof container === 'object' && container !== null && Object.hasOwn(container, field)) {
      return check((container as Readonly<Record<string, unknown>>)[field])
    }
    return slowly(container)
  }
}

const ownElsewhere: ReadonlySet<string> = new Set(['value', 'nanos', 'name', 'message', 'length'])

/** Whether of all values that expressions hold only a JSON object can have the field as its own. */
function isOnlyOfMaps(field: string): boolean {
  return /^[A-Za-z_]\w*$/.test(field) && !ownElsewhere.has(field)
}

/** Reads a field of a value; the failure has its label. */
function fieldReader(node: SelectNode, context: CompileContext): (container: CelValue) => Outcome {
  const check = checkOf(declaredField(node.operand, node.field), node, context.dialect.policy)
  let absent: Missing | undefined
  return (container) => {
    if (!isMap(container)) {
      return new CelFailure(`${labelOf(node)} cannot be read from ${phraseOf(container)}`)
    }
    if (!hasMember(container, node.field)) return (absent ??= new Missing(node))
    const value = memberOf(container, node.field)
    if (isBuilt(container)) return value ?? null
    return check(value)
  }
}

/** What is read from what an optional holds is optional too: absent where it is missing. */
function within(optional: CelOptional, read: (value: CelValue) => Outcome): Outcome {
  if (optional.value === undefined) return none
  const value = read(optional.value)
  if (value instanceof Missing) return none
  return value instanceof CelFailure ? value : new CelOptional(value)
}

function optionally(operand: Evaluate, read: (value: CelValue) => Outcome): Evaluate {
  return (frame) => {
    const container = operand(frame)
    if (container instanceof CelFailure) return container
    return within(container instanceof CelOptional ? container : new CelOptional(container), read)
  }
}

/** `has(operand.field)`. */
export function compileHas(node: Node & { readonly kind: 'has' }, context: CompileContext): Evaluate {
  const operand = context.compile(node.operand)
  const { field } = node
  const has = (container: CelValue): boolean | CelFailure => {
    if (isMap(container)) return hasMember(container, field)
    return new CelFailure(`${labelOf(node)} cannot be read from ${phraseOf(container)}`)
  }
  return (frame) => {
    const container = operand(frame)
    if (container instanceof CelFailure) return container
    if (container instanceof CelOptional) return container.value === undefined ? false : has(container.value)
    return has(container)
  }
}

/** `operand[index]`. */
export function compileIndex(node: IndexNode, context: CompileContext): Evaluate {
  const operand = context.compile(node.operand)
  const index = context.compile(node.index)
  const read = context.dialect.policy ? policyReader(node) : standardReader(node)
  return (frame) => {
    const container = operand(frame)
    if (container instanceof CelFailure) return container
    const by = index(frame)
    if (by instanceof CelFailure) return by
    if (node.optional || container instanceof CelOptional) {
      const optional = container instanceof CelOptional ? container : new CelOptional(container)
      return within(optional, (value) => read(value, by))
    }
    return read(container, by)
  }
}

type IndexReader = (container: CelValue, by: CelValue) => Outcome

function policyReader(node: IndexNode): IndexReader {
  const itemType = node.operand.type
  const record = typeof itemType === 'object' && 'record' in itemType ? itemType : undefined
  return (container, by) => {
    if (isList(container)) {
      const whole = wholeOf(by)
      if (whole instanceof CelFailure) return labelled(node, whole)
      const at = Number(whole)
      if (!(at in container)) return new Missing(node)
      const item = itemOf(container[at])
      if (item !== undefined) return item
      return new CelFailure(`${labelOf(node.operand)} has an item that ${whyNotJson(container[at])}`)
    }
    if (typeof by !== 'string') return labelled(node, new CelFailure(`cannot be read by ${phraseOf(by)}`))
    if (!isMap(container)) return labelled(node, new CelFailure(`cannot be read from ${phraseOf(container)}`))
    if (!hasMember(container, by)) return new Missing(node)
    const value = memberOf(container, by)
    if (isBuilt(container)) return value ?? null
    return checkOf(record === undefined ? undefined : fieldType(record, by), node, true)(value)
  }
}

/** An item of a list: of JSON, or of a list that an expression built. Undefined: neither can hold it. */
export function itemOf(item: unknown): CelValue | undefined {
  if (typeof item === 'number') return Number.isFinite(item) ? item : undefined
  return kindOf(item) === 'other' ? undefined : (item as CelValue)
}

function standardReader(node: IndexNode): IndexReader {
  return (container, by) => {
    if (isList(container)) {
      const at = positionOf(by)
      if (at === undefined) return labelled(node, new CelFailure(`needs a whole number, not ${phraseOf(by)}`))
      if (!(at in container)) return new Missing(node)
      return named(node, standardValue(container[at]))
    }
    if (!isMap(container)) return labelled(node, new CelFailure(`cannot be read from ${phraseOf(container)}`))
    const key: CelMapKey | undefined = keyOf(by)
    if (key === undefined || !hasMember(container, key)) return new Missing(node)
    return named(node, standardValue(memberOf(container, key)))
  }
}

function positionOf(by: CelValue): number | undefined {
  if (typeof by === 'bigint') return Number(by)
  if (by instanceof CelUint) return Number(by.value)
  return typeof by === 'number' && Number.isInteger(by) ? by : undefined
}
