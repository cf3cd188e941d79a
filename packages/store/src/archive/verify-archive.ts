import {
  decodeFrontier,
  emptyFrontier,
  Fault,
  parseRecord,
  RecordedDeeds,
  RecordedVotes,
  SignedVotes,
  type Frontier,
  type LogRecord,
  type StoredEntry,
  type BrokenLog,
} from '@bailiwick/core'
import { leafHashes } from '../head.ts'
import { erasuresNamed } from '../erasure/named-erasures.ts'
import { batchesBackwards, readEntries, type Queryable } from '../log/batches.ts'
import { SegmentReader } from './segment-reader.ts'
import { manifestDigest, segmentHolding, segmentsFrom, type ArchivedSegment } from './segments.ts'
import { wrongLeaves } from './leaves.ts'
import type { Pace } from './pace.ts'
import { holdsProblem, RecordedHolds, unheldProblem } from './verify-holds.ts'
import { openArchiveStore } from './open-store.ts'

/**
 * The log's frontier after the last archived record, as its manifest has it: what the records in the database follow on.
 * That it is right shows when they lead to the head, and the last segment is held against the record that says so, which
 * is younger than all that it archives and so in the database: a row alone makes nothing archived.
 *
 * @throws Fault `log_broken` where the archived segments do not follow on each other, or no record says that they are
 */
export async function archivedFrontier(client: Queryable, ledger: string): Promise<Frontier> {
  const { rows } = await client.query<{ end: string | null; gaps: string }>(
    `select max(stop) as end, count(*) filter (where first <> coalesce(before, 0)) as gaps from (
      select first, stop, lag(stop) over (order by first) as before from archive_segment where ledger = $1
    ) as segments`,
    [ledger],
  )
  const end = Number(rows[0]?.end ?? 0)
  if (Number(rows[0]?.gaps ?? 0) > 0) throw notFollowing()
  if (end === 0) return emptyFrontier
  const last = await segmentHolding(client, ledger, end - 1)
  if (last === undefined || last.end !== end || !(await isRecorded(client, ledger, last)))
    throw notFollowing()
  return decodeFrontier(end, Buffer.from(last.manifest.frontier, 'hex'))
}

async function isRecorded(client: Queryable, ledger: string, segment: ArchivedSegment): Promise<boolean> {
  if (segment.index < segment.end) return false
  const entry = (await readEntries(client, ledger, [segment.index])).get(segment.index)
  if (entry === undefined) return false
  const record = parseRecord(entry.record)
  return (
    record.kind === 'archive' &&
    record.index === segment.index &&
    record.first === segment.first &&
    record.end === segment.end &&
    record.manifest === manifestDigest(segment) &&
    record.frontier === segment.manifest.frontier
  )
}

function notFollowing(): Fault {
  return new Fault('log_broken', 'the archived segments do not follow on each other', { fix })
}

const fix = 'Keep the database as evidence, and restore the tables archive_segment and hold from a backup.'

/**
 * Holds `archive_segment` and `hold` against the records that they follow from, as far as those are in the database.
 *
 * @param floor the index of the first record that is not archived
 */
export async function archiveProblem(
  client: Queryable,
  ledger: string,
  floor: number,
): Promise<BrokenLog | undefined> {
  return (await segmentsProblem(client, ledger, floor)) ?? (await holdsProblem(client, ledger, floor))
}

async function segmentsProblem(
  client: Queryable,
  ledger: string,
  floor: number,
): Promise<BrokenLog | undefined> {
  const recorded = new Set<number>()
  const everything = Number.MAX_SAFE_INTEGER
  for await (const { entries } of batchesBackwards(client, ledger, everything, ['kind=archive'])) {
    for (const { index, record: text } of entries) {
      const record = parseRecord(text)
      if (record.kind !== 'archive' || index < floor) continue
      const segment = await segmentHolding(client, ledger, record.first)
      const same =
        segment?.index === index &&
        segment.first === record.first &&
        segment.end === record.end &&
        manifestDigest(segment) === record.manifest &&
        segment.manifest.frontier === record.frontier &&
        segment.store === record.store
      if (!same) return broken(index, `what record ${index} says was archived is not what is stored of it`)
      recorded.add(index)
    }
  }
  const { rows } = await client.query<{ index: string }>(
    'select index from archive_segment where ledger = $1 and index >= $2 order by index',
    [ledger, floor],
  )
  const extra = rows.find(({ index }) => !recorded.has(Number(index)))
  return (
    extra &&
    broken(Number(extra.index), `a segment is stored as archived that record ${extra.index} does not name`)
  )
}

function broken(index: number, problem: string): BrokenLog {
  return { kind: 'broken', index, problem, fix }
}

// Ledgers of one database share their people, so where there are others, roles do not follow from this log alone.
async function hasOtherPeople(client: Queryable, ledger: string): Promise<boolean> {
  const { rowCount } = await client.query(
    `select from log_term where ledger <> $1 and term = 'kind=access' limit 1`,
    [ledger],
  )
  return rowCount !== 0
}

/** What reading the whole archive back found. */
export interface ColdVerification {
  readonly segments: number
  readonly records: number
  readonly erased: number
}

function archiveSays({
  first,
  end,
  frontier,
  manifest,
  store,
}: Readonly<Record<'first' | 'end', number>> &
  Readonly<Record<'frontier' | 'manifest' | 'store', string>>): string {
  return JSON.stringify([first, end, frontier, manifest, store])
}

/**
 * Reads every byte of every archived segment back from its store, and verifies it from the first record on.
 *
 * @param follow told each record that was found right, in the order of the log
 * @throws Fault `log_broken` at the first thing that does not hold; `store_unavailable`
 */
export async function verifyColdSegments(
  client: Queryable,
  ledger: string,
  env: Readonly<Record<string, string | undefined>>,
  pace: Pace = async () => undefined,
  follow: (record: LogRecord, entry: StoredEntry) => void = () => undefined,
): Promise<ColdVerification> {
  let frontier: Frontier = emptyFrontier
  let segments = 0
  const erased = new Set<number>()
  const named = new Set(await erasuresNamed(client, ledger))
  const isShared = await hasOtherPeople(client, ledger)
  const has = { isWhole: true, isSpokenOfElsewhere: () => isShared, endsOwnersElsewhere: isShared }
  const holds = new RecordedHolds()
  const judges = [new SignedVotes(), new RecordedVotes(has), new RecordedDeeds(has), holds]
  const recorded = new Map<number, string>()
  const visit = (record: LogRecord, entry: StoredEntry): void => {
    if (record.kind === 'archive') recorded.set(record.index, archiveSays(record))
    // Each follows every record.
    const [problem] = judges.flatMap((judge) => judge.take(record) ?? [])
    if (problem !== undefined) throw new Fault('log_broken', `record ${record.index} ${problem}`, { fix })
    follow(record, entry)
  }
  const rows = new Map<number, string>()
  let mistaken: ArchivedSegment | undefined
  for await (const segment of segmentsFrom(client, ledger, 0)) {
    if (segment.first !== frontier.size) throw notFollowing()
    const reader = new SegmentReader(openArchiveStore(segment.store, env), segment, () =>
      segmentHolding(client, ledger, segment.first),
    )
    const read = await reader.verify(frontier, pace, visit)
    await refuseOtherLeaves(client, ledger, segment, reader)
    const { first, end, store, manifest } = segment
    // What is erased while it is read may be told by the row before or after that.
    const now = (await segmentHolding(client, ledger, first)) ?? segment
    if (!saysErased(segment, now, read.erased)) mistaken ??= segment
    rows.set(
      segment.index,
      archiveSays({ first, end, store, frontier: manifest.frontier, manifest: manifestDigest(segment) }),
    )
    frontier = read.frontier
    for (const index of read.erased) erased.add(index)
    for (const index of read.named) named.add(index)
    segments += 1
  }
  // What the database says of a segment is what its record says. Records that are not archived are for the log's own
  // verification.
  const other = [...rows].find(([index, says]) => index < frontier.size && recorded.get(index) !== says)
  if (other !== undefined) {
    throw new Fault('log_broken', `what record ${other[0]} says was archived is not what is stored of it`, {
      fix,
    })
  }
  // A record that names a payload comes after it, so all of them have been seen by now.
  // Some may have been erased since.
  if ([...erased].some((index) => !named.has(index)))
    for (const index of await erasuresNamed(client, ledger)) named.add(index)
  const unnamed = [...erased].find((index) => !named.has(index))
  if (unnamed !== undefined) {
    throw new Fault('log_broken', `no erasure record names record ${unnamed}, and its payload is erased`, {
      fix: 'Keep the archive as evidence, and find out who can write to it.',
    })
  }
  if (mistaken !== undefined) {
    const { first, end } = mistaken
    throw new Fault(
      'log_broken',
      `which payloads of the records ${first} to ${end - 1} are erased does not stand in the database as it is`,
      { fix },
    )
  }
  await refuseUnheld(client, ledger, frontier.size, holds)
  return { segments, records: frontier.size, erased: erased.size }
}

function saysErased(before: ArchivedSegment, now: ArchivedSegment, erased: readonly number[]): boolean {
  return (
    before.payloads.erased.every((index) => erased.includes(index)) &&
    erased.every((index) => now.payloads.erased.includes(index))
  )
}

async function refuseOtherLeaves(
  client: Queryable,
  ledger: string,
  { first, end }: ArchivedSegment,
  reader: SegmentReader,
): Promise<void> {
  const kept = await leafHashes(client, ledger, first, end)
  if (Buffer.concat(kept).equals(await reader.leaves())) return
  const wrong = wrongLeaves(first, end)
  throw new Fault('log_broken', wrong.problem, { fix: wrong.fix })
}

// What archived a record of a hold that stood may be in the database still.
async function refuseUnheld(
  client: Queryable,
  ledger: string,
  floor: number,
  holds: RecordedHolds,
): Promise<void> {
  const unheld = holds.stands ? await unheldProblem(client, ledger, floor, holds) : undefined
  if (unheld !== undefined) throw new Fault('log_broken', unheld.problem, { fix: unheld.fix })
}
