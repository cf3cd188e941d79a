import { hash } from 'node:crypto'
import { canonicalJson, Fault, type Json, type Sha256 } from '@bailiwick/core'

/** A run of lines that is compressed by itself, so that it can be read by itself. */
export interface Block {
  /** The index of its first record. */
  readonly first: number
  /** Where it begins in its object. */
  readonly offset: number
  readonly bytes: number
  readonly sha256: string
}

/** An object of a segment, as it lies in the store. */
export interface ArchivedObject {
  /** Below the segment's own prefix. */
  readonly name: string
  readonly bytes: number
  readonly sha256: string
  /** The store's name for this very version, where it has any. */
  readonly version: string | null
}

/** An object of lines in blocks. */
export interface BlockObject extends ArchivedObject {
  readonly blocks: readonly Block[]
}

/** The payloads of a segment: they may be written again, under another name, when personal data is erased. */
export interface PayloadsObject extends BlockObject {
  /** The indices of records whose payloads are not in it any more, in ascending order. */
  readonly erased: readonly number[]
  /** Names of objects that it replaced and that have not been removed yet. */
  readonly stale: readonly string[]
  /** What is being put in its place, from before that is there until it counts; named among `stale`. */
  readonly next?: Omit<PayloadsObject, 'stale' | 'next'> | undefined
}

/** What an archived segment is. Its SHA-256 stands in the log; `spec/archive-format.md` describes it. */
export interface Manifest {
  readonly v: 1
  readonly ledger: string
  readonly first: number
  /** The index after the last record. */
  readonly end: number
  /** The earliest and the latest time of its records. */
  readonly from: string
  readonly to: string
  /** The log's frontier at `first` and at `end`, in hexadecimal. */
  readonly start: string
  readonly frontier: string
  /** How many records of each kind. */
  readonly kinds: Readonly<Record<string, number>>
  /** What its records can be found by, sorted; null where they are too many to list. */
  readonly terms: readonly string[] | null
  /** The signed note of the checkpoint that covers it. */
  readonly checkpoint: string
  readonly records: BlockObject
  readonly leaves: ArchivedObject
  readonly parquet: ArchivedObject
}

/** The manifest's text: canonical JSON. */
export function manifestText(manifest: Manifest): string {
  // Through its text: its members are all JSON, which their types do not say.
  return canonicalJson(JSON.parse(JSON.stringify(manifest)) as Json)
}

export function sha256Hex(data: string | Uint8Array): Sha256 {
  return hash('sha256', data, 'hex') as Sha256
}

/**
 * Reads a manifest that is to be of this very range.
 *
 * @throws Fault `log_broken` where it is not
 */
export function parseManifest(
  text: string,
  expected: { readonly ledger: string; readonly first: number; readonly end: number },
): Manifest {
  const broken = (why: string) =>
    new Fault('log_broken', `the manifest of the records ${expected.first} to ${expected.end - 1} ${why}`, {
      fix: 'Keep the archive and the database as evidence, and run `bailiwick log verify --cold`.',
    })
  let manifest: Manifest
  try {
    manifest = JSON.parse(text) as Manifest
  } catch {
    throw broken('is not JSON')
  }
  if (manifest.v !== 1) throw broken('has a version that this one does not read')
  if (manifest.ledger !== expected.ledger) throw broken(`is of another ledger, \`${manifest.ledger}\``)
  if (manifest.first !== expected.first || manifest.end !== expected.end) throw broken('is of other records')
  return manifest
}

/** Where the objects of a segment lie. */
export function segmentPrefix(ledger: string, first: number, end: number): string {
  return `${encodeURIComponent(ledger)}/${String(first).padStart(16, '0')}-${String(end).padStart(16, '0')}`
}
