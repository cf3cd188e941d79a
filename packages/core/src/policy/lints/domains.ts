import type { Json } from '../../model/json.ts'
import type { CompiledPolicy, FactDeclaration, FactType } from '../../model/policy.ts'
import type { ValueLimits } from '../params-schema/described.ts'
import { existsFor } from '../readers.ts'
import type { ActionSchemas } from './action-schemas.ts'
import type { Subject } from './atoms.ts'
import { plainlyTrue, regionOf, subjectsOf } from './condition-region.ts'
import { all, always, type Region } from './regions.ts'
import { both, bools, everything, numbers, texts, withFailing, type ValueSet } from './value-sets.ts'

/** What names can be in calls that get as far as the rules. */
export class Domains {
  readonly #policy: CompiledPolicy
  readonly #schemas: ActionSchemas
  readonly #regions = new Map<string, Region>()

  constructor(policy: CompiledPolicy, schemas: ActionSchemas) {
    this.#policy = policy
    this.#schemas = schemas
  }

  /**
   * All that can be told of the subjects in calls of an action; `undefined` stands for one that nobody has named. It
   * is never too narrow.
   */
  of(action: string | undefined, subjects: Iterable<Subject>): Region {
    const box = new Map([...subjects].map((subject) => [subject.key, this.setOf(subject, action)]))
    if (action === undefined) return [box]
    return all([[box], this.#permitted(action)]) ?? [box]
  }

  // What the `when` of an action lets through.
  #permitted(action: string): Region {
    const known = this.#regions.get(action)
    if (known !== undefined) return known
    const { facts, actions } = this.#policy
    const conditions = actions.flatMap(({ pattern, when }) =>
      when !== undefined && pattern.matches(action) ? [when] : [],
    )
    const asked = conditions.flatMap((condition) => subjectsOf(condition, facts))
    const box = new Map(asked.map((subject) => [subject.key, this.setOf(subject, action)]))
    const regions = conditions.map((condition) => regionOf(condition, plainlyTrue, facts) ?? always)
    const permitted = all([[box], ...regions]) ?? [box]
    this.#regions.set(action, permitted)
    return permitted
  }

  /** Whether anything is told of any of the subjects in calls of an action, beyond what their types tell. */
  narrows(action: string, subjects: readonly Subject[]): boolean {
    const { actions, environments } = this.#policy
    const says = ({ pattern, params, when, environments: own }: CompiledPolicy['actions'][number]): boolean =>
      (params !== undefined || when !== undefined || own !== undefined) && pattern.matches(action)
    if (environments !== undefined || actions.some(says)) return true
    return subjects.some(({ key, read }) => read.from === 'size' || key === 'action' || key === 'agent')
  }

  /** What one subject can be in calls of an action. */
  setOf(subject: Subject, action: string | undefined): ValueSet {
    const { read, kind } = subject
    switch (read.from) {
      case 'anything':
        return everything(kind)
      case 'size':
        return numbers([{ low: 0, high: Infinity, lowOpen: false, highOpen: true }], {
          whole: true,
          failing: true,
        })
      case 'path':
        return this.#pathSet(kind, read.path, action)
      case 'name':
        return this.#nameSet(kind, read.name, action)
      default:
        return read
    }
  }

  #nameSet(kind: ValueSet['kind'], name: string, action: string | undefined): ValueSet {
    if (name === 'action' && action !== undefined) return texts([action])
    if (name === 'env') return this.#environments(action)
    if (name === 'agent') return this.#agents()
    const fact = this.#policy.facts.get(name)
    if (fact === undefined || action === undefined) return everything(kind)
    if (!existsFor(fact, action)) return noValue(kind)
    if (fact.source !== 'params') return everything(kind)
    const limited = this.#pathSet(kind, ['params', ...fact.path], action)
    return fact.default === undefined ? limited : withDefault(limited, fact, this.#isSafe(fact, action))
  }

  // A call that gets through has it, and of the right type.
  #isSafe(fact: FactDeclaration, action: string): boolean {
    return (
      this.#schemas.presence(action, fact.path) !== 'never' &&
      this.#schemas.typeOf(action, fact.path) === fact.type
    )
  }

  #pathSet(kind: ValueSet['kind'], [root, ...path]: readonly string[], action: string | undefined): ValueSet {
    if (root !== 'params' || action === undefined) return everything(kind)
    const ofKind = typeOfKind(kind) === this.#schemas.typeOf(action, path)
    const sure = ofKind && this.#schemas.presence(action, path) === 'always'
    const limited = this.#schemas
      .limits(action, path)
      .map((limits) => limitedSet(kind, limits))
      .reduce(both, everything(kind))
    return withFailing(limited, !sure)
  }

  // Where the policy or the action says where it may run, calls elsewhere are denied before any rule.
  #environments(action: string | undefined): ValueSet {
    const { environments, actions } = this.#policy
    const lists = actions
      .filter(({ pattern }) => action !== undefined && pattern.matches(action))
      .flatMap((entry) => (entry.environments === undefined ? [] : [entry.environments]))
    return [...(environments === undefined ? [] : [environments.names]), ...lists]
      .map((names) => texts(names))
      .reduce(both, everything('texts'))
  }

  #agents(): ValueSet {
    const { agents } = this.#policy
    return agents.every(({ exact }) => exact) ? texts(agents.map(({ text }) => text)) : everything('texts')
  }
}

function limitedSet(kind: ValueSet['kind'], limits: ValueLimits): ValueSet {
  const { values } = limits
  switch (kind) {
    case 'numbers': {
      const { low = -Infinity, high = Infinity, lowOpen, highOpen, whole } = limits
      const interval = {
        low,
        high,
        lowOpen: lowOpen || low === -Infinity,
        highOpen: highOpen || high === Infinity,
      }
      const range = numbers([interval], { whole, failing: true })
      const points = values?.filter((value) => typeof value === 'number')
      const listed = points?.map((value) => ({ low: value, high: value, lowOpen: false, highOpen: false }))
      return listed === undefined
        ? range
        : both(
            range,
            numbers(
              [...listed].sort((a, b) => a.low - b.low),
              { failing: true },
            ),
          )
    }
    case 'texts':
      return values === undefined
        ? everything(kind)
        : texts(
            values.filter((value) => typeof value === 'string'),
            true,
          )
    case 'bools':
      return values === undefined
        ? everything(kind)
        : bools(
            values.filter((value) => typeof value === 'boolean'),
            true,
          )
    default:
      return kind
  }
}

function typeOfKind(kind: ValueSet['kind']): FactType {
  return kind === 'numbers' ? 'number' : kind === 'texts' ? 'string' : 'bool'
}

function noValue(kind: ValueSet['kind']): ValueSet {
  return withFailing(kind === 'numbers' ? numbers([]) : kind === 'texts' ? texts([]) : bools([]), true)
}

function withDefault(set: ValueSet, fact: FactDeclaration, isSafe: boolean): ValueSet {
  const failing = set.failing && !isSafe
  // A value of its own beside those that the schema admits.
  return withFailing(set.failing ? joined(set, fact.default) : set, failing)
}

function joined(set: ValueSet, value: Json | undefined): ValueSet {
  switch (set.kind) {
    case 'numbers':
      return typeof value === 'number' ? everything('numbers') : set
    case 'texts':
      if (typeof value !== 'string') return set
      return set.others ? everything('texts') : texts([...set.listed, value])
    case 'bools':
      return value === true ? { ...set, yes: true } : { ...set, no: true }
    default:
      return set
  }
}
