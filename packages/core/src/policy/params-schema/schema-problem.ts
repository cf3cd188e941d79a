import type { SchemaPath } from './schema-node.ts'

/** Something wrong in a parameter schema. */
export interface SchemaProblem {
  /** Where in the schema: names and indices from its root; the keyword itself where one is meant. */
  readonly path: SchemaPath
  /** Stable and in kebab case, for machines. */
  readonly code: SchemaProblemCode
  /** One sentence: what is wrong. */
  readonly message: string
  /** One sentence: what to do. */
  readonly fix: string
}

/** What kind of problem it is. */
export type SchemaProblemCode =
  | 'params-schema-unknown-keyword'
  | 'params-schema-unknown-name'
  | 'params-schema-wrong-value'
  | 'params-schema-no-effect'
  | 'params-schema-unsatisfiable'
  | 'params-schema-reference'
  | 'params-schema-too-large'
