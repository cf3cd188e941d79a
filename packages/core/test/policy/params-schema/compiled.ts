import { compileParamsSchema, type ParamsSchema } from '../../../src/policy/params-schema/compile.ts'

/** The schema, compiled. @throws where it has problems */
export function compiled(written: unknown): ParamsSchema {
  const result = compileParamsSchema(written)
  if (result.kind === 'compiled') return result.schema
  throw new Error(`the schema has problems: ${JSON.stringify(result.problems)}`)
}

/** A schema for parameters with the one member `value`. */
export function ofValue(schema: unknown): ParamsSchema {
  return compiled({ type: 'object', properties: { value: schema } })
}
