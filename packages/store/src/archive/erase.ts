import { mkdir, open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { createHash } from 'node:crypto'
import { Fault } from '@bailiwick/core'
import type { Queryable } from '../log/batches.ts'
import { payloadsName } from './export.ts'
import { refuseUnderHold } from '../operations/archive.ts'
import { unpackBlock } from './block-file.ts'
import { holdsNow } from './holds.ts'
import { segmentPrefix, sha256Hex, type Block, type PayloadsObject } from './manifest.ts'
import { segmentHolding, type ArchivedSegment } from './segments.ts'
import { missingObject, type ArchiveStore } from './store.ts'

const gzipped = promisify(gzip)

/** Where to erase, and with what. */
export interface ColdErasure {
  readonly client: Queryable
  readonly ledger: string
  /** The store of the segment's address. @throws Fault where it is not configured */
  readonly storeOf: (address: string) => ArchiveStore
  /** A directory with room for the payloads of a segment. */
  readonly spoolDir: string
}

const attemptsMax = 5

/**
 * Erases payloads in cold storage: the payloads of each segment concerned are written again without them, verified, and
 * the former object is removed with all its versions. Indices that are not archived are passed over. When it returns,
 * none of these payloads is in the archive; a crash before leaves work that doing it again completes.
 *
 * @returns the indices whose payloads were in cold storage and are erased there now
 * @throws Fault `conflict` while a hold stands
 */
export async function erasePayloadsInArchive(
  erasure: ColdErasure,
  indices: readonly number[],
): Promise<readonly number[]> {
  refuseUnderHold(await holdsNow(erasure.client, erasure.ledger))
  const done: number[] = []
  const left = new Set([...indices].sort((a, b) => a - b))
  for (const index of left) {
    // Rewriting a segment takes its time, and a hold may have been placed meanwhile.
    refuseUnderHold(await holdsNow(erasure.client, erasure.ledger))
    const found = await segmentHolding(erasure.client, erasure.ledger, index)
    if (found === undefined) continue
    const ours = [...left].filter((each) => each >= found.first && each < found.end)
    for (const each of ours) left.delete(each)
    await eraseInSegment(erasure, found, ours)
    done.push(...ours)
  }
  return done
}

async function eraseInSegment(
  erasure: ColdErasure,
  found: ArchivedSegment,
  indices: readonly number[],
): Promise<void> {
  const { client, ledger } = erasure
  let segment: ArchivedSegment | undefined = found
  for (let attempt = 0; segment !== undefined && attempt < attemptsMax; attempt++) {
    const gone = new Set(segment.payloads.erased)
    const missing = indices.filter((index) => !gone.has(index))
    if (missing.length === 0) return await removeStale(erasure, segment)
    const next = await rewritten(erasure, segment, new Set(missing))
    if (await replace(client, ledger, segment, next)) {
      return await removeStale(erasure, { ...segment, payloads: next })
    }
    // Somebody else erased in this segment meanwhile.
    segment = await segmentHolding(client, ledger, found.first)
  }
  throw new Fault('store_busy', 'others were always faster to erase in this segment', { fix: 'Try again.' })
}

// Only if nobody has replaced them since: what another one has erased must not come back.
async function replace(
  client: Queryable,
  ledger: string,
  { first, payloads }: Pick<ArchivedSegment, 'first' | 'payloads'>,
  next: PayloadsObject,
): Promise<boolean> {
  const result = await client.query(
    'update archive_segment set payloads = $4 where ledger = $1 and first = $2 and payloads = $3',
    [ledger, first, JSON.stringify(payloads), JSON.stringify(next)],
  )
  return result.rowCount === 1
}

/** Removes objects that were replaced. The row tells of them until they are gone, so a crash forgets none. */
export async function removeStale(erasure: ColdErasure, segment: ArchivedSegment): Promise<void> {
  const { payloads, first, end } = segment
  if (payloads.stale.length === 0) return
  const store = erasure.storeOf(segment.store)
  for (const name of payloads.stale)
    await store.remove(`${segmentPrefix(erasure.ledger, first, end)}/${name}`)
  await replace(erasure.client, erasure.ledger, segment, { ...payloads, stale: [] })
}

// Under another name: until the row names it, the former object stays whole and readable.
async function rewritten(
  erasure: ColdErasure,
  segment: ArchivedSegment,
  erase: ReadonlySet<number>,
): Promise<PayloadsObject> {
  const { ledger, spoolDir } = erasure
  const { payloads, first, end } = segment
  const store = erasure.storeOf(segment.store)
  const prefix = segmentPrefix(ledger, first, end)
  const all = [...payloads.erased, ...erase].sort((a, b) => a - b)
  const name = payloadsName.replace('.', `-${sha256Hex(all.join()).slice(0, 16)}.`)
  await mkdir(spoolDir, { recursive: true, mode: 0o700 })
  const path = join(spoolDir, `${process.pid}-${first}-${name}`)
  try {
    const written = await writeWithout(path, store, `${prefix}/${payloads.name}`, segment, erase)
    const { bytes, sha256, blocks } = written
    const version = await store.put(`${prefix}/${name}`, { path, bytes, sha256, keepUntil: undefined })
    const digest = createHash('sha256')
    for (const { offset, bytes: length } of blocks) {
      digest.update(await store.read(`${prefix}/${name}`, { version, offset, bytes: length }))
    }
    if (digest.digest('hex') !== sha256)
      throw missingObject(`${prefix}/${name}`, 'was not read back as it was written')
    return { name, bytes, sha256, version, blocks, erased: all, stale: [...payloads.stale, payloads.name] }
  } finally {
    await rm(path, { force: true })
  }
}

// Blocks without any of the records stay byte for byte what they were.
async function writeWithout(
  path: string,
  store: ArchiveStore,
  key: string,
  { payloads, end }: ArchivedSegment,
  erase: ReadonlySet<number>,
): Promise<{ readonly bytes: number; readonly sha256: string; readonly blocks: readonly Block[] }> {
  const file = await open(path, 'w', 0o600)
  const digest = createHash('sha256')
  const blocks: Block[] = []
  let bytes = 0
  try {
    for (const [at, block] of payloads.blocks.entries()) {
      const { version } = payloads
      const read = await store.read(key, { version, offset: block.offset, bytes: block.bytes })
      if (sha256Hex(read) !== block.sha256) throw missingObject(key, 'was changed')
      const next = payloads.blocks[at + 1]?.first ?? end
      const touched = [...erase].some((index) => index >= block.first && index < next)
      const packed = touched ? await without(read, block.first, erase) : read
      await file.write(packed)
      digest.update(packed)
      blocks.push({ first: block.first, offset: bytes, bytes: packed.length, sha256: sha256Hex(packed) })
      bytes += packed.length
    }
  } finally {
    await file.close()
  }
  return { bytes, sha256: digest.digest('hex'), blocks }
}

async function without(packed: Buffer, first: number, erase: ReadonlySet<number>): Promise<Buffer> {
  const lines = await unpackBlock(packed)
  // A record without payload has an empty line, and nothing to erase.
  const kept = lines.map((line, at) => (line !== '' && erase.has(first + at) ? 'erased' : line))
  return await gzipped(`${kept.join('\n')}\n`, { level: 6 })
}
