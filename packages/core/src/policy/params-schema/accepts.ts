import { isAtLeast, isAtMost } from './code-points.ts'
import { allDifferent, jsonEqual } from './equality.ts'
import { formats } from './formats.ts'
import { isJson } from './is-json.ts'
import { multipleCheck } from './multiple-of.ts'
import { anyType, isAnything, typeBits, type SchemaNode } from './schema-node.ts'

/** Whether a value is valid. */
export type Check = (value: unknown) => boolean

type Members = Readonly<Record<string, unknown>>

/**
 * Compiles schemas to closures, each schema once. A closure allocates nothing, except for `uniqueItems` over long lists
 * and for a `multipleOf` beyond 2^53. What is no JSON (NaN, undefined) is never valid, wherever it stands.
 */
export function schemaCompiler(): Compile {
  const compiled = new Map<SchemaNode, Check>()
  const compile: Compile = (node) => {
    const before = compiled.get(node)
    if (before !== undefined) return before
    const check = nodeCheck(node, compile)
    compiled.set(node, check)
    return check
  }
  return compile
}

/** Gives the check of a schema. */
export type Compile = (node: SchemaNode) => Check

function nodeCheck(node: SchemaNode, compile: Compile): Check {
  if (node.never) return () => false
  if (isAnything(node)) return isJson
  const others = [...valueChecks(node), ...positiveChecks(node, compile)]
  // Where the parts look at everything below, looking at it once more would only cost time.
  const own = others.length > 0 && !saysSomethingOfTypes(node) ? [] : [typeCheck(node, compile)]
  return allOf([...own, ...others, ...negativeChecks(node, compile)])
}

const withoutTypes: readonly (keyof SchemaNode)[] = [
  'never',
  'constant',
  'values',
  'allOf',
  'anyOf',
  'oneOf',
  'not',
  'size',
  'depth',
]

function saysSomethingOfTypes(node: SchemaNode): boolean {
  return Object.entries(node).some(([keyword, value]) => {
    if (withoutTypes.includes(keyword as keyof SchemaNode)) return false
    if (Array.isArray(value)) return value.length > 0
    return value instanceof Map ? value.size > 0 : value !== undefined && value !== false
  })
}

function allOf(checks: readonly Check[]): Check {
  const [first = isJson, second, third] = checks
  if (second === undefined) return first
  if (third === undefined) return (value) => first(value) && second(value)
  return (value) => {
    for (const check of checks) if (!check(value)) return false
    return true
  }
}

function typeCheck(node: SchemaNode, compile: Compile): Check {
  const types = node.types ?? anyType
  const text = textCheck(node)
  const number = numberCheck(node)
  const list = listCheck(node, compile)
  const map = mapCheck(node, compile)
  // One type is what most places have.
  if (types === typeBits.string) return (value) => typeof value === 'string' && text(value)
  if (types === typeBits.number) return (value) => typeof value === 'number' && number(value)
  if (types === typeBits.integer) return (value) => Number.isInteger(value) && number(value as number)
  if (types === typeBits.boolean) return (value) => typeof value === 'boolean'
  if (types === typeBits.object) return (value) => isMap(value) && map(value)
  if (types === typeBits.array) return (value) => Array.isArray(value) && list(value)
  const has = (bits: number) => (types & bits) === bits
  const [texts, numbers, integers] = [has(typeBits.string), has(typeBits.number), has(typeBits.integer)]
  const [booleans, nulls] = [has(typeBits.boolean), has(typeBits.null)]
  const [lists, maps] = [has(typeBits.array), has(typeBits.object)]
  return (value) => {
    switch (typeof value) {
      case 'string':
        return texts && text(value)
      case 'number':
        return (numbers || (integers && Number.isInteger(value))) && number(value)
      case 'boolean':
        return booleans
      case 'object':
        if (value === null) return nulls
        return Array.isArray(value) ? lists && list(value) : maps && map(value as Members)
      default:
        return false
    }
  }
}

function isMap(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function textCheck({ minLength, maxLength, pattern, format }: SchemaNode): (text: string) => boolean {
  if (minLength === undefined && maxLength === undefined && pattern === undefined && format === undefined) {
    return () => true
  }
  const inFormat = format === undefined ? undefined : formats[format]
  return (text) =>
    (maxLength === undefined || isAtMost(text, maxLength)) &&
    (minLength === undefined || isAtLeast(text, minLength)) &&
    (inFormat === undefined || inFormat(text)) &&
    (pattern === undefined || pattern.occursIn(text))
}

function numberCheck(node: SchemaNode): (value: number) => boolean {
  const least = node.minimum ?? Number.NEGATIVE_INFINITY
  const most = node.maximum ?? Number.POSITIVE_INFINITY
  // Bounds that are not there are the infinities, so that "outside" also refuses those two; NaN compares with nothing.
  const above = node.exclusiveMinimum ?? Number.NEGATIVE_INFINITY
  const below = node.exclusiveMaximum ?? Number.POSITIVE_INFINITY
  const inRange = (value: number) => value >= least && value <= most && value > above && value < below
  if (node.multipleOf === undefined) return inRange
  const isMultiple = multipleCheck(node.multipleOf)
  return (value) => inRange(value) && isMultiple(value)
}

function listCheck(node: SchemaNode, compile: Compile): (items: readonly unknown[]) => boolean {
  const { minItems = 0, maxItems = Number.POSITIVE_INFINITY, uniqueItems } = node
  const first = node.prefixItems.map(compile)
  const rest = node.items === undefined ? isJson : compile(node.items)
  return (items) => {
    if (items.length < minItems || items.length > maxItems) return false
    for (let at = 0; at < items.length; at++) {
      const check = first[at] ?? rest
      if (!check(items[at])) return false
    }
    return !uniqueItems || allDifferent(items)
  }
}

function mapCheck(node: SchemaNode, compile: Compile): (members: Members) => boolean {
  const { required, minProperties = 0, maxProperties = Number.POSITIVE_INFINITY } = node
  const requiredNames = new Set(required)
  const declared = [...node.properties].map(([name, child]) => ({
    name,
    check: compile(child),
    required: requiredNames.has(name),
  }))
  const others = required.filter((name) => !node.properties.has(name))
  const additional = node.additionalProperties === undefined ? isJson : compile(node.additionalProperties)
  const { properties } = node
  const closed = node.additionalProperties?.never === true
  const nameCheck = node.propertyNames === undefined ? undefined : compile(node.propertyNames)
  return (members) => {
    let seen = 0
    for (const property of declared) {
      if (!Object.hasOwn(members, property.name)) {
        if (property.required) return false
        continue
      }
      seen++
      if (!property.check(members[property.name])) return false
    }
    for (const name of others) if (!Object.hasOwn(members, name)) return false
    let count = 0
    for (const name in members) {
      if (!Object.hasOwn(members, name)) continue
      count++
      if (closed && count > seen) return false
      if (nameCheck !== undefined && !nameCheck(name)) return false
      if (!closed && !properties.has(name) && !additional(members[name])) return false
    }
    return count >= minProperties && count <= maxProperties
  }
}

function valueChecks({ constant, values }: SchemaNode): Check[] {
  const checks: Check[] = []
  if (constant !== undefined) checks.push((value) => jsonEqual(value, constant.value))
  if (values !== undefined) {
    const plain = new Set(values.filter((value) => typeof value !== 'object' || value === null))
    const nested = values.filter((value) => typeof value === 'object' && value !== null)
    checks.push((value) => plain.has(value) || nested.some((one) => jsonEqual(value, one)))
  }
  return checks
}

function positiveChecks(node: SchemaNode, compile: Compile): Check[] {
  const checks = node.allOf.map(compile)
  if (node.anyOf !== undefined) {
    const branches = node.anyOf.map(compile)
    checks.push((value) => {
      for (const branch of branches) if (branch(value)) return true
      return false
    })
  }
  if (node.oneOf !== undefined) {
    const branches = node.oneOf.map(compile)
    checks.push((value) => {
      let valid = 0
      for (const branch of branches) if (branch(value)) valid++
      return valid === 1
    })
  }
  return checks
}

function negativeChecks({ not }: SchemaNode, compile: Compile): Check[] {
  if (not === undefined) return []
  const branch = compile(not)
  return [(value) => !branch(value)]
}
