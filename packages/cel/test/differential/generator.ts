/** The types that random expressions are made of. */
export type RandomType =
  | 'int'
  | 'uint'
  | 'double'
  | 'bool'
  | 'string'
  | 'bytes'
  | 'timestamp'
  | 'duration'
  | 'ints'
  | 'strings'
  | 'map'

const types: readonly RandomType[] = [
  'int',
  'uint',
  'double',
  'bool',
  'string',
  'bytes',
  'timestamp',
  'duration',
  'ints',
  'strings',
  'map',
]

/** Numbers that look random and are the same in every run (mulberry32). */
export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed
  }

  /** From 0 to below `limit`. */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit
  }

  /** One of the items. */
  pick<Item>(items: readonly [Item, ...Item[]] | readonly Item[]): Item {
    const item = items[this.below(items.length)]
    if (item === undefined) throw new Error('nothing to pick from')
    return item
  }
}

const literals: Readonly<Record<RandomType, readonly string[]>> = {
  int: ['0', '1', '2', '3', '-1', '7', '42', '-5', '9223372036854775807', '-9223372036854775808', '0x1f'],
  uint: ['0u', '1u', '2u', '7u', '18446744073709551615u'],
  double: ['0.0', '1.0', '-1.5', '2.5', '1e3', '1e308', '-0.0', '3.0', '9007199254740993.0'],
  bool: ['true', 'false'],
  string: ['""', '"a"', '"ab"', '"héllo"', '"12"', "'a\\u00e9b'", '"true"', '"A b"', 'r"\\n"'],
  bytes: ['b""', 'b"a"', 'b"\\xff"', "b'é'"],
  timestamp: [
    'timestamp("2026-03-29T02:30:00.25Z")',
    'timestamp("1970-01-01T00:00:00Z")',
    'timestamp("1999-02-28T12:00:00-05:30")',
    'timestamp("2026-12-31T23:59:59.5+02:00")',
  ],
  duration: ['duration("0s")', 'duration("90m")', 'duration("-1.5s")', 'duration("1h1ms")'],
  ints: ['[]', '[1]', '[1, 2, 3]', '[-1, 0]'],
  strings: ['[]', '["a"]', '["a", "b", "ab"]'],
  map: ['{}', '{"a": 1}', '{"a": 1, "b": 2}'],
}

/** The names that stand for values of a type, which differ from one evaluation to the next. */
const variables: Readonly<Partial<Record<RandomType, readonly string[]>>> = {
  int: ['i', 'j'],
  uint: ['u'],
  double: ['d', 'e'],
  bool: ['b', 'c'],
  string: ['s', 't'],
  ints: ['l'],
  map: ['m'],
}

type Make = (type: RandomType) => string

const same = ['==', '!='] as const
const ordered = ['<', '<=', '>', '>='] as const

/** Forms of each type; `make` gives a smaller expression of a type, `some` one of any type. */
const forms: Readonly<Record<RandomType, readonly ((make: Make, random: Random) => string)[]>> = {
  int: [
    (make, random) => `(${make('int')} ${random.pick(['+', '-', '*', '/', '%'])} ${make('int')})`,
    (make) => `-(${make('int')})`,
    (make, random) => `size(${make(random.pick(['string', 'bytes', 'ints', 'map']))})`,
    (make, random) => `int(${make(random.pick(['int', 'uint', 'double', 'timestamp']))})`,
    (_, random) => `int(${random.pick(['"12"', '"-7"', '"x"', '"9223372036854775808"'])})`,
    (make) => `${make('ints')}[${make('int')}]`,
    (make) => `${make('map')}["a"]`,
    (make) => `${make('map')}.b`,
    (make, random) =>
      `${make('timestamp')}.${random.pick(['getFullYear', 'getMonth', 'getDate', 'getDayOfWeek', 'getHours', 'getMilliseconds'])}()`,
    (make) => `${make('string')}.indexOf(${make('string')})`,
  ],
  uint: [
    (make, random) => `(${make('uint')} ${random.pick(['+', '-', '*', '/', '%'])} ${make('uint')})`,
    (make, random) => `uint(${make(random.pick(['int', 'uint', 'double']))})`,
  ],
  double: [
    (make, random) => `(${make('double')} ${random.pick(['+', '-', '*', '/'])} ${make('double')})`,
    (make) => `-(${make('double')})`,
    (make, random) => `double(${make(random.pick(['int', 'uint', 'double']))})`,
  ],
  bool: [
    (make, random) => `(${make('bool')} ${random.pick(['&&', '||'])} ${make('bool')})`,
    (make) => `!${make('bool')}`,
    (make, random) => {
      const type = random.pick(types)
      return `(${make(type)} ${random.pick(same)} ${make(type)})`
    },
    (make, random) => {
      const type = random.pick(['int', 'uint', 'double', 'bool', 'string', 'bytes', 'timestamp', 'duration'])
      return `(${make(type as RandomType)} ${random.pick(ordered)} ${make(type as RandomType)})`
    },
    (make, random) =>
      `(dyn(${make(random.pick(types))}) ${random.pick([...same, ...ordered])} dyn(${make(random.pick(types))}))`,
    (make) => `(${make('int')} in ${make('ints')})`,
    (make) => `(${make('string')} in ${make('map')})`,
    (make) => `has(${make('map')}.a)`,
    (make, random) =>
      `${make('ints')}.${random.pick(['all', 'exists', 'exists_one'])}(x, x > ${make('int')})`,
    (make, random) =>
      `${make('strings')}.${random.pick(['all', 'exists'])}(w, ${make('bool')} || w == ${make('string')})`,
    (make, random) =>
      `${make('string')}.${random.pick(['contains', 'startsWith', 'endsWith'])}(${make('string')})`,
    (make, random) => `${make('string')}.matches(${random.pick(["'^a'", "'[a-z]+$'", "'(a|b)*'", "'.'"])})`,
  ],
  string: [
    (make) => `(${make('string')} + ${make('string')})`,
    (make, random) => `string(${make(random.pick(['int', 'uint', 'bool', 'string', 'bytes', 'timestamp']))})`,
    (make, random) => `${make('string')}.${random.pick(['lowerAscii', 'upperAscii', 'trim'])}()`,
    (make) => `${make('string')}.charAt(${make('int')})`,
    (make) => `${make('string')}.substring(${make('int')})`,
    (make, random) =>
      `${make('string')}.replace(${random.pick(['"a"', '"b"', '"é"', '"ll"'])}, ${make('string')})`,
    (make) => `${make('strings')}.join(${make('string')})`,
    (make) => `${make('strings')}[0]`,
  ],
  bytes: [
    (make) => `(${make('bytes')} + ${make('bytes')})`,
    (make, random) => `bytes(${make(random.pick(['string', 'bytes']))})`,
  ],
  timestamp: [(make, random) => `(${make('timestamp')} ${random.pick(['+', '-'])} ${make('duration')})`],
  duration: [
    (make, random) => `(${make('duration')} ${random.pick(['+', '-'])} ${make('duration')})`,
    (make) => `(${make('timestamp')} - ${make('timestamp')})`,
  ],
  ints: [
    (make) => `[${make('int')}, ${make('int')}]`,
    (make) => `(${make('ints')} + ${make('ints')})`,
    (make) => `${make('ints')}.map(x, x * ${make('int')})`,
    (make) => `${make('ints')}.filter(x, x > ${make('int')})`,
    (make) => `${make('ints')}.map(x, ${make('bool')}, x + 1)`,
  ],
  strings: [
    (make) => `[${make('string')}, ${make('string')}]`,
    (make) => `(${make('strings')} + ${make('strings')})`,
    (make) => `${make('string')}.split(${make('string')})`,
    (make) => `${make('strings')}.filter(w, w != ${make('string')})`,
  ],
  map: [
    (make) => `{${make('string')}: ${make('int')}, "b": ${make('int')}}`,
    (make) => `{"a": ${make('int')}}`,
  ],
}

/** Random values for the names: numbers and texts at the edges and between. */
export function randomValues(random: Random): RandomValues {
  const whole = (): bigint =>
    random.pick([0n, 1n, 2n, -1n, 9_223_372_036_854_775_807n, BigInt(random.below(100) - 50)])
  const text = (): string => random.pick(['', 'a', 'ab', 'A b', 'é', String(random.below(1000))])
  const double = (): number => random.pick([0, 1, -2.5, 1e308, Number.NaN, Infinity, random.below(1000) / 8])
  return {
    i: whole(),
    j: whole(),
    u: random.pick([0n, 1n, 5n, 18_446_744_073_709_551_615n]),
    d: double(),
    e: double(),
    b: random.below(2) === 0,
    c: random.below(2) === 0,
    s: text(),
    t: text(),
    l: Array.from({ length: random.below(4) }, whole),
    m: random.pick([{}, { a: whole() }, { a: whole(), b: whole() }]),
  }
}

/** A value for each name; `u` is unsigned. */
export interface RandomValues {
  readonly i: bigint
  readonly j: bigint
  readonly u: bigint
  readonly d: number
  readonly e: number
  readonly b: boolean
  readonly c: boolean
  readonly s: string
  readonly t: string
  readonly l: readonly bigint[]
  readonly m: Readonly<Record<string, bigint>>
}

/** A random expression of a random type, about that deep. One in fifty is of another type than it should be. */
export function randomExpression(random: Random, depth: number): string {
  return expressionOf(random.pick(types), random, depth)
}

function expressionOf(type: RandomType, random: Random, depth: number): string {
  const actual = random.below(50) === 0 ? random.pick(types) : type
  if (depth <= 0 || random.below(5) === 0) {
    const names = variables[actual]
    return names !== undefined && random.below(2) === 0 ? random.pick(names) : random.pick(literals[actual])
  }
  if (random.below(12) === 0) {
    const [condition, one, other] = [
      expressionOf('bool', random, depth - 1),
      expressionOf(actual, random, depth - 1),
      expressionOf(actual, random, depth - 1),
    ]
    return `(${condition} ? ${one} : ${other})`
  }
  const form = random.pick(forms[actual])
  return form((inner) => expressionOf(inner, random, depth - 1), random)
}
