import { expect, test } from 'vitest'
import { asProblem, problemFrom } from '../src/problem.ts'
import { routeOf } from '../src/route.ts'
import { id, listOf, object, oneOf, orNull, ShapeMismatch, text } from '../src/shape.ts'

const approval = object({
  id: id('apr'),
  status: oneOf('pending', 'approved'),
  votes: listOf(object({ person: text })),
})

test('an answer of the right shape is taken, and members that nobody asked for are dropped', () => {
  const answer = { id: 'apr_1', status: 'pending', votes: [{ person: 'ada' }], added_later: true }
  expect(approval(answer, '')).toEqual({ id: 'apr_1', status: 'pending', votes: [{ person: 'ada' }] })
})

function refused(answer: unknown): string {
  try {
    approval(answer, '')
  } catch (thrown) {
    if (thrown instanceof ShapeMismatch) return thrown.message
    throw thrown
  }
  return 'taken'
}

test('an answer of another shape is refused, with the place that is wrong', () => {
  expect(refused({ id: 'dec_1', status: 'pending', votes: [] })).toBe(
    'expected an id that starts with apr_ at `id`',
  )
  expect(refused({ id: 'apr_1', status: 'perhaps', votes: [] })).toBe(
    'expected one of pending, approved at `status`',
  )
  expect(refused({ id: 'apr_1', status: 'pending', votes: [{ person: 7 }] })).toBe(
    'expected text at `votes[0].person`',
  )
})

test('an absent member counts as null only where null is allowed', () => {
  expect(object({ comment: orNull(text) })({}, '')).toEqual({ comment: null })
  expect(() => object({ comment: text })({}, '')).toThrow(ShapeMismatch)
})

test('a problem document is read, and anything else is named after its status', () => {
  const body = { title: 'approval is closed', detail: '`apr_1` is expired', fix: 'Nothing is left to do.' }
  expect(problemFrom(409, body)).toMatchObject({
    status: 409,
    message: 'Approval is closed',
    fix: 'Nothing is left to do.',
  })
  expect(problemFrom(502, '<html>')).toMatchObject({
    status: 502,
    message: 'The service has a problem of its own',
  })
  expect(asProblem(new ShapeMismatch('id', 'text')).fix).toMatch(/Reload/)
})

test('every page has its address, and other addresses name none', () => {
  expect(routeOf('/')).toEqual({ kind: 'approvals' })
  expect(routeOf('/decisions')).toEqual({ kind: 'decisions' })
  expect(routeOf('/decisions/dec_12')).toEqual({ kind: 'decision', id: 'dec_12' })
  expect(routeOf('/approvals')).toEqual({ kind: 'approvals' })
  expect(routeOf('/approvals/apr_12')).toEqual({ kind: 'approval', id: 'apr_12' })
  expect(routeOf('/approvals/together')).toEqual({ kind: 'together' })
  expect(routeOf('/delegations')).toEqual({ kind: 'delegations' })
  expect(routeOf('/grants')).toEqual({ kind: 'grants' })
  expect(routeOf('/sign-in')).toEqual({ kind: 'sign-in' })
  for (const path of ['/nowhere', '/approvals/apr_12/votes', '/approvals/%E0%A4%A', '/sign-in/x']) {
    expect(routeOf(path)).toEqual({ kind: 'unknown' })
  }
})
