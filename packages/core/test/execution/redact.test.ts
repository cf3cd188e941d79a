import { describe, expect, test } from 'vitest'
import { govern } from '../../src/execution/govern.ts'
import type { DecisionRequest } from '../../src/execution/answer.ts'
import type { DecisionPoint } from '../../src/execution/governance.ts'
import type { Outcome } from '../../src/model/call.ts'
import { redacted } from '../../src/execution/redact.ts'

const redact = (...paths: string[]) => paths.map((path) => ({ kind: 'redact', path }) as const)

describe('a result with obligations', () => {
  test('shows everything but what is to be redacted, and the original stays', () => {
    const result = {
      card: '4111',
      owner: { name: 'Ann', card: '4222' },
      items: [{ card: 1 }, { card: null }, 'x'],
    }
    expect(
      redacted(result, redact('result.card', 'result.owner.card', 'result.items.card', 'result.none.x')),
    ).toEqual({
      card: '[redacted]',
      owner: { name: 'Ann', card: '[redacted]' },
      items: [{ card: '[redacted]' }, { card: '[redacted]' }, 'x'],
    })
    expect(result.card).toBe('4111')
  })

  test('that is no object has nothing to redact', () => {
    for (const result of [undefined, null, 'text', 7])
      expect(redacted(result, redact('result.card'))).toBe(result)
  })

  test('that cannot be copied faithfully is redacted whole', () => {
    class Card {
      readonly number = '4111'
    }
    expect(redacted(new Card(), redact('result.number'))).toBe('[redacted]')
    expect(redacted({ card: new Card(), id: 1 }, redact('result.card.number'))).toEqual({
      card: '[redacted]',
      id: 1,
    })
    expect(redacted(new Map([['card', '4111']]), redact('result.card'))).toBe('[redacted]')
    expect(
      redacted(
        {
          get card() {
            return '4111'
          },
        },
        redact('result.card'),
      ),
    ).toEqual({ card: '[redacted]' })
  })

  test('and none to redact is the same object', () => {
    const result = { card: 1 }
    expect(redacted(result, [{ kind: 'notify', channel: 'finance' }])).toBe(result)
  })
})

test('govern says what it carries out and in which session, and hands out the redacted result', async () => {
  const requests: DecisionRequest[] = []
  const outcomes: Outcome[] = []
  const point: DecisionPoint = {
    decide: (request) => {
      requests.push(request)
      const answer = { reasons: [], rules: [], policy: null, record: { index: 1 } }
      return Promise.resolve({
        id: 'dec_1' as never,
        effect: 'allow',
        ...answer,
        obligations: redact('result.card'),
      })
    },
    approval: () => Promise.reject(new Error('nobody is asked')),
    call: () => Promise.reject(new Error('nothing is resumed')),
    reportOutcome: (_, outcome) => {
      outcomes.push(outcome)
      return Promise.resolve()
    },
  }
  const ports = { now: () => 0 as never, sleep: () => Promise.resolve(), newCallId: () => 'c-1' }
  const governed = await govern(point, ports, {
    action: 'lookup',
    params: {},
    run: () => ({ card: '4111', id: 7 }),
    options: { session: 's-1' },
  })
  expect(requests).toMatchObject([{ session: 's-1', supports: ['redact'], callId: 'c-1' }])
  expect(governed).toMatchObject({ kind: 'ran', result: { card: '[redacted]', id: 7 } })
  expect(JSON.stringify(outcomes)).not.toContain('4111')
})
