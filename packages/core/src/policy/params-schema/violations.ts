import type { Compile } from './accepts.ts'
import { isAtLeast, isAtMost } from './code-points.ts'
import { allDifferent, jsonEqual } from './equality.ts'
import { formats, formatTexts } from './formats.ts'
import { isJson } from './is-json.ts'
import { multipleCheck } from './multiple-of.ts'
import {
  anyType,
  isAnything,
  typeBits,
  type SchemaNode,
  type SchemaPath,
  type TypeName,
} from './schema-node.ts'

/** Where parameters break their schema. */
export interface ParamsProblem {
  /**
   * From the parameters' root: member names, each cut to 100 characters, and indices. A name that the schema does not
   * know is the call's own text; where it does not look like the name of a parameter, `…` stands in its place.
   */
  readonly path: SchemaPath
  /** What is wrong, to be read after the path: `must be a number`. Never quotes a value of the call. */
  readonly message: string
}

/** How many problems of one call are told. */
const paramsProblemsMax = 20

const nameShownMax = 100
// What an author wrote, such as a long `enum`, may be longer than what an answer should carry.
const messageMax = 300
const valuesShownMax = 10

/**
 * What is wrong with a value, in the order of the schema, at most `paramsProblemsMax` problems. Slow, and only for
 * values that the compiled checks have refused.
 */
export function violations(root: SchemaNode, value: unknown, checkOf: Compile): ParamsProblem[] {
  const walk = new Walk(checkOf)
  walk.visit(root, value, [])
  // Whatever the walk cannot explain is still refused.
  return walk.problems.length > 0 ? walk.problems : [{ path: [], message: 'do not fit their schema' }]
}

class Walk {
  readonly problems: ParamsProblem[] = []
  readonly #checkOf: Compile

  constructor(checkOf: Compile) {
    this.#checkOf = checkOf
  }

  visit(node: SchemaNode, value: unknown, path: SchemaPath): void {
    if (this.#isFull()) return
    if (node.never) return this.#tell(path, 'is not allowed here')
    if (isAnything(node)) {
      if (!isJson(value)) this.#tell(path, 'is not plain JSON')
      return
    }
    const bits = node.types ?? anyType
    if ((bits & bitOf(value)) === 0) return this.#tell(path, `must be ${typesText(bits)}`)
    if (typeof value === 'string') this.#text(node, value, path)
    else if (typeof value === 'number') this.#number(node, value, path)
    else if (Array.isArray(value)) this.#list(node, value, path)
    else if (typeof value === 'object' && value !== null) {
      this.#map(node, value as Readonly<Record<string, unknown>>, path)
    }
    this.#values(node, value, path)
    this.#combined(node, value, path)
  }

  #text(node: SchemaNode, text: string, path: SchemaPath): void {
    const { minLength, maxLength, pattern, format } = node
    if (maxLength !== undefined && !isAtMost(text, maxLength)) {
      // A pattern is not tried on more than the author expected.
      return this.#tell(path, `must have at most ${counted(maxLength, 'character')}`)
    }
    if (minLength !== undefined && !isAtLeast(text, minLength)) {
      this.#tell(path, `must have at least ${counted(minLength, 'character')}`)
    }
    if (format !== undefined && !formats[format](text)) this.#tell(path, `must be ${formatTexts[format]}`)
    if (pattern !== undefined && !pattern.occursIn(text)) this.#tell(path, `must match ${pattern.source}`)
  }

  #number(node: SchemaNode, value: number, path: SchemaPath): void {
    const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = node
    if (minimum !== undefined && value < minimum) this.#tell(path, `must be at least ${minimum}`)
    if (maximum !== undefined && value > maximum) this.#tell(path, `must be at most ${maximum}`)
    if (exclusiveMinimum !== undefined && value <= exclusiveMinimum) {
      this.#tell(path, `must be above ${exclusiveMinimum}`)
    }
    if (exclusiveMaximum !== undefined && value >= exclusiveMaximum) {
      this.#tell(path, `must be below ${exclusiveMaximum}`)
    }
    if (multipleOf !== undefined && !multipleCheck(multipleOf)(value)) {
      this.#tell(path, `must be a multiple of ${multipleOf}`)
    }
  }

  #list(node: SchemaNode, items: readonly unknown[], path: SchemaPath): void {
    const { minItems, maxItems, uniqueItems, prefixItems } = node
    if (maxItems !== undefined && items.length > maxItems) {
      return this.#tell(path, `must have at most ${counted(maxItems, 'item')}`)
    }
    if (minItems !== undefined && items.length < minItems) {
      this.#tell(path, `must have at least ${counted(minItems, 'item')}`)
    }
    for (let at = 0; at < items.length && !this.#isFull(); at++) {
      this.#below(prefixItems[at] ?? node.items, items[at], [...path, at])
    }
    if (uniqueItems && !this.#isFull() && isJson(items) && !allDifferent(items)) {
      this.#tell(path, 'must not have two equal items')
    }
  }

  #map(node: SchemaNode, members: Readonly<Record<string, unknown>>, path: SchemaPath): void {
    const { minProperties, maxProperties, properties, propertyNames } = node
    for (const name of node.required) {
      if (!Object.hasOwn(members, name)) this.#tell([...path, shown(name)], 'is missing')
    }
    const names = Object.keys(members)
    if (maxProperties !== undefined && names.length > maxProperties) {
      return this.#tell(path, `must have at most ${counted(maxProperties, 'member')}`)
    }
    if (minProperties !== undefined && names.length < minProperties) {
      this.#tell(path, `must have at least ${counted(minProperties, 'member')}`)
    }
    for (const name of names) {
      if (this.#isFull()) return
      const at = [...path, properties.has(name) ? shown(name) : strangeShown(name)]
      if (propertyNames !== undefined && !this.#checkOf(propertyNames)(name)) {
        this.#tell(at, 'has a name that is not allowed here')
      }
      this.#below(properties.get(name) ?? node.additionalProperties, members[name], at)
    }
  }

  #below(node: SchemaNode | undefined, value: unknown, path: SchemaPath): void {
    if (node !== undefined) this.visit(node, value, path)
    else if (!isJson(value)) this.#tell(path, 'is not plain JSON')
  }

  #values({ constant, values }: SchemaNode, value: unknown, path: SchemaPath): void {
    if (constant !== undefined && !jsonEqual(value, constant.value)) {
      this.#tell(path, `must be ${JSON.stringify(constant.value)}`)
    }
    if (values === undefined || values.some((one) => jsonEqual(value, one))) return
    const first = values.slice(0, valuesShownMax).map((one) => JSON.stringify(one))
    const rest = values.length > valuesShownMax ? `, or ${values.length - valuesShownMax} more` : ''
    this.#tell(path, `must be one of ${first.join(', ')}${rest}`)
  }

  #combined(node: SchemaNode, value: unknown, path: SchemaPath): void {
    for (const part of node.allOf) this.visit(part, value, path)
    if (node.anyOf !== undefined) this.#choice(node.anyOf, value, path)
    if (node.oneOf !== undefined) this.#choice(node.oneOf, value, path, 1)
    if (node.not !== undefined && this.#checkOf(node.not)(value)) {
      this.#tell(path, 'is what the schema excludes')
    }
  }

  #choice(parts: readonly SchemaNode[], value: unknown, path: SchemaPath, most = parts.length): void {
    const valid = parts.filter((part) => this.#checkOf(part)(value)).length
    if (valid > most) return this.#tell(path, `must fit one alternative, and fits ${valid}`)
    if (valid > 0) return
    const ofType = parts.filter((part) => ((part.types ?? anyType) & bitOf(value)) !== 0)
    const [only] = ofType
    // Where the type leaves one alternative, that is the one that was meant.
    if (only !== undefined && ofType.length === 1) return this.visit(only, value, path)
    if (only !== undefined) return this.#tell(path, `fits none of ${counted(parts.length, 'alternative')}`)
    const bits = parts.reduce((sum, part) => sum | (part.types ?? anyType), 0)
    return this.#tell(path, `must be ${typesText(bits)}`)
  }

  #tell(path: SchemaPath, message: string): void {
    if (!this.#isFull()) this.problems.push({ path, message: cut(message, messageMax) })
  }

  #isFull(): boolean {
    return this.problems.length >= paramsProblemsMax
  }
}

/** The type's bit; 0 for what is no JSON. A whole number is found by either of the bits of numbers. */
function bitOf(value: unknown): number {
  switch (typeof value) {
    case 'string':
      return typeBits.string
    case 'boolean':
      return typeBits.boolean
    case 'number':
      if (!Number.isFinite(value)) return 0
      return Number.isInteger(value) ? typeBits.number : typeBits.number & ~typeBits.integer
    case 'object':
      if (value === null) return typeBits.null
      return Array.isArray(value) ? typeBits.array : typeBits.object
    default:
      return 0
  }
}

const typeTexts: readonly (readonly [TypeName, string])[] = [
  ['string', 'a text'],
  ['number', 'a number'],
  ['integer', 'a whole number'],
  ['boolean', 'true or false'],
  ['array', 'a list'],
  ['object', 'a map'],
  ['null', 'null'],
]

function typesText(bits: number): string {
  const admitted = typeTexts.filter(([name]) => {
    if (name === 'integer' && (bits & typeBits.number) === typeBits.number) return false
    return (bits & typeBits[name]) === typeBits[name]
  })
  return admitted.length === typeTexts.length - 1
    ? 'plain JSON'
    : admitted.map(([, text]) => text).join(' or ')
}

function shown(name: string): string {
  return cut(name, nameShownMax)
}

// What is told of a denial is recorded for good, and a member may be named after a person.
function strangeShown(name: string): string {
  return /^[A-Za-z_][A-Za-z0-9_-]{0,39}$/.test(name) ? name : '…'
}

function cut(text: string, max: number): string {
  return text.length <= max ? text : `${text.slice(0, max)}…`
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
