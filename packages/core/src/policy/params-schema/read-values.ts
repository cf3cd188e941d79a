import { isJson } from './is-json.ts'
import type { SchemaPath } from './schema-node.ts'
import type { SchemaProblem, SchemaProblemCode } from './schema-problem.ts'

/** A schema as somebody wrote it: keywords and their values. */
export type RawSchema = Readonly<Record<string, unknown>>

/** Reads the plain values of keywords, and gathers what is wrong with them. Reads own members only. */
export class ReadValues {
  readonly problems: SchemaProblem[] = []

  protected problem(path: SchemaPath, code: SchemaProblemCode, message: string, fix: string): void {
    this.problems.push({ path, code, message, fix })
  }

  protected wrong(path: SchemaPath, message: string): void {
    this.problem(path, 'params-schema-wrong-value', message, 'correct the value')
  }

  protected isMap(value: unknown): value is RawSchema {
    return typeof value === 'object' && value !== null && !Array.isArray(value)
  }

  protected number(written: RawSchema, keyword: string, path: SchemaPath): number | undefined {
    if (!Object.hasOwn(written, keyword)) return undefined
    const value = written[keyword]
    if (typeof value === 'number' && Number.isFinite(value)) return value
    this.wrong([...path, keyword], `\`${keyword}\` must be a finite number`)
    return undefined
  }

  protected step(written: RawSchema, path: SchemaPath): number | undefined {
    const value = this.number(written, 'multipleOf', path)
    if (value === undefined || value > 0) return value
    this.wrong([...path, 'multipleOf'], '`multipleOf` must be above 0')
    return undefined
  }

  protected count(written: RawSchema, keyword: string, path: SchemaPath): number | undefined {
    if (!Object.hasOwn(written, keyword)) return undefined
    const value = written[keyword]
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
    this.wrong([...path, keyword], `\`${keyword}\` must be a whole number, 0 or more`)
    return undefined
  }

  protected flag(written: RawSchema, keyword: string, path: SchemaPath): boolean {
    const value = Object.hasOwn(written, keyword) ? written[keyword] : false
    if (typeof value !== 'boolean') this.wrong([...path, keyword], `\`${keyword}\` must be true or false`)
    return value === true
  }

  protected text(written: RawSchema, keyword: string, path: SchemaPath): string | undefined {
    if (!Object.hasOwn(written, keyword)) return undefined
    const value = written[keyword]
    if (typeof value === 'string') return value
    this.wrong([...path, keyword], `\`${keyword}\` must be a text`)
    return undefined
  }

  protected names(written: RawSchema, keyword: string, path: SchemaPath): readonly string[] {
    const value = Object.hasOwn(written, keyword) ? written[keyword] : []
    if (Array.isArray(value) && value.every((name): name is string => typeof name === 'string')) {
      const seen = new Set<string>()
      for (const [at, name] of value.entries()) {
        if (seen.has(name)) this.wrong([...path, keyword, at], `\`${name}\` stands twice in \`${keyword}\``)
        seen.add(name)
      }
      return value
    }
    this.wrong([...path, keyword], `\`${keyword}\` must be a list of names`)
    return []
  }

  protected values(written: RawSchema, path: SchemaPath): readonly unknown[] | undefined {
    if (!Object.hasOwn(written, 'enum')) return undefined
    const value: unknown = written['enum']
    const values: readonly unknown[] = Array.isArray(value) ? value : []
    if (values.length > 0 && isJson(values)) return values
    this.wrong([...path, 'enum'], '`enum` must be a list of at least one value that JSON can carry')
    return undefined
  }

  protected constant(written: RawSchema, path: SchemaPath): { readonly value: unknown } | undefined {
    if (!Object.hasOwn(written, 'const')) return undefined
    const value = written['const']
    if (isJson(value)) return { value }
    this.wrong([...path, 'const'], '`const` must be a value that JSON can carry')
    return undefined
  }
}
