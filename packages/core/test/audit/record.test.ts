import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { canonicalJson } from '../../src/model/canonical-json.ts'
import { RecordWriter } from '../../src/audit/record-writer.ts'
import { completeRecord, recordText } from '../../src/audit/record.ts'
import { parseRecord } from '../../src/audit/record-shape.ts'
import { recordTerms, TermSet } from '../../src/audit/record-terms.ts'
import type { DeterminingRule } from '../../src/model/decision.ts'
import type { ApprovalId, GrantId, PersonId, RuleId, Sha256 } from '../../src/model/ids.ts'
import type { Json, JsonObject } from '../../src/model/json.ts'
import type { RecordBody } from '../../src/model/record.ts'
import { bodyAt } from './stored-log.ts'

const at = '2026-11-23T20:00:00.000Z'
const place = { ledger: 'main', index: 7, at, payload: 'a'.repeat(64) as Sha256 }
const fastText = (body: RecordBody) => new RecordWriter('main').text(body, place)
const bodies = Array.from({ length: 14 }, (_, index) => bodyAt(index))
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
    expect(fastText(body)).toBe(text)
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

test('a signed vote that grants more, a passkey and a fingerprint are written in order, and older records do without', () => {
  const signature = { signature: 'cw', credential: 'Yw', clientDataJSON: 'ag', authenticatorData: 'YQ' }
  const [standing, grant] = [7, 5].map((uses) => ({ uses, until: '2026-11-23T21:00:00.000Z' }))
  const passkey = { rpId: 'localhost', origin: 'http://localhost', publicKey: 'aw', id: 'Yw' }
  const bodies: readonly RecordBody[] = [
    {
      kind: 'vote',
      approval: 'apr_1' as ApprovalId,
      person: 'ann@example.com' as PersonId,
      vote: 'approve',
      status: 'approved',
      signature,
      standing,
      grant,
    },
    {
      kind: 'vote',
      vote: 'approve',
      status: 'approved',
      person: 'ann@example.com' as PersonId,
      counts: ['role:legal'],
      channel: 'email',
      breakGlass: true,
      approval: 'apr_1' as ApprovalId,
    },
    { kind: 'access', event: 'passkey_registered', subject: 'ann@example.com', grants: [], passkey },
    { kind: 'access', event: 'passkey_removed', subject: 'ann@example.com', grants: [], passkey },
    { kind: 'sealing', key: 'cafe', fingerprint: 'ef'.repeat(32) as Sha256, event: 'on', by: 'operator' },
  ]
  for (const body of bodies) {
    const text = recordText(completeRecord(body, place))
    expect(text).toBe(canonicalJson(JSON.parse(text) as Json))
    expect(fastText(body)).toBe(text)
    expect(parseRecord(text)).toMatchObject(body)
  }
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
    standing: { uses: 12, use: 3, grant: 'grt_4' as GrantId },
    labels: ['pii', 'untrusted'],
    consumes: [{ windowMs: 60_000, releasable: true, counter: 'daily' as RuleId, amount: 1e-7 }],
    obligations: [
      { path: 'result.card', kind: 'redact' },
      { kind: 'notify', channel: 'finance' },
    ],
  }
  const text = recordText(completeRecord(body, place))
  expect(fastText(body)).toBe(text)
  expect(canonicalJson(JSON.parse(text) as Json)).toBe(text)
  expect(parseRecord(text)).toMatchObject({
    session: 's-1',
    standing: { grant: 'grt_4', use: 3, uses: 12 },
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
    { standing: 'grt_4' },
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
            terms: {
              survivesPolicyChange: true,
              signed: true,
              standing: { uses: number, mayDiffer: [{ param: one, how: 'up_to' }], lastsMs: number },
              breakGlass: { quorum: 2, approvers: [[one]] },
              routes: [one],
              remindMs: [number],
              quorumOf: { [one]: number },
              quorum: 2,
              hours: { zone: one, toMinute: number, fromMinute: 0, days: ['mon'] },
              exclude: [other],
              escalateTo: [{ set: 0, approvers: [one], afterMs: number }],
              deadlineMs: number,
              asks: 'acknowledgement',
              approvers: [[other]],
            },
            promptsAt: [one],
            id: 'apr_7' as ApprovalId,
            escalatesAt: [other],
            deadline: other,
          },
        } satisfies RecordBody
        const record = completeRecord(body, place)
        expect(textOrCode(() => fastText(body))).toBe(textOrCode(() => recordText(record)))
        expect(textOrCode(() => fastText(body))).toBe(
          textOrCode(() => canonicalJson(JSON.parse(JSON.stringify({ ...body, ...record })) as Json)),
        )
      },
    ),
  )
})

test('half of a surrogate pair is refused, also by the fast way; what only looks like one is not', () => {
  const text = (action: string) => () => fastText({ ...decision, action })
  expect(text('\ud800')).toThrow(expect.objectContaining({ code: 'malformed_call' }))
  expect(text('\\ud800')()).toContain('"action":"\\\\ud800"')
})

describe('a writer of many records', () => {
  const text = fc.string({ unit: 'binary', maxLength: 3 })
  const rule = fc.record(
    {
      id: text as fc.Arbitrary<RuleId>,
      line: fc.nat(),
      effect: fc.constantFrom('deny', 'escalate'),
      because: fc.constantFrom('matched', 'condition_error'),
      condition: text,
      detail: text,
      route: text,
      file: text,
      link: text,
      shadow: fc.constant(true),
    },
    { requiredKeys: ['id', 'line', 'effect', 'because'] },
  ) as fc.Arbitrary<DeterminingRule>
  // Frozen and not, and with the same lists in different decisions, as policies give them out.
  const explained = fc.record({
    frozen: fc.boolean(),
    reasons: fc.array(text, { maxLength: 2 }),
    rules: fc.array(rule, { maxLength: 2 }),
  })
  const asked = fc.record(
    {
      action: text,
      agent: text,
      callId: fc.option(text),
      claims: fc.option(fc.record({ id: text, consumed: fc.boolean() })),
      code: fc.constantFrom(null, 'forbidden'),
      effect: fc.constantFrom('allow', 'deny', 'escalate'),
      session: text,
      labels: fc.array(text, { maxLength: 2 }),
      obligations: fc.array(fc.record({ kind: fc.constant('redact' as const), path: text }), {
        maxLength: 2,
      }),
      shadow: fc.record({
        effect: fc.constant('deny' as const),
        reasons: fc.array(text),
        rules: fc.array(rule),
      }),
      policy: fc.option(
        fc.record({ id: text, version: fc.option(fc.nat()), sha256: fc.constant(place.payload) }),
      ),
      opens: fc.constant(null),
      standing: fc.record({ uses: fc.nat(), use: fc.nat(), grant: text as fc.Arbitrary<GrantId> }),
    },
    { requiredKeys: ['action', 'agent', 'callId', 'claims', 'code', 'effect', 'policy', 'opens'] },
  )

  test('writes each as carefully as if it were the first, whatever parts they share', () => {
    const calls = fc.array(fc.tuple(asked, fc.nat(3), fc.nat(3)), { maxLength: 12 })
    fc.assert(
      fc.property(fc.array(explained, { minLength: 4, maxLength: 4 }), calls, (lists, decisions) => {
        const writer = new RecordWriter('main')
        const shared = lists.map(({ frozen, reasons, rules }) => {
          if (!frozen) return { reasons, rules }
          return {
            reasons: Object.freeze(reasons),
            rules: Object.freeze(rules.map((one) => Object.freeze(one))),
          }
        })
        for (const [body, reasonsAt, rulesAt] of decisions) {
          const { reasons = [] } = shared[reasonsAt] ?? {}
          const { rules = [] } = shared[rulesAt] ?? {}
          const whole = { ...decision, ...body, reasons, rules } as RecordBody
          const careful = textOrCode(() => recordText(completeRecord(whole, place)))
          expect(textOrCode(() => writer.text(whole, place))).toBe(careful)
        }
      }),
    )
  })

  test('writes a list anew that has been changed since', () => {
    const writer = new RecordWriter('main')
    const policy = Object.freeze({ id: 'p', version: null, sha256: place.payload })
    const reasons = Object.freeze(['one'])
    const changing = { id: 'r' as RuleId, line: 1, effect: 'deny', because: 'matched' } as const
    const rules = Object.freeze([changing])
    const body = { ...decision, policy, reasons, rules }
    expect(writer.text(body, place)).toContain('"line":1')
    Object.assign(changing, { line: 2 })
    expect(writer.text(body, place)).toContain('"line":2')
  })

  test('gives the terms of all of them, each once', () => {
    const terms = new TermSet()
    const records = ['a', 'b', 'a', 'b'].map((agent) => completeRecord({ ...decision, agent }, place))
    for (const record of [...records, completeRecord(bodyAt(1), place), ...records]) terms.add(record)
    expect(terms.list().toSorted()).toEqual([
      'action=issue_refund',
      'agent=a',
      'agent=b',
      'effect=escalate',
      'kind=vote',
    ])
  })
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
    ['kind=revocation'],
    ['kind=key'],
    ['kind=sealing'],
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
