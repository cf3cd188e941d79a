import { hash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { approvalDigest } from '../../src/approval/digest.ts'
import { canonicalJson } from '../../src/model/canonical-json.ts'
import type { ApprovalId, DecisionId, Sha256 } from '../../src/model/ids.ts'
import type { DecisionRecord } from '../../src/model/record.ts'

const opened: DecisionRecord = {
  v: 1,
  kind: 'decision',
  ledger: 'main',
  index: 7,
  at: '2026-03-01T09:00:00.000Z',
  payload: 'a'.repeat(64) as Sha256,
  id: 'dec_7' as DecisionId,
  agent: 'support',
  action: 'issue_refund',
  callId: null,
  effect: 'escalate',
  code: null,
  reasons: [],
  rules: [],
  policy: { id: 'support', version: 1, sha256: 'b'.repeat(64) as Sha256 },
  opens: {
    id: 'apr_7' as ApprovalId,
    terms: { routes: ['ask'], approvers: [['role:lead']], quorum: 1, deadlineMs: 300_000, asks: 'consent' },
    deadline: '2026-03-01T09:05:00.000Z',
  },
  claims: null,
}

describe('what a vote is for', () => {
  test('is the SHA-256 of what is asked, as canonical JSON: anybody can work it out from the record', () => {
    const asked = {
      v: 1,
      type: 'bailiwick/approval',
      ledger: 'main',
      approval: 'apr_7',
      agent: 'support',
      action: 'issue_refund',
      payload: 'a'.repeat(64),
      policy: 'b'.repeat(64),
      terms: opened.opens?.terms,
      deadline: '2026-03-01T09:05:00.000Z',
    }
    expect(approvalDigest(opened)).toBe(hash('sha256', canonicalJson(asked as never)))
  })

  test('is the same whether the record was just made or read back', () => {
    const opens = opened.opens && { ...opened.opens, terms: { ...opened.opens.terms, signed: undefined } }
    const read = JSON.parse(JSON.stringify(opened)) as DecisionRecord
    expect(approvalDigest({ ...opened, opens })).toBe(approvalDigest(read))
  })

  const opens = opened.opens as NonNullable<DecisionRecord['opens']>
  const others: readonly (readonly [string, Partial<DecisionRecord>])[] = [
    ['ledger', { ledger: 'other' }],
    ['approval', { opens: { ...opens, id: 'apr_8' as ApprovalId } }],
    ['agent', { agent: 'warehouse' }],
    ['action', { action: 'delete_account' }],
    ['parameters', { payload: 'c'.repeat(64) as Sha256 }],
    ['policy', { policy: { id: 'support', version: 1, sha256: 'd'.repeat(64) as Sha256 } }],
    ['quorum', { opens: { ...opens, terms: { ...opens.terms, quorum: 2 } } }],
    ['ask', { opens: { ...opens, terms: { ...opens.terms, asks: 'acknowledgement' } } }],
    ['deadline', { opens: { ...opens, deadline: '2026-03-01T09:06:00.000Z' } }],
  ]
  test.each(others)('is another one for another %s', (_what, change) => {
    expect(approvalDigest({ ...opened, ...change })).not.toBe(approvalDigest(opened))
  })

  test('is nothing for a decision that asks nobody', () => {
    expect(() => approvalDigest({ ...opened, opens: null })).toThrow('opened no approval')
  })
})
