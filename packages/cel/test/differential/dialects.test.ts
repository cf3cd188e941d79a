import { expect, test } from 'vitest'
import { compileCondition, compileExpression } from '../../src/index.ts'
import type { CelValue, CompiledCondition } from '../../src/index.ts'
import { condition, names, valuesOf } from './conditions.ts'
import { Random } from './generator.ts'

// Conditions over facts and parameters: the number facts `a` and `n`, the parameters of any type. What a condition
// says must not hang on which of its closures are the fast ones, nor be another answer than CEL's.

/** The same values for the standard dialect, in which `n` is a whole number. */
function standardValues(values: ReadonlyMap<string, unknown>): Map<string, CelValue> {
  const given = new Map(values as ReadonlyMap<string, CelValue>)
  return given.set('n', BigInt(Number(values.get('n'))))
}

function traced(compiled: CompiledCondition, values: ReadonlyMap<string, unknown>): string {
  const { result } = compiled.trace(values)
  return result.kind === 'value' ? String(result.value === true) : result.kind
}

test('20,000 evaluations of random conditions answer as CEL does, or with an error, and as their traces do', () => {
  const random = new Random(7)
  const counts = { true: 0, false: 0, error: 0, compared: 0 }
  for (let made = 0; made < 4000; made++) {
    const source = condition('bool', random, 1 + random.below(3))
    const compiled = compileCondition(source, { names, inferUnknown: false })
    if (compiled.kind === 'invalid') continue
    const standard = compileExpression(source)
    for (let round = 0; round < 8; round++) {
      const values = valuesOf(random)
      const answer = compiled.condition.evaluate(values)
      counts[answer.kind] += 1
      expect(traced(compiled.condition, values), source).toBe(answer.kind)
      if (answer.kind === 'error' || standard.kind === 'invalid') continue
      const other = standard.expression.evaluate(standardValues(values))
      if (other.kind === 'error') continue
      counts.compared += 1
      expect(other.value, `${source} ${JSON.stringify([...values])}`).toBe(answer.kind === 'true')
    }
  }
  const sum = counts.true + counts.false + counts.error
  expect(sum).toBeGreaterThan(20_000)
  expect(Math.min(counts.true, counts.false, counts.error)).toBeGreaterThan(2000)
  expect(counts.compared).toBeGreaterThan(6000)
}, 120_000)
