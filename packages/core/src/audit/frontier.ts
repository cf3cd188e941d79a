import { hash } from 'node:crypto'
import { Fault } from '../model/fault.ts'

/** A SHA-256 hash: 32 bytes. */
export type Hash = Uint8Array

/** The length of a hash in bytes. */
export const hashBytes = 32
/** One hash for each bit of the largest size, 2^53 - 1. */
const frontierHashesMax = 53

// Sizes and indices pass 2^31, so nothing here uses JavaScript's 32-bit operators on them.

/** Hash of a record as a leaf of the tree: SHA-256(0x00 ‖ record); a string stands for its UTF-8 bytes. */
export function leafHash(record: string | Uint8Array): Buffer {
  if (typeof record === 'string') return digest(`\0${record}`)
  const bytes = Buffer.allocUnsafe(1 + record.length)
  bytes[0] = 0
  bytes.set(record, 1)
  return digest(bytes)
}

/** What stands before a record where it is hashed as a leaf. */
export const leafPrefix = 0

/**
 * Writes the `leafHash` of a record into `hashes`, 32 bytes each, at place `at`: a batch's hashes in one buffer.
 *
 * @param prefixed the record's bytes, after one byte that is `leafPrefix`
 */
export function writeLeafHash(prefixed: Uint8Array, hashes: Buffer, at: number): void {
  hashes.write(hash('sha256', prefixed, 'binary'), at * hashBytes, hashBytes, 'latin1')
}

/** Hash of an inner node: SHA-256(0x01 ‖ left ‖ right). */
export function nodeHash(left: Hash, right: Hash): Buffer {
  const bytes = Buffer.allocUnsafe(1 + left.length + right.length)
  bytes[0] = 1
  bytes.set(left, 1)
  bytes.set(right, 1 + left.length)
  return digest(bytes)
}

/** Root of the tree without leaves: SHA-256 of nothing. */
export function emptyRoot(): Buffer {
  return digest('')
}

// By way of a binary (Latin-1) string, because asking Node for a buffer takes twice as long.
function digest(bytes: string | Uint8Array): Buffer {
  return Buffer.from(hash('sha256', bytes, 'binary'), 'binary')
}

/**
 * What must be kept of a tree to append to it: the roots of its complete subtrees, largest (leftmost) first,
 * one for each 1 in the binary digits of `size`.
 */
export interface Frontier {
  readonly size: number
  readonly hashes: readonly Buffer[]
}

/** The frontier of the tree without leaves. */
export const emptyFrontier: Frontier = Object.freeze({ size: 0, hashes: Object.freeze([]) })

/** The frontier with one more leaf. */
export function appendLeaf(frontier: Frontier, leaf: Hash): Frontier {
  return appendLeaves(frontier, [leaf])
}

/**
 * The frontier with more leaves, in order. The one given is left as it was.
 *
 * @param leaves leaf hashes of 32 bytes, one by one or all in one piece
 * @throws Fault `bad_input` for a leaf that is not 32 bytes, and for a tree of more than 2^53 - 1 leaves
 */
export function appendLeaves(frontier: Frontier, leaves: readonly Hash[] | Buffer): Frontier {
  const pieces = Buffer.isBuffer(leaves) ? leaves : joined(leaves)
  if (pieces.length % hashBytes !== 0) throw wrongHash(pieces.length % hashBytes)
  // One buffer for the whole batch: a buffer for each hash costs more than the hashing.
  const stack = Buffer.allocUnsafe((frontierHashesMax + 1) * hashBytes)
  const node = Buffer.alloc(1 + 2 * hashBytes, 1)
  let top = 0
  for (const subtree of frontier.hashes) {
    stack.set(subtree, top)
    top += hashBytes
  }

  let size = frontier.size
  for (let leaf = 0; leaf < pieces.length; leaf += hashBytes) {
    if (size === Number.MAX_SAFE_INTEGER) throw treeFull()
    pieces.copy(stack, top, leaf, leaf + hashBytes)
    top += hashBytes
    // The new leaf closes a subtree for each trailing 1 in the size's binary digits.
    for (let rest = size; rest % 2 === 1; rest = (rest - 1) / 2) {
      top -= hashBytes
      stack.copy(node, 1, top - hashBytes, top + hashBytes)
      stack.write(hash('sha256', node, 'binary'), top - hashBytes, 'binary')
    }
    size += 1
  }

  const hashes: Buffer[] = []
  for (let at = 0; at < top; at += hashBytes) hashes.push(stack.subarray(at, at + hashBytes))
  return { size, hashes }
}

function joined(leaves: readonly Hash[]): Buffer {
  const wrong = leaves.find(({ length }) => length !== hashBytes)
  if (wrong !== undefined) throw wrongHash(wrong.length)
  return Buffer.concat(leaves)
}

function wrongHash(length: number): Fault {
  return new Fault('bad_input', `a hash has ${length} bytes instead of ${hashBytes}`, {
    fix: 'Pass SHA-256 hashes.',
  })
}

function treeFull(): Fault {
  return new Fault('bad_input', 'the tree cannot hold more records', { fix: 'Start another ledger.' })
}

/** The root of the tree that the frontier stands for. */
export function frontierRoot(frontier: Frontier): Buffer {
  let root: Buffer | undefined
  for (const subtree of frontier.hashes.toReversed()) {
    root = root === undefined ? subtree : nodeHash(subtree, root)
  }
  return root ?? emptyRoot()
}

/** The frontier's hashes in one piece; with its size, `decodeFrontier` reads it back. */
export function encodeFrontier(frontier: Frontier): Buffer {
  return Buffer.concat(frontier.hashes)
}

/** @throws Fault `log_broken` where the size is none, or calls for another number of hashes */
export function decodeFrontier(size: number, bytes: Uint8Array): Frontier {
  if (!isSize(size)) throw brokenFrontier(`the log's size is stored as ${size}`)
  const widths = subtreeWidths(size)
  if (bytes.length !== widths.length * hashBytes) {
    throw brokenFrontier(
      `the head of a log of ${size} records has ${bytes.length} bytes of hashes instead of ${widths.length * hashBytes}`,
    )
  }
  // A copy: what came from a driver may be a view of memory that it uses again.
  const copy = Buffer.from(bytes)
  return { size, hashes: widths.map((_, at) => copy.subarray(at * hashBytes, (at + 1) * hashBytes)) }
}

function brokenFrontier(message: string): Fault {
  return new Fault('log_broken', message, { fix: 'Verify the log, and restore its head from a backup.' })
}

/** How many leaves each hash of a frontier covers, largest first: the powers of two that make up the size. */
export function subtreeWidths(size: number): number[] {
  const widths: number[] = []
  let width = 1
  for (let rest = size; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) widths.unshift(width)
    width *= 2
  }
  return widths
}

/** Whether the number can count or index records. */
export function isSize(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}
