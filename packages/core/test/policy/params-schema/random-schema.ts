/** Whole numbers from 0 to `max`, the same ones for the same seed. */
export function drawFrom(seed: number): (max: number) => number {
  let state = seed
  return (max) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % (max + 1)
  }
}

type Schema = Record<string, unknown>
type Type = 'string' | 'number' | 'integer' | 'boolean' | 'null' | 'array' | 'object'

// Not `constructor` and its like: ajv itself stumbles over them. They have tests of their own.
const names = ['a', 'b', 'c', 'length', 'x-y', 'é', '0']
const strings = ['', 'a', 'ab', 'abc', 'b1', '😀', '😀b', 'éé', 'constructor', 'zzzzzz']
const patterns = ['^a', 'b$', '^[a-z]*$', '[0-9]+', 'a|b', '^.{2}$', '(ab?)+c']
const numbers = [0, 1, -1, 2, 3, 6, 0.5, 1.5, -2.25, 10, 1e6, -0]
const types: readonly Type[] = ['string', 'number', 'integer', 'boolean', 'null', 'array', 'object']

/** A random schema of the subset, for the parameters of a call, and values near what it admits. */
export class RandomSchemas {
  readonly #draw: (max: number) => number
  readonly #definitions: Schema = {}

  constructor(draw: (max: number) => number) {
    this.#draw = draw
  }

  /** A schema for a map, with definitions that it may refer to. */
  root(): Schema {
    for (const name of ['one', 'two']) {
      if (this.#chance(0.4)) this.#definitions[name] = this.#schema(2)
    }
    const schema = this.#keywords('object', 4)
    const withDefinitions = Object.keys(this.#definitions).length > 0 ? { $defs: this.#definitions } : {}
    return { type: 'object', ...schema, ...withDefinitions }
  }

  /** A value that is often valid, and often nearly so. */
  value(schema: unknown, depth = 4): unknown {
    if (this.#chance(0.06) || depth === 0) return this.json(2)
    if (typeof schema === 'boolean') return this.json(1)
    const written = schema as Schema
    if ('const' in written && this.#chance(0.9)) return written['const']
    if (Array.isArray(written['enum']) && this.#chance(0.9)) return this.#pick(written['enum'])
    if (typeof written['$ref'] === 'string' && this.#chance(0.9)) {
      return this.value(this.#definitions[written['$ref'].slice('#/$defs/'.length)], depth - 1)
    }
    for (const keyword of ['anyOf', 'oneOf'] as const) {
      const parts = written[keyword]
      if (Array.isArray(parts) && this.#chance(0.6)) {
        return this.value({ ...written, [keyword]: undefined, ...(this.#pick(parts) as Schema) }, depth)
      }
    }
    const type = written['type'] ?? this.#pick(types)
    return this.#ofType(Array.isArray(type) ? (this.#pick(type) as Type) : (type as Type), written, depth)
  }

  /** Any JSON. */
  json(depth: number): unknown {
    const kind = this.#upTo(depth > 0 ? 6 : 4)
    if (kind === 0) return null
    if (kind === 1) return this.#chance(0.5)
    if (kind <= 2) return this.#pick(numbers)
    if (kind <= 4) return this.#pick(strings)
    const items = Array.from({ length: this.#upTo(3) }, () => this.json(depth - 1))
    if (kind === 5) return items
    return Object.fromEntries(items.map((item) => [this.#pick(names), item]))
  }

  #ofType(type: Type, schema: Schema, depth: number): unknown {
    switch (type) {
      case 'string':
        return this.#pick(strings)
      case 'number':
        return this.#pick(numbers)
      case 'integer':
        return this.#pick(numbers.filter((value) => Number.isInteger(value) || this.#chance(0.2)))
      case 'boolean':
        return this.#chance(0.5)
      case 'null':
        return null
      case 'array':
        return this.#items(schema, depth)
      case 'object':
        return this.#members(schema, depth)
    }
  }

  #items(schema: Schema, depth: number): unknown[] {
    const first = (schema['prefixItems'] ?? []) as unknown[]
    const length = this.#chance(0.05) ? 12 : this.#upTo(4)
    return Array.from({ length }, (_, at) => this.value(first[at] ?? schema['items'] ?? true, depth - 1))
  }

  #members(schema: Schema, depth: number): Schema {
    const members: Schema = {}
    const properties = (schema['properties'] ?? {}) as Schema
    for (const [name, child] of Object.entries(properties)) {
      if (this.#chance(0.75)) members[name] = this.value(child, depth - 1)
    }
    for (const name of (schema['required'] ?? []) as string[]) {
      if (!Object.hasOwn(members, name) && this.#chance(0.9)) {
        const child = Object.hasOwn(properties, name)
          ? properties[name]
          : (schema['additionalProperties'] ?? true)
        members[name] = this.value(child, depth - 1)
      }
    }
    if (this.#chance(0.15)) members[this.#pick(names)] = this.json(1)
    return members
  }

  #schema(depth: number): unknown {
    if (this.#chance(0.08)) return this.#chance(0.7)
    if (depth > 0 && this.#chance(0.12))
      return { [this.#pick(['anyOf', 'oneOf', 'allOf'])]: this.#several(depth) }
    const defined = Object.keys(this.#definitions)
    if (defined.length > 0 && this.#chance(0.1)) return { $ref: `#/$defs/${this.#pick(defined)}` }
    if (this.#chance(0.08)) return { enum: this.#distinct(() => this.json(1)) }
    if (this.#chance(0.05)) return { const: this.json(1) }
    if (this.#chance(0.15)) {
      const both = [...new Set([this.#pick(types), this.#pick(types)])].filter(
        (type, _, all) => type !== 'integer' || !all.includes('number'),
      )
      return { type: both, ...Object.assign({}, ...both.map((type) => this.#keywords(type, depth))) }
    }
    const type = this.#pick(types)
    return { type, ...this.#keywords(type, depth) }
  }

  #several(depth: number): unknown[] {
    return Array.from({ length: 1 + this.#upTo(2) }, () => this.#schema(depth - 1))
  }

  #keywords(type: Type, depth: number): Schema {
    const schema: Schema = {}
    const maybe = (keyword: string, chance: number, value: () => unknown) => {
      if (this.#chance(chance)) schema[keyword] = value()
    }
    if (type === 'string') {
      maybe('minLength', 0.25, () => this.#upTo(2))
      maybe('maxLength', 0.25, () => 2 + this.#upTo(2))
      maybe('pattern', 0.3, () => this.#pick(patterns))
    } else if (type === 'number' || type === 'integer') {
      maybe('minimum', 0.3, () => this.#pick([-2, 0, 0.5]))
      maybe('maximum', 0.3, () => this.#pick([0.5, 3, 10]))
      maybe('exclusiveMinimum', 0.2, () => this.#pick([-1, 0]))
      maybe('exclusiveMaximum', 0.2, () => this.#pick([2, 10]))
      maybe('multipleOf', 0.2, () => this.#pick([1, 2, 3, 0.5]))
    } else if (type === 'array') {
      maybe('minItems', 0.2, () => this.#upTo(2))
      maybe('maxItems', 0.2, () => 2 + this.#upTo(2))
      maybe('uniqueItems', 0.3, () => this.#chance(0.8))
      if (depth > 0) maybe('prefixItems', 0.25, () => this.#several(depth))
      if (depth > 0) maybe('items', 0.6, () => this.#schema(depth - 1))
    } else if (type === 'object') this.#mapKeywords(schema, maybe, depth)
    if (type !== 'object' || depth === 0) return schema
    maybe('not', 0.1, () => this.#keywordsOrEnum(type))
    maybe('allOf', 0.1, () => [this.#mapOnly(), this.#mapOnly()])
    maybe('anyOf', 0.15, () => [this.#mapOnly(), this.#mapOnly()])
    return schema
  }

  #mapKeywords(
    schema: Schema,
    maybe: (keyword: string, chance: number, value: () => unknown) => void,
    depth: number,
  ): void {
    if (depth > 0) {
      maybe('properties', 0.9, () =>
        Object.fromEntries(
          this.#distinct(() => this.#pick(names)).map((name) => [name, this.#schema(depth - 1)]),
        ),
      )
    }
    const declared = Object.keys(schema['properties'] ?? {})
    maybe('additionalProperties', 0.5, () => (this.#chance(0.5) ? false : this.#schema(depth - 1)))
    const closed = schema['additionalProperties'] === false
    const candidates = closed ? declared : [...declared, ...names]
    if (candidates.length > 0) maybe('required', 0.4, () => this.#distinct(() => this.#pick(candidates)))
    maybe('minProperties', 0.1, () => this.#upTo(2))
    maybe('maxProperties', 0.15, () => 2 + this.#upTo(3))
    maybe('propertyNames', 0.1, () => ({ type: 'string', ...this.#keywords('string', 0) }))
  }

  /** What may stand inside a schema for a map without a type of its own. */
  #mapOnly(): Schema {
    return this.#chance(0.5) ? { required: [this.#pick(names)] } : { minProperties: this.#upTo(3) }
  }

  #keywordsOrEnum(type: Type): Schema {
    return this.#chance(0.5) ? { type, ...this.#mapOnly() } : { enum: [{ a: 1 }, {}] }
  }

  #distinct<Value>(make: () => Value): Value[] {
    const found = new Map<string, Value>()
    for (let count = 1 + this.#upTo(3); count > 0; count--) {
      const value = make()
      found.set(JSON.stringify(value), value)
    }
    return [...found.values()]
  }

  #pick<Value>(values: readonly Value[]): Value {
    return values[this.#upTo(values.length - 1)] as Value
  }

  #upTo(max: number): number {
    return this.#draw(max)
  }

  #chance(probability: number): boolean {
    return this.#upTo(99) < probability * 100
  }
}
