import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compileCondition } from '../src/index.ts'
import type { ConditionScope, SizeBounds } from '../src/index.ts'
import { compiled, names } from './scope.ts'

function scopeWith(bounds: Readonly<Record<string, SizeBounds>>, costMax?: number): ConditionScope {
  return { names, inferUnknown: false, bounds: new Map(Object.entries(bounds)), costMax }
}

function costWith(source: string, bounds: Readonly<Record<string, SizeBounds>>): number {
  return compiled(source, scopeWith(bounds)).cost
}

test('a condition without lists and texts costs a few steps', () => {
  expect(compiled('refund_amount > 500 && !is_vip').cost).toBeLessThan(12)
})

test('what goes over a list costs as much as the list may be long', () => {
  const source = 'tags.exists(t, t == "gift")'
  const [short, long] = [10, 1000].map((items) =>
    costWith(source, { tags: { items }, 'tags[]': { length: 8 } }),
  )
  expect(short).toBeLessThan(200)
  expect(long).toBeGreaterThan(1000)
  expect(costWith(source, {})).toBeGreaterThan(65_536)
})

test('bounds are given by path', () => {
  const source = 'params.items.all(i, i.tags.exists(t, t == "x"))'
  const bounded = costWith(source, {
    'params.items': { items: 10 },
    'params.items[].tags': { items: 5 },
    'params.items[].tags[]': { length: 20 },
  })
  expect(bounded).toBeLessThan(500)
  expect(costWith(source, { 'params.items': { items: 10 } })).toBeGreaterThan(500_000)
})

test('a condition that may cost too much is refused with what to do about it, and its neighbour is not', () => {
  const source = 'tags.all(a, tags.exists(b, b == a))'
  const bounds = (items: number): Readonly<Record<string, SizeBounds>> => ({
    tags: { items },
    'tags[]': { length: 10 },
  })
  expect(compileCondition(source, scopeWith(bounds(20), 10_000)).kind).toBe('compiled')
  const refused = compileCondition(source, scopeWith(bounds(200), 10_000))
  if (refused.kind === 'compiled') throw new Error('it was accepted')
  expect(refused.problems).toHaveLength(1)
  expect(refused.problems[0]?.message).toMatch(/^the condition may take \d+ steps, and 10000 are allowed$/)
  expect(refused.problems[0]?.fix).toContain('declare how long')
})

test('without a limit, a condition of any cost compiles, and the steps of an evaluation still end it', () => {
  expect(compiled('params.list.all(x, params.list.all(y, x == y))').cost).toBeGreaterThan(1e9)
})

test('whatever fits its bounds never takes more steps than were told', () => {
  // A condition whose cost is within the budget of an evaluation cannot run out of it.
  const sources = [
    'tags.exists(t, t.contains("b") && t + t == "abab")',
    'tags.map(t, t + "x").filter(t, t in tags).size() > 1',
    'tags.join("-").split("-") == tags',
    'tags.all(a, tags.exists(b, b.lowerAscii() == a.upperAscii()))',
  ]
  const bounds = { tags: { items: 12 }, 'tags[]': { length: 40 } }
  for (const source of sources) {
    const condition = compiled(source, scopeWith(bounds))
    fc.assert(
      fc.property(fc.array(fc.string({ maxLength: 40 }), { maxLength: 12 }), (tags) => {
        if (condition.cost <= 200_000)
          expect(condition.evaluate(new Map([['tags', tags]])).kind).not.toBe('error')
      }),
    )
  }
})
