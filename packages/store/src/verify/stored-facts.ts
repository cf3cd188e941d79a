import type { ApprovalStatus, Instant, OutcomeStatus } from '@bailiwick/core'
import type pg from 'pg'
import { decimalFrom } from '../log/decimal.ts'
import { amountBytes, isOver, namesUser, outcomeCodes, statusCodes } from './fact-codes.ts'
import { FactWriter, tags } from './facts.ts'
import {
  approvalDetail,
  callKey,
  delegationDetail,
  grantDetail,
  grantUseKey,
  keylessText,
  markKey,
  useDetail,
  useText,
  voteDetail,
  voteKey,
} from './said-facts.ts'

/** The tables that are folded from the records. */
export const foldedTables = [
  'approval',
  'vote',
  'call',
  'outcome',
  'session_mark',
  'counter_entry',
  'delegation',
  'standing_grant',
  'standing_use',
] as const
export type FoldedTableName = (typeof foldedTables)[number]

/** A part of a table: its pages from `from` up to, and without, `below`. */
export interface StoredPart {
  readonly table: FoldedTableName
  readonly from: number
  /** Infinity for the last part of a table, so that no row lies behind it. */
  readonly below: number
}

const pagesPerPart = 1024

/**
 * The folded tables in parts that can be read at once, on several connections in one snapshot: each row that the snapshot has
 * lies in one of them, also where the table grows meanwhile.
 */
export async function storedParts(client: pg.Client, step = pagesPerPart): Promise<StoredPart[]> {
  // One that is not there has one part, whose reading says so.
  const { rows } = await client.query<{ table: FoldedTableName; pages: number }>(
    `select t as table, coalesce(pg_relation_size(to_regclass(t)) / current_setting('block_size')::int, 0)::float8 as pages
      from unnest($1::text[]) as t`,
    [foldedTables],
  )
  return rows.flatMap(({ table, pages }) => {
    const count = Math.max(1, Math.ceil(pages / step))
    return Array.from({ length: count }, (_, nth) => ({
      table,
      from: nth * step,
      below: nth + 1 < count ? (nth + 1) * step : Infinity,
    }))
  })
}

/** What a row says; a column that is null, or not there, says nothing that any record says. */
type Row = Readonly<Record<string, string | null>>

interface StoredTable {
  /** The columns, all of them as text. */
  readonly columns: string
  /** Which rows to leave out where this is below the index of the first record that is not archived; none: no row. */
  readonly of?: string
  readonly write: (
    facts: FactWriter,
    row: Row,
    as: { readonly now: Instant; readonly isWhole: boolean },
  ) => void
}

// As the records write times, but for three digits more: what no record says has to look different.
const time = (column: string) => `to_char(${column}, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z" BC') as ${column}`
const tables: Readonly<Record<FoldedTableName, StoredTable>> = {
  approval: {
    of: 'decision',
    columns: `decision::text, agent, action, policy_sha256, terms, ${time('opened_at')}, ${time('expires_at')},
      consumed_by::text, cancelled_by::text, status, ${time('next_prompt_at')}`,
    write: writeApproval,
  },
  vote: {
    of: 'approval',
    columns: `approval::text, person, vote, ${time('at')}, index::text, principal`,
    write: writeVote,
  },
  delegation: {
    of: 'index',
    columns: `index::text, delegator, delegate, ${time('starts_at')}, ${time('ends_at')}, revoked_by::text`,
    write: (facts, row) => {
      const { index, delegator: from, delegate: to, revoked_by: revoked } = row
      const times = [recordTime(row['starts_at']), recordTime(row['ends_at'])]
      const isRevoked = typeof revoked === 'string'
      facts.add(tags.delegationStored, `delegation dlg_${index}`, {
        index: isRevoked ? indexIn(revoked) : 0,
        code: isRevoked ? 1 : 0,
        detail: delegationDetail(facts, [from ?? null, to ?? null, ...times]),
      })
    },
  },
  standing_grant: {
    of: 'approval',
    columns: `approval::text, index::text, uses::text, ${time('until_at')}, revoked_by::text`,
    write: (facts, row) => {
      const { approval, index, uses, revoked_by: revoked } = row
      const isRevoked = typeof revoked === 'string'
      facts.add(tags.grantStored, `grant grt_${approval}`, {
        index: isRevoked ? indexIn(revoked) : 0,
        code: isRevoked ? 1 : 0,
        detail: grantDetail(facts, [index ?? null, uses ?? null, recordTime(row['until_at'])]),
      })
    },
  },
  standing_use: {
    of: 'approval',
    columns: 'approval::text, use::text, decision::text',
    write: (facts, { approval, use, decision }) =>
      facts.add(tags.grantUseStored, grantUseKey(`grt_${approval}`, String(use)), {
        index: indexIn(decision),
      }),
  },
  call: {
    columns: 'agent, call_id, index::text',
    write: (facts, { agent, call_id: callId, index }) => {
      if (agent === null || callId === null) facts.odd()
      else facts.add(tags.callStored, callKey(agent ?? '', callId ?? ''), { index: indexIn(index) })
    },
  },
  outcome: {
    of: 'decision',
    columns: 'decision::text, index::text, status, earlier::text',
    write: (facts, { decision, index, status, earlier }) => {
      const code = outcomeCodes[status as OutcomeStatus] ?? 0
      facts.add(tags.outcomeStored, `outcome dec_${decision}`, { index: indexIn(index), code })
      if (typeof earlier === 'string')
        facts.add(tags.earlierStored, `outcome dec_${decision}`, { index: indexIn(earlier) })
    },
  },
  session_mark: {
    columns: 'session, kind, value, index::text',
    write: (facts, { session, kind, value, index }) => {
      const key = markKey(session ?? '', kind ?? '', value ?? '')
      if (session === null || kind === null || value === null) facts.odd()
      else facts.add(tags.markStored, key, { index: indexIn(index) })
    },
  },
  counter_entry: {
    of: 'decision',
    columns: `decision::text, encode(key, 'hex') as key, counter, ${time('at')}, amount::text, window_ms::text,
      case when releasable then 'yes' else 'no' end as releasable`,
    write: writeCounterEntry,
  },
}

function writeApproval(facts: FactWriter, row: Row): void {
  writePrompt(facts, row)
  const { decision, agent, action, policy_sha256: policy, terms, status } = row
  // Nothing that was used can be withdrawn, nor the reverse.
  const user = row['consumed_by'] ?? row['cancelled_by']
  if (typeof row['consumed_by'] === 'string' && typeof row['cancelled_by'] === 'string') facts.odd()
  if (typeof row['cancelled_by'] === 'string' && status !== 'cancelled') facts.odd()
  const at = recordTime(row['opened_at'])
  const deadline = recordTime(row['expires_at'])
  const detail = approvalDetail(facts, [
    agent ?? null,
    action ?? null,
    policy ?? null,
    terms ?? null,
    at,
    deadline,
  ])
  const code = statusCodes[status as ApprovalStatus] ?? 0
  const named = typeof user === 'string'
  facts.add(tags.approvalStored, `approval apr_${decision}`, {
    index: named ? indexIn(user) : 0,
    code: named ? code + namesUser : code,
    detail,
  })
}

function writePrompt(facts: FactWriter, { decision, next_prompt_at: next }: Row): void {
  if (typeof next !== 'string') return
  const at = recordTime(next)
  if (at === null) facts.odd()
  else facts.add(tags.promptStored, `prompt apr_${decision}`, { index: Date.parse(at) })
}

function writeVote(facts: FactWriter, { approval, person, vote, at, index, principal }: Row): void {
  const detail = voteDetail(facts, [vote ?? null, recordTime(at), index ?? null, principal ?? null])
  if (typeof person === 'string') {
    facts.add(tags.voteStored, voteKey(`apr_${approval}`, person), { index: indexIn(index), detail })
  } else facts.odd()
}

function writeCounterEntry(
  facts: FactWriter,
  row: Row,
  { now, isWhole }: { readonly now: Instant; readonly isWhole: boolean },
): void {
  const { decision, key, counter, amount, window_ms: windowText, releasable } = row
  const at = recordTime(row['at'])
  const windowMs = Number(windowText)
  const decimal = decimalFrom(amount ?? '')
  if (at === null || !Number.isSafeInteger(windowMs) || typeof key !== 'string' || decimal === undefined) {
    facts.odd()
    return
  }
  const code = isOver(at, windowMs, now)
  const index = indexIn(decision)
  const of = useText(counter ?? '', at, windowMs, key)
  const keyless = keylessText(counter ?? '', at, windowMs)
  if (releasable === 'yes') {
    facts.add(tags.useStored, `use dec_${decision}`, { index, code, detail: useDetail(facts, of, decimal) })
    if (!isWhole) return
    const detail = useDetail(facts, keyless, decimal)
    facts.add(tags.keylessStored, `use dec_${decision}`, { index, code, detail })
    return
  }
  const bytes = amountBytes(decimal)
  if (bytes === undefined) {
    facts.odd()
    return
  }
  // Which of the decisions that it stands for the row names means nothing.
  facts.add(tags.sumStored, `sum ${of}`, { index: 0, code, detail: bytes })
  if (isWhole) facts.add(tags.totalStored, `total ${keyless}`, { index, code, detail: bytes })
}

/** What is no index is none that a fact can have. */
function indexIn(text: string | null | undefined): number {
  return typeof text === 'string' && /^\d+$/.test(text) ? Number(text) : -1
}

/** The time as a record would write it, or null where none would. */
function recordTime(text: string | null | undefined): string | null {
  return typeof text === 'string' && text.endsWith('000Z AD') ? `${text.slice(0, -'000Z AD'.length)}Z` : null
}

const rowsPerFetch = 1000

/**
 * Reads a part of a table and hands out its facts piece by piece. Call it in a transaction.
 *
 * @returns whether every row could be said as a fact
 */
export async function readStored(
  client: pg.Client,
  ledger: string,
  { table, from, below }: StoredPart,
  {
    secret,
    now,
    floor,
    isWhole = false,
    hand,
  }: {
    secret: string
    now: Instant
    floor: number
    isWhole?: boolean | undefined
    hand: (facts: Uint8Array<ArrayBuffer>) => void
  },
): Promise<boolean> {
  const facts = new FactWriter(secret)
  const { columns, of, write } = tables[table]
  const where = [
    `ledger = ${client.escapeLiteral(ledger)}`,
    ...(of === undefined || floor === 0 ? [] : [`${of} >= ${floor}`]),
    ...(from === 0 ? [] : [`ctid >= '(${from},0)'`]),
    ...(below === Infinity ? [] : [`ctid < '(${below},0)'`]),
  ]
  const cursor = `stored_${table}`
  await client.query(
    `declare ${cursor} no scroll cursor for select ${columns} from ${table} where ${where.join(' and ')}`,
  )
  // The next rows are on their way while these are worked on.
  const fetch = () => client.query<Record<string, string | null>>(`fetch ${rowsPerFetch} from ${cursor}`)
  let next = fetch()
  for (;;) {
    const { rows } = await next
    const isLast = rows.length < rowsPerFetch
    if (!isLast) {
      next = fetch()
      // Heard when it is waited for.
      next.catch(() => undefined)
    }
    for (const row of rows) write(facts, row, { now, isWhole })
    // As in `scanBatches`: what the driver holds of an answer keeps no rows.
    rows.length = 0
    hand(facts.take())
    if (isLast) break
  }
  await client.query(`close ${cursor}`)
  return !facts.isOdd
}
