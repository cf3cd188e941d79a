import { expect, test } from 'vitest'
import { hiddenPointers, masked, parsePolicy, pointerBelow, ruleText, valueAt } from '../../src/index.ts'

test('a pointer leads to the member of any name, and to nothing that is not there', () => {
  const value = { 'a/b': { '~': [10, { c: null }] } }
  const pointer = ['a/b', '~', 1, 'c'].reduce<string>(pointerBelow, '')
  expect(pointer).toBe('/a~1b/~0/1/c')
  expect(valueAt(value, pointer)).toBeNull()
  expect(valueAt(value, '/a~1b/~0/0')).toBe(10)
  expect(valueAt(value, '')).toEqual(value)
  for (const nowhere of ['/a', '/a~1b/~0/2', '/a~1b/~0/length', '/a~1b/~0/0/0', 'a~1b', '/constructor']) {
    expect(valueAt(value, nowhere), nowhere).toBeUndefined()
  }
})

const text = `agent_id: support
allowed_actions: [pay]
facts:
  amount: {type: number, from: params.amount, for: [pay], unit: EUR}
actions:
  pay: {sensitive: [params.iban, params.payees.iban, context.customer.name]}
escalation_rules:
  # Above this, two people look.
  - condition: "amount > 500"
    action: human_approval_required

  - {condition: "amount > 5000", action: board}
`

function compiled() {
  const parsed = parsePolicy(text)
  if (parsed.kind === 'invalid') throw new Error(JSON.stringify(parsed.problems))
  return parsed.policy
}

test('where something is masked is told without what is there, at every item of a list', () => {
  const params = { iban: 'DE1', amount: 1, payees: [{ iban: 'DE2', name: 'a' }, { name: 'b' }, 'DE3'] }
  const shown = masked(compiled(), 'pay', 'params', params)
  expect(hiddenPointers(params, shown, '/params')).toEqual([
    '/params/iban',
    '/params/payees/0/iban',
    '/params/payees/2',
  ])
  expect(hiddenPointers(params, masked(compiled(), 'lend', 'params', params), '/params')).toEqual([])
})

test('a rule is shown as it is written, with the comment above it and without what follows it', () => {
  const policy = compiled()
  const [first, second] = policy.rules
  expect(first && ruleText(policy, first)).toBe(
    '# Above this, two people look.\n- condition: "amount > 500"\n  action: human_approval_required',
  )
  expect(second && ruleText(policy, second)).toBe('- {condition: "amount > 5000", action: board}')
  expect(ruleText(policy, { line: 99, file: undefined })).toBeUndefined()
  expect(ruleText(policy, { line: 1, file: 'elsewhere.yaml' })).toBeUndefined()
})

test('the unit of a fact is kept for people', () => {
  expect(compiled().facts.get('amount')?.unit).toBe('EUR')
})
