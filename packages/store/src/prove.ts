import {
  Fault,
  indexOfId,
  leafHash,
  openCheckpoint,
  parseRecord,
  proofBundleFormat,
  proveConsistency,
  proveInclusion,
  treeRoot,
  verifyConsistency,
  verifyInclusion,
  type BundledPayload,
  type Checkpoint,
  type ConsistencyProof,
  type Hash,
  type ProofBundle,
  type StoredEntry,
} from '@bailiwick/core'
import type { ColdLog } from './archive/cold-log.ts'
import { readEntries, type Queryable } from './log/batches.ts'
import type { LogTiles } from './tiles.ts'

/** What proofs are made from. */
export interface ProofSource {
  readonly client: Queryable
  readonly ledger: string
  readonly tiles: LogTiles
  /** The signed note that was published last. */
  readonly note: string
  /** The log's keys, of which one has signed it. */
  readonly verifierKeys: readonly string[]
  /** Where archived records are read from. */
  readonly cold?: ColdLog | undefined
}

/** Which proof, and how much to tell. */
export interface ProveOptions {
  /** Of the tree to prove it in; the published one. Another size comes without a checkpoint. */
  readonly size?: number | undefined
  /** Only records of this agent are proven. */
  readonly agent?: string | undefined
  /** Whether the payload is put into the bundle, where it has not been erased. */
  readonly withPayload?: boolean | undefined
}

/**
 * The index that a decision's or approval's id, or a number, names.
 *
 * @throws Fault `bad_input` for what is none
 */
export function recordIndex(which: string): number {
  const index = /^(0|[1-9][0-9]{0,15})$/.test(which)
    ? Number(which)
    : (indexOfId('dec', which) ?? indexOfId('apr', which))
  if (index !== undefined && Number.isSafeInteger(index)) return index
  throw new Fault('bad_input', `\`${which}\` names no record`, {
    fix: 'Give the id of a decision, such as dec_12, or the index of a record.',
  })
}

/**
 * Proof that a record is in the published log.
 *
 * @throws Fault `not_found` where the published log, or the agent, has no such record; `log_broken` where what is stored
 *   does not lead to the root that was signed
 */
export async function proveRecord(
  source: ProofSource,
  index: number,
  options: ProveOptions = {},
): Promise<ProofBundle> {
  const checkpoint = openCheckpoint(source.note, source.verifierKeys)
  const size = options.size ?? checkpoint.size
  if (size > checkpoint.size) throw unpublished(size, checkpoint)
  const entry = index < size ? await findEntry(source, index, options.agent) : undefined
  if (entry === undefined) throw unknownRecord(index, size)

  const nodes = source.tiles.nodes(size)
  const proof = await proveInclusion(nodes, index, size)
  const root = size === checkpoint.size ? checkpoint.root : await treeRoot(nodes, size)
  // What would convince nobody is not handed out.
  if (!verifyInclusion({ index, size, leaf: leafHash(entry.record), proof, root })) {
    throw broken(`record ${index} does not lead to the root of the published log`)
  }
  return {
    format: proofBundleFormat,
    index,
    record: entry.record,
    payload: bundled(entry, options.withPayload ?? false),
    size,
    proof: proof.map(base64),
    checkpoint: size === checkpoint.size ? source.note : null,
    verifierKeys: source.verifierKeys,
  }
}

async function findEntry(
  { client, ledger, cold }: ProofSource,
  index: number,
  agent: string | undefined,
): Promise<StoredEntry | undefined> {
  const hot = (await readEntries(client, ledger, [index])).get(index)
  const entry = hot ?? (await cold?.entries([index]))?.get(index)
  if (entry === undefined || agent === undefined) return entry
  const record = parseRecord(entry.record)
  return 'agent' in record && record.agent === agent ? entry : undefined
}

function bundled({ payload, record }: StoredEntry, withPayload: boolean): BundledPayload {
  if (payload === 'erased') return { state: 'erased' }
  if (payload === 'none') {
    // A payload that is gone without a mark is damage, and says so when the bundle is verified.
    return { state: parseRecord(record).payload === null ? 'none' : 'withheld' }
  }
  if (!withPayload) return { state: 'withheld' }
  return { state: 'included', salt: Buffer.from(payload.salt).toString('hex'), body: payload.body }
}

/**
 * Proof that the log of `to` records continues the log of `from`.
 *
 * @param to the published size, unless given
 * @throws Fault `bad_input` for sizes that no proof is about, `not_found` for one that has not been published,
 *   `log_broken` where what is stored does not lead to the root that was signed
 */
export async function proveContinuation(
  source: ProofSource,
  from: number,
  to?: number,
): Promise<ConsistencyProof> {
  const checkpoint = openCheckpoint(source.note, source.verifierKeys)
  const size = to ?? checkpoint.size
  const largest = Math.max(from, size)
  if (largest > checkpoint.size) throw unpublished(largest, checkpoint)
  const nodes = source.tiles.nodes(size)
  const proof = await proveConsistency(nodes, from, size)
  const fromRoot = await treeRoot(source.tiles.nodes(from), from)
  const toRoot = size === checkpoint.size ? checkpoint.root : await treeRoot(nodes, size)
  if (!verifyConsistency({ from, to: size, fromRoot, toRoot, proof })) {
    throw broken(`the log of ${from} records does not lead to the published one`)
  }
  return {
    from,
    to: size,
    fromRoot: base64(fromRoot),
    toRoot: base64(toRoot),
    proof: proof.map(base64),
  }
}

function base64(hash: Hash): string {
  return Buffer.from(hash).toString('base64')
}

function unpublished(size: number, checkpoint: Checkpoint): Fault {
  return new Fault('not_found', `the published log has ${checkpoint.size} records, and not ${size}`, {
    fix: 'Ask for a size up to that of the checkpoint; it is published about once a second.',
  })
}

function unknownRecord(index: number, size: number): Fault {
  return new Fault('not_found', `there is no record ${index} in the first ${size} of the log`, {
    fix: 'Check the id. The checkpoint is published about once a second; with its key, an agent proves its own records only.',
  })
}

function broken(message: string): Fault {
  return new Fault('log_broken', message, {
    fix: 'Run `bailiwick log verify`; somebody has changed the database.',
  })
}
