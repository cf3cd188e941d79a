import { expect, test } from 'vitest'
import type { TracedPart } from '../src/index.ts'
import { childrenOf } from '../src/index.ts'
import { compiled } from './scope.ts'

function trace(source: string, values: Readonly<Record<string, unknown>>): TracedPart {
  return compiled(source).trace(new Map(Object.entries(values)))
}

function flat(part: TracedPart): readonly string[] {
  const { result } = part
  const failure = result.kind === 'error' ? result.message : result.kind
  const shown = result.kind === 'value' ? JSON.stringify(result.value) : failure
  return [`${part.text} → ${shown}`, ...part.parts.flatMap(flat)]
}

test('a trace tells what every part came to, and what was not evaluated', () => {
  expect(
    flat(trace('is_vip || (refund_amount > 500 && region == "EU")', { is_vip: false, refund_amount: 5 })),
  ).toEqual([
    'is_vip || (refund_amount > 500 && region == "EU") → false',
    'is_vip → false',
    'refund_amount > 500 && region == "EU" → false',
    'refund_amount > 500 → false',
    'refund_amount → 5',
    '500 → 500',
    'region == "EU" → not evaluated',
    'region → not evaluated',
    '"EU" → not evaluated',
  ])
})

test('a trace tells which part failed', () => {
  expect(flat(trace('refund_amount > 500 || is_vip', { is_vip: true }))).toEqual([
    'refund_amount > 500 || is_vip → true',
    'refund_amount > 500 → refund_amount is missing',
    'refund_amount → refund_amount is missing',
    '500 → 500',
    'is_vip → true',
  ])
})

test('what a comprehension evaluates again and again has all its values, up to twenty', () => {
  const whole = trace('scores.all(score, score < 30)', { scores: Array.from({ length: 25 }, (_, at) => at) })
  const test = whole.parts[1]
  expect(test?.text).toBe('score < 30')
  expect(test?.count).toBe(25)
  expect(test?.results).toHaveLength(20)
  expect(whole.result).toEqual({ kind: 'value', value: true })
})

test('a trace comes to what an evaluation comes to, and never throws', () => {
  const hostile = new Proxy(
    {},
    {
      getOwnPropertyDescriptor: () => {
        throw new Error('boo')
      },
    },
  )
  expect(trace('params.x > 5', { params: hostile }).result).toEqual({
    kind: 'error',
    message: 'the condition could not be evaluated',
  })
})

test('the tree has the type and the place of every part', () => {
  const source = 'is_vip && (size(tags) + 1 > 2)'
  const { ast } = compiled(source)
  const [, comparison] = childrenOf(ast)
  const sum = comparison === undefined ? undefined : childrenOf(comparison)[0]
  expect(ast.type).toBe('bool')
  expect([comparison?.type, comparison?.start, comparison?.end]).toEqual(['bool', 11, 29])
  expect([sum?.type, source.slice(sum?.start, sum?.end)]).toEqual(['int', 'size(tags) + 1'])
})
