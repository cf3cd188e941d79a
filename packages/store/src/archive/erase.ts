import { mkdir, open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { createHash } from 'node:crypto'
import { Fault } from '@bailiwick/core'
import pg from 'pg'
import { whileConnected } from '../engine/one-connection.ts'
import { pendingErasures } from '../erasure/named-erasures.ts'
import { inSchema } from '../migrate.ts'
import { payloadsName } from './export.ts'
import { refuseUnderHold } from '../operations/archive.ts'
import { unpackBlock } from './block-file.ts'
import { holdsNow } from './holds.ts'
import { segmentPrefix, sha256Hex, type Block, type PayloadsObject } from './manifest.ts'
import { archivedEnd, segmentHolding, staleSegments, type ArchivedSegment } from './segments.ts'
import { missingObject, type ArchiveStore } from './store.ts'
import { coldErasureLock, refuseMoved } from './turns.ts'

const gzipped = promisify(gzip)

/** Where to erase, and with what. */
export interface ColdErasure {
  readonly connection: pg.ClientConfig
  readonly ledger: string
  /** The store of the segment's address. @throws Fault where it is not configured */
  readonly storeOf: (address: string) => ArchiveStore
  /** A directory with room for the payloads of a segment. */
  readonly spoolDir: string
}

/**
 * Removes from cold storage every payload whose erasure is recorded and that is still there: the payloads of each segment
 * concerned are written again without them and verified, the database names the new object, and the former one is removed
 * with all its versions. When it returns, none of them is in the archive; what a crash leaves anywhere is completed by
 * doing it again. One process does so at a time; others wait.
 *
 * @returns the indices whose payloads were in cold storage and are gone now
 * @throws Fault `conflict` while a hold stands, also one that was placed while a segment was rewritten
 */
export async function eraseInArchive(erasure: ColdErasure): Promise<readonly number[]> {
  if ((await archivedEndOf(erasure)) === 0) return []
  // Whoever loses the connection loses the lock.
  return await whileConnected(new pg.Client(inSchema(erasure.connection)), async (client) => {
    await client.query('select pg_advisory_lock($1, hashtext($2))', [coldErasureLock, erasure.ledger])
    await refuseMoved(client, erasure.ledger)
    const rewriting = { ...erasure, client }
    for (const segment of await staleSegments(client, erasure.ledger)) await removeStale(rewriting, segment)
    const indices = await pendingErasures(client, erasure.ledger)
    for (let at = 0; at < indices.length;) {
      const segment = await segmentHolding(client, erasure.ledger, indices[at] ?? 0)
      if (segment === undefined) throw changedMeanwhile()
      const ours = indices.slice(at).filter((index) => index < segment.end)
      await eraseInSegment(rewriting, segment, new Set(ours))
      at += ours.length
    }
    return indices
  })
}

async function archivedEndOf({ connection, ledger }: ColdErasure): Promise<number> {
  return await whileConnected(new pg.Client(inSchema(connection)), (client) => archivedEnd(client, ledger))
}

interface Rewriting extends ColdErasure {
  /** Holds the lock: what it cannot say any more, nobody says who has lost it. */
  readonly client: pg.Client
}

// The row tells of every object before it is put and until it is removed, so a crash forgets none: a new one counts as
// replaced until it has been read back. What it will be is told, too: a copy of the database that was made in between finds
// it again once the former one is gone.
async function eraseInSegment(
  rewriting: Rewriting,
  segment: ArchivedSegment,
  erase: ReadonlySet<number>,
): Promise<void> {
  const { payloads, first } = segment
  const erased = [...new Set([...payloads.erased, ...erase])].sort((a, b) => a - b)
  const name = payloadsName.replace('.', `-${sha256Hex(erased.join()).slice(0, 16)}.`)
  await mkdir(rewriting.spoolDir, { recursive: true, mode: 0o700 })
  const path = join(rewriting.spoolDir, `${process.pid}-${first}-${name}`)
  try {
    const next = { name, erased, version: null, ...(await writeWithout(path, rewriting, segment, erase)) }
    const intended = { ...payloads, stale: [...payloads.stale, name], next }
    await replace(rewriting, segment, intended)
    const version = await putAndRead(rewriting, segment, path, next)
    const stale = [...payloads.stale.filter((other) => other !== name), payloads.name]
    const replaced = { ...next, version, stale }
    await replace(rewriting, { first, payloads: intended }, replaced)
    await removeReplaced(rewriting, { ...segment, payloads: replaced })
  } finally {
    await rm(path, { force: true })
  }
}

// Behind the head, so that a hold comes before or after it: one that comes before stops it, and what is gone when one
// comes had its erasure recorded before. Nobody else writes these rows while the lock is held.
async function replace(
  { client, ledger }: Rewriting,
  { first, payloads }: Pick<ArchivedSegment, 'first' | 'payloads'>,
  next: PayloadsObject,
): Promise<void> {
  await client.query('begin')
  try {
    await client.query('select from ledger_head where ledger = $1 for share', [ledger])
    refuseUnderHold(await holdsNow(client, ledger))
    const result = await client.query(
      'update archive_segment set payloads = $4 where ledger = $1 and first = $2 and payloads = $3',
      [ledger, first, JSON.stringify(payloads), JSON.stringify(next)],
    )
    if (result.rowCount !== 1) throw changedMeanwhile()
    await client.query('commit')
  } catch (error) {
    await client.query('rollback').catch((cause: unknown) => cause)
    throw error
  }
}

function changedMeanwhile(): Fault {
  return new Fault('store_busy', 'somebody changed what is known of this archive while it was rewritten', {
    fix: 'Find out who else writes to the table archive_segment, then erase again.',
  })
}

// What an earlier run was interrupted over. Nothing is removed before that which stands for it is there: this database may be
// a copy that was made while another one went on, and removed what is named here.
async function removeStale(rewriting: Rewriting, segment: ArchivedSegment): Promise<void> {
  const { payloads } = segment
  const { next, stale } = payloads
  const problem = await problemOf(rewriting, segment, payloads)
  if (problem === undefined) return await removeReplaced(rewriting, segment)
  if (next === undefined || (await problemOf(rewriting, segment, next)) !== undefined) throw problem
  const adopted = { ...next, stale: [...stale.filter((name) => name !== next.name), payloads.name] }
  await replace(rewriting, segment, adopted)
  await removeReplaced(rewriting, { ...segment, payloads: adopted })
}

/** Why an object of payloads is not there as it was written; undefined where it is. @throws Fault where that cannot be told */
async function problemOf(
  { ledger, storeOf }: Rewriting,
  { store, first, end }: ArchivedSegment,
  { name, version, blocks }: Omit<PayloadsObject, 'stale' | 'next'>,
): Promise<Fault | undefined> {
  const key = `${segmentPrefix(ledger, first, end)}/${name}`
  const opened = storeOf(store)
  try {
    for (const { offset, bytes, sha256 } of blocks) {
      const read = await opened.read(key, { version, offset, bytes })
      if (sha256Hex(read) !== sha256) return missingObject(key, 'was changed')
    }
    return undefined
  } catch (error) {
    if (error instanceof Fault && error.code === 'log_broken') return error
    throw error
  }
}

async function removeReplaced(rewriting: Rewriting, segment: ArchivedSegment): Promise<void> {
  const { client, ledger } = rewriting
  const { payloads, first, end } = segment
  refuseUnderHold(await holdsNow(client, ledger))
  const store = rewriting.storeOf(segment.store)
  for (const name of payloads.stale) await store.remove(`${segmentPrefix(ledger, first, end)}/${name}`)
  const { next: _next, ...kept } = payloads
  if (payloads.stale.length > 0) await replace(rewriting, segment, { ...kept, stale: [] })
}

// Under another name: until the row names it, the former object stays whole and readable.
async function putAndRead(
  { ledger, storeOf }: Rewriting,
  { store: address, first, end }: ArchivedSegment,
  path: string,
  { name, bytes, sha256, blocks }: Omit<PayloadsObject, 'stale' | 'next'>,
): Promise<string | null> {
  const store = storeOf(address)
  const key = `${segmentPrefix(ledger, first, end)}/${name}`
  const version = await store.put(key, { path, bytes, sha256, keepUntil: undefined })
  const digest = createHash('sha256')
  for (const { offset, bytes: length } of blocks) {
    digest.update(await store.read(key, { version, offset, bytes: length }))
  }
  if (digest.digest('hex') !== sha256) throw missingObject(key, 'was not read back as it was written')
  return version
}

// Blocks without any of the records stay byte for byte what they were.
async function writeWithout(
  path: string,
  { ledger, storeOf }: Rewriting,
  { store: address, first, payloads, end }: ArchivedSegment,
  erase: ReadonlySet<number>,
): Promise<{ readonly bytes: number; readonly sha256: string; readonly blocks: readonly Block[] }> {
  const store = storeOf(address)
  const key = `${segmentPrefix(ledger, first, end)}/${payloads.name}`
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
