import { expect, test } from 'vitest'
import { compileCondition, compileValue } from '../src/index.ts'
import type { CelType, CompiledCondition, ConditionScope } from '../src/index.ts'

interface Call {
  readonly amount?: unknown
  readonly session?: unknown
  readonly params?: unknown
}

const sessionType: CelType = {
  record: {
    labels: { list: 'string' },
    calls: 'int',
    owner: { record: { name: 'string', since: 'timestamp' } },
  },
}
const paramsType: CelType = { record: { qty: 'int', to: 'string' }, open: true }

const readers: Readonly<Record<string, (call: Call) => unknown>> = {
  amount: (call) => call.amount,
  session: (call) => call.session,
  params: (call) => call.params,
}

const scope: ConditionScope<Call> = {
  names: new Map<string, CelType>([
    ['amount', 'number'],
    ['session', sessionType],
    ['params', paramsType],
    ['unread', 'bool'],
  ]),
  inferUnknown: false,
  read: (name) => readers[name],
}

function compiled(source: string): CompiledCondition<Call> {
  const result = compileCondition(source, scope)
  if (result.kind === 'compiled') return result.condition
  throw new Error(result.problems.map(({ message }) => message).join('; '))
}

function problemsOf(source: string): readonly string[] {
  const result = compileCondition(source, scope)
  return result.kind === 'compiled'
    ? []
    : result.problems.map(({ offset, message, fix }) => `${offset} ${message}; ${fix}`)
}

const session = { labels: ['pii'], calls: 3, owner: { name: 'ann', since: new Date(0) } }

test('a name is read from the input by the reader that the scope gave for it', () => {
  const condition = compiled('amount > 500')
  expect(condition.evaluate({ amount: 501 })).toEqual({ kind: 'true' })
  expect(condition.evaluate({ amount: 500 })).toEqual({ kind: 'false' })
})

test('a reader that gives undefined, and a name without a reader, are missing', () => {
  expect(compiled('amount > 500').evaluate({})).toEqual({ kind: 'error', message: 'amount is missing' })
  expect(compiled('unread').evaluate({ amount: 1 })).toEqual({ kind: 'error', message: 'unread is missing' })
})

test('what a reader gives is checked against the declared type', () => {
  expect(compiled('amount > 500').evaluate({ amount: '501' })).toEqual({
    kind: 'error',
    message: 'amount is a string, not a number',
  })
})

test('a reader that throws makes an error, and the message does not quote what it threw', () => {
  const throwing = compileCondition<Call>('amount > 5', {
    ...scope,
    read: () => () => {
      throw new Error('secret')
    },
  })
  if (throwing.kind === 'invalid') throw new Error('it was refused')
  expect(throwing.condition.evaluate({})).toEqual({
    kind: 'error',
    message: 'the condition could not be evaluated',
  })
})

test('a condition that is evaluated while it is evaluated keeps both apart', () => {
  const inner: { condition?: CompiledCondition<Call> } = {}
  const seen: string[] = []
  const nested = compileCondition<Call>('[1, 2, 3].exists(x, x > amount)', {
    ...scope,
    read: (name) => (call) => {
      if (call.session === 'outer') seen.push(inner.condition?.evaluate({ amount: 1 }).kind ?? 'none')
      return name === 'amount' ? call.amount : undefined
    },
  })
  if (nested.kind === 'invalid') throw new Error('it was refused')
  inner.condition = nested.condition
  expect(nested.condition.evaluate({ amount: 3, session: 'outer' })).toEqual({ kind: 'false' })
  expect(seen).toEqual(['true', 'true', 'true'])
})

test('the fields of a record have their types, and one that it has not is refused with the one that was meant', () => {
  expect(compiled("'pii' in session.labels && session.calls + 1 == 4").evaluate({ session })).toEqual({
    kind: 'true',
  })
  expect(problemsOf("'pii' in session.label")).toEqual([
    '9 session has no field `label`; did you mean `labels`?',
  ])
  expect(problemsOf('session.owner.nam == "x"')).toEqual([
    '0 session.owner has no field `nam`; did you mean `name`?',
  ])
  expect(problemsOf('session.calls == "3"')[0]).toContain('compares a whole number with a string')
  expect(problemsOf("session['label'] == 'x'")[0]).toContain('has no field `label`')
  expect(problemsOf('has(session.label)')[0]).toContain('has no field `label`')
})

test('an open record has other fields too, of any type', () => {
  expect(
    compiled('params.note == "x" && params.qty == 2').evaluate({ params: { qty: 2, note: 'x' } }),
  ).toEqual({
    kind: 'true',
  })
  expect(problemsOf('params.qty == "x"')).toHaveLength(1)
})

test('a field that is absent is an error, and `has` asks for it', () => {
  expect(compiled('params.qty > 1').evaluate({ params: {} })).toEqual({
    kind: 'error',
    message: 'params.qty is missing',
  })
  expect(compiled('has(params.qty) && params.qty > 1').evaluate({ params: {} })).toEqual({ kind: 'false' })
})

test('a field that is not of its type is an error', () => {
  expect(compiled('params.qty > 1').evaluate({ params: { qty: 1.5 } })).toEqual({
    kind: 'error',
    message: 'params.qty is a number, not a whole number',
  })
  expect(
    compiled("'pii' in session.labels").evaluate({ session: { ...session, labels: ['pii', 5] } }),
  ).toEqual({
    kind: 'error',
    message: 'session.labels[1] is a number, not a string',
  })
  expect(compiled('session.owner.since < timestamp(1)').evaluate({ session })).toEqual({ kind: 'true' })
})

test('an expression gives a value of the type it is asked for', () => {
  const sum = compileValue('amount * 2', scope, 'number')
  const per = compileValue('session.owner.name + "/" + string(session.calls)', scope, 'string')
  const whole = compileValue('session.calls', scope, 'number')
  if (sum.kind === 'invalid' || per.kind === 'invalid' || whole.kind === 'invalid')
    throw new Error('it was refused')
  expect(sum.expression.evaluate({ amount: 2.5 })).toEqual({ kind: 'value', value: 5 })
  expect(per.expression.evaluate({ session })).toEqual({ kind: 'value', value: 'ann/3' })
  expect(whole.expression.evaluate({ session })).toEqual({ kind: 'value', value: 3 })
  expect(sum.expression.evaluate({})).toEqual({ kind: 'error', message: 'amount is missing' })
  expect(sum.expression.evaluate({ amount: 1e308 })).toEqual({
    kind: 'error',
    message: '`amount * 2` is not a finite number',
  })
})

test('an expression of another type than it is asked for is refused, or an error where only the call can tell', () => {
  const wrong = compileValue('session.owner.name', scope, 'number')
  expect(wrong.kind === 'invalid' && wrong.problems[0]?.message).toBe(
    'the expression must be a number, and is a string',
  )
  const open = compileValue('params.other', scope, 'number')
  if (open.kind === 'invalid') throw new Error('it was refused')
  expect(open.expression.evaluate({ params: { other: '5' } })).toEqual({
    kind: 'error',
    message: 'the expression is a string, not a number',
  })
  expect(open.expression.evaluate({ params: { other: 5 } })).toEqual({ kind: 'value', value: 5 })
})
