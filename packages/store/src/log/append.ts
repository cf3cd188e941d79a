import type pg from 'pg'
import type { ApprovalRow, CallRow, OutcomeRow, VoteRow } from './rows.ts'

/** One record, ready to be written at its place. */
export interface StagedEntry {
  readonly record: string
  readonly leafHash: Buffer
  readonly kind: string
  readonly agent: string | null
  readonly action: string | null
  readonly effect: string | null
  /** Canonical JSON, or empty where there is no payload. */
  readonly body: string
}

/** A batch that advances the head from `size` by its entries. */
export interface StagedBatch {
  readonly ledger: string
  readonly size: number
  /** The frontier at `size`, on which this batch builds. */
  readonly base: Buffer
  readonly frontier: Buffer
  /** RFC 3339. */
  readonly at: string
  readonly entries: readonly StagedEntry[]
  /** 32 bytes for each entry, unused where it has no payload. */
  readonly salts: Buffer
  readonly calls: readonly CallRow[]
  readonly outcomes: readonly OutcomeRow[]
  readonly approvals: readonly ApprovalRow[]
  readonly votes: readonly VoteRow[]
}

// The frontier is compared too: a batch that builds on one that was fenced may meet a head of just the size it
// expects, left there by the writer who was faster.
// Every INSERT reads FROM the gated UPDATE: a CTE's INSERT runs even where the UPDATE matched no row,
// and would then write records that no head counts. Lists travel as lines of one text: canonical JSON
// and names contain no line break, and PostgreSQL splits them faster than it parses array literals.
const advance = `
  with head as (
    update ledger_head set size = $2::bigint + $3::bigint, frontier = $4
    where ledger = $1 and size = $2::bigint and frontier = $14
    returning 1
  ), entry as (
    select t.n, t.record, t.kind, nullif(t.agent, '') as agent, nullif(t.action, '') as action,
      nullif(t.effect, '') as effect, t.body
    from head, unnest(
      string_to_array($6, E'\\n'), string_to_array($7, E'\\n'), string_to_array($8, E'\\n'),
      string_to_array($9, E'\\n'), string_to_array($10, E'\\n'), string_to_array($12, E'\\n')
    ) with ordinality as t (record, kind, agent, action, effect, body, n)
  ), logged as (
    insert into log_entry (ledger, index, leaf_hash, record, kind, at, agent, action, effect)
    select $1, $2::bigint + n - 1, substring($5::bytea from (n::int - 1) * 32 + 1 for 32), record, kind, $13,
      agent, action, effect
    from entry
  ), kept as (
    insert into payload (ledger, index, salt, body)
    select $1, $2::bigint + n - 1, substring($11::bytea from (n::int - 1) * 32 + 1 for 32), body
    from entry where body <> ''
  )`

const appendPlain = { name: 'append_plain', text: `${advance} select count(*)::int as advanced from head` }

const appendFull = {
  name: 'append_full',
  text: `${advance}, called as (
    insert into call (ledger, agent, call_id, index)
    select $1, r.agent, r.call_id, r.index
    from head, json_to_recordset($15::json) as r (agent text, call_id text, index bigint)
    on conflict (ledger, agent, call_id) do update set index = excluded.index
  ), settled as (
    insert into outcome (ledger, decision, index, status)
    select $1, r.decision, r.index, r.status
    from head, json_to_recordset($16::json) as r (decision bigint, index bigint, status text)
    on conflict (ledger, decision) do update set index = excluded.index, status = excluded.status
  ), opened as (
    insert into approval (ledger, decision, agent, action, policy_sha256, terms, opened_at, expires_at, consumed_by, status)
    select $1, r.decision, r.agent, r.action, r.policy_sha256, r.terms, r.opened_at, r.expires_at, r.consumed_by, r.status
    from head, json_to_recordset($17::json) as r (decision bigint, agent text, action text, policy_sha256 text,
      terms text, opened_at timestamptz, expires_at timestamptz, consumed_by bigint, status text)
    on conflict (ledger, decision) do update set consumed_by = excluded.consumed_by, status = excluded.status
  ), voted as (
    insert into vote (ledger, approval, person, vote, at, index)
    select $1, r.approval, r.person, r.vote, r.at, r.index
    from head, json_to_recordset($18::json) as r (approval bigint, person text, vote text, at timestamptz, index bigint)
  )
  select count(*)::int as advanced from head`,
}

/**
 * Writes a batch: head, records, payloads and all that is folded from them, in one statement and so
 * in one transaction.
 *
 * @returns false where another writer advanced the head first; then nothing was written
 */
export async function appendBatch(client: pg.Client, batch: StagedBatch): Promise<boolean> {
  const { entries } = batch
  const values: unknown[] = [
    batch.ledger,
    batch.size,
    entries.length,
    batch.frontier,
    Buffer.concat(entries.map(({ leafHash }) => leafHash)),
    entries.map(({ record }) => record).join('\n'),
    entries.map(({ kind }) => kind).join('\n'),
    entries.map(({ agent }) => agent ?? '').join('\n'),
    entries.map(({ action }) => action ?? '').join('\n'),
    entries.map(({ effect }) => effect ?? '').join('\n'),
    batch.salts,
    entries.map(({ body }) => body).join('\n'),
    batch.at,
    batch.base,
  ]
  const plain = batch.calls.length + batch.outcomes.length + batch.approvals.length + batch.votes.length === 0
  if (!plain)
    values.push(
      ...[batch.calls, batch.outcomes, batch.approvals, batch.votes].map((rows) => JSON.stringify(rows)),
    )
  const result = await client.query<{ advanced: number }>({ ...(plain ? appendPlain : appendFull), values })
  return result.rows[0]?.advanced === 1
}
