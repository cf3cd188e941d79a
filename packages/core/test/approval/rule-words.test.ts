import { expect, test } from 'vitest'
import { reasonText, routeText, rulePlaceText } from '../../src/words.ts'

test('a rule without an id of its own is told by its place, counted as people do; one with an id by that', () => {
  expect(rulePlaceText('escalation_rules[0]')).toBe('Escalation rule no. 1')
  expect(rulePlaceText('base.yaml:forbidden_actions[2]')).toBe('Forbidden action no. 3 of base.yaml')
  expect(rulePlaceText('actions.issue_refund.when')).toBe('Condition of issue_refund')
  expect(rulePlaceText('base.yaml:actions.crm.*.params')).toBe('Parameters of crm.* of base.yaml')
  expect(rulePlaceText('environments')).toBe('Environments of the policy')
  for (const own of ['large', 'other[0]', 'actions.pay.other', 'constructor[0]']) {
    expect(rulePlaceText(own)).toBeUndefined()
  }
})

test('what a route asks for is said, and of a route of its author its name', () => {
  expect(routeText('human_approval_required')).toBe('People have to approve it')
  expect(routeText('human_review_before_action')).toBe('Somebody has to look at it first')
  expect(routeText('treasury_desk')).toBe('People are asked: Treasury desk')
})

test('reasons that are codes are read as sentences, and what an author wrote stays word for word', () => {
  expect(reasonText('Escalation required: human_approval_required')).toBe('People have to approve it')
  expect(reasonText('condition_error in escalation_rules[0]: refund_amount is a string, not a number')).toBe(
    'A condition could not be evaluated, and so counts as matched: refund_amount is a string, not a number (Escalation rule no. 1)',
  )
  const written = 'Escalation required: ask the desk, condition_error in mind'
  expect(reasonText(written)).toBe(written)
})
