import type { Json, JsonObject } from '../../model/json.ts'
import { compileParamsSchema } from './compile.ts'

type Schema = Readonly<Record<string, unknown>>

const depthMax = 16

const formatExamples: Readonly<Record<string, string>> = {
  date: '2026-01-31',
  'date-time': '2026-01-31T12:00:00Z',
  email: 'ada@example.com',
  uri: 'https://example.com/',
  uuid: '123e4567-e89b-12d3-a456-426614174000',
  ipv4: '192.0.2.1',
  ipv6: '2001:db8::1',
  hostname: 'example.com',
}

/**
 * Parameters that a schema accepts, with no more than it requires, for examples in tests of a policy; undefined where
 * none can be told from the schema, as for a pattern.
 */
export function exampleParams(written: unknown): JsonObject | undefined {
  const compiled = compileParamsSchema(written)
  if (compiled.kind === 'invalid') return undefined
  const example = exampleOf(written, written, depthMax)
  return compiled.schema.accepts(example) ? (example as JsonObject) : undefined
}

function exampleOf(written: unknown, root: unknown, depthLeft: number): Json {
  if (!isMap(written) || depthLeft === 0) return {}
  const below = (schema: unknown) => exampleOf(schema, root, depthLeft - 1)
  if (written['const'] !== undefined) return written['const'] as Json
  if (Array.isArray(written['enum'])) return written['enum'][0] as Json
  const reference = written['$ref']
  if (typeof reference === 'string') return below(definition(root, reference))
  for (const keyword of ['anyOf', 'oneOf', 'allOf']) {
    const parts: unknown = written[keyword]
    if (Array.isArray(parts) && written['type'] === undefined) return below(parts[0])
  }
  const type: unknown = Array.isArray(written['type']) ? written['type'][0] : written['type']
  switch (type) {
    case 'string':
      return exampleText(written)
    case 'number':
    case 'integer':
      return exampleNumber(written)
    case 'boolean':
      return true
    case 'null':
      return null
    case 'array':
      return Array.from({ length: numberOr(written['minItems'], 0) }, (_, at) =>
        below(
          Array.isArray(written['prefixItems'])
            ? (written['prefixItems'][at] ?? written['items'])
            : written['items'],
        ),
      )
    default:
      return exampleMap(written, below)
  }
}

function exampleText(written: Schema): string {
  const format = written['format']
  if (typeof format === 'string') return formatExamples[format] ?? ''
  const least = Math.min(numberOr(written['minLength'], 0), 1000)
  const most = numberOr(written['maxLength'], Number.POSITIVE_INFINITY)
  return 'example'.padEnd(least, 'x').slice(0, most)
}

function exampleNumber(written: Schema): number {
  const step = numberOr(written['multipleOf'], 1)
  const least = numberOr(written['minimum'], numberOr(written['exclusiveMinimum'], -step) + step)
  const most = numberOr(written['maximum'], numberOr(written['exclusiveMaximum'], least + 2 * step) - step)
  return Math.min(Math.max(least, step), Math.max(most, least))
}

function exampleMap(written: Schema, below: (schema: unknown) => Json): JsonObject {
  const required: readonly unknown[] = Array.isArray(written['required']) ? written['required'] : []
  const properties = isMap(written['properties']) ? written['properties'] : {}
  return Object.fromEntries(
    required.map((name) => {
      const schema = Object.hasOwn(properties, String(name))
        ? properties[String(name)]
        : written['additionalProperties']
      return [String(name), below(schema)]
    }),
  )
}

function definition(root: unknown, reference: string): unknown {
  const definitions = isMap(root) ? root['$defs'] : undefined
  const name = reference.slice('#/$defs/'.length).replaceAll('~1', '/').replaceAll('~0', '~')
  return isMap(definitions) && Object.hasOwn(definitions, name) ? definitions[name] : undefined
}

function numberOr(value: unknown, otherwise: number): number {
  return typeof value === 'number' ? value : otherwise
}

function isMap(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
