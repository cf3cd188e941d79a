import { expect, test } from 'vitest'
import { compileCondition } from '../src/index.ts'
import { compiled, inferring, names, problemsOf } from './scope.ts'

const illTyped: readonly (readonly [source: string, offset: number, message: string, fix: string])[] = [
  ['refund_amout > 500', 0, 'unknown name `refund_amout`', 'did you mean `refund_amount`?'],
  ['is_vip && regoin == "EU"', 10, 'unknown name `regoin`', 'did you mean `region`?'],
  ['parms.amount > 5', 0, 'unknown name `parms`', 'did you mean `params`?'],
  ['tags.exists(tag, tga == "x")', 17, 'unknown name `tga`', 'did you mean `tag`?'],
  ['is_vip == True', 10, 'unknown name `True`', 'CEL writes `true`'],
  ['strtsWith(region)', 0, 'unknown function `strtsWith`', 'did you mean `startsWith`?'],
  ['region.startswith("E")', 7, 'unknown function `startswith`', 'did you mean `startsWith`?'],
  ['len(tags) > 1', 0, 'unknown function `len`', 'use size(x)'],
  ['has(params)', 0, 'unknown function `has`', 'has() takes one field'],
  ['type(region) == "x"', 0, 'unknown function `type`', 'CEL'],
  ['region > 5', 7, '`>` compares a string with a whole number', 'put the number in quotes'],
  ['region > refund_amount', 7, '`>` compares a string with a number', 'put the number in quotes'],
  ['is_vip > 500', 7, '`>` compares a bool with a whole number', 'use the bool by itself'],
  ['is_vip == "yes"', 7, '`==` compares a bool with a string', 'use the bool by itself'],
  ['region == 5', 7, '`==` compares a string with a whole number', 'put the number in quotes'],
  ['refund_amount == "600"', 14, '`==` compares a number with a string', 'put the number in quotes'],
  ['refund_amount == null', 14, '`==` compares a number with null', 'never null'],
  ['tags == "gift"', 5, '`==` compares a list with a string', 'same type'],
  ['tags < ["a"]', 5, '`<` cannot order a list', 'compare its parts'],
  ['now > "2026-01-01"', 4, '`>` compares a timestamp with a string', 'timestamp("'],
  ['age > 5', 4, '`>` compares a duration with a whole number', 'duration("'],
  ['refund_amount', 0, 'the condition must be true or false, and is a number', 'compare it'],
  ['region', 0, 'the condition must be true or false, and is a string', 'compare it'],
  [
    'is_vip && refund_amount',
    10,
    'what stands after `&&` must be true or false, and is a number',
    'compare it',
  ],
  ['region || is_vip', 0, 'what stands before `||` must be true or false, and is a string', 'compare it'],
  ['!refund_amount', 1, 'what stands after `!` must be true or false, and is a number', 'compare it'],
  ['refund_amount ? is_vip : is_vip', 0, 'what stands before `?` must be true or false', 'compare it'],
  ['(is_vip ? 1 : "a") == 1', 10, '`?:` chooses between a whole number and a string', 'same type'],
  ['refund_amount % 2 == 0', 0, '`%` takes whole numbers, not a number', 'int(x)'],
  ['refund_amount + region == "a"', 14, '`+` cannot combine a number with a string', 'convert'],
  ['is_vip * 2 > 1', 7, '`*` cannot combine a bool with a whole number', 'use numbers'],
  ['-region == "a"', 1, '`-` cannot negate a string', 'number'],
  ['refund_amount.value > 5', 0, '`.value` selects from a number', 'remove `.value`'],
  ['tags.first == "a"', 0, '`.first` selects from a list', 'list[0].first'],
  ['now.hour > 5', 0, '`.hour` selects from a timestamp', 'getHours()'],
  ['has(region.code)', 4, '`.code` selects from a string', 'remove'],
  ['region[0] == "E"', 0, 'a string cannot be indexed', 'list or a map'],
  ['tags["a"] == "E"', 5, 'a list is indexed by a whole number, not a string', 'int(x)'],
  ['tags[refund_amount] == "E"', 5, 'a list is indexed by a whole number, not a number', 'int(x)'],
  ['limits[0] == 5', 7, 'a map is indexed by a string', 'string(x)'],
  ['5 in tags', 0, '`in` looks for a whole number among', 'same type'],
  ['"E" in region', 7, '`in` needs a list or a map after it, not a string', 'text.contains'],
  ['size(5) > 1', 5, '`size` takes a string', 'convert'],
  ['size(tags, tags) > 1', 0, '`size` takes 1 argument, not 2', 'give it 1'],
  ['region.startsWith(5)', 18, '`startsWith` takes a string, not a whole number', 'convert'],
  ['refund_amount.startsWith("5")', 0, '`startsWith` is called on a number, and needs a string', 'string(x)'],
  ['startsWith(region, "E")', 0, '`startsWith` is called on a value', 'value.startsWith'],
  ['region.matches("(")', 15, 'the pattern is not a valid RE2', 'RE2'],
  ['region.matches(params.to)', 15, 'the pattern of `matches` must be written out', 'quotes'],
  ['age > duration("5 minutes")', 15, '`duration("5 minutes")` is not a span of time', '90m'],
  ['now > timestamp("yesterday")', 16, '`timestamp("yesterday")` is not a time', '2030'],
  ['now.getHours("Mars/Base") > 1', 13, 'the time zone is unknown', 'Europe/Berlin'],
  ['region.exists(c, c == "E")', 0, '`exists` goes over a list or a map, not a string', 'list'],
  ['tags.exists(t, size(t))', 15, 'the test of `exists` must be true or false', 'compare it'],
  ['tags.exists(region, region == "a")', 5, 'the variable `region` hides a name', 'another variable'],
  ['{1: 2}["a"] == 2', 1, 'the keys of a map are strings', 'quotes'],
  ['5u > 1', 0, 'unsigned numbers are not used here', 'without'],
  ['99999999999999999999 > 1', 0, 'this whole number does not fit 64 bits', 'smaller'],
  ['1e999 > 1.0', 0, 'this number is too large', 'smaller'],
  ['scores.intersects(tags)', 7, '`intersects` compares a number with a string', 'same type'],
  ['math.abs(region) > 1', 9, '`math.abs` takes a', 'give it'],
  ['abs(refund_amount) > 1', 0, 'unknown function `abs`', 'math.abs'],
  ['max(refund_amount, 1) > 1', 0, 'unknown function `max`', 'math.greatest'],
  ['region.toUpperCase() == "EU"', 7, 'unknown function `toUpperCase`', 'upperAscii'],
  ['tags.includes("gift")', 5, 'unknown function `includes`', 'value in list'],
  ['region.charAt("1") == "E"', 14, '`charAt` takes a whole number', 'value of that type'],
  ['region.contains(refund_amount)', 16, '`contains` takes a string, not a number', 'string(x)'],
  ['region.split(",") == "EU"', 18, '`==` compares a list with a string', 'same type'],
  ['tags.map(t, t, t) == tags', 12, 'the test of `map` must be true or false', 'compare it'],
  ['tags.all(i, t, i == t)', 17, '`==` compares a whole number with a string', 'quotes'],
  ['limits.all(k, v, v == "x")', 19, '`==` compares a number with a string', 'quotes'],
  ['limits.exists(k, k > 5)', 19, '`>` compares a string with a whole number', 'quotes'],
  ['cel.bind(x, region, x > 5)', 22, '`>` compares a string with a whole number', 'quotes'],
  ['cel.bind(region, 1, region > 5)', 4, 'the variable `region` hides a name', 'another variable'],
  ['cel.bind(region) == 1', 0, 'unknown name `cel`', 'declare it'],
  ['tags.exists(size(tags) > 1)', 5, 'unknown function `exists`', 'list.exists(x, test)'],
  ['now.getHour() > 5', 4, 'unknown function `getHour`', 'did you mean `getHours`?'],
  ['now() > timestamp(0)', 0, 'unknown function `now`', 'without parentheses'],
  ['region.matches("(?=x)")', 15, 'the pattern is not a valid RE2', 'RE2'],
  ['age == duration("90")', 16, 'is not a span of time', '90m'],
  ['now > timestamp("2026-02-30T00:00:00Z")', 16, 'is not a time', '2030'],
  ['.region == "EU"', 0, 'a name cannot start with a dot', 'remove'],
  ['Refund{amount: 5} == params', 0, 'a condition cannot build a message', 'fields'],
]

test.each(illTyped)('%s is refused at %i: %s', (source, offset, message, fix) => {
  const result = compileCondition(source, { names, inferUnknown: false })
  if (result.kind === 'compiled') throw new Error('it was accepted')
  expect(result.problems[0]?.offset).toBe(offset)
  expect(result.problems[0]?.message).toContain(message)
  expect(result.problems[0]?.fix).toContain(fix)
})

const badSyntax: readonly (readonly [source: string, offset: number, message: string, fix: string])[] = [
  ['', 0, 'the condition is empty', 'write'],
  ['  // nothing', 2, 'a condition has no comments; in a folded YAML text the rest would be lost', 'remove'],
  [
    'is_vip // || region == "EU"',
    7,
    'a condition has no comments; in a folded YAML text the rest would be lost',
    'remove',
  ],
  [
    'is_vip &&\n// why\nis_vip',
    10,
    'a condition has no comments; in a folded YAML text the rest would be lost',
    'remove',
  ],
  ['refund_amount > 9007199254740992', 16, 'this number is not exact as a JSON number', 'int('],
  ['refund_amount > -9007199254740993', 17, 'this number is not exact as a JSON number', 'int('],
  ['refund_amount > 0x20000000000000', 16, 'this number is not exact as a JSON number', 'int('],
  ['refund_amount > 9007199254740993.0', 16, 'this number is not exact as a JSON number', 'digits'],
  ['refund_amount > 0.10000000000000000001', 16, 'this number is not exact as a JSON number', 'digits'],
  ['refund_amount > 1e-400', 16, 'this number is not exact as a JSON number', 'digits'],
  ['refund_amount >', 14, 'the condition ends too early', 'complete'],
  ['refund_amount > 5 and is_vip', 18, '`and` is not how CEL writes this', '`&&`'],
  ['is_vip or is_vip', 7, '`or` is not how CEL writes this', '`||`'],
  ['not is_vip', 0, '`not` is not how CEL writes this', '`!`'],
  ['region = "EU"', 7, '`=` is not how CEL writes this', '`==`'],
  ['region === "EU"', 7, '`===` is not how CEL writes this', '`==`'],
  ['region <> "EU"', 7, '`<>` is not how CEL writes this', '`!=`'],
  ['is_vip & is_vip', 7, '`&` is not how CEL writes this', '`&&`'],
  ['region == "EU', 10, 'the text that starts here is never closed', 'quote'],
  ['(is_vip', 0, 'this `(` is never closed', '`)`'],
  ['tags[0) == "a"', 6, 'this `)` closes nothing', 'remove'],
  ['region in ("EU", "UK")', 7, 'after `in` comes a list or a map', 'square brackets'],
  ['refund_amount > 5 is_vip', 18, '`is_vip` is not expected here', '&&'],
  ['params.?x == 5', 7, '`?` is not expected here', '&&'],
  ['refund_amount > 5;', 17, '`;` is not how CEL writes this', 'remove'],
  ['if is_vip', 0, '`if` is not how CEL writes this', '?'],
  ['region like "E%"', 7, '`like` is not how CEL writes this', 'startsWith'],
  ['region == "\\q"', 10, 'an escape that stands for no character', 'escapes'],
  ['params.in == 5', 7, '`in` is a reserved word', '["in"]'],
]

test.each(badSyntax)('the syntax of "%s" is refused at %i: %s', (source, offset, message, fix) => {
  const result = compileCondition(source, { names, inferUnknown: true })
  if (result.kind === 'compiled') throw new Error('it was accepted')
  expect(result.problems).toHaveLength(1)
  expect(result.problems[0]?.offset).toBe(offset)
  expect(result.problems[0]?.message).toContain(message)
  expect(result.problems[0]?.fix).toContain(fix)
})

test.each([
  'region == "https://example.com"',
  "region == 'a // b' && is_vip",
  'region == """//"""',
  "region == r'\\//'",
  'refund_amount > 9007199254740991',
  'refund_amount > -9007199254740991',
  'refund_amount > 0x1fffffffffffff',
  'items_count < int("9007199254740993")',
  'refund_amount > 0.1 && refund_amount > 1.50 && refund_amount > .5',
  'refund_amount > 0.0 && refund_amount > 1e23 && refund_amount > 5e-324 && refund_amount > 100.0',
])('%s is accepted: its slashes are text, and its numbers are exact', (source) => {
  expect(problemsOf(source)).toEqual([])
})

test('all problems of names and types are reported at once, in the order of the source', () => {
  const offsets = problemsOf('refund_amout > 5 && region > 5 && region.matches("(")').map((text) =>
    Number.parseInt(text),
  )
  expect(offsets).toEqual([0, 27, 49])
})

test('offsets count UTF-16 code units, so that text before a problem does not move it', () => {
  expect(problemsOf('region == "é😀" && refund_amout > 5')[0]).toMatch(/^19 unknown name/)
})

test('a caller can say what to do about an unknown name', () => {
  const suggestFor = new Map([['amount', 'write `params.amount`, or declare `amount`']])
  expect(problemsOf('amount > 5', { names, inferUnknown: false, suggestFor })).toEqual([
    '0 unknown name `amount`; write `params.amount`, or declare `amount`',
  ])
})

test('the type of an undeclared name is told from its use', () => {
  const told = (source: string): unknown => Object.fromEntries(compiled(source, inferring).inferred)
  expect(told('amount > 500')).toEqual({ amount: 'number' })
  expect(told('customer_flagged_as_vip')).toEqual({ customer_flagged_as_vip: 'bool' })
  expect(told("country == 'EU'")).toEqual({ country: 'string' })
  expect(told("country in ['EU', 'UK']")).toEqual({ country: 'string' })
  expect(told('amount * 2 > 5 && -other < 1')).toEqual({ amount: 'number', other: 'number' })
  expect(told("to.endsWith('@example.com')")).toEqual({ to: 'string' })
  expect(told('a == b && b > 5')).toEqual({ a: 'number', b: 'number' })
  expect(told('math.abs(amount) > 5 && text.contains("x")')).toEqual({ amount: 'number', text: 'string' })
  expect(told('refund_amount > 5')).toEqual({})
})

test('an undeclared name whose use does not tell its type is refused', () => {
  expect(problemsOf('x == y', inferring)).toEqual([
    '0 the type of `x` cannot be told from its use; declare `x` with its type',
    '5 the type of `y` cannot be told from its use; declare `y` with its type',
  ])
  expect(problemsOf('x == params.y', inferring)).toHaveLength(1)
  expect(problemsOf('size(x) > 2', inferring)).toHaveLength(1)
  expect(problemsOf('x > now', inferring)[0]).toContain('`x` is used as a timestamp')
})

test('an undeclared name that is used in two ways is refused', () => {
  expect(problemsOf('x > 5 && x', inferring)[0]).toMatch(/^9 /)
  expect(problemsOf("x > 5 && x == 'a'", inferring)[0]).toMatch(/^11 /)
  expect(problemsOf("x == y && x > 5 && y == 'a'", inferring)[0]).toMatch(/^21 /)
})

test('an undeclared name that is selected from, indexed or called is refused', () => {
  for (const source of ['foo.bar > 5', 'foo[0] > 5', 'has(foo.bar)', 'foo.exists(x, x > 1)', 'foo(5)']) {
    expect(problemsOf(source, inferring)[0]).toMatch(/^[04] unknown (name|function) `foo`/)
  }
})

test('without inference an undeclared name is refused where it would be inferred', () => {
  expect(problemsOf('amount > 500', inferring)).toEqual([])
  expect(problemsOf('amount > 500')).toHaveLength(1)
})
