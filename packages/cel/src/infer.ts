import type { CelProblem } from './syntax.ts'
import { isNumeric, typePhrase } from './types.ts'
import type { InferredType, OpenType } from './types.ts'

interface OpenName {
  readonly name: string
  readonly offset: number
  /** The name that stands for the group of names known to be of one type; itself for a group of one. */
  group: string
  type: InferredType | undefined
  troubled: boolean
}

/** The types of undeclared names, learned from their uses. */
export class Inference {
  readonly #names = new Map<string, OpenName>()
  readonly #report: (problem: CelProblem) => void

  constructor(report: (problem: CelProblem) => void) {
    this.#report = report
  }

  /** The type of an undeclared name at one of its uses. */
  typeOf(name: string, offset: number): OpenType {
    if (!this.#names.has(name))
      this.#names.set(name, { name, offset, group: name, type: undefined, troubled: false })
    return { open: name }
  }

  /** The type as far as it is known by now. */
  resolve(type: OpenType): OpenType {
    if (typeof type !== 'object' || !('open' in type)) return type
    return this.#group(type.open)?.type ?? type
  }

  /**
   * The one type that both are, learning from the one about the other; undefined where they are unlike. Whole
   * numbers and numbers are numbers together; with `dyn` nothing is known before run time.
   */
  agree(left: OpenType, right: OpenType, offset: number): OpenType | undefined {
    const [a, b] = [this.resolve(left), this.resolve(right)]
    if (typeof a === 'object' && 'open' in a) return this.#learn(a.open, b, offset)
    if (typeof b === 'object' && 'open' in b) return this.#learn(b.open, a, offset)
    if (a === 'dyn' || b === 'dyn') return 'dyn'
    if (isNumeric(a) && isNumeric(b)) return a === b ? a : 'number'
    if (typeof a !== 'object' || typeof b !== 'object') return a === b ? a : undefined
    if ('list' in a && 'list' in b) {
      const item = this.agree(a.list, b.list, offset)
      return item === undefined ? undefined : { list: item }
    }
    if (!('map' in a) || !('map' in b)) return undefined
    const value = this.agree(a.map, b.map, offset)
    return value === undefined ? undefined : { map: value }
  }

  /** What was learned, reporting every name whose use does not tell. */
  settle(): ReadonlyMap<string, InferredType> {
    const settled = new Map<string, InferredType>()
    for (const { name, offset } of this.#names.values()) {
      const group = this.#group(name)
      if (group?.type !== undefined) {
        settled.set(name, group.type)
      } else if (group?.troubled !== true) {
        const message = `the type of \`${name}\` cannot be told from its use`
        this.#report({ offset, message, fix: `declare \`${name}\` with its type` })
      }
    }
    return settled
  }

  #learn(name: string, type: OpenType, offset: number): OpenType | undefined {
    const group = this.#group(name)
    if (group === undefined || type === 'dyn') return { open: name }
    if (typeof type === 'object' && 'open' in type) {
      const other = this.#group(type.open)
      if (other !== undefined) other.group = group.name
      return { open: name }
    }
    if (isNumeric(type)) group.type = 'number'
    else if (type === 'bool' || type === 'string') group.type = type
    else if (!group.troubled) {
      group.troubled = true
      const message = `\`${name}\` is used as ${typePhrase(type)}, and only a number, a bool or a string can be told from use`
      this.#report({ offset, message, fix: `declare \`${name}\` with its type` })
    }
    return group.troubled ? 'dyn' : group.type
  }

  #group(name: string): OpenName | undefined {
    let found = this.#names.get(name)
    while (found !== undefined && found.group !== found.name) found = this.#names.get(found.group)
    return found
  }
}
