import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { decodeFrontier, encodeFrontier, type Frontier, type Instant } from '@bailiwick/core'
import pg from 'pg'
import { whileConnected } from '../engine/one-connection.ts'
import { extended } from '../head.ts'
import { inSchema } from '../migrate.ts'
import { describeFile, exportSegment, type ExportedSegment } from './export.ts'
import {
  manifestText,
  parseManifest,
  segmentPrefix,
  type ArchivedObject,
  type Manifest,
  type PayloadsObject,
} from './manifest.ts'
import { restingPace } from './pace.ts'
import { SegmentReader } from './segment-reader.ts'
import { openArchiveStore } from './open-store.ts'
import { missingObject, type ArchiveStore } from './store.ts'

/** A frontier that can be sent to a thread. */
export interface FrontierText {
  readonly size: number
  readonly hex: string
}

export function frontierText(frontier: Frontier): FrontierText {
  return { size: frontier.size, hex: encodeFrontier(frontier).toString('hex') }
}

export function frontierOf({ size, hex }: FrontierText): Frontier {
  return decodeFrontier(size, Buffer.from(hex, 'hex'))
}

/** What a segment is made from; all of it can be sent to a thread. */
export interface SegmentTask {
  readonly connection: pg.ClientConfig
  readonly ledger: string
  readonly start: FrontierText
  readonly end: number
  readonly store: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** A directory for this task alone, with room for the segment. */
  readonly spool: string
  readonly keepUntil: Instant
  /** The signed note that covers the segment. */
  readonly checkpoint: string
  /** How long to rest for each moment of work. */
  readonly rest: number
}

/** A segment that lies in its store. */
export interface PutSegment {
  readonly manifest: string
  readonly payloads: string
  /** The manifest as an object. */
  readonly stored: ArchivedObject
  /** Of all objects together. */
  readonly bytes: number
}

/**
 * Exports a segment and puts it into its store. Records nothing: a crash at any moment leaves objects that the next run
 * finds, or writes again.
 *
 * @throws Fault `log_broken` where the database does not hold what it has to, `store_unavailable`
 */
export async function putSegment(task: SegmentTask): Promise<PutSegment> {
  const store = openArchiveStore(task.store, task.env)
  await store.check()
  try {
    const exported = await whileConnected(new pg.Client(inSchema(task.connection)), (client) =>
      exportSegment({
        client,
        ledger: task.ledger,
        start: frontierOf(task.start),
        end: task.end,
        dir: task.spool,
        pace: restingPace(task.rest),
      }),
    )
    const { manifest, payloads } = await putAll(store, exported, task)
    const text = manifestText(manifest)
    const stored = await putManifest(store, manifest, text, task)
    const { records, leaves, parquet } = manifest
    const bytes = [records, leaves, parquet, payloads, stored].reduce((sum, object) => sum + object.bytes, 0)
    return { manifest: text, payloads: JSON.stringify(payloads), stored, bytes }
  } finally {
    await rm(task.spool, { recursive: true, force: true })
  }
}

/** What to read back. */
export interface ReadBackTask extends Pick<
  SegmentTask,
  'ledger' | 'start' | 'end' | 'store' | 'env' | 'rest'
> {
  readonly put: PutSegment
}

/**
 * Reads every byte of a segment back from its store and verifies it. Returns the log's frontier after it.
 *
 * @throws Fault `log_broken` where the store gives back something else; `store_unavailable`
 */
export async function readBackSegment({ put, ...task }: ReadBackTask): Promise<FrontierText> {
  const store = openArchiveStore(task.store, task.env)
  const { ledger, start, end } = task
  const manifest = parseManifest(put.manifest, { ledger, first: start.size, end })
  const payloads = JSON.parse(put.payloads) as PayloadsObject
  const { frontier } = await new SegmentReader(store, { manifest, payloads }).verify(
    frontierOf(start),
    restingPace(task.rest),
  )
  const key = `${segmentPrefix(ledger, start.size, end)}/${manifestName}`
  const { version, bytes } = put.stored
  const read = await store.read(key, { version, offset: 0, bytes })
  if (read.toString('utf8') !== put.manifest) throw missingObject(key, 'was changed')
  return frontierText(frontier)
}

interface PutObjects {
  readonly manifest: Manifest
  readonly payloads: PayloadsObject
}

async function putAll(
  store: ArchiveStore,
  { payloads, ...exported }: ExportedSegment,
  task: SegmentTask,
): Promise<PutObjects> {
  const { ledger, first, end } = exported
  const put = async <Stored extends ArchivedObject>(
    object: Stored,
    keepUntil: Instant | undefined,
  ): Promise<Stored> => {
    const { name, bytes, sha256 } = object
    const key = `${segmentPrefix(ledger, first, end)}/${name}`
    const version = await store.put(key, { path: join(task.spool, name), bytes, sha256, keepUntil })
    return { ...object, version }
  }
  const records = await put(exported.records, task.keepUntil)
  const leaves = await put(exported.leaves, task.keepUntil)
  const parquet = await put(exported.parquet, task.keepUntil)
  return {
    manifest: { v: 1, ...exported, records, leaves, parquet, checkpoint: task.checkpoint },
    // Never locked: what is erased has to go.
    payloads: await put(payloads, undefined),
  }
}

const manifestName = 'manifest.json'

async function putManifest(
  store: ArchiveStore,
  { ledger, first, end }: Manifest,
  text: string,
  task: SegmentTask,
): Promise<ArchivedObject> {
  await mkdir(task.spool, { recursive: true })
  await writeFile(join(task.spool, manifestName), text)
  const { bytes, sha256 } = await describeFile(task.spool, manifestName)
  const key = `${segmentPrefix(ledger, first, end)}/${manifestName}`
  const path = join(task.spool, manifestName)
  const version = await store.put(key, { path, bytes, sha256, keepUntil: task.keepUntil })
  return { name: manifestName, bytes, sha256, version }
}

/** What frontiers are to be found. */
export interface WalkTask {
  readonly connection: pg.ClientConfig
  readonly ledger: string
  readonly start: FrontierText
  /** Ascending; the last one is the size of the checkpoint. */
  readonly sizes: readonly number[]
  readonly rest: number
}

/** The log's frontiers at these sizes, by the leaf hashes in the database. */
export async function walkFrontiers(task: WalkTask): Promise<readonly FrontierText[]> {
  return await whileConnected(new pg.Client(inSchema(task.connection)), async (client) => {
    const found: FrontierText[] = []
    const pace = restingPace(task.rest)
    let frontier = frontierOf(task.start)
    for (const size of task.sizes) {
      frontier = await extended(client, task.ledger, frontier, size, pace)
      found.push(frontierText(frontier))
    }
    return found
  })
}
