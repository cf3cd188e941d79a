import { Fault } from '../model/fault.ts'
import { emptyRoot, isSize, nodeHash, subtreeWidths } from './frontier.ts'
import type { Hash } from './frontier.ts'

/** A complete subtree: the root over the 2^level leaves from `index` · 2^level on. Level 0 is the leaves. */
export interface TreeNode {
  readonly level: number
  readonly index: number
}

/** Hands out the hashes of nodes, in the order of the nodes. */
export type NodeReader = (nodes: readonly TreeNode[]) => Promise<readonly Hash[]>

/**
 * Proof that the leaf at `index` is in the tree of the first `size` leaves. Reads the nodes it is made of, about
 * log₂ `size` of them, at once.
 *
 * @returns sibling hashes, nearest the leaf first: the same as `inclusionProof` makes of all leaves
 * @throws Fault `bad_input` where the tree has no such leaf
 * @see RFC 9162, section 2.1.3.1
 */
export async function proveInclusion(read: NodeReader, index: number, size: number): Promise<Hash[]> {
  if (!isSize(index) || !isSize(size) || index >= size) {
    throw new Fault('bad_input', `no proof of record ${index} in a log of ${size}`, {
      fix: 'Ask for a record that the log holds.',
    })
  }
  const siblings: (readonly TreeNode[])[] = []
  let start = 0
  let end = size
  while (end - start > 1) {
    const middle = start + splitOf(end - start)
    if (index < middle) {
      siblings.push(rangeNodes(middle, end))
      end = middle
    } else {
      siblings.push(rangeNodes(start, middle))
      start = middle
    }
  }
  return await rootsOf(read, siblings.reverse())
}

/**
 * Proof that the tree of the first `from` leaves is the beginning of the tree of the first `to`. Reads the nodes it is
 * made of at once.
 *
 * @throws Fault `bad_input` unless 1 <= from <= to
 * @see RFC 9162, section 2.1.4.1
 */
export async function proveConsistency(read: NodeReader, from: number, to: number): Promise<Hash[]> {
  if (!isSize(from) || !isSize(to) || from < 1 || from > to) {
    throw new Fault('bad_input', `no proof that a log of ${to} records continues one of ${from}`, {
      fix: 'Ask for sizes that the log has had, the smaller first and not 0.',
    })
  }
  const parts: (readonly TreeNode[])[] = []
  let start = 0
  let end = to
  // Down to the subtree that ends where the old tree ended.
  while (end !== from) {
    const middle = start + splitOf(end - start)
    if (from <= middle) {
      parts.push(rangeNodes(middle, end))
      end = middle
    } else {
      parts.push(rangeNodes(start, middle))
      start = middle
    }
  }
  // From 0 on it is the old tree itself, whose root the verifier has.
  if (start > 0) parts.push(rangeNodes(start, end))
  return await rootsOf(read, parts.reverse())
}

/**
 * The root of the tree of the first `size` leaves.
 *
 * @throws Fault `bad_input` for what is no size
 */
export async function treeRoot(read: NodeReader, size: number): Promise<Hash> {
  if (!isSize(size)) {
    throw new Fault('bad_input', `no log has ${size} records`, {
      fix: 'Ask for a size that the log has had.',
    })
  }
  if (size === 0) return emptyRoot()
  const [root = emptyRoot()] = await rootsOf(read, [rangeNodes(0, size)])
  return root
}

/** The largest power of two below `width`, which is 2 or more: where a tree parts into left and right. */
export function splitOf(width: number): number {
  let split = 1
  while (split * 2 < width) split *= 2
  return split
}

// What a proof is made of begins where a subtree of the whole tree begins, so each part is a node.
function rangeNodes(start: number, end: number): TreeNode[] {
  let first = start
  return subtreeWidths(end - start).map((width) => {
    const node = { level: Math.log2(width), index: first / width }
    first += width
    return node
  })
}

// One reading for the whole proof: a reader of tiles then fetches each tile once.
async function rootsOf(read: NodeReader, ranges: readonly (readonly TreeNode[])[]): Promise<Hash[]> {
  const nodes = ranges.flat()
  const hashes = nodes.length === 0 ? [] : await read(nodes)
  let taken = 0
  return ranges.map((range) => {
    const parts = hashes.slice(taken, (taken += range.length))
    return parts.reduceRight((right, left) => nodeHash(left, right))
  })
}
