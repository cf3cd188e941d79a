import type { ParamsSchema } from '../model/policy.ts'

/** What became of the JSON Schema of an action's parameters. */
export type CompiledParamsSchema =
  | { readonly kind: 'compiled'; readonly schema: ParamsSchema }
  | {
      readonly kind: 'invalid'
      readonly problems: readonly {
        readonly path: readonly (string | number)[]
        readonly message: string
        readonly fix: string
      }[]
    }

/** Compiles the JSON Schema of an action's parameters. Nothing here enforces one yet, so each is refused. */
export function compileParamsSchema(_written: unknown): CompiledParamsSchema {
  const message = '`params` is not enforced by this version'
  const fix = 'remove it: a policy must not promise what nothing enforces'
  return { kind: 'invalid', problems: [{ path: [], message, fix }] }
}
