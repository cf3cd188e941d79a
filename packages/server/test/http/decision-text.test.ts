import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { DecisionAnswer } from '@bailiwick/core'
import type { BatchAnswer } from '../../src/http/deciding.ts'
import { DecisionTexts } from '../../src/http/decision-text.ts'

const awkward = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('"', '\\', '\ud800', '\u2028', '\u0000'),
)
const rule = fc.record(
  { id: awkward, effect: fc.constantFrom('allow', 'deny', 'escalate'), line: fc.nat(), file: awkward },
  { requiredKeys: ['id', 'effect', 'line'] },
)
const explanation = fc.record({
  reasons: fc.array(awkward, { maxLength: 3 }),
  rules: fc.array(rule, { maxLength: 3 }),
  policy: fc.option(fc.record({ id: awkward, version: fc.option(awkward), sha256: awkward })),
})
const more = fc.record(
  {
    approval: fc.constantFrom(
      { id: 'apr_1', url: 'http://a', deadline: '2026-01-01T00:00:00.000Z' },
      undefined,
    ),
    obligations: fc.constantFrom([{ kind: 'notify' }], [], undefined),
    shadow: fc.constantFrom({ effect: 'deny' }, undefined),
    standing: fc.constantFrom({ grant: 'grt_1', use: 1 }, undefined),
    replayed: fc.constantFrom(true, undefined),
    outcome: fc.constantFrom(null, { status: 'succeeded' }, undefined),
  },
  { requiredKeys: [] },
)
const answers = fc
  .tuple(fc.array(explanation, { minLength: 1, maxLength: 3 }), fc.boolean())
  .chain(([explanations, frozen]) => {
    const shared = explanations.map((each) => (frozen ? frozenDeep(each) : each))
    const answer = fc.tuple(fc.constantFrom(...shared), fc.nat(), more, fc.boolean())
    return fc.array(
      answer.map(([{ reasons, rules, policy }, index, rest, plain]) => {
        const said = { id: `dec_${index}`, effect: 'allow', reasons, rules, policy, record: { index } }
        return (plain ? said : { ...said, ...rest }) as unknown as DecisionAnswer
      }),
      { maxLength: 8 },
    )
  })

test('an answer is written as JSON.stringify writes it, whatever was written before it', () => {
  fc.assert(
    fc.property(answers, (list) => {
      const texts = new DecisionTexts()
      for (const answer of list) {
        const { text, bytes } = texts.written(answer)
        expect(text).toBe(JSON.stringify(answer))
        // A length that is not the text's would make two answers of one, or one of two.
        if (bytes !== undefined) expect(bytes).toBe(Buffer.byteLength(text))
      }
    }),
  )
})

test('the answers to a batch are written as JSON.stringify writes them, problems among them', () => {
  const problem = {
    type: 'urn:bailiwick:problem:bad_input',
    title: 'Bad input',
    status: 400,
    detail: '"',
    fix: 'a',
  }
  fc.assert(
    fc.property(answers, fc.array(fc.nat(8)), (list, places) => {
      const decisions: unknown[] = [...list]
      for (const at of places) decisions.splice(at, 0, problem)
      const batch = { decisions } as unknown as BatchAnswer
      expect(new DecisionTexts().batch(batch)).toBe(JSON.stringify(batch))
    }),
  )
})

test('an explanation that may change is written anew each time', () => {
  const texts = new DecisionTexts()
  const reasons = ['one']
  const answer = { id: 'dec_1', effect: 'allow', reasons, rules: [], policy: null, record: { index: 1 } }
  texts.written(answer as unknown as DecisionAnswer)
  reasons[0] = 'two'
  expect(texts.written(answer as unknown as DecisionAnswer).text).toContain('"reasons":["two"]')
})

test('rules that stand beside other reasons or another policy than before are written with those', () => {
  const texts = new DecisionTexts()
  const rules = frozenDeep([{ id: 'a' }])
  for (const [reason, id] of [
    ['one', 'p'],
    ['two', 'p'],
    ['two', 'q'],
  ]) {
    const said = frozenDeep({ reasons: [reason], policy: { id } })
    const { reasons, policy } = said
    const answer = { id: 'dec_1', effect: 'allow', reasons, rules, policy, record: { index: 1 } }
    expect(texts.written(answer as unknown as DecisionAnswer).text).toBe(JSON.stringify(answer))
  }
})

function frozenDeep<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null) {
    Object.values(value).forEach(frozenDeep)
    Object.freeze(value)
  }
  return value
}
