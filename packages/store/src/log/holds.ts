import { parseRecord } from '@bailiwick/core'
import { batchesBackwards, type Queryable } from './batches.ts'

/**
 * The names of the legal holds that stand, by the records that place and lift them. There are few of those, and they are
 * found by their term; read on the sequencer's connection, this is as of the head that the batch builds on.
 */
export async function standingHolds(client: Queryable, ledger: string): Promise<string[]> {
  const last = new Map<string, 'placed' | 'lifted'>()
  for await (const { entries } of batchesBackwards(client, ledger, Number.MAX_SAFE_INTEGER, ['kind=hold'])) {
    for (const { record: text } of entries.toReversed()) {
      const record = parseRecord(text)
      if (record.kind === 'hold' && !last.has(record.hold)) last.set(record.hold, record.event)
    }
  }
  return [...last].filter(([, event]) => event === 'placed').map(([hold]) => hold)
}
