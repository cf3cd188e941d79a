import type { Json, JsonObject } from '../../src/index.ts'
import type { Example, WrittenCall, WrittenRule } from './examples.ts'
import type { Random } from './random.ts'

/** Where a fact's value stands in a call. */
export interface Place {
  readonly root: 'params' | 'context'
  readonly path: readonly string[]
}

/** The place that a path such as `params.order.total` names; undefined where it names something else. */
export function placeOf(from: string): Place | undefined {
  const [root, ...path] = from.split('.')
  if ((root !== 'params' && root !== 'context') || path.length === 0) return undefined
  return { root, path }
}

/** Every fact that the rule's condition names, declared or made up, with what is expected of it. */
export function factsOf(
  example: Example,
  rule: WrittenRule,
): { name: string; type: string | undefined; place: Place; filled: Json | undefined }[] {
  // Without a `facts` block, a name stands for the parameter of that name.
  const names = namesIn(rule.condition)
  return names.flatMap((name) => {
    const fact = example.facts?.[name]
    if (example.facts !== undefined && fact === undefined) return []
    const place = placeOf(fact?.from ?? `params.${name}`)
    return place === undefined ? [] : [{ name, type: fact?.type, place, filled: fact?.default }]
  })
}

/** Every path that a condition reads without a fact, such as `params.order.total`. */
export function pathsIn(condition: string): Place[] {
  const paths = [...condition.matchAll(/\b(params|context)((?:\.[A-Za-z_]\w*)+)(?!\w*\()/g)].map(
    ([text]) => text,
  )
  return [...new Set(paths)].flatMap((text) => placeOf(text) ?? [])
}

const ownNames = new Set([
  'params',
  'context',
  'agent',
  'action',
  'now',
  'in',
  'true',
  'false',
  'null',
  'session',
  'env',
  'roles',
  'approval',
])

function namesIn(condition: string): string[] {
  const bare = condition.replace(/"(\\.|[^"\\])*"|'(\\.|[^'\\])*'/g, '""')
  const found = [...bare.matchAll(/(?<![\w.])([A-Za-z_]\w*)(?![\w(])/g)].map(([, name = '']) => name)
  return [...new Set(found)].filter((name) => !ownNames.has(name))
}

/** The call with another value at a place, or with nothing there where `value` is undefined. */
export function withValue(call: WrittenCall, { root, path }: Place, value: Json | undefined): WrittenCall {
  return { ...call, [root]: put(call[root], path, value) }
}

function put(map: JsonObject, [name = '', ...rest]: readonly string[], value: Json | undefined): JsonObject {
  const { [name]: before, ...others } = map
  if (rest.length > 0) {
    const inner =
      typeof before === 'object' && before !== null && !Array.isArray(before) ? (before as JsonObject) : {}
    return { ...others, [name]: put(inner, rest, value) }
  }
  return value === undefined ? others : { ...others, [name]: value }
}

/**
 * Calls that a rule may speak of: those of the policy's own tests, then random ones made of what the condition
 * mentions. They only have to be many and various: what they are used for says so where they are not.
 */
export function* callsFor(example: Example, rule: WrittenRule, random: Random): Generator<WrittenCall> {
  yield* example.calls
  const mentioned: Mentioned = {
    actions: [rule.on ?? example.allowed].flat(),
    paths: pathsIn(rule.condition),
    facts: factsOf(example, rule),
    literals: literalsIn(rule.condition),
  }
  for (let made = 0; made < 2_000; made++) yield sampledCall(mentioned, random)
}

/** What calls for a rule are made of. */
interface Mentioned {
  readonly actions: readonly string[]
  readonly paths: readonly Place[]
  readonly facts: ReturnType<typeof factsOf>
  readonly literals: Literals
}

function sampledCall({ actions, paths, facts, literals }: Mentioned, random: Random): WrittenCall {
  let call: WrittenCall = {
    action: random.pick(actions).replaceAll('*', 'x'),
    params: {},
    context: {},
    now: Date.UTC(2026, 0, random.whole(1, 28), random.whole(0, 23)),
  }
  for (const place of paths) {
    if (random.chance(0.9)) call = withValue(call, place, anyValue(random, undefined, literals))
  }
  for (const { type, place } of facts) {
    if (random.chance(0.95)) call = withValue(call, place, anyValue(random, type, literals))
  }
  return call
}

interface Literals {
  readonly numbers: readonly number[]
  readonly texts: readonly string[]
}

function literalsIn(condition: string): Literals {
  const texts = [...condition.matchAll(/"((?:\\.|[^"\\])*)"|'((?:\\.|[^'\\])*)'/g)].map(
    ([, a, b]) => a ?? b ?? '',
  )
  const numbers = [...condition.matchAll(/(?<![\w.])\d+(\.\d+)?/g)].map(([text]) => Number(text))
  return { numbers: [0, 1, ...numbers], texts: ['', 'other', ...texts] }
}

function anyValue(random: Random, type: string | undefined, literals: Literals): Json {
  const number = (): number => random.pick(literals.numbers) + random.pick([-1, 0, 0.5, 1])
  const text = (): string => random.pick(literals.texts)
  switch (type ?? random.pick(['number', 'bool', 'string', 'list<string>'])) {
    case 'number':
      return number()
    case 'bool':
      return random.chance(0.5)
    case 'list<string>':
      return random.some(literals.texts, 0, 3)
    case 'list<number>':
      return [number(), number()]
    default:
      return text()
  }
}
