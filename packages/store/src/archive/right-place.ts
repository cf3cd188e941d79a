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
    const cause = await whyMissing(store, ledger, segment)
    if (cause === undefined) return
    const until = expired && (await keptUntil(client, ledger, segment, expired.keepMs))
    if (expired === undefined || until === undefined || expired.now < until)
      throw newestMissing('log_broken', segment, cause, until)
    return
  }
}

/**
 * Refuses to read an archive whose newest segment is not there: then it is likelier that it cannot be reached, as where its
 * disk is not mounted, than that somebody has changed it.
 *
 * @throws Fault `store_unavailable`
 */
export async function refuseAbsent(
  client: Queryable,
  ledger: string,
  storeAt: (address: string) => ArchiveStore,
): Promise<void> {
  for await (const segment of segmentsBackwards(client, ledger, Number.MAX_SAFE_INTEGER)) {
    const cause = await whyMissing(storeAt(segment.store), ledger, segment)
    if (cause !== undefined) throw newestMissing('store_unavailable', segment, cause)
    return
  }
}

async function whyMissing(
  store: ArchiveStore,
  ledger: string,
  { first, end, manifest: { leaves } }: ArchivedSegment,
): Promise<Fault | undefined> {
  try {
    const key = `${segmentPrefix(ledger, first, end)}/${leaves.name}`
    await store.read(key, { version: leaves.version, offset: 0, bytes: 1 })
    return undefined
  } catch (cause) {
    if (cause instanceof Fault && cause.code === 'log_broken') return cause
    throw cause
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

function newestMissing(
  code: 'log_broken' | 'store_unavailable',
  { first, end, store }: ArchivedSegment,
  cause: Fault,
  until?: Instant,
): Fault {
  const kept = until === undefined ? '' : `, and it has to be kept until ${instantText(until)}`
  return new Fault(
    code,
    `the newest segment of the archive in \`${store}\`, the records ${first} to ${end - 1}, is not there${kept}: ${cause.message}`,
    {
      fix: 'Mount the disk of the archive, or put the segment back from a copy. Where it was deleted after its retention had ended, say so once: `bailiwick log archive --newest-expired`.',
      cause,
    },
  )
}
