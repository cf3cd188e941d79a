import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { canonicalJson } from '../../src/model/canonical-json.ts'
import {
  completedRecordText,
  completeRecord,
  parseRecord,
  recordTerms,
  recordText,
} from '../../src/audit/record.ts'
import type { ApprovalId, RuleId, Sha256 } from '../../src/model/ids.ts'
import type { Json, JsonObject } from '../../src/model/json.ts'
import type { RecordBody } from '../../src/model/record.ts'
import { bodyAt } from './stored-log.ts'

const at = '2026-11-23T20:00:00.000Z'
const place = { ledger: 'main', index: 7, at, payload: 'a'.repeat(64) as Sha256 }
const bodies = Array.from({ length: 12 }, (_, index) => bodyAt(index))
const decision = bodyAt(0) as Extract<RecordBody, { kind: 'decision' }>
const broken = expect.objectContaining({ code: 'log_broken' }) as Error

describe.each(bodies)('a record of kind $kind', (body) => {
  const record = completeRecord(body, place)
  const text = recordText(record)

  test('holds all that its author and its place say', () => {
    expect(record).toEqual({
      ...body,
      v: 1,
      ledger: 'main',
      index: 7,
      at: '2026-11-23T20:00:00.000Z',
      payload: place.payload,
    })
  })

  test('has its members in canonical order, so that writing it sorts nothing', () => {
    expect(Object.keys(record)).toEqual(Object.keys(record).sort())
  })

  test('is written fast as it is written carefully', () => {
    expect(completedRecordText(record)).toBe(text)
  })

  test('is canonical JSON and reads back', () => {
    expect(canonicalJson(JSON.parse(text) as Json)).toBe(text)
    expect(recordText(parseRecord(text))).toBe(text)
    expect(recordTerms(parseRecord(text))).toEqual(recordTerms(record))
  })

  test('does not read back without any one of its members', () => {
    for (const member of Object.keys(JSON.parse(text) as JsonObject)) {
      const rest = Object.fromEntries(
        Object.entries(JSON.parse(text) as JsonObject).filter(([name]) => name !== member),
      )
      expect(() => parseRecord(JSON.stringify(rest))).toThrow(broken)
    }
  })
})

test('a decision with all that is optional is written in order, and older ones do without', () => {
  const rule = {
    line: 3,
    id: 'r' as RuleId,
    because: 'matched',
    effect: 'deny',
    file: 'org.yaml',
    shadow: true,
  } as const
  const body: RecordBody = {
    ...decision,
    shadow: { rules: [rule], reasons: ['no'], effect: 'deny', code: 'denied_by_rule' },
    session: 's-1',
    labels: ['pii', 'untrusted'],
    consumes: [{ windowMs: 60_000, releasable: true, counter: 'daily' as RuleId, amount: 1e-7 }],
    obligations: [
      { path: 'result.card', kind: 'redact' },
      { kind: 'notify', channel: 'finance' },
    ],
  }
  const text = recordText(completeRecord(body, place))
  expect(completedRecordText(completeRecord(body, place))).toBe(text)
  expect(canonicalJson(JSON.parse(text) as Json)).toBe(text)
  expect(parseRecord(text)).toMatchObject({
    session: 's-1',
    shadow: { rules: [rule] },
    labels: ['pii', 'untrusted'],
    consumes: [{ counter: 'daily', amount: 1e-7, releasable: true, windowMs: 60_000 }],
  })
  for (const wrong of [
    { session: 1 },
    { shadow: null },
    { obligations: 'redact' },
    { consumes: {} },
    { labels: null },
  ]) {
    const changed = JSON.stringify({ ...(JSON.parse(text) as JsonObject), ...wrong })
    expect(() => parseRecord(changed)).toThrow(broken)
  }
})

test('what a body says beyond its type cannot replace where the record stands', () => {
  const hostile = { ...bodyAt(4), index: 1, ledger: 'other', v: 2, at: 'never', payload: null }
  expect(completeRecord(hostile, place)).toMatchObject({
    index: 7,
    ledger: 'main',
    v: 1,
    payload: place.payload,
  })
})

test('a record whose nested members come in any order, with any text, is written fast as carefully', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: 'binary' }),
      fc.nat(),
      (one, other, number) => {
        // Keys may hold personal data: they are left out of the record, whoever leaves them in its body.
        const use = {
          windowMs: number,
          releasable: false,
          counter: one as RuleId,
          amount: number / 7,
          key: other,
        }
        const body = {
          ...decision,
          action: one,
          reasons: [one, other],
          session: other,
          labels: [one],
          consumes: [use],
          rules: [
            {
              route: one,
              line: number,
              id: other as RuleId,
              effect: 'escalate',
              detail: other,
              condition: one,
              because: 'matched',
            },
            { line: number, because: 'condition_error', effect: 'deny', id: one as RuleId },
          ],
          policy: { version: number, sha256: 'b'.repeat(64) as Sha256, id: other },
          claims: { id: one, consumed: true },
          opens: {
            terms: { routes: [one], quorum: 2, deadlineMs: number, approvers: [[other]] },
            id: 'apr_7' as ApprovalId,
            deadline: other,
          },
        } satisfies RecordBody
        const record = completeRecord(body, place)
        expect(textOrCode(() => completedRecordText(record))).toBe(textOrCode(() => recordText(record)))
        expect(textOrCode(() => completedRecordText(record))).toBe(
          textOrCode(() => canonicalJson(JSON.parse(JSON.stringify({ ...body, ...record })) as Json)),
        )
      },
    ),
  )
})

test('half of a surrogate pair is refused, also by the fast way; what only looks like one is not', () => {
  const text = (action: string) => () => completedRecordText(completeRecord({ ...decision, action }, place))
  expect(text('\ud800')).toThrow(expect.objectContaining({ code: 'malformed_call' }))
  expect(text('\\ud800')()).toContain('"action":"\\\\ud800"')
})

function textOrCode(write: () => string): string {
  try {
    return write()
  } catch (fault) {
    return (fault as { code: string }).code
  }
}

test('members that are undefined are left out of the text', () => {
  const text = recordText(completeRecord(bodyAt(0), place))
  expect(text).not.toContain('"detail"')
  expect(text).toContain('"condition"')
})

test('a record beyond the size limit is refused, one at the limit is not', () => {
  const sized = (length: number) =>
    completeRecord({ kind: 'access', event: 'signed_in', subject: 'x'.repeat(length), grants: [] }, place)
  const rest = recordText(sized(0)).length
  expect(recordText(sized(60 * 1024 - rest))).toHaveLength(60 * 1024)
  expect(() => recordText(sized(60 * 1024 - rest + 1))).toThrow(
    expect.objectContaining({ code: 'too_large' }),
  )
})

test('a record is found by agent and action of a decision, by an effect that did not allow, and by other kinds', () => {
  const terms = bodies.map((body) => recordTerms(completeRecord(body, place)))
  expect(terms).toEqual([
    ['agent=support', 'action=issue_refund', 'effect=escalate'],
    ['kind=vote'],
    [],
    ['kind=expiry'],
    ['kind=policy'],
    ['kind=access'],
    ['kind=suspension'],
    ['kind=erasure'],
    ['kind=archive'],
    ['kind=hold'],
    ['kind=read'],
    ['kind=key'],
  ])
})

test.each([
  ['no JSON', '{'],
  ['an array', '[]'],
  ['null', 'null'],
  ['a text', '"decision"'],
  ['no version', '{"kind":"policy"}'],
  ['another version', '{"kind":"policy","v":2}'],
  ['no kind', '{"v":1}'],
  ['an unknown kind', '{"kind":"eraser","v":1}'],
  ['a kind that only objects inherit', '{"kind":"toString","v":1}'],
])('%s is not a record', (_, text) => {
  expect(() => parseRecord(text)).toThrow(broken)
})

test.each([
  ['index', -1],
  ['index', 1.5],
  ['index', '7'],
  ['at', '2026-11-23'],
  ['at', null],
  ['payload', 'abc'],
  ['payload', 'null'],
  ['ledger', null],
  ['effect', 'approved'],
  ['reasons', 'none'],
  ['policy', []],
  ['agent', null],
])('a record whose %s is %j is refused', (member, value) => {
  const record = {
    ...(JSON.parse(recordText(completeRecord(bodyAt(0), place))) as JsonObject),
    [member]: value,
  }
  expect(() => parseRecord(JSON.stringify(record))).toThrow(broken)
})
