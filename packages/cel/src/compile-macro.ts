import { itemOf, standardValue } from './compile-access.ts'
import { compileBool } from './compile-context.ts'
import { compileListed } from './compile-binary.ts'
import type { CompileContext } from './compile-context.ts'
import { whyNotJson } from './admit.ts'
import { exhausted } from './frame.ts'
import type { Evaluate, Frame, Outcome } from './frame.ts'
import { isList, isMap, keyOf, keysOf, memberOf, phraseOf } from './kinds.ts'
import { labelOf } from './label.ts'
import { listLengthMax, nodesPerStep } from './limits.ts'
import { sizeOfTree } from './syntax.ts'
import type { BindNode, MacroNode } from './syntax.ts'
import { CelFailure, CelOptional } from './value.ts'
import type { CelMap, CelMapKey, CelValue } from './value.ts'

/** `range.macro(variables, test, step)`. */
export function compileMacro(node: MacroNode, context: CompileContext): Evaluate {
  if (node.macro === 'optMap' || node.macro === 'optFlatMap') return compileOptional(node, context)
  const range = compileListed(node.range, context)
  const names = node.second === undefined ? [node.variable] : [node.variable, node.second]
  return context.within(names, ([first = 0, second]) => {
    const item = context.dialect.policy ? itemOf : standardItem
    const walk = walker({ node, range, item, first, second, weight: roundSteps(node) })
    const test = node.test === undefined ? undefined : compileBool(node.test, context)
    const step = node.step === undefined ? undefined : context.compile(node.step)
    return fold(node, walk, test, step, first)
  })
}

/** Visits what a macro goes over, with the variables set, until a visit says stop. A failure ends the walk. */
type Walk = (frame: Frame, visit: Visit) => CelFailure | undefined

interface Path {
  readonly node: MacroNode
  readonly range: Evaluate
  /** An item as expressions hold it; undefined where it can't be one. */
  readonly item: (item: unknown) => CelValue | undefined
  readonly first: number
  readonly second: number | undefined
  /** The steps that one round takes. */
  readonly weight: number
}

/** The steps of one round, besides what the parts of the body charge for themselves. */
export function roundSteps({ test, step }: MacroNode): number {
  const size = (test === undefined ? 0 : sizeOfTree(test)) + (step === undefined ? 0 : sizeOfTree(step))
  return Math.max(1, Math.ceil(size / nodesPerStep))
}

type Visit = (frame: Frame) => 'stop' | undefined

function walker(path: Path): Walk {
  const { node, range } = path
  return (frame, visit) => {
    const over = range(frame)
    if (isList(over)) return walkList(path, over, frame, visit)
    if (isMap(over)) return walkMap(path, over, frame, visit)
    if (over instanceof CelFailure) return over
    return new CelFailure(`${labelOf(node.range)} is ${phraseOf(over)}, not a list or map`)
  }
}

function walkList(path: Path, list: readonly CelValue[], frame: Frame, visit: Visit): CelFailure | undefined {
  const { first, second, weight } = path
  if (!frame.chargeItems(list.length)) return exhausted
  for (let index = 0; index < list.length; index++) {
    if (!frame.charge(weight)) return exhausted
    const item = path.item(list[index])
    if (item === undefined) return foreign(path, list[index])
    if (second === undefined) frame.slots[first] = item
    else {
      frame.slots[first] = BigInt(index)
      frame.slots[second] = item
    }
    if (visit(frame) === 'stop') break
  }
  return frame.steps < 0 ? exhausted : undefined
}

function walkMap(path: Path, map: CelMap, frame: Frame, visit: Visit): CelFailure | undefined {
  const { first, second, weight } = path
  const keys = keysOf(map)
  if (!frame.chargeItems(keys.length)) return exhausted
  for (const key of keys) {
    if (!frame.charge(weight)) return exhausted
    frame.slots[first] = key
    if (second !== undefined) {
      const value = path.item(memberOf(map, key))
      if (value === undefined) return foreign(path, memberOf(map, key))
      frame.slots[second] = value
    }
    if (visit(frame) === 'stop') break
  }
  return frame.steps < 0 ? exhausted : undefined
}

function foreign({ node }: Path, item: unknown): CelFailure {
  return new CelFailure(`${labelOf(node.range)} has an item that ${whyNotJson(item)}`)
}

function standardItem(item: unknown): CelValue | undefined {
  const value = standardValue(item)
  return value instanceof CelFailure ? undefined : value
}

function fold(
  node: MacroNode,
  walk: Walk,
  test: Evaluate | undefined,
  step: Evaluate | undefined,
  first: number,
): Evaluate {
  const item: Evaluate = (frame) => frame.slots[first] ?? null
  const always: Evaluate = () => true
  switch (node.macro) {
    case 'all':
      return quantifier(walk, test ?? always, false)
    case 'exists':
      return quantifier(walk, test ?? always, true)
    case 'exists_one':
      return counter(walk, test ?? always)
    case 'filter':
      return collector(node, walk, test, item)
    case 'map':
    case 'transformList':
      return collector(node, walk, test, step ?? item)
    default:
      return mapper(node, walk, test, step ?? item, first)
  }
}

/** `exists` is settled by true, `all` by false, whatever errors came before; otherwise the first error is the result. */
function quantifier(walk: Walk, test: Evaluate, settledBy: boolean): Evaluate {
  return (frame) => {
    let result: Outcome = !settledBy
    const failure = walk(frame, (inner) => {
      const one = test(inner)
      if (one === settledBy) {
        result = one
        return 'stop'
      }
      if (result === !settledBy) result = one
      return undefined
    })
    return failure ?? result
  }
}

/** Every error counts: what was not tested may be one more. */
function counter(walk: Walk, test: Evaluate): Evaluate {
  return (frame) => {
    let count = 0
    let failed: CelFailure | undefined
    const failure = walk(frame, (inner) => {
      const one = test(inner)
      if (one === true) count += 1
      if (!(one instanceof CelFailure)) return undefined
      failed = one
      return 'stop'
    })
    return failure ?? failed ?? count === 1
  }
}

function collector(node: MacroNode, walk: Walk, test: Evaluate | undefined, step: Evaluate): Evaluate {
  return (frame) => {
    const list: CelValue[] = []
    let failed: CelFailure | undefined
    const failure = walk(frame, (inner) => {
      const wanted = test === undefined ? true : test(inner)
      if (wanted === false) return undefined
      const value = wanted instanceof CelFailure ? wanted : step(inner)
      if (value instanceof CelFailure) failed = value
      else if (list.length >= listLengthMax)
        failed = new CelFailure(`${labelOf(node)} makes a list that is too long`)
      else list.push(value)
      return failed === undefined ? undefined : 'stop'
    })
    return failure ?? failed ?? list
  }
}

function mapper(
  node: MacroNode,
  walk: Walk,
  test: Evaluate | undefined,
  step: Evaluate,
  first: number,
): Evaluate {
  const entries = node.macro === 'transformMapEntry'
  return (frame) => {
    const map = new Map<CelMapKey, CelValue>()
    let failed: CelFailure | undefined
    const failure = walk(frame, (inner) => {
      const wanted = test === undefined ? true : test(inner)
      if (wanted === false) return undefined
      const at = inner.slots[first]
      const key = at instanceof CelFailure ? undefined : keyOf(at ?? null)
      const value = wanted instanceof CelFailure ? wanted : step(inner)
      if (value instanceof CelFailure) failed = value
      else if (entries) failed = addEntries(node, map, value)
      else if (key !== undefined) map.set(key, value)
      return failed === undefined ? undefined : 'stop'
    })
    return failure ?? failed ?? map
  }
}

function addEntries(node: MacroNode, map: Map<CelMapKey, CelValue>, value: CelValue): CelFailure | undefined {
  if (!isMap(value)) return new CelFailure(`${labelOf(node)} makes ${phraseOf(value)}, not entries of a map`)
  for (const key of keysOf(value)) {
    if (map.has(key)) return new CelFailure(`${labelOf(node)} has a key twice`)
    map.set(key, memberOf(value, key) ?? null)
  }
  return undefined
}

/** `optional.optMap(variable, step)`: what is made of the value, where there is one. */
function compileOptional(node: MacroNode, context: CompileContext): Evaluate {
  const range = context.compile(node.range)
  const absent = new CelOptional(undefined)
  return context.within([node.variable], ([slot = 0]) => {
    const step = node.step === undefined ? undefined : context.compile(node.step)
    return (frame) => {
      const held = range(frame)
      if (held instanceof CelFailure) return held
      if (!(held instanceof CelOptional))
        return new CelFailure(`${labelOf(node.range)} is ${phraseOf(held)}, not an optional`)
      if (held.value === undefined || step === undefined) return absent
      frame.slots[slot] = held.value
      const value = step(frame)
      if (value instanceof CelFailure || node.macro === 'optFlatMap') return value
      return new CelOptional(value)
    }
  })
}

/** `cel.bind(variable, value, body)`: the value is evaluated once; its failure is one where the body asks for it. */
export function compileBind(node: BindNode, context: CompileContext): Evaluate {
  const value = context.compile(node.value)
  return context.within([node.variable], ([slot = 0]) => {
    const body = context.compile(node.body)
    return (frame) => {
      const bound = value(frame)
      frame.slots[slot] = bound
      return body(frame)
    }
  })
}
