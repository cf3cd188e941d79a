import { parseRecord, type DecisionRecord, type DecisionView, type StoredEntry } from '@bailiwick/core'
import { batchesBackwards, type Queryable } from './log/batches.ts'
import type { PayloadReader } from './sealing/payload-reader.ts'
import { decisionRows } from './queries.ts'
import type { DecideSettings } from './operations/decide.ts'
import { decisionView } from './views.ts'

/** Which decisions to list, newest first. */
export interface DecisionFilter {
  readonly limit: number
  /** Only records before this index. */
  readonly before?: number | undefined
  readonly agent?: string | undefined
  readonly action?: string | undefined
  readonly effect?: string | undefined
  /** By the id of the policy that decided. */
  readonly policy?: string | undefined
  /** Not before this time: RFC 3339, UTC, milliseconds. */
  readonly since?: string | undefined
  /** Not after this time. */
  readonly until?: string | undefined
  /** Stands somewhere in what the record says for people: its names, ids, rules and reasons. Never in params. */
  readonly text?: string | undefined
}

/** Some decisions, and where the next ones start. */
export interface ListedDecisions {
  readonly decisions: readonly DecisionView[]
  /** Where to go on; null where there is nothing more. A page may be short, or empty, and more follow. */
  readonly next: number | null
}

/** One answer looks at so many records; whoever wants more asks again, with `next`. */
const lookedAtMax = 20_000
/** Clocks of services on one database may differ by so much. */
const clockDifferenceMs = 60 * 60 * 1000

/** Decisions that match, newest first. */
export async function listDecisions(
  client: Queryable,
  payloads: PayloadReader,
  filter: DecisionFilter,
  settings: DecideSettings,
): Promise<ListedDecisions> {
  const { ledger } = payloads
  const before = await startOf(client, ledger, filter)
  const oldest = filter.since === undefined ? '' : shifted(filter.since, -clockDifferenceMs)
  const found: StoredEntry[] = []
  const matches = matcherOf(filter)
  let lookedAt = 0
  let next: number | null = null
  for await (const { first, entries } of batchesBackwards(client, ledger, before, termsOf(filter))) {
    found.push(...entries.filter((entry) => entry.index < before && matches(entry)).toReversed())
    lookedAt += entries.length
    if (found.length >= filter.limit) {
      next = found[filter.limit - 1]?.index ?? null
      break
    }
    if (oldest !== '' && parseRecord(entries[0]?.record ?? '').at < oldest) break
    if (lookedAt >= lookedAtMax) {
      next = first
      break
    }
  }
  const rows = await decisionRows(client, payloads, found.slice(0, filter.limit))
  return { decisions: rows.map((row) => decisionView(row, settings)), next }
}

// Only what came later than `until` is passed over, by the time that stands beside the batches.
async function startOf(
  client: Queryable,
  ledger: string,
  { before = Number.MAX_SAFE_INTEGER, until }: DecisionFilter,
): Promise<number> {
  if (until === undefined) return before
  const { rows } = await client.query<{ first: string | null }>(
    'select min(first) as first from log_batch where ledger = $1 and at > $2::timestamptz',
    [ledger, shifted(until, clockDifferenceMs)],
  )
  const later = rows[0]?.first ?? null
  return later === null ? before : Math.min(before, Number(later))
}

function shifted(at: string, byMs: number): string {
  return new Date(Date.parse(at) + byMs).toISOString()
}

// As `recordTerms` writes them. What is most common, an effect of `allow`, has no term.
function termsOf({ agent, action, effect }: DecisionFilter): string[] {
  return [
    ...(agent === undefined ? [] : [`agent=${agent}`]),
    ...(effect === undefined || effect === 'allow' ? [] : [`effect=${effect}`]),
    ...(action === undefined ? [] : [`action=${action}`]),
  ]
}

function matcherOf(filter: DecisionFilter): (entry: StoredEntry) => boolean {
  const { agent, action, effect, policy, since, until } = filter
  const sought = filter.text?.toLowerCase()
  // Canonical JSON writes these as they are, so most records need not be parsed.
  const isPlain = sought !== undefined && !/["\\\p{Cc}]/u.test(sought)
  return (entry) => {
    if (isPlain && !entry.record.toLowerCase().includes(sought)) return false
    const record = parseRecord(entry.record)
    if (record.kind !== 'decision') return false
    return (
      (agent === undefined || record.agent === agent) &&
      (action === undefined || record.action === action) &&
      (effect === undefined || record.effect === effect) &&
      (policy === undefined || record.policy?.id === policy) &&
      (since === undefined || record.at >= since) &&
      (until === undefined || record.at <= until) &&
      (sought === undefined || saysOf(record).some((said) => said.toLowerCase().includes(sought)))
    )
  }
}

function saysOf(record: DecisionRecord): string[] {
  const { id, agent, action, callId, session, reasons, rules, opens } = record
  return [
    id,
    agent,
    action,
    callId ?? '',
    session ?? '',
    opens?.id ?? '',
    ...reasons,
    ...rules.map((rule) => rule.id),
  ]
}
