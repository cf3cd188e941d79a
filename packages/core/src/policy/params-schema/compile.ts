import type { FactType } from '../../model/policy.ts'
import { schemaCompiler } from './accepts.ts'
import {
  boundsAt,
  limitsAt,
  namesAt,
  presenceAt,
  typeAt,
  type Presence,
  type SizeBounds,
  type ValueLimits,
} from './described.ts'
import { readSchema } from './read-schema.ts'
import type { SchemaProblem } from './schema-problem.ts'
import { violations, type ParamsProblem } from './violations.ts'

/** The schema of an action's parameters, compiled; immutable, and without state of its own. */
export interface ParamsSchema {
  /** Whether the parameters fit. What JSON cannot carry, such as NaN, never fits. */
  accepts(params: unknown): boolean
  /** Why they do not, at most 20 reasons; empty exactly where `accepts` says yes. */
  problems(params: unknown): readonly ParamsProblem[]
  /** The type of the member at `path` wherever accepted parameters have one; undefined where it varies. */
  typeOf(path: readonly string[]): FactType | undefined
  /** How large the member at `path` can be in accepted parameters. */
  bounds(path: readonly string[]): SizeBounds
  /** Which numbers and values the member at `path` can be. */
  limits(path: readonly string[]): ValueLimits
  /** Whether accepted parameters have a member at `path`. */
  presence(path: readonly string[]): Presence
  /** The members that the schema names at `path`, for suggestions. */
  names(path: readonly string[]): readonly string[]
}

/** What became of a parameter schema. */
export type CompiledParamsSchema =
  | { readonly kind: 'compiled'; readonly schema: ParamsSchema }
  | { readonly kind: 'invalid'; readonly problems: readonly SchemaProblem[] }

/**
 * Compiles the JSON Schema of an action's parameters: a subset of draft 2020-12 in which every keyword is either
 * enforced, an annotation, or a problem. Reports every problem at once; never throws for what a schema may contain.
 */
export function compileParamsSchema(written: unknown): CompiledParamsSchema {
  const { node, problems } = readSchema(written)
  if (problems.length > 0) return { kind: 'invalid', problems }
  const checkOf = schemaCompiler()
  const accepts = checkOf(node)
  return {
    kind: 'compiled',
    schema: {
      accepts,
      problems: (params) => (accepts(params) ? [] : violations(node, params, checkOf)),
      typeOf: (path) => typeAt(node, path),
      bounds: (path) => boundsAt(node, path),
      limits: (path) => limitsAt(node, path),
      presence: (path) => presenceAt(node, path),
      names: (path) => namesAt(node, path),
    },
  }
}
