import fc from 'fast-check'
import { expect, test } from 'vitest'
import { recordText } from '../../src/audit/record.ts'
import type { Obligation, ShadowedDecision } from '../../src/model/decision.ts'
import type { RuleId } from '../../src/model/ids.ts'
import type { DecisionRecord, LogRecord } from '../../src/model/record.ts'
import { noticesOf } from '../../src/monitor/notices-of.ts'
import { causesNoNotice } from '../../src/monitor/quiet-record.ts'
import { deniedRecord, escalatedRecord, expiryRecord, voteRecord } from './records.ts'

const isQuiet = (record: LogRecord) => causesNoNotice(recordText(record))
const allowed = (changes: Partial<DecisionRecord> = {}) =>
  deniedRecord({ effect: 'allow', code: null, reasons: ['Action approved'], rules: [], ...changes })
const shadow: ShadowedDecision = { effect: 'deny', reasons: ['r'], rules: [] }

test('an allowed call is quiet, whatever its names and reasons look like', () => {
  expect(isQuiet(allowed())).toBe(true)
  const action = '"effect":"deny"'
  expect(isQuiet(allowed({ action, callId: '"shadow":', reasons: ['{"obligations":[]}'] }))).toBe(true)
})

test('everything that causes a notice is not', () => {
  const obligations: Obligation[] = [{ kind: 'notify', channel: 'finance' }]
  const records = [
    deniedRecord(),
    escalatedRecord(),
    expiryRecord,
    voteRecord('approved'),
    allowed({ shadow }),
    allowed({ obligations }),
  ]
  expect(records.map(isQuiet)).toEqual(records.map(() => false))
})

test('nothing that is quiet causes a notice', () => {
  const text = fc.oneof(
    fc.string({ minLength: 1 }),
    fc.constantFrom('"effect":"deny"', '"kind":"decision"', '\\', '"'),
  )
  const effect = fc.constantFrom('allow', 'deny', 'escalate')
  const rule = fc.record({
    id: text as fc.Arbitrary<RuleId>,
    effect,
    because: fc.constant('matched'),
    line: fc.nat(),
    shadow: fc.option(fc.constant(true), { nil: undefined }),
  })
  const record = fc.record({
    effect,
    action: text,
    agent: text,
    reasons: fc.array(text, { maxLength: 3 }),
    rules: fc.array(rule, { maxLength: 3 }),
    opens: fc.constant(escalatedRecord().opens),
    shadow: fc.option(fc.constant(shadow), { nil: undefined }),
    obligations: fc.option(fc.constant<Obligation[]>([{ kind: 'notify', channel: 'c' }]), { nil: undefined }),
  })
  fc.assert(
    fc.property(record, (changes) => {
      const made = deniedRecord(changes)
      if (causesNoNotice(JSON.stringify(made))) expect(noticesOf(made)).toEqual([])
    }),
  )
})
