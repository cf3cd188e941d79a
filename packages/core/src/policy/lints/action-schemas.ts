import type { SizeBounds } from '@bailiwick/cel'
import type { FactDeclaration, FactType, NamePattern } from '../../model/policy.ts'
import type { Presence, ValueLimits } from '../params-schema/described.ts'
import { compileParamsSchema, type ParamsSchema } from '../params-schema/compile.ts'
import { namePattern } from '../pattern.ts'
import type { PolicySource } from '../sources.ts'
import type { CallableActions } from './callable-actions.ts'

interface PatternSchema {
  readonly pattern: NamePattern
  readonly schema: ParamsSchema
}

/** What the parameter schemas of a policy say of the parameters of its actions. All entries that cover one hold. */
export class ActionSchemas {
  readonly #schemas: readonly PatternSchema[]
  readonly #byAction = new Map<string, readonly ParamsSchema[]>()

  /** Schemas that are wrong are left out: they are reported where the actions are compiled. */
  constructor(sources: readonly PolicySource[]) {
    this.#schemas = sources.flatMap(({ content }) =>
      Object.entries(content.actions ?? {}).flatMap(([text, { params }]) => {
        const compiled = params === undefined ? undefined : compileParamsSchema(params)
        return compiled?.kind === 'compiled' ? [{ pattern: namePattern(text), schema: compiled.schema }] : []
      }),
    )
  }

  /** Whether any action has a schema. */
  get any(): boolean {
    return this.#schemas.length > 0
  }

  /** Whether the parameters of an action have a schema. */
  has(action: string): boolean {
    return this.#of(action).length > 0
  }

  /** Whether calls of an action that get through have a parameter at `path`; `sometimes` where nothing is known. */
  presence(action: string, path: readonly string[]): Presence {
    const said = this.#of(action).map((schema) => schema.presence(path))
    if (said.includes('never')) return 'never'
    return said.includes('always') ? 'always' : 'sometimes'
  }

  /** The type of the parameter at `path`, where all that get through have that one. */
  typeOf(action: string, path: readonly string[]): FactType | undefined {
    return this.#of(action)
      .map((schema) => schema.typeOf(path))
      .find((type) => type !== undefined)
  }

  /** Which values the parameter at `path` can have, by each of the schemas that hold. */
  limits(action: string, path: readonly string[]): readonly ValueLimits[] {
    return this.#of(action).map((schema) => schema.limits(path))
  }

  /** The parameters that schemas name at `path`. */
  names(action: string, path: readonly string[]): readonly string[] {
    return this.#of(action).flatMap((schema) => schema.names(path))
  }

  /** How large facts are at most, where every action for which they exist has a schema that says so. */
  factBounds(
    facts: ReadonlyMap<string, FactDeclaration>,
    callable: CallableActions,
  ): ReadonlyMap<string, SizeBounds> {
    const bounds = new Map<string, SizeBounds>()
    for (const fact of facts.values()) {
      const isKnown = !callable.isOpen || fact.for?.every(({ exact }) => exact) === true
      const actions = callable.withFact(fact)
      if (fact.source !== 'params' || !isKnown || actions.length === 0) continue
      bounds.set(fact.name, this.#largest(actions, fact.path))
    }
    return bounds
  }

  #largest(actions: readonly string[], path: readonly string[]): SizeBounds {
    const each = actions.map((action) => this.#boundsAt(action, path))
    // Schemas count characters, and conditions the units of UTF-16, of which one may need two.
    const length = largest(each.map((one) => (one.length === undefined ? undefined : one.length * 2)))
    return { length, items: largest(each.map(({ items }) => items)) }
  }

  #boundsAt(action: string, path: readonly string[]): SizeBounds {
    const said = this.#of(action).map((schema) => schema.bounds(path))
    return {
      length: said.map((bounds) => bounds.length).find((length) => length !== undefined),
      items: said.map((bounds) => bounds.items).find((items) => items !== undefined),
    }
  }

  #of(action: string): readonly ParamsSchema[] {
    const known = this.#byAction.get(action)
    if (known !== undefined) return known
    const found = this.#schemas.filter(({ pattern }) => pattern.matches(action)).map(({ schema }) => schema)
    this.#byAction.set(action, found)
    return found
  }
}

// One action without a limit, and there is none.
function largest(limits: readonly (number | undefined)[]): number | undefined {
  return limits.reduce((most, limit) =>
    most === undefined || limit === undefined ? undefined : Math.max(most, limit),
  )
}
