import type { Comparison, NumberTree, RawModel, Ref, TextTree, Truth, ValueType } from './model.ts'
import type { Random } from './random.ts'

/** Texts with what quoting, patterns and encodings trip over. */
export const texts = [
  'EU',
  'US',
  'eu',
  'EU-west',
  'a*b',
  'a"b',
  "it's",
  'back\\slash',
  'Zürich',
  '',
  '😀',
] as const
/** Parts of texts; some of them occur in some of the texts. */
const parts = ['EU', 'E', '*', '"', '\\', 'st', 'ü', "'s", 'xyz'] as const
const comparisons: readonly Comparison[] = ['==', '!=', '<', '<=', '>', '>=']

/** The first instant of 2026; calls happen in the days around it. */
export const epoch = Date.UTC(2026, 0, 1)
export const dayMs = 86_400_000

/** What conditions may be made of. */
export interface Material {
  readonly refs: readonly Ref[]
  readonly actions: readonly string[]
  readonly agent: string
  /** `shared`: what Cedar can say too. `own`: also what it cannot, such as fractions and going over a list. */
  readonly language: 'shared' | 'own'
}

/** A condition of at most `depth` levels of `&&`, `||`, `!` and `?:`. */
export function generateTruth(random: Random, material: Material, depth: number): Truth {
  if (depth === 0 || random.chance(0.3)) return atom(random, material)
  const part = (): Truth => generateTruth(random, material, depth - 1)
  const kind = random.whole(1, 10)
  if (kind <= 4) return { kind: 'and', left: part(), right: part() }
  if (kind <= 8) return { kind: 'or', left: part(), right: part() }
  if (kind === 9) return { kind: 'not', operand: part() }
  return { kind: 'choice', test: part(), yes: part(), no: part() }
}

function atom(random: Random, material: Material): Truth {
  const made = [compare, compare, compare, flags, sameText, textParts, lists, calls]
  for (;;) {
    const result = random.pick(made)(random, material)
    if (result !== undefined) return result
  }
}

type Maker = (random: Random, material: Material) => Truth | undefined

function of(material: Material, type: ValueType): Ref[] {
  return material.refs.filter((ref) => ref.type === type)
}

const isFact = (ref: Ref): boolean => ref.kind === 'fact'

const compare: Maker = (random, material) => {
  const numbers = of(material, 'number')
  if (numbers.length === 0) return undefined
  // Paths stand on one side only. Of two paths that both carry texts, a comparison would be no error.
  const left = number(random, material, numbers, random.whole(0, 2), 'reads')
  const right = number(random, material, numbers.filter(isFact), random.whole(0, 1), 'may read')
  return { kind: 'compare', operator: random.pick(comparisons), left, right }
}

function number(
  random: Random,
  material: Material,
  refs: readonly Ref[],
  depth: number,
  reading: 'reads' | 'may read',
): NumberTree {
  if (depth === 0) {
    const reads = refs.length > 0 && (reading === 'reads' || random.chance(0.3))
    return reads
      ? { kind: 'read', of: random.pick(refs) }
      : { kind: 'number', value: literal(random, material) }
  }
  const part = (how: 'reads' | 'may read'): NumberTree => number(random, material, refs, depth - 1, how)
  if (random.chance(0.15)) return { kind: 'negate', operand: part(reading) }
  // Of two whole numbers that are written out, the quotient would be whole too: a rule of CEL, not of policies.
  const divides = material.language === 'own' && reading === 'reads' && random.chance(0.2)
  const operator = divides ? '/' : random.pick(['+', '-', '*'] as const)
  return { kind: 'arithmetic', operator, left: part(reading), right: part('may read') }
}

function literal(random: Random, material: Material): number {
  if (material.language === 'own' && random.chance(0.3)) return random.whole(-40, 40) / 4
  return random.whole(-10, 20)
}

const flags: Maker = (random, material) => {
  const all = of(material, 'bool')
  if (all.length === 0) return undefined
  if (random.chance(0.6)) return { kind: 'flag', of: random.pick(all) }
  const facts = all.filter(isFact)
  const right = facts.length > 0 && random.chance(0.4) ? random.pick(facts) : random.chance(0.5)
  return { kind: 'same_flag', negated: random.chance(0.5), left: random.pick(all), right }
}

const sameText: Maker = (random, material) => {
  const all = of(material, 'string')
  if (all.length === 0) return undefined
  const facts = all.filter(isFact)
  const right: TextTree =
    facts.length > 0 && random.chance(0.3)
      ? { kind: 'read', of: random.pick(facts) }
      : { kind: 'text', value: random.pick(texts) }
  return {
    kind: 'same_text',
    negated: random.chance(0.4),
    left: { kind: 'read', of: random.pick(all) },
    right,
  }
}

const textParts: Maker = (random, material) => {
  const all = of(material, 'string')
  if (all.length === 0) return undefined
  const one = random.pick(all)
  if (random.chance(0.4))
    return { kind: 'one_of', item: { kind: 'read', of: one }, list: random.some(texts, 1, 4) }
  const place = random.pick(['startsWith', 'endsWith', 'contains'] as const)
  return { kind: 'part', place, of: one, part: random.pick(parts) }
}

const lists: Maker = (random, material) => {
  const all = [...of(material, 'list<string>'), ...of(material, 'list<number>')]
  if (all.length === 0) return undefined
  const one = random.pick(all)
  if (random.chance(0.2)) return { kind: 'is_empty', of: one }
  if (one.type === 'list<string>') return { kind: 'holds', of: one, item: random.pick(texts) }
  if (material.language === 'own' && random.chance(0.7)) {
    const kind = random.pick(['any_item', 'every_item'] as const)
    return { kind, of: one, operator: random.pick(comparisons), than: random.whole(0, 10) }
  }
  return { kind: 'holds', of: one, item: random.whole(0, 10) }
}

const calls: Maker = (random, material) => {
  const raws = material.refs.filter((ref): ref is RawModel => ref.kind === 'raw')
  switch (random.whole(1, 5)) {
    case 1:
    case 2:
      return raws.length > 0 ? { kind: 'has', of: random.pick(raws) } : undefined
    case 3:
      return {
        kind: 'time',
        operator: random.pick(comparisons),
        at: epoch + random.whole(-2, 2) * dayMs,
      }
    case 4:
      return {
        kind: 'one_of',
        item: { kind: 'of_call', name: 'action' },
        list: random.some(material.actions, 1, 4),
      }
    default:
      return {
        kind: 'same_text',
        negated: random.chance(0.5),
        left: { kind: 'of_call', name: 'agent' },
        right: { kind: 'text', value: random.chance(0.5) ? material.agent : 'another-agent' },
      }
  }
}
