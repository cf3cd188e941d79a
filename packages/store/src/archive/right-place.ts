import { Fault, instantText, parseRecord, type Instant } from '@bailiwick/core'
import { readEntries, type Queryable } from '../log/batches.ts'
import { closedStores } from './closed-stores.ts'
import { segmentPrefix } from './manifest.ts'
import { segmentsBackwards, type ArchivedSegment } from './segments.ts'
import { notOpen, type ArchiveStore } from './store.ts'

/** How long segments are kept, and what time it is. */
interface Retention {
  readonly keepMs: number
  readonly now: Instant
}

/**
 * Refuses a place that is not the one with all segments before: one that another address names, or an empty one under the
 * same address, such as a disk that is not mounted. An empty place does not tell whether it is the wrong one or what lay there
 * was deleted in its time, so that is for a person to say.
 *
 * @param expired the newest segment may be gone, if its retention has ended by now
 */
export async function refuseOtherStore(
  client: Queryable,
  ledger: string,
  store: ArchiveStore,
  expired?: Retention,
): Promise<void> {
  const [closed] = await closedStores(client, ledger, store)
  if (closed !== undefined) throw notOpen(`${closed.records} records`, store, closed.address)
  for await (const segment of segmentsBackwards(client, ledger, Number.MAX_SAFE_INTEGER)) {
    const { name, version } = segment.manifest.leaves
    const key = `${segmentPrefix(ledger, segment.first, segment.end)}/${name}`
    try {
      await store.read(key, { version, offset: 0, bytes: 1 })
    } catch (cause) {
      if (!(cause instanceof Fault) || cause.code !== 'log_broken') throw cause
      const until = expired && (await keptUntil(client, ledger, segment, expired.keepMs))
      if (expired === undefined || until === undefined || expired.now < until)
        throw newestMissing(segment, cause, until)
    }
    return
  }
}

// Its lock ends so long after an instant that was past when the segment was recorded: not later than this.
async function keptUntil(
  client: Queryable,
  ledger: string,
  { index }: ArchivedSegment,
  keepMs: number,
): Promise<Instant | undefined> {
  // The record of the newest segment is younger than all that is archived, and so in the database.
  const entry = (await readEntries(client, ledger, [index])).get(index)
  const record = entry && parseRecord(entry.record)
  return record?.kind === 'archive' ? ((Date.parse(record.at) + keepMs) as Instant) : undefined
}

function newestMissing({ first, end, store }: ArchivedSegment, cause: Fault, until?: Instant): Fault {
  const kept = until === undefined ? '' : `, and it has to be kept until ${instantText(until)}`
  return new Fault(
    'log_broken',
    `the newest segment of the archive in \`${store}\`, the records ${first} to ${end - 1}, is not there${kept}: ${cause.message}`,
    {
      fix: 'Mount the disk of the archive, or put the segment back from a copy. Where it was deleted after its retention had ended, say so once: `bailiwick log archive --newest-expired`.',
      cause,
    },
  )
}
