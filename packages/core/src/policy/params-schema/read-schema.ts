import { nearest } from '@bailiwick/cel'
import { formats, isFormatName, type FormatName } from './formats.ts'
import { annotations, keywordFix, keywords, keywordTypes } from './keywords.ts'
import { linearPattern, type LinearPattern } from './linear-pattern.ts'
import { ReadValues, type RawSchema } from './read-values.ts'
import { anything, anyType, isTypeName, nothing, typeBits } from './schema-node.ts'
import type { SchemaNode, SchemaPath } from './schema-node.ts'
import type { SchemaProblem } from './schema-problem.ts'

/** How deep schemas may nest, references followed. */
const schemaDepthMax = 64
/** How many schemas a parameter schema may unfold into when every reference is followed. */
const schemaSizeMax = 10_000

/** What is known of the place where a schema stands. */
interface Place {
  readonly path: SchemaPath
  /** The types that schemas around this one leave at the same place; undefined: nobody said. */
  readonly types: number | undefined
  readonly depth: number
}

/** Reads the schema of a call's parameters. Every problem is reported, none stops the reading of the rest. */
export function readSchema(written: unknown): { node: SchemaNode; problems: readonly SchemaProblem[] } {
  const reader = new SchemaReader(written)
  const node = reader.read(written, { path: [], types: typeBits.object, depth: 0 })
  reader.readDefinitions()
  reader.checkExtent(node)
  // Parameters are a map, also where the schema does not say so.
  const types = (node.types ?? anyType) & typeBits.object
  return { node: { ...node, types }, problems: reader.problems }
}

class SchemaReader extends ReadValues {
  readonly #definitions: RawSchema
  readonly #read = new Map<string, SchemaNode | 'reading'>()

  constructor(root: unknown) {
    super()
    const written = this.isMap(root) && Object.hasOwn(root, '$defs') ? root['$defs'] : {}
    if (!this.isMap(written)) this.wrong(['$defs'], '`$defs` must be a map from a name to a schema')
    this.#definitions = this.isMap(written) ? written : {}
  }

  /** Definitions that nothing refers to are read as well: a mistake in them is a mistake. */
  readDefinitions(): void {
    for (const name of Object.keys(this.#definitions)) {
      if (!this.#read.has(name)) this.#definition(name, 0)
    }
  }

  /** A few definitions that refer to each other often can unfold into more than anybody can look at. */
  checkExtent({ size, depth }: SchemaNode): void {
    if (this.problems.length > 0 || (size <= schemaSizeMax && depth <= schemaDepthMax)) return
    const much =
      size > schemaSizeMax ? `more than ${schemaSizeMax} schemas` : `more than ${schemaDepthMax} levels`
    const fix = 'refer to fewer definitions, or let one place refer to each only once'
    this.problem([], 'params-schema-too-large', `the schema unfolds into ${much}`, fix)
  }

  read(written: unknown, place: Place): SchemaNode {
    const { path } = place
    if (written === true) return anything
    if (written === false) return nothing
    if (!this.isMap(written)) {
      this.wrong(path, 'a schema must be a map of keywords, true or false')
      return nothing
    }
    if (place.depth > schemaDepthMax) {
      const message = `the schema nests deeper than ${schemaDepthMax} levels`
      this.problem(path, 'params-schema-too-large', message, 'write it flatter')
      return nothing
    }
    const types = this.#types(written, path)
    const known = types === undefined ? place.types : types & (place.types ?? anyType)
    this.#checkKeywords(written, path, known)
    if (known === 0) {
      const message = '`type` leaves no type: the schema around it admits others'
      const fix =
        path.length === 0 ? 'write `type: object`: the parameters of a call are a map' : 'correct it'
      this.problem([...path, 'type'], 'params-schema-unsatisfiable', message, fix)
    }
    const node = this.#node(written, { path, types: known, depth: place.depth }, types)
    this.#checkSatisfiable(node, path)
    return node
  }

  #node(written: RawSchema, place: Place, types: number | undefined): SchemaNode {
    const { path, depth } = place
    const has = (keyword: string) => Object.hasOwn(written, keyword)
    const below = (keyword: string): SchemaNode | undefined =>
      has(keyword)
        ? this.read(written[keyword], { path: [...path, keyword], types: undefined, depth: depth + 1 })
        : undefined
    const here = (keyword: string): readonly SchemaNode[] =>
      has(keyword) ? this.#list(written[keyword], { ...place, path: [...path, keyword] }) : []
    const beside = { ...place, path: [...path, 'not'], depth: depth + 1 }
    const names = { path: [...path, 'propertyNames'], types: typeBits.string, depth: depth + 1 }
    const node = {
      never: false,
      types,
      constant: this.constant(written, path),
      values: this.values(written, path),
      minimum: this.number(written, 'minimum', path),
      maximum: this.number(written, 'maximum', path),
      exclusiveMinimum: this.number(written, 'exclusiveMinimum', path),
      exclusiveMaximum: this.number(written, 'exclusiveMaximum', path),
      multipleOf: this.step(written, path),
      minLength: this.count(written, 'minLength', path),
      maxLength: this.count(written, 'maxLength', path),
      pattern: this.#pattern(written, path),
      format: this.#format(written, path),
      prefixItems: has('prefixItems')
        ? this.#list(written['prefixItems'], { path: [...path, 'prefixItems'], types: undefined, depth })
        : [],
      items: below('items'),
      minItems: this.count(written, 'minItems', path),
      maxItems: this.count(written, 'maxItems', path),
      uniqueItems: this.flag(written, 'uniqueItems', path),
      properties: this.#properties(written, place),
      required: this.names(written, 'required', path),
      additionalProperties: below('additionalProperties'),
      propertyNames: has('propertyNames') ? this.read(written['propertyNames'], names) : undefined,
      minProperties: this.count(written, 'minProperties', path),
      maxProperties: this.count(written, 'maxProperties', path),
      allOf: [...here('allOf'), ...this.#reference(written, place)],
      anyOf: has('anyOf') ? here('anyOf') : undefined,
      oneOf: has('oneOf') ? here('oneOf') : undefined,
      not: has('not') ? this.read(written['not'], beside) : undefined,
    }
    return { ...node, ...extentOf(node) }
  }

  #types(written: RawSchema, path: SchemaPath): number | undefined {
    if (!Object.hasOwn(written, 'type')) return undefined
    const value = written['type']
    const at = [...path, 'type']
    const list: readonly unknown[] = Array.isArray(value) ? value : [value]
    if (list.length === 0) {
      this.wrong(at, '`type` must name at least one type')
      return undefined
    }
    let bits = 0
    for (const name of list) {
      if (typeof name !== 'string' || !isTypeName(name)) {
        this.#unknownName(at, 'type', name, Object.keys(typeBits))
        return undefined
      }
      bits |= typeBits[name]
    }
    return bits
  }

  #checkKeywords(written: RawSchema, path: SchemaPath, known: number | undefined): void {
    for (const keyword of Object.keys(written)) {
      const at = [...path, keyword]
      if (!keywords.has(keyword)) {
        const message = `unknown keyword \`${keyword}\``
        this.problem(at, 'params-schema-unknown-keyword', message, keywordFix(keyword))
      }
      if (keyword === '$defs' && path.length > 0) {
        this.wrong(at, '`$defs` stands at the root of the schema only')
      }
      const about = keywordTypes.get(keyword)
      if (about === undefined || annotations.has(keyword)) continue
      if (known === undefined) {
        const message = `\`${keyword}\` checks nothing but ${plural(about.type)}, and anything else would pass`
        this.problem(at, 'params-schema-no-effect', message, `add \`type: ${about.type}\``)
      } else if ((known & about.bits) === 0) {
        const message = `\`${keyword}\` checks nothing but ${plural(about.type)}, which \`type\` does not admit`
        this.problem(at, 'params-schema-no-effect', message, 'remove it, or correct `type`')
      }
    }
  }

  #checkSatisfiable(node: SchemaNode, path: SchemaPath): void {
    for (const [least, most] of [
      ['minimum', 'maximum'],
      ['minLength', 'maxLength'],
      ['minItems', 'maxItems'],
      ['minProperties', 'maxProperties'],
    ] as const) {
      const [low, high] = [node[least], node[most]]
      if (low === undefined || high === undefined || low <= high) continue
      const message = `\`${least}\` is above \`${most}\`, so that no value is valid`
      this.problem([...path, least], 'params-schema-unsatisfiable', message, 'correct one of the two')
    }
    if (node.additionalProperties?.never !== true) return
    for (const [at, name] of node.required.entries()) {
      if (node.properties.has(name)) continue
      const near = nearest(name, node.properties.keys())
      const message = `\`${name}\` is required, and \`additionalProperties: false\` forbids it`
      const fix = near === undefined ? 'add it to `properties`' : `did you mean \`${near}\`?`
      this.problem([...path, 'required', at], 'params-schema-unsatisfiable', message, fix)
    }
  }

  #list(written: unknown, place: Place): readonly SchemaNode[] {
    if (!Array.isArray(written) || written.length === 0) {
      this.wrong(place.path, `\`${String(place.path.at(-1))}\` must be a list of at least one schema`)
      return []
    }
    return written.map((schema, at) =>
      this.read(schema, { ...place, path: [...place.path, at], depth: place.depth + 1 }),
    )
  }

  #properties(written: RawSchema, { path, depth }: Place): ReadonlyMap<string, SchemaNode> {
    const at = [...path, 'properties']
    const properties = new Map<string, SchemaNode>()
    const value = Object.hasOwn(written, 'properties') ? written['properties'] : {}
    if (!this.isMap(value)) this.wrong(at, '`properties` must be a map from a name to a schema')
    else {
      for (const [name, schema] of Object.entries(value)) {
        properties.set(name, this.read(schema, { path: [...at, name], types: undefined, depth: depth + 1 }))
      }
    }
    return properties
  }

  #pattern(written: RawSchema, path: SchemaPath): LinearPattern | undefined {
    const source = this.text(written, 'pattern', path)
    if (source === undefined) return undefined
    const compiled = linearPattern(source)
    if (compiled.kind === 'compiled') return compiled.pattern
    const fix = 'write it in the syntax of RE2, without look-around and back references'
    this.problem([...path, 'pattern'], 'params-schema-wrong-value', compiled.message, fix)
    return undefined
  }

  #format(written: RawSchema, path: SchemaPath): FormatName | undefined {
    const name = this.text(written, 'format', path)
    if (name === undefined || isFormatName(name)) return name
    this.#unknownName([...path, 'format'], 'format', name, Object.keys(formats))
    return undefined
  }

  #unknownName(path: SchemaPath, what: string, name: unknown, known: readonly string[]): void {
    const near = typeof name === 'string' ? nearest(name, known) : undefined
    const message = typeof name === 'string' ? `unknown ${what} \`${name}\`` : `a ${what} must be a text`
    const fix = near === undefined ? `write one of ${known.join(', ')}` : `did you mean \`${near}\`?`
    this.problem(path, 'params-schema-unknown-name', message, fix)
  }

  #reference(written: RawSchema, { path, depth }: Place): readonly SchemaNode[] {
    const reference = this.text(written, '$ref', path)
    if (reference === undefined) return []
    const at = [...path, '$ref']
    const fix = 'refer to a definition of this schema, such as `#/$defs/address`'
    const name = /^#\/\$defs\/([^/%]+)$/.exec(reference)?.[1]?.replaceAll('~1', '/').replaceAll('~0', '~')
    if (name === undefined) {
      const message = `\`${reference}\` is no reference to a definition in this schema`
      this.problem(at, 'params-schema-reference', message, fix)
    } else if (!Object.hasOwn(this.#definitions, name)) {
      const near = nearest(name, Object.keys(this.#definitions))
      const hint = near === undefined ? fix : `did you mean \`#/$defs/${near}\`?`
      this.problem(at, 'params-schema-reference', `no definition is named \`${name}\``, hint)
    } else if (this.#read.get(name) === 'reading') {
      const message = `the definition \`${name}\` refers to itself`
      const flat = 'write the levels out: how deep parameters nest has to be known'
      this.problem(at, 'params-schema-reference', message, flat)
    } else {
      return [this.#definition(name, depth + 1)]
    }
    return []
  }

  #definition(name: string, depth: number): SchemaNode {
    const before = this.#read.get(name)
    if (before !== undefined && before !== 'reading') return before
    this.#read.set(name, 'reading')
    const place = { path: ['$defs', name], types: undefined, depth }
    const node = this.read(this.#definitions[name], place)
    this.#read.set(name, node)
    return node
  }
}

function plural(type: string): string {
  return type === 'object' ? 'objects' : `${type}s`
}

function extentOf(node: Omit<SchemaNode, 'size' | 'depth'>): Pick<SchemaNode, 'size' | 'depth'> {
  const optional = [node.items, node.additionalProperties, node.propertyNames, node.not]
  const parts = [
    ...optional.flatMap((part) => part ?? []),
    ...node.prefixItems,
    ...node.properties.values(),
    ...node.allOf,
    ...(node.anyOf ?? []),
    ...(node.oneOf ?? []),
  ]
  return {
    size: parts.reduce((sum, part) => sum + part.size, 1),
    depth: parts.reduce((deepest, part) => Math.max(deepest, part.depth), 0) + 1,
  }
}
