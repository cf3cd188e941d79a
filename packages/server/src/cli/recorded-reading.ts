import {
  commentLengthMax,
  Fault,
  isReason,
  onOneLine,
  type JsonObject,
  type ReadRecord,
} from '@bailiwick/core'
import type { Ledger } from '@bailiwick/store'
import { readingPayload } from '../reading-payload.ts'
import { withLedger } from './open-ledger.ts'
import type { CliPorts } from './ports.ts'
import type { StoreOptions } from './settings.ts'

/** How many records are shown at a time, so that one record of the log can name all of them. */
export const shownPerReading = 500

/** How commands show records with what is sensitive masked. */
type MaskedView = Extract<ReadRecord['what'], 'search' | 'export' | 'decision'>

/**
 * Records that the operator is shown these records, with what is sensitive masked. Call it before they are shown; where
 * the log cannot take it, as in an incident, they may be shown all the same, and this says so.
 *
 * @param filter what was searched for, of a text only that there was one; null where one record was asked for by its index
 */
export async function recordReading(
  ledger: Ledger,
  ports: CliPorts,
  what: MaskedView,
  indices: readonly number[],
  filter: JsonObject | null,
): Promise<void> {
  try {
    await note(ledger, what, indices, filter, null)
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    ports.err(notRecorded(error))
  }
}

/**
 * The same of one record, by a command that has no ledger open. A user of the database who may only read, or a directory
 * without the log's key, cannot record; that is said, and the record may be shown all the same.
 */
export async function recordOneReading(
  options: StoreOptions,
  ports: CliPorts,
  what: MaskedView,
  index: number,
): Promise<void> {
  try {
    await withLedger(options, ports, (ledger) => recordReading(ledger, ports, what, [index], null))
  } catch (error) {
    if (!(error instanceof Error)) throw error
    ports.err(notRecorded(error))
  }
}

/**
 * Records that the operator is shown these records with what is sensitive, and why. Call it before they are shown: what
 * cannot be recorded is not shown.
 *
 * @throws Fault where the log cannot take it
 */
export async function recordReveal(
  ledger: Ledger,
  indices: readonly number[],
  filter: JsonObject | null,
  reason: string,
): Promise<void> {
  await note(ledger, 'reveal', indices, filter, reason)
}

/**
 * Why the operator has to see what is sensitive; undefined where nobody asked for it.
 *
 * @param asked whether `option`, which asks for it, was given
 * @throws Fault `bad_input` for one without the other
 */
export function revealReason(option: string, asked: boolean, reason: string | undefined): string | undefined {
  if (!asked) {
    if (reason === undefined) return undefined
    throw new Fault('bad_input', `there is no need of a reason without ${option}`, {
      fix: `Leave out --reason, or add ${option}.`,
    })
  }
  const given = reason?.trim() ?? ''
  if (isReason(given)) return given
  throw new Fault('bad_input', 'a sensitive value is shown for a reason only', {
    fix: `Say with --reason why, in at most ${commentLengthMax} characters; it is recorded.`,
  })
}

async function note(
  ledger: Ledger,
  what: ReadRecord['what'],
  indices: readonly number[],
  filter: JsonObject | null,
  reason: string | null,
): Promise<void> {
  const records = [...new Set(indices)].sort((one, other) => one - other)
  await ledger.note({ kind: 'read', person: 'operator', what, records }, readingPayload(filter, reason))
}

function notRecorded(error: Error): string {
  return onOneLine(`what is shown cannot be recorded: ${error.message}`)
}
