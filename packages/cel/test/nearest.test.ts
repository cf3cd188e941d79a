import { expect, test } from 'vitest'
import { nearest } from '../src/index.ts'

test('a misspelled name finds the name it was meant to be', () => {
  const names = ['refund_amount', 'region', 'is_vip']
  expect(nearest('refund_amout', names)).toBe('refund_amount')
  expect(nearest('refund_amonut', names)).toBe('refund_amount')
  expect(nearest('regoin', names)).toBe('region')
  expect(nearest('Region', names)).toBe('region')
  expect(nearest('isvip', names)).toBe('is_vip')
})

test('a name that is like no other finds none', () => {
  expect(nearest('shipping_country', ['refund_amount', 'region'])).toBeUndefined()
  expect(nearest('x', ['y', 'z'])).toBeUndefined()
  expect(nearest('region', ['region'])).toBeUndefined()
  expect(nearest('region', [])).toBeUndefined()
})

test('swapped neighbours are nearer than two other mistakes', () => {
  expect(nearest('abdc', ['axyc', 'abcd'])).toBe('abcd')
})
