import type { CelProblem } from './syntax.ts'
import { isNumeric, openName, typePhrase } from './types.ts'
import type { CelType, InferredType, OpenType } from './types.ts'

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
    const name = openName(type)
    return name === undefined ? type : (this.#group(name)?.type ?? type)
  }

  /** The type once everything has been learned: `dyn` where the use of a name does not tell. */
  settled(type: OpenType): CelType {
    const known = this.resolve(type)
    if (typeof known !== 'object' || 'record' in known) return known
    if ('open' in known) return 'dyn'
    if ('list' in known) return { list: this.settled(known.list) }
    if ('optional' in known) return { optional: this.settled(known.optional) }
    const map = this.settled(known.map)
    return known.key === undefined ? { map } : { map, key: this.settled(known.key) }
  }

  /**
   * The one type that both are, learning from the one about the other; undefined where they are unlike. Whole
   * numbers and numbers are numbers together; with `dyn` nothing is known before run time.
   */
  agree(left: OpenType, right: OpenType, offset: number): OpenType | undefined {
    const [a, b] = [this.resolve(left), this.resolve(right)]
    const [openA, openB] = [openName(a), openName(b)]
    if (openA !== undefined) return this.#learn(openA, b, offset)
    if (openB !== undefined) return this.#learn(openB, a, offset)
    if (a === 'dyn' || b === 'dyn') return 'dyn'
    if (isNumeric(a) && isNumeric(b)) return a === b ? a : 'number'
    if (typeof a !== 'object' || typeof b !== 'object') return a === b ? a : undefined
    if ('list' in a && 'list' in b) {
      const item = this.agree(a.list, b.list, offset)
      return item === undefined ? undefined : { list: item }
    }
    if ('record' in a || 'record' in b) return agreeRecords(a, b)
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
    const sameName = openName(type)
    if (sameName !== undefined) {
      const other = this.#group(sameName)
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

/** Records of one shape are of one type; a record and a map, or another record, are a map of anything. */
function agreeRecords(a: OpenType, b: OpenType): OpenType | undefined {
  if (a === b) return a
  const mapLike = (type: OpenType): boolean => typeof type === 'object' && ('record' in type || 'map' in type)
  return mapLike(a) && mapLike(b) ? { map: 'dyn' } : undefined
}
