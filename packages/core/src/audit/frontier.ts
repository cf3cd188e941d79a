import { hash } from 'node:crypto'
import { Fault } from '../model/fault.ts'

/** A SHA-256 hash: 32 bytes. */
export type Hash = Uint8Array

/** The length of a hash in bytes. */
export const hashBytes = 32
/** What stands before a record where it is hashed as a leaf. */
export const leafPrefix = 0
/** What stands before two hashes where they are hashed as a node. */
const nodePrefix = 1

// Sizes and indices pass 2^31, so nothing here uses JavaScript's 32-bit operators on them.

/** Hash of a record as a leaf of the tree: SHA-256(0x00 ‖ record); a string stands for its UTF-8 bytes. */
export function leafHash(record: string | Uint8Array): Buffer {
  if (typeof record === 'string') return digest(`\0${record}`)
  const bytes = Buffer.allocUnsafe(1 + record.length)
  bytes[0] = leafPrefix
  bytes.set(record, 1)
  return digest(bytes)
}

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
  bytes[0] = nodePrefix
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
  const count = pieces.length / hashBytes
  if (frontier.size + count > Number.MAX_SAFE_INTEGER) throw treeFull()
  // One buffer for the whole batch, level by level, each in place of the one below: a buffer for each hash costs more
  // than the hashing. Before the leaves there is room for one more hash, and before that for the prefix of a node.
  const level = Buffer.allocUnsafe(1 + hashBytes + pieces.length)
  pieces.copy(level, 1 + hashBytes)
  let first = 1 + hashBytes
  let nodes = count
  const before = frontier.hashes.slice()
  const hashes: Buffer[] = []
  for (let rest = frontier.size; rest > 0 || nodes > 0; rest = Math.floor(rest / 2)) {
    // What was complete at this level stands to the left of what is new.
    const left = rest % 2 === 1 ? before.pop() : undefined
    if (nodes === 0) {
      if (left !== undefined) hashes.push(left)
      continue
    }
    if (left !== undefined) {
      first -= hashBytes
      nodes += 1
      level.set(left, first)
    }
    if (nodes % 2 === 1) {
      const end = first + nodes * hashBytes
      hashes.push(Buffer.from(level.subarray(end - hashBytes, end)))
    }
    nodes = writeParents(level, first, Math.floor(nodes / 2))
    first = 1 + hashBytes
  }
  return { size: frontier.size + count, hashes: hashes.reverse() }
}

/**
 * Writes the nodes over `pairs` pairs of hashes that begin at `first`, from the place of the second hash on: so there
 * is room before them for one more again.
 *
 * @returns how many
 */
function writeParents(level: Buffer, first: number, pairs: number): number {
  for (let pair = 0; pair < pairs; pair++) {
    const prefix = first + pair * 2 * hashBytes - 1
    // A node is hashed where it lies: for that long, its prefix stands in the last byte of what lies before it.
    const kept = level[prefix] ?? 0
    level[prefix] = nodePrefix
    const parent = hash('sha256', level.subarray(prefix, prefix + 1 + 2 * hashBytes), 'binary')
    level[prefix] = kept
    level.write(parent, 1 + hashBytes + pair * hashBytes, hashBytes, 'latin1')
  }
  return pairs
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
