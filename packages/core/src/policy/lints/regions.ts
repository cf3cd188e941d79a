import { both, isNothing, outside, type ValueSet } from './value-sets.ts'

/** What several names may be at once. A name that is not in it may be anything. */
export type Box = ReadonlyMap<string, ValueSet>

/** Boxes of which one holds; undefined: too many to be told. No box: never. */
export type Region = readonly Box[] | undefined

/** How many boxes a region may have, and how many steps one comparison of two may take. */
const boxesMax = 64
const stepsMax = 2000

/** Holds always. */
export const always: readonly Box[] = [new Map()]
/** Holds never. */
export const never: readonly Box[] = []

/** One name is in a set. */
export function oneOf(name: string, set: ValueSet): readonly Box[] {
  return isNothing(set) ? never : [new Map([[name, set]])]
}

/** All regions at once. */
export function all(regions: readonly Region[]): Region {
  return regions.reduce<Region>((left, right) => {
    if (left === undefined || right === undefined) return undefined
    return bounded(left.flatMap((one) => right.flatMap((other) => meeting(one, other))))
  }, always)
}

/** One of the regions at least. */
export function any(regions: readonly Region[]): Region {
  return regions.reduce<Region>(
    (left, right) => (left === undefined || right === undefined ? undefined : bounded([...left, ...right])),
    never,
  )
}

/** The part of a region that lies in a box. */
export function within(region: Region, box: Box): Region {
  return all([region, [box]])
}

/** Whether nothing is in the region; false where that cannot be told. */
export function isNever(region: Region): boolean {
  return region !== undefined && region.length === 0
}

/** How many more steps comparisons of regions may take together. */
export interface Effort {
  left: number
}

/** Whether `inner` lies in `outer` altogether; false where that cannot be told, or only with more effort. */
export function isWithin(inner: Region, outer: Region, effort: Effort = { left: stepsMax }): boolean {
  if (inner === undefined || outer === undefined) return false
  const own = { left: Math.min(effort.left, stepsMax) }
  const before = own.left
  const result = inner.every((box) => isCovered(box, outer, own))
  effort.left -= before - own.left
  return result
}

// Takes one box away from what is left, and looks at each remaining part by itself.
function isCovered(box: Box, outer: readonly Box[], effort: Effort): boolean {
  effort.left -= 1
  const [first, ...rest] = outer
  if (first === undefined || effort.left < 0) return false
  let inside = box
  for (const [name, set] of first) {
    const apart = meeting(inside, new Map([[name, outside(set)]]))
    if (!apart.every((part) => isCovered(part, rest, effort))) return false
    const [shared] = meeting(inside, new Map([[name, set]]))
    if (shared === undefined) return true
    inside = shared
  }
  return true
}

/** What is in both boxes: one box, or none. */
function meeting(one: Box, other: Box): readonly Box[] {
  const shared = new Map(one)
  for (const [name, set] of other) {
    const before = shared.get(name)
    const met = before === undefined ? set : both(before, set)
    if (isNothing(met)) return []
    shared.set(name, met)
  }
  return [shared]
}

function bounded(boxes: readonly Box[]): Region {
  return boxes.length > boxesMax ? undefined : boxes
}
