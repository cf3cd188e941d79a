import { compileCondition } from '../src/index.ts'
import type { CelType, CompiledCondition, ConditionResult, ConditionScope } from '../src/index.ts'

/** The names that these tests declare. */
export const names: ReadonlyMap<string, CelType> = new Map<string, CelType>([
  ['refund_amount', 'number'],
  ['items_count', 'int'],
  ['is_vip', 'bool'],
  ['region', 'string'],
  ['tags', { list: 'string' }],
  ['scores', { list: 'number' }],
  ['limits', { map: 'number' }],
  ['params', 'dyn'],
  ['context', { map: 'dyn' }],
  ['now', 'timestamp'],
  ['age', 'duration'],
  ['digest', 'bytes'],
])

export const strict: ConditionScope = { names, inferUnknown: false }
export const inferring: ConditionScope = { names, inferUnknown: true }

/** Values that fit the names; `params` is what a model would send. */
const values: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ['refund_amount', 600],
  ['items_count', 4],
  ['is_vip', true],
  ['region', 'EU'],
  ['tags', ['gift', 'fragile']],
  ['scores', [0.5, 2]],
  ['limits', { daily: 500 }],
  [
    'params',
    JSON.parse(
      '{"amount":600,"zero":0,"half":0.5,"to":"a@example.com","note":null,"tags":["x","y"],"list":[1,2,3],"items":[{"qty":5},{"qty":1}],"empty":[]}',
    ),
  ],
  ['context', { user: 'ann', note: null }],
  ['now', new Date('2026-03-29T02:30:00.250Z')],
  ['age', 90 * 60 * 1000],
  ['digest', Uint8Array.of(1, 2)],
])

/** Compiles a condition that must be good. */
export function compiled(source: string, scope: ConditionScope = strict): CompiledCondition {
  const result = compileCondition(source, scope)
  if (result.kind === 'compiled') return result.condition
  throw new Error(`${source}: ${result.problems.map(({ message }) => message).join('; ')}`)
}

/** The problems of a condition, each as `offset message; fix`. */
export function problemsOf(source: string, scope: ConditionScope = strict): readonly string[] {
  const result = compileCondition(source, scope)
  if (result.kind === 'compiled') return []
  return result.problems.map(({ offset, message, fix }) => `${offset} ${message}; ${fix}`)
}

/** Evaluates a good condition, with some values replaced. */
export function evaluated(source: string, replaced: Readonly<Record<string, unknown>> = {}): ConditionResult {
  return compiled(source).evaluate(new Map([...values, ...Object.entries(replaced)]))
}

/** The message of an evaluation that must fail. */
export function failureOf(source: string, replaced: Readonly<Record<string, unknown>> = {}): string {
  const result = evaluated(source, replaced)
  return result.kind === 'error' ? result.message : `no failure, but ${result.kind}`
}
