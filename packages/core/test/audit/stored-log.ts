import { hash } from 'node:crypto'
import { canonicalJson } from '../../src/model/canonical-json.ts'
import { commitPayload } from '../../src/audit/commitment.ts'
import {
  appendLeaves,
  emptyFrontier,
  encodeFrontier,
  frontierRoot,
  leafHash,
} from '../../src/audit/merkle.ts'
import { completeRecord, recordText } from '../../src/audit/record.ts'
import type { LogHead, StoredEntry } from '../../src/audit/range-check.ts'
import { approvalId, decisionId, grantId, instantText } from '../../src/model/ids.ts'
import type { Instant, PersonId, RuleId, Sha256 } from '../../src/model/ids.ts'
import type { RecordBody } from '../../src/model/record.ts'

const policy = { id: 'support', version: 3, sha256: 'b'.repeat(64) as Sha256 }
const lead = 'lead@example.com' as PersonId

/** One body of every kind, with every optional part present somewhere. */
export function bodyAt(index: number): RecordBody {
  const bodies: RecordBody[] = [
    {
      kind: 'decision',
      id: decisionId(index),
      agent: 'support',
      action: 'issue_refund',
      callId: `call-${index}`,
      effect: 'escalate',
      code: null,
      reasons: ['Escalation required: human_approval_required'],
      rules: [
        {
          id: 'escalation_rules[0]' as RuleId,
          effect: 'escalate',
          because: 'matched',
          condition: 'refund_amount > 500 && customer != "Zoë 😂"',
          detail: undefined,
          route: 'human_approval_required',
          line: 12,
        },
      ],
      policy,
      opens: {
        id: approvalId(index),
        terms: {
          routes: ['human_approval_required'],
          approvers: [['role:lead']],
          quorum: 1,
          deadlineMs: 300_000,
          asks: 'consent',
        },
        deadline: '2026-11-23T20:05:00.000Z',
      },
      claims: null,
    },
    { kind: 'vote', approval: approvalId(index), person: lead, vote: 'approve', status: 'approved' },
    { kind: 'outcome', decision: decisionId(index), agent: 'support', status: 'succeeded' },
    { kind: 'expiry', approval: approvalId(index), agent: 'support', action: 'issue_refund' },
    { kind: 'policy', policy },
    { kind: 'access', event: 'key_created', subject: 'key_1', grants: ['agent:support'] },
    { kind: 'suspension', agent: 'support', state: 'suspended', by: lead },
    { kind: 'erasure', scope: 'decision', records: [0, 3], by: 'operator' },
    {
      kind: 'archive',
      first: 0,
      end: 2,
      frontier: 'ab'.repeat(32),
      manifest: 'cd'.repeat(32) as Sha256,
      store: 'file:archive',
    },
    { kind: 'hold', hold: 'case-7', event: 'placed', by: lead },
    { kind: 'read', person: lead, what: 'reveal', records: [0] },
    { kind: 'revocation', grant: grantId(index), agent: 'support', action: 'issue_refund', by: lead },
    { kind: 'key', event: 'added', verifierKey: 'bailiwick.local/main+0badcafe+AQ==', by: 'operator' },
    { kind: 'sealing', event: 'on', key: '0badcafe0badcafe', by: 'operator' },
  ]
  return bodies[index % bodies.length] ?? { kind: 'policy', policy }
}

function hasPayload(body: RecordBody): boolean {
  return !['expiry', 'access', 'archive', 'key', 'sealing'].includes(body.kind)
}

/** A row as an honest service stores it. */
export function entryAt(index: number, ledger = 'main', body: RecordBody = bodyAt(index)): StoredEntry {
  const salt = hash('sha256', `salt ${index}`, 'buffer')
  const payload = hasPayload(body)
    ? { salt, body: canonicalJson({ params: { amount: index, to: 'Zoë' }, context: {} }) }
    : 'none'
  const commitment = payload === 'none' ? null : commitPayload(payload.salt, payload.body)
  const at = instantText((Date.UTC(2026, 10, 23) + index) as Instant)
  const record = completeRecord(body, { ledger, index, at, payload: commitment })
  const text = recordText(record)
  return { index, leafHash: leafHash(text), record: text, payload }
}

/** A row whose text is replaced, with a leaf hash that fits. */
export function withRecord(entry: StoredEntry, record: string): StoredEntry {
  return { ...entry, record, leafHash: leafHash(record) }
}

/** An honest log of `size` records. */
export function storedLog(size: number, ledger = 'main'): StoredEntry[] {
  return Array.from({ length: size }, (_, index) => entryAt(index, ledger))
}

/** The head that fits these rows. */
export function headOf(entries: readonly StoredEntry[], ledger = 'main'): LogHead {
  const frontier = frontierOf(entries)
  return { ledger, size: frontier.size, frontier: encodeFrontier(frontier) }
}

/** The root of these rows. */
export function rootOf(entries: readonly StoredEntry[]): Buffer {
  return frontierRoot(frontierOf(entries))
}

function frontierOf(entries: readonly StoredEntry[]) {
  return appendLeaves(
    emptyFrontier,
    entries.map((entry) => entry.leafHash),
  )
}
