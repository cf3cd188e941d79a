import type { Json } from '../../model/json.ts'
import { compileParamsSchema } from './compile.ts'
import { isJson } from './is-json.ts'
import { annotations, keywordTypes } from './keywords.ts'
import type { SchemaPath } from './schema-node.ts'
import type { SchemaProblem } from './schema-problem.ts'

/** A schema that can stand under `params`, and what the original says beyond it. */
export interface NarrowedSchema {
  readonly schema: Json
  /** Sentences about what was left out or changed, with the place; nothing that only describes. */
  readonly notes: readonly string[]
}

type Schema = Record<string, unknown>

/** Everything may be left out in the end; each round leaves out something. */
const roundsMax = 200

/**
 * Makes a parameter schema of the JSON Schema that a tool declares. Older spellings are rewritten, a `type` is added
 * where a keyword needs one, annotations are dropped without a word, and what the subset does not know is left out
 * with a note. The result always compiles. It may admit more than the original where something was left out.
 */
export function narrowParamsSchema(written: unknown): NarrowedSchema {
  if (!isMap(written) || !isJson(written)) {
    return { schema: { type: 'object' }, notes: ['left out: the whole schema, which is no map of keywords'] }
  }
  const notes: string[] = []
  const { type, ...rest } = rewritten(written, [], notes) as Schema
  if (type !== undefined && type !== 'object') notes.push('changed: type is object, as parameters are a map')
  const schema: Record<string, Json> = { type: 'object', ...(rest as Record<string, Json>) }
  for (let round = 0; round < roundsMax; round++) {
    const compiled = compileParamsSchema(schema)
    if (compiled.kind === 'compiled') return { schema, notes }
    const alone = compiled.problems.filter(standsAlone)
    // Others one at a time from the end: mending one often mends some before it, and moves what stands behind it.
    for (const problem of alone.length > 0 ? alone : compiled.problems.slice(-1)) {
      if (problem.path.length > 0) mend(schema, problem, notes)
    }
  }
  return {
    schema: { type: 'object' },
    notes: ['left out: the whole schema, which says too much that is not known here'],
  }
}

// Mending it changes nothing about other problems.
function standsAlone({ code, path }: SchemaProblem): boolean {
  return code === 'params-schema-unknown-keyword' || path[path.length - 1] === 'format'
}

/** A copy without annotations, in the spelling of the current draft. */
function rewritten(written: unknown, path: SchemaPath, notes: string[]): unknown {
  if (!isMap(written)) return written
  const schema: Schema = {}
  for (const [keyword, value] of Object.entries(written)) {
    if (annotations.has(keyword) || describing.has(keyword) || asksNothing(keyword, value)) continue
    const at = [...path, keyword]
    if (keyword === '$defs' || keyword === 'definitions') {
      schema['$defs'] = mapped(value, at, notes)
    } else if (keyword === 'properties') schema[keyword] = mapped(value, at, notes)
    else if (keyword === '$ref' && typeof value === 'string') {
      schema[keyword] = value.replace('#/definitions/', '#/$defs/')
    } else if (listsOfSchemas.has(keyword) && Array.isArray(value)) {
      schema[keyword] = value.map((part, index) => rewritten(part, [...at, index], notes))
    } else if (schemas.has(keyword)) schema[keyword] = rewritten(value, at, notes)
    else schema[keyword] = value
  }
  respell(schema)
  return schema
}

// Generators write these for every tool; they would only make a policy longer.
function asksNothing(keyword: string, value: unknown): boolean {
  if (keyword === 'required') return Array.isArray(value) && value.length === 0
  return keyword === 'properties' && isMap(value) && Object.keys(value).length === 0
}

const describing: ReadonlySet<string> = new Set([
  '$id',
  'id',
  '$anchor',
  '$comment',
  'deprecated',
  'readOnly',
  'writeOnly',
  'contentMediaType',
  'contentEncoding',
  'example',
  'markdownDescription',
  'enumDescriptions',
  'strict',
])
const schemas: ReadonlySet<string> = new Set(['items', 'additionalProperties', 'propertyNames', 'not'])
const listsOfSchemas: ReadonlySet<string> = new Set(['allOf', 'anyOf', 'oneOf', 'prefixItems', 'items'])

function mapped(value: unknown, path: SchemaPath, notes: string[]): unknown {
  if (!isMap(value)) return value
  const kept = Object.entries(value).filter(([name]) => {
    // No YAML file of ours may contain the name.
    if (name === '__proto__') notes.push(`left out: ${placeText([...path, name])}`)
    return name !== '__proto__'
  })
  return Object.fromEntries(kept.map(([name, schema]) => [name, rewritten(schema, [...path, name], notes)]))
}

// What draft 4, draft 7 and OpenAPI 3.0 say in other words.
function respell(schema: Schema): void {
  if (Array.isArray(schema['items'])) {
    schema['prefixItems'] = schema['items']
    delete schema['items']
    if (Object.hasOwn(schema, 'additionalItems')) {
      schema['items'] = schema['additionalItems']
      delete schema['additionalItems']
    }
  }
  for (const [exclusive, inclusive] of [
    ['exclusiveMinimum', 'minimum'],
    ['exclusiveMaximum', 'maximum'],
  ] as const) {
    if (typeof schema[exclusive] !== 'boolean') continue
    const isExclusive = schema[exclusive]
    delete schema[exclusive]
    if (!isExclusive) continue
    schema[exclusive] = schema[inclusive]
    delete schema[inclusive]
  }
  if (typeof schema['nullable'] === 'boolean') {
    if (schema['nullable'] && typeof schema['type'] === 'string') schema['type'] = [schema['type'], 'null']
    delete schema['nullable']
  }
}

function mend(schema: Schema, { path, code, message }: SchemaProblem, notes: string[]): void {
  const keyword = path[path.length - 1]
  const parent = memberAt(schema, path.slice(0, -1))
  if (code === 'params-schema-no-effect' && isMap(parent) && !Object.hasOwn(parent, 'type')) {
    const type = keywordTypes.get(String(keyword))?.type
    if (type !== undefined) {
      parent['type'] = type
      notes.push(
        `added: ${placeText([...path.slice(0, -1), 'type'])} is ${type}, so that nothing else passes`,
      )
      return
    }
  }
  notes.push(`left out: ${placeText(path)} (${message})`)
  // A schema among others: without it the others would no longer be what they were.
  if (Array.isArray(parent) && typeof keyword === 'number' && path[path.length - 2] !== 'required') {
    parent[keyword] = true
  } else if (Array.isArray(parent) && typeof keyword === 'number') parent.splice(keyword, 1)
  else if (isMap(parent) && keyword !== undefined) {
    const grandparent = path[path.length - 2]
    if (grandparent === 'properties' || grandparent === '$defs') parent[String(keyword)] = true
    else delete parent[String(keyword)]
  }
}

function memberAt(schema: unknown, path: SchemaPath): unknown {
  let at = schema
  for (const part of path) {
    if (Array.isArray(at)) at = at[Number(part)]
    else at = isMap(at) && Object.hasOwn(at, part) ? at[String(part)] : undefined
  }
  return at
}

function placeText(path: SchemaPath): string {
  return path
    .map((part) =>
      String(part)
        .replace(/[\p{C}\s]/gu, ' ')
        .slice(0, 100),
    )
    .join('.')
}

function isMap(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
