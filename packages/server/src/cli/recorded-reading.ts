import { canonicalJson, Fault, onOneLine, type JsonObject, type ReadRecord } from '@bailiwick/core'
import type { Ledger } from '@bailiwick/store'
import type { CliPorts } from './ports.ts'

/** How many records are shown at a time, so that one record of the log can name all of them. */
export const shownPerReading = 500

/**
 * Records that the operator is shown these records with their payloads. Call it before they are shown; where the log
 * cannot take it, as in an incident, they may be shown all the same, and this says so.
 *
 * @param filter what was searched for; null where one record was asked for by its index
 */
export async function recordReading(
  ledger: Ledger,
  ports: CliPorts,
  what: Extract<ReadRecord['what'], 'search' | 'export'>,
  indices: readonly number[],
  filter: JsonObject | null,
): Promise<void> {
  const records = [...new Set(indices)].sort((one, other) => one - other)
  try {
    await ledger.note(
      { kind: 'read', person: 'operator', what, records },
      canonicalJson({ filter, reason: null }),
    )
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    ports.err(onOneLine(`what is shown cannot be recorded: ${error.message}`))
  }
}
