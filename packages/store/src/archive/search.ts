import { parseRecord, type DecisionRecord, type LogRecord } from '@bailiwick/core'
import { batchesBackwards, type Queryable } from '../log/batches.ts'
import type { PayloadReader } from '../sealing/payload-reader.ts'
import type { ColdLog } from './cold-log.ts'
import { archivedEnd } from './segments.ts'

/** What to look for. */
export interface LogSearch {
  readonly agent?: string | undefined
  readonly action?: string | undefined
  readonly effect?: DecisionRecord['effect'] | undefined
  /** RFC 3339; from then on, and before then. */
  readonly from?: string | undefined
  readonly to?: string | undefined
  /** Stands in the record or in its payload. */
  readonly text?: string | undefined
}

/** A record that was looked for. */
export interface FoundRecord {
  readonly record: LogRecord
  /** Canonical JSON; null where there is none or it has been erased. */
  readonly body: string | null
  /** Whether it came out of cold storage. */
  readonly cold: boolean
  /** Its payload is there, sealed, and cannot be opened here. */
  readonly sealed?: true
}

/** Clocks of services that write one log may differ by so much: times need not ascend with the index. */
const clockDifferenceMsMax = 60 * 60 * 1000

/**
 * Records that match, the newest first, in the database and then in cold storage; read as they are asked for, in bounded
 * memory.
 */
export async function* searchLog(
  client: Queryable,
  payloads: PayloadReader,
  cold: ColdLog,
  search: LogSearch,
): AsyncGenerator<FoundRecord> {
  const { ledger } = payloads
  const terms = termsOf(search)
  const end = await archivedEnd(client, ledger)
  // Where what was read of the database begins.
  let lowest = Infinity
  const earliest = search.from === undefined ? -Infinity : Date.parse(search.from) - clockDifferenceMsMax
  for await (const { first, entries } of batchesBackwards(client, ledger, Number.MAX_SAFE_INTEGER, terms)) {
    if (first + entries.length <= end) break
    let old = false
    const read = await payloads.read(client, entries)
    for (const { index, record: text } of entries.toReversed()) {
      if (index < end) break
      lowest = index
      const record = parseRecord(text)
      old = Date.parse(record.at) < earliest
      const { body, shut } = read(index)
      const found = {
        record,
        body,
        cold: false,
        ...(shut === undefined ? {} : { sealed: true as const }),
      }
      if (matches(record, text, body, search)) yield found
    }
    if (old) return
  }
  const { from, to } = search
  // A run may have archived what had not been read yet: it is in cold storage by now.
  const before = Math.min(lowest, await archivedEnd(client, ledger))
  for await (const { record, entry } of cold.backwards({ before, searches: [terms], from, to })) {
    const { body, shut } = (await payloads.read(client, [entry]))(entry.index)
    const found = { record, body, cold: true, ...(shut === undefined ? {} : { sealed: true as const }) }
    if (matches(record, entry.record, body, search)) yield found
  }
}

function termsOf({ agent, action, effect }: LogSearch): string[] {
  return [
    ...(agent === undefined ? [] : [`agent=${agent}`]),
    ...(effect === undefined || effect === 'allow' ? [] : [`effect=${effect}`]),
    ...(action === undefined ? [] : [`action=${action}`]),
  ]
}

function matches(record: LogRecord, text: string, body: string | null, search: LogSearch): boolean {
  const { agent, action, effect, from, to, text: wanted } = search
  const asksForDecisions = agent !== undefined || action !== undefined || effect !== undefined
  if (asksForDecisions) {
    if (record.kind !== 'decision') return false
    if (agent !== undefined && record.agent !== agent) return false
    if (action !== undefined && record.action !== action) return false
    if (effect !== undefined && record.effect !== effect) return false
  }
  if ((from !== undefined && record.at < from) || (to !== undefined && record.at >= to)) return false
  return wanted === undefined || text.includes(wanted) || body?.includes(wanted) === true
}
