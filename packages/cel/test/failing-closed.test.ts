import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compiled, evaluated, failureOf, strict } from './scope.ts'

test('a missing name is an error', () => {
  expect(failureOf('refund_amount > 500', { refund_amount: undefined })).toBe('refund_amount is missing')
  expect(evaluated('refund_amount > 500')).toEqual({ kind: 'true' })
})

test('a value that is not of its declared type is an error, and the message does not quote it', () => {
  expect(failureOf('refund_amount > 500', { refund_amount: '600' })).toBe(
    'refund_amount is a string, not a number',
  )
  expect(failureOf('refund_amount > 500', { refund_amount: null })).toBe(
    'refund_amount is null, not a number',
  )
  expect(failureOf('refund_amount > 500', { refund_amount: [600] })).toBe(
    'refund_amount is a list, not a number',
  )
  expect(failureOf('is_vip', { is_vip: 'false' })).toBe('is_vip is a string, not a bool')
  expect(failureOf('items_count > 1', { items_count: 1.5 })).toBe(
    'items_count is a number, not a whole number',
  )
  expect(failureOf("'a' in tags", { tags: ['a', 5] })).toBe('tags[1] is a number, not a string')
  expect(failureOf('limits.daily > 1', { limits: { daily: 'x' } })).toBe(
    'a value of limits is a string, not a number',
  )
  expect(failureOf('now > timestamp(0)', { now: '2026-01-01T00:00:00Z' })).toBe(
    'now is a string, not a timestamp',
  )
  expect(failureOf('now > timestamp(0)', { now: new Date(Number.NaN) })).toBe(
    'now is not a JSON value, not a timestamp',
  )
})

test('a number that is not finite is an error, where a comparison would quietly be false', () => {
  for (const number of [Number.NaN, Infinity, -Infinity]) {
    expect(failureOf('refund_amount > 500', { refund_amount: number })).toBe(
      'refund_amount is not a finite number, not a number',
    )
    expect(failureOf('params.amount > 500', { params: { amount: number } })).toBe(
      'params.amount is not a finite number',
    )
    expect(failureOf('params.list[0] > 500', { params: { list: [number] } })).toBe(
      'params.list has an item that is not a finite number',
    )
  }
})

test('what JSON cannot carry is an error where it is read', () => {
  for (const value of [5n, new Date(0), () => 5, Symbol('x'), new Map(), undefined]) {
    expect(failureOf('params.amount > 500', { params: { amount: value } })).toBe(
      'params.amount is not a JSON value',
    )
  }
  expect(evaluated('params.amount > 500', { params: { amount: 600, other: 5n } })).toEqual({ kind: 'true' })
})

test('a result that is not a finite number is an error', () => {
  expect(failureOf('params.amount / 0 > 1')).toBe('`params.amount / 0` divides by zero')
  expect(failureOf('refund_amount / params.zero > 1')).toBe('`refund_amount / params.zero` divides by zero')
  expect(failureOf('items_count / 0 > 1')).toBe('`items_count / 0` divides by zero')
  expect(failureOf('items_count % 0 > 1')).toBe('`items_count % 0` divides by zero')
  expect(failureOf('params.amount * 1e308 > 1.0')).toBe('`params.amount * 1e+308` is not a finite number')
  expect(failureOf("double('NaN') > 5")).toBe('`double("NaN")` is not a finite number')
  expect(failureOf("double('inf') > 5")).toBe('`double("inf")` is not a finite number')
  expect(failureOf("double('1e999') > 5")).toBe('`double("1e999")` is not a finite number')
  expect(failureOf('math.sqrt(-refund_amount) < 5')).toBe(
    '`math.sqrt(-refund_amount)` needs a number that is not negative',
  )
  expect(failureOf('int("9223372036854775807") + 1 > 0')).toBe(
    '`int("9223372036854775807") + 1` does not fit 64 bits',
  )
  expect(
    failureOf('now + duration("2540400h") + duration("2540400h") < now', { now: new Date('9900-01-01') }),
  ).toContain('is out of the range of time')
})

test('text that only looks like a number does not become one', () => {
  for (const text of ['', ' ', '0x10', '1_000', '5 EUR', 'Infinity']) {
    expect(failureOf('double(params.text) < 5', { params: { text } })).toBe(
      '`double(params.text)` is not a finite number',
    )
    expect(failureOf('int(params.text) < 5', { params: { text } })).toBe(
      '`int(params.text)` is not a whole number',
    )
  }
  expect(
    evaluated('int(params.text) == -5 && double(params.text) == -5', { params: { text: '-5' } }),
  ).toEqual({ kind: 'true' })
})

test('a parameter of the wrong type is an error, where CEL would hold unlike values for unequal', () => {
  expect(failureOf("params.to == 'x'", { params: { to: ['x'] } })).toBe(
    '`params.to == "x"` compares a list with a string',
  )
  expect(failureOf("params.to != 'x'", { params: { to: 5 } })).toBe(
    '`params.to != "x"` compares a number with a string',
  )
  expect(failureOf("params.to == 'x'", { params: { to: null } })).toBe(
    '`params.to == "x"` compares null with a string',
  )
  expect(failureOf('params.amount > 500', { params: { amount: '600' } })).toContain(
    'compares a string with a whole number',
  )
  expect(failureOf("'x' in params.tags", { params: { tags: [1, 2] } })).toContain(
    'looks for a string in a list that also has a number',
  )
  expect(failureOf("'x' in params.tags", { params: { tags: 'x' } })).toBe(
    'params.tags is a string, not a list',
  )
  expect(evaluated("params.to != null && params.to == 'x'", { params: { to: null } })).toEqual({
    kind: 'false',
  })
})

test('what only turns out at run time not to be a bool is an error', () => {
  expect(failureOf('params.amount')).toBe('params.amount is a number, not a bool')
  expect(failureOf('is_vip && params.to')).toBe('params.to is a string, not a bool')
  expect(failureOf('!params.amount')).toBe('params.amount is a number, not a bool')
  expect(failureOf('params.tags.exists(t, t)')).toBe('t is a string, not a bool')
  expect(evaluated('params.flag', { params: { flag: false } })).toEqual({ kind: 'false' })
})

test('a path that is missing is an error that names it', () => {
  expect(failureOf('params.refund > 5')).toBe('params.refund is missing')
  expect(failureOf('params.x.y > 5')).toBe('params.x is missing')
  expect(failureOf('has(params.x.y)')).toBe('params.x is missing')
  expect(failureOf('params.items[9].qty > 5')).toBe('params.items[9] is missing')
  expect(failureOf('params.items[0].price > 5')).toBe('params.items[0].price is missing')
  expect(failureOf('params.list[-1] > 5')).toBe('params.list[-1] is missing')
  expect(failureOf('params.amount.value > 5')).toBe('params.amount.value cannot be read from a number')
})

test('what every JavaScript object inherits is missing, unless the call itself brings it', () => {
  for (const name of ['constructor', '__proto__', 'toString', 'hasOwnProperty', 'valueOf']) {
    expect(failureOf(`params.${name} == 1`)).toBe(`params.${name} is missing`)
    expect(evaluated(`has(params.${name})`)).toEqual({ kind: 'false' })
    const params: unknown = JSON.parse(`{"${name}": 1}`)
    expect(evaluated(`params.${name} == 1`, { params })).toEqual({ kind: 'true' })
  }
})

test('false absorbs an error from either side of &&, and true from either side of ||', () => {
  expect(evaluated('false && params.missing')).toEqual({ kind: 'false' })
  expect(evaluated('params.missing && false')).toEqual({ kind: 'false' })
  expect(evaluated('true || params.missing')).toEqual({ kind: 'true' })
  expect(evaluated('params.missing || true')).toEqual({ kind: 'true' })
})

test('every other error of && and || is the result', () => {
  for (const source of [
    'params.missing && true',
    'true && params.missing',
    'params.missing || false',
    'false || params.missing',
  ]) {
    expect(failureOf(source)).toBe('params.missing is missing')
  }
  expect(failureOf('!(params.missing > 5)')).toBe('params.missing is missing')
  expect(failureOf('params.items.all(i, i.price > 1)')).toBe('i.price is missing')
})

test('no message quotes a value of the call', () => {
  const secret = 'hunter2'
  const params = { secret, list: [secret], map: { [secret]: Number.NaN }, wrong: { [secret]: 1 } }
  for (const source of [
    'int(params.secret) > 5',
    'double(params.secret) > 5',
    'bool(params.secret)',
    'timestamp(params.secret) < now',
    'duration(params.secret) < age',
    'now.getHours(params.secret) > 5',
    'params[params.secret] > 5',
    'limits[params.secret] > 5',
    'params.secret.substring(99) == "a"',
    'params.secret > 5',
    'params.list[0] > 5',
    'params.map.exists(k, params.map[k] > 5)',
    '{params.secret: 1, params.secret: 2} == params.map',
    'params.secret',
    'params.list.join(params.list) == "a"',
  ]) {
    expect(failureOf(source, { params })).not.toContain(secret)
  }
  expect(failureOf('limits.x > 5', { limits: { [secret]: secret } })).not.toContain(secret)
})

test('an evaluation has no memory: an error does not stay, and neither does a value', () => {
  const condition = compiled('params.list.filter(x, x > 1).size() > 1', strict)
  const on = (list: unknown): string => condition.evaluate(new Map([['params', { list }]])).kind
  expect([on([2, 3]), on('x'), on([2]), on([1, 1, 5, 6])]).toEqual(['true', 'error', 'false', 'true'])
})

test('evaluation never throws, whatever it is given', () => {
  const hostile = new Proxy(
    {},
    {
      getOwnPropertyDescriptor: () => {
        throw new Error('boo')
      },
    },
  )
  const cyclic: Record<string, unknown> = {}
  cyclic['self'] = cyclic
  expect(failureOf('params.x > 5', { params: hostile })).not.toContain('boo')
  expect(failureOf('params == params.self', { params: cyclic })).toContain('could not be evaluated')
  fc.assert(
    fc.property(fc.anything(), (params) => {
      for (const source of [
        'params.a > 5',
        "params.a == 'x'",
        'params[0] == params[1]',
        'params == params',
        "'a' in params",
      ]) {
        expect(['true', 'false', 'error']).toContain(evaluated(source, { params }).kind)
      }
    }),
  )
})

test('whatever a number is given as, x > 500 is false only for a finite number up to 500', () => {
  const declared = compiled('refund_amount > 500')
  const dynamic = compiled('params.amount > 500')
  const value = fc.oneof(fc.anything(), fc.double(), fc.integer(), fc.integer().map(String), fc.constant(500))
  fc.assert(
    fc.property(value, (given) => {
      const small = typeof given === 'number' && Number.isFinite(given) && given <= 500
      expect(declared.evaluate(new Map([['refund_amount', given]])).kind === 'false').toBe(small)
      expect(dynamic.evaluate(new Map([['params', { amount: given }]])).kind === 'false').toBe(small)
    }),
    { numRuns: 2000 },
  )
})

test('arithmetic on numbers agrees with JavaScript, or fails where that is not finite', () => {
  const operators: Readonly<Record<string, (a: number, b: number) => number>> = {
    '+': (a, b) => a + b,
    '-': (a, b) => a - b,
    '*': (a, b) => a * b,
    '/': (a, b) => a / b,
  }
  for (const [operator, apply] of Object.entries(operators)) {
    const condition = compiled(`params.a ${operator} params.b > 0`)
    fc.assert(
      fc.property(
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        (a, b) => {
          const result = apply(a, b)
          const expected = Number.isFinite(result) ? String(result > 0) : 'error'
          expect(condition.evaluate(new Map([['params', { a, b }]])).kind).toBe(expected)
        },
      ),
    )
  }
})
