import { Fault } from '../model/fault.ts'
import { appendLeaves, emptyFrontier, frontierRoot, hashBytes, isSize, nodeHash } from './frontier.ts'
import type { Hash } from './frontier.ts'
import { splitOf } from './proofs.ts'

export {
  appendLeaf,
  appendLeaves,
  decodeFrontier,
  emptyFrontier,
  emptyRoot,
  encodeFrontier,
  frontierRoot,
  hashBytes,
  leafHash,
  leafPrefix,
  nodeHash,
  writeLeafHash,
} from './frontier.ts'
export type { Frontier, Hash } from './frontier.ts'

/**
 * Proof that the leaf at `index` is in the tree of the first `size` leaves.
 *
 * @returns sibling hashes, nearest the leaf first
 * @throws Fault `bad_input` where the tree has no such leaf, or `leafHashes` are fewer than `size`
 * @see RFC 9162, section 2.1.3.1
 */
export function inclusionProof(leafHashes: readonly Hash[], index: number, size: number): Buffer[] {
  if (!isSize(index) || !isSize(size) || index >= size || size > leafHashes.length) {
    throw new Fault('bad_input', `no proof of record ${index} in a log of ${size}`, {
      fix: 'Ask for a record that the log holds.',
    })
  }
  const proof: Buffer[] = []
  let start = 0
  let end = size
  while (end - start > 1) {
    const middle = start + splitOf(end - start)
    if (index < middle) {
      proof.push(rangeRoot(leafHashes, middle, end))
      end = middle
    } else {
      proof.push(rangeRoot(leafHashes, start, middle))
      start = middle
    }
  }
  return proof.reverse()
}

/**
 * Proof that the tree of the first `from` leaves is the beginning of the tree of the first `to`.
 *
 * @throws Fault `bad_input` unless 1 <= from <= to <= the number of leaves
 * @see RFC 9162, section 2.1.4.1
 */
export function consistencyProof(leafHashes: readonly Hash[], from: number, to: number): Buffer[] {
  if (!isSize(from) || !isSize(to) || from < 1 || from > to || to > leafHashes.length) {
    throw new Fault('bad_input', `no proof that a log of ${to} records continues one of ${from}`, {
      fix: 'Ask for sizes that the log has had, the smaller first and not 0.',
    })
  }
  const proof: Buffer[] = []
  let start = 0
  let end = to
  // Down to the subtree that ends where the old tree ended.
  while (end !== from) {
    const middle = start + splitOf(end - start)
    if (from <= middle) {
      proof.push(rangeRoot(leafHashes, middle, end))
      end = middle
    } else {
      proof.push(rangeRoot(leafHashes, start, middle))
      start = middle
    }
  }
  // From 0 on it is the old tree itself, whose root the verifier has.
  if (start > 0) proof.push(rangeRoot(leafHashes, start, end))
  return proof.reverse()
}

function rangeRoot(leafHashes: readonly Hash[], start: number, end: number): Buffer {
  return frontierRoot(appendLeaves(emptyFrontier, leafHashes.slice(start, end)))
}

/** A claim that a leaf stands at `index` in the tree with `size` leaves and this root. */
export interface InclusionClaim {
  readonly index: number
  readonly size: number
  readonly leaf: Hash
  /** Sibling hashes, nearest the leaf first. */
  readonly proof: readonly Hash[]
  readonly root: Hash
}

/** A claim that the tree of `from` leaves is the beginning of the tree of `to`. */
export interface ConsistencyClaim {
  readonly from: number
  readonly to: number
  readonly fromRoot: Hash
  readonly toRoot: Hash
  readonly proof: readonly Hash[]
}

/**
 * Whether the claim's proof holds. Malformed input is an answer, false, and not a fault.
 *
 * @see RFC 9162, section 2.1.3.2
 */
export function verifyInclusion({ index, size, leaf, proof, root }: InclusionClaim): boolean {
  if (!isSize(index) || !isSize(size) || index >= size) return false
  if (![leaf, ...proof].every(isHash)) return false

  // The leaf's node and the last node of its level, counted from the left.
  let node = index
  let last = size - 1
  let hash = leaf
  for (const sibling of proof) {
    if (last === 0) return false
    if (isOdd(node) || node === last) {
      hash = nodeHash(sibling, hash)
      // A last node without a right sibling rises unchanged until it is one.
      while (!isOdd(node) && node > 0) {
        node = half(node)
        last = half(last)
      }
    } else {
      hash = nodeHash(hash, sibling)
    }
    node = half(node)
    last = half(last)
  }
  return last === 0 && isEqual(hash, root)
}

/**
 * Whether the claim's proof holds. Malformed input is an answer, false, and not a fault; so is `from` 0, for
 * every tree continues the empty one.
 *
 * @see RFC 9162, section 2.1.4.2
 */
export function verifyConsistency({ from, to, fromRoot, toRoot, proof }: ConsistencyClaim): boolean {
  if (!isSize(from) || !isSize(to) || from < 1 || from > to) return false
  if (from === to) return proof.length === 0 && isEqual(fromRoot, toRoot)
  if (proof.length === 0) return false

  // Where the old tree is one complete subtree of the new, its root starts the proof.
  const [first, ...siblings] = isPowerOfTwo(from) ? [fromRoot, ...proof] : proof
  if (first === undefined || ![first, ...siblings].every(isHash)) return false

  let node = from - 1
  let last = to - 1
  while (isOdd(node)) {
    node = half(node)
    last = half(last)
  }
  let oldHash = first
  let newHash = first
  for (const sibling of siblings) {
    if (last === 0) return false
    if (isOdd(node) || node === last) {
      oldHash = nodeHash(sibling, oldHash)
      newHash = nodeHash(sibling, newHash)
      while (!isOdd(node) && node > 0) {
        node = half(node)
        last = half(last)
      }
    } else {
      newHash = nodeHash(newHash, sibling)
    }
    node = half(node)
    last = half(last)
  }
  return last === 0 && isEqual(oldHash, fromRoot) && isEqual(newHash, toRoot)
}

function isHash(value: Hash): boolean {
  return value.length === hashBytes
}

function isEqual(one: Hash, other: Hash): boolean {
  return Buffer.compare(one, other) === 0
}

function isOdd(value: number): boolean {
  return value % 2 === 1
}

function half(value: number): number {
  return Math.floor(value / 2)
}

function isPowerOfTwo(value: number): boolean {
  let rest = value
  while (rest > 1 && rest % 2 === 0) rest /= 2
  return rest === 1
}
