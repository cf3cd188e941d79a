import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { appendLeaves, encodeFrontier, Fault, recordTerms, type Frontier } from '@bailiwick/core'
import type pg from 'pg'
import { batchesFrom } from '../log/batches.ts'
import { BlockFile } from './block-file.ts'
import { checkedRecord, payloadLine } from './entry-lines.ts'
import type { ArchivedObject, Manifest, PayloadsObject } from './manifest.ts'
import type { Pace } from './pace.ts'
import type { ParquetFile } from './parquet-file.ts'

/** Text of records and payloads in one block. */
const blockTextMax = 512 * 1024
/** A manifest with more terms would be larger than it is useful. */
const termsMax = 5000

/** Which records to export, and to where on this machine. */
export interface ExportOptions {
  readonly client: pg.Client
  readonly ledger: string
  readonly start: Frontier
  readonly end: number
  /** An empty directory of its own. */
  readonly dir: string
  readonly pace: Pace
}

/** Files of a segment, and what its manifest says of them. */
export type ExportedSegment = Omit<Manifest, 'v' | 'checkpoint'> & { readonly payloads: PayloadsObject }

/**
 * Reads records from the database into files: what is exported has been held against its leaf hashes and commitments.
 * Holds a block of text in memory, whatever the segment's size.
 *
 * @throws Fault `log_broken` where the database does not hold the records as they have to be
 */
export async function exportSegment(options: ExportOptions): Promise<ExportedSegment> {
  const { ledger, start, end, dir } = options
  await rm(dir, { recursive: true, force: true })
  await mkdir(dir, { recursive: true, mode: 0o700 })
  const files = await SegmentFiles.create(dir)
  try {
    const summary = await readInto(files, options)
    if (summary.frontier.size !== end) throw endsEarly(summary.frontier.size, end)
    return {
      ledger,
      first: start.size,
      end,
      start: encodeFrontier(start).toString('hex'),
      frontier: encodeFrontier(summary.frontier).toString('hex'),
      from: summary.from,
      to: summary.to,
      kinds: Object.fromEntries([...summary.kinds].sort(([one], [other]) => (one < other ? -1 : 1))),
      terms: summary.terms.size > termsMax ? null : [...summary.terms].sort(),
      ...(await files.finish()),
    }
  } finally {
    await files.abandon()
  }
}

interface Summary {
  frontier: Frontier
  from: string
  to: string
  readonly kinds: Map<string, number>
  readonly terms: Set<string>
}

async function readInto(files: SegmentFiles, options: ExportOptions): Promise<Summary> {
  const { client, ledger, start, end, pace } = options
  const summary: Summary = { frontier: start, from: '', to: '', kinds: new Map(), terms: new Set() }
  for await (const batch of batchesFrom(client, ledger, start.size)) {
    if (batch.first >= end) break
    if (batch.misfit !== undefined) throw badBatch(batch.first, batch.misfit)
    const leaves: Uint8Array[] = []
    for (const entry of batch.entries) {
      if (entry.index < start.size) continue
      const record = checkedRecord(entry, ledger, summary.frontier.size + leaves.length)
      if (record.at !== batch.at) throw badBatch(entry.index, 'the time stored beside it is another one')
      await files.add(entry.index, entry.record, payloadLine(entry.payload), entry.leafHash, record)
      leaves.push(entry.leafHash)
      if (summary.from === '' || record.at < summary.from) summary.from = record.at
      if (record.at > summary.to) summary.to = record.at
      summary.kinds.set(record.kind, (summary.kinds.get(record.kind) ?? 0) + 1)
      if (summary.terms.size <= termsMax) for (const term of recordTerms(record)) summary.terms.add(term)
    }
    summary.frontier = appendLeaves(summary.frontier, leaves)
    await pace()
  }
  return summary
}

type LogRecordOf = ReturnType<typeof checkedRecord>

/** The four files of a segment while they are written. */
class SegmentFiles {
  readonly #dir: string
  readonly #records: BlockFile
  readonly #payloads: BlockFile
  readonly #leaves: Awaited<ReturnType<typeof open>>
  readonly #parquet: ParquetFile
  #lines: string[] = []
  #payloadLines: string[] = []
  #hashes: Uint8Array[] = []
  readonly #erased: number[] = []
  #first = 0
  #length = 0

  private constructor(
    dir: string,
    records: BlockFile,
    payloads: BlockFile,
    leaves: Awaited<ReturnType<typeof open>>,
    parquet: ParquetFile,
  ) {
    this.#dir = dir
    this.#records = records
    this.#payloads = payloads
    this.#leaves = leaves
    this.#parquet = parquet
  }

  static async create(dir: string): Promise<SegmentFiles> {
    const records = await BlockFile.create(join(dir, recordsName))
    const payloads = await BlockFile.create(join(dir, payloadsName))
    const leaves = await open(join(dir, leavesName), 'w', 0o600)
    // Its library is loaded by whoever archives, and by no other start of the service or the command line.
    const { ParquetFile } = await import('./parquet-file.ts')
    return new SegmentFiles(dir, records, payloads, leaves, new ParquetFile(join(dir, parquetName)))
  }

  async add(
    index: number,
    text: string,
    payload: string,
    leaf: Uint8Array,
    record: LogRecordOf,
  ): Promise<void> {
    if (this.#lines.length === 0) this.#first = index
    if (payload === 'erased') this.#erased.push(index)
    this.#lines.push(text)
    this.#payloadLines.push(payload)
    this.#hashes.push(leaf)
    this.#length += text.length + payload.length
    this.#parquet.add(record, text)
    if (this.#length >= blockTextMax) await this.#flush()
  }

  async #flush(): Promise<void> {
    if (this.#lines.length === 0) return
    // Blocks of both files begin at the same records, so that one of each gives whole entries.
    await this.#records.add(this.#first, this.#lines)
    await this.#payloads.add(this.#first, this.#payloadLines)
    await this.#leaves.write(Buffer.concat(this.#hashes))
    await this.#leaves.datasync()
    this.#lines = []
    this.#payloadLines = []
    this.#hashes = []
    this.#length = 0
  }

  async finish() {
    await this.#flush()
    await this.#leaves.close()
    this.#parquet.finish()
    return {
      records: await this.#records.finish(recordsName),
      payloads: { ...(await this.#payloads.finish(payloadsName)), erased: this.#erased, stale: [] },
      leaves: await describeFile(this.#dir, leavesName),
      parquet: await describeFile(this.#dir, parquetName),
    }
  }

  async abandon(): Promise<void> {
    await this.#records.abandon()
    await this.#payloads.abandon()
    await this.#leaves.close().catch((error: unknown) => error)
  }
}

const recordsName = 'records.jsonl.gz'
export const payloadsName = 'payloads.jsonl.gz'
const leavesName = 'leaves.bin'
const parquetName = 'records.parquet'

/** What a file on this machine is as an object. */
export async function describeFile(dir: string, name: string): Promise<ArchivedObject> {
  const path = join(dir, name)
  const digest = createHash('sha256')
  for await (const chunk of createReadStream(path)) digest.update(chunk as Buffer)
  return { name, bytes: (await stat(path)).size, sha256: digest.digest('hex'), version: null }
}

function endsEarly(size: number, end: number): Fault {
  return badBatch(size, `it is missing: the records up to ${end} were to be archived`)
}

function badBatch(index: number, why: string): Fault {
  return new Fault('log_broken', `record ${index}: ${why}`, {
    fix: 'Keep the database as evidence, and run `bailiwick log verify`; nothing has left the database.',
  })
}
