import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  appendLeaf,
  appendLeaves,
  consistencyProof,
  decodeFrontier,
  emptyFrontier,
  emptyRoot,
  encodeFrontier,
  frontierRoot,
  inclusionProof,
  leafHash,
  nodeHash,
  verifyConsistency,
  verifyInclusion,
} from '../../src/audit/merkle.ts'
import type { Frontier } from '../../src/audit/merkle.ts'
import { evaluationRows } from '../audit/evaluation.ts'

interface InclusionVector {
  id: string
  type: 'inclusion'
  leafIdx: number
  treeSize: number
  root: string
  leafHash: string
  proof: string[] | null
  wantErr: boolean
}
interface ConsistencyVector {
  id: string
  type: 'consistency'
  size1: number
  size2: number
  root1: string
  root2: string
  proof: string[] | null
  wantErr: boolean
}

function bytes(base64: string): Buffer {
  return Buffer.from(base64, 'base64')
}

const vectors = evaluationRows<InclusionVector | ConsistencyVector>(
  'vectors/merkle.jsonl',
  'the published proofs, most of them hostile',
)
describe.skipIf(vectors.absent)(vectors.title, () => {
  test('are all there', () => {
    expect(vectors.rows).toHaveLength(196)
    expect(vectors.rows.filter((row) => !row.wantErr)).toHaveLength(12)
  })

  test.each(vectors.rows)('$id', (row) => {
    const proof = (row.proof ?? []).map(bytes)
    const holds =
      row.type === 'inclusion'
        ? verifyInclusion({
            index: row.leafIdx,
            size: row.treeSize,
            leaf: bytes(row.leafHash),
            proof,
            root: bytes(row.root),
          })
        : verifyConsistency({
            from: row.size1,
            to: row.size2,
            fromRoot: bytes(row.root1),
            toRoot: bytes(row.root2),
            proof,
          })
    expect(holds).toBe(!row.wantErr)
  })
})

const leaves = Array.from({ length: 200 }, (_, index) => leafHash(`record ${index}`))

function sha256(...parts: Uint8Array[]): Buffer {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest()
}

/** The definition of RFC 9162, section 2.1.1, word for word. */
function naiveRoot(hashes: readonly Buffer[]): Buffer {
  const [first] = hashes
  if (first === undefined) return sha256()
  if (hashes.length === 1) return first
  let split = 1
  while (split * 2 < hashes.length) split *= 2
  return sha256(Buffer.of(1), naiveRoot(hashes.slice(0, split)), naiveRoot(hashes.slice(split)))
}

describe('hashes', () => {
  test('separate leaves from nodes by their first byte', () => {
    expect(leafHash('x')).toEqual(sha256(Buffer.of(0), Buffer.from('x')))
    expect(nodeHash(leafHash('x'), leafHash('y'))).toEqual(sha256(Buffer.of(1), leafHash('x'), leafHash('y')))
    expect(emptyRoot()).toEqual(sha256())
  })

  test('are the same for a text and its UTF-8 bytes', () => {
    expect(leafHash('Zoë 😂')).toEqual(leafHash(Buffer.from('Zoë 😂')))
  })
})

describe('a frontier', () => {
  test('has the root of the definition at every size to 200, one leaf at a time or all at once', () => {
    let frontier: Frontier = emptyFrontier
    for (let size = 0; size <= leaves.length; size++) {
      const root = naiveRoot(leaves.slice(0, size))
      expect(frontierRoot(frontier)).toEqual(root)
      expect(frontierRoot(appendLeaves(emptyFrontier, leaves.slice(0, size)))).toEqual(root)
      const next = leaves[size]
      if (next !== undefined) frontier = appendLeaf(frontier, next)
    }
  })

  test('is the same however its leaves were batched, and leaves the one it grew from alone', () => {
    fc.assert(
      fc.property(fc.nat(200), fc.nat(200), (one, other) => {
        const [split, end] = [Math.min(one, other), Math.max(one, other)]
        const before = appendLeaves(emptyFrontier, leaves.slice(0, split))
        const encoded = encodeFrontier(before)
        const after = appendLeaves(before, leaves.slice(split, end))
        expect(frontierRoot(after)).toEqual(naiveRoot(leaves.slice(0, end)))
        expect(encodeFrontier(before)).toEqual(encoded)
        expect(decodeFrontier(end, encodeFrontier(after))).toEqual(after)
      }),
    )
  })

  test('works beyond 2^31 and 2^32 records, and stops before sizes lose precision', () => {
    for (const size of [2 ** 31 - 1, 2 ** 32 - 1, 2 ** 40 + 2 ** 31 + 1]) {
      const ones = size.toString(2).replaceAll('0', '').length
      const frontier = decodeFrontier(size, Buffer.alloc(ones * 32, 7))
      const next = appendLeaf(frontier, leafHash('x'))
      expect(next.size).toBe(size + 1)
      expect(next.hashes).toHaveLength((size + 1).toString(2).replaceAll('0', '').length)
      expect(decodeFrontier(size + 1, encodeFrontier(next))).toEqual(next)
    }
    const full = decodeFrontier(Number.MAX_SAFE_INTEGER, Buffer.alloc(53 * 32))
    expect(() => appendLeaf(full, leafHash('x'))).toThrow('cannot hold more records')
  })

  test('is refused where its bytes do not fit its size', () => {
    for (const [size, length] of [
      [3, 32],
      [3, 96],
      [0, 32],
      [4, 31],
      [-1, 0],
      [1.5, 32],
      [Number.NaN, 0],
    ] as const) {
      expect(() => decodeFrontier(size, Buffer.alloc(length))).toThrow(
        expect.objectContaining({ code: 'log_broken' }),
      )
    }
    expect(decodeFrontier(0, Buffer.alloc(0))).toEqual(emptyFrontier)
  })

  test('refuses a leaf that is not a hash', () => {
    expect(() => appendLeaf(emptyFrontier, Buffer.alloc(31))).toThrow('31 bytes')
    expect(() => appendLeaf(emptyFrontier, Buffer.alloc(64))).toThrow('64 bytes')
  })
})

const treeSize = fc.integer({ min: 1, max: leaves.length })
const twoSizes = fc
  .tuple(treeSize, treeSize)
  .map(([one, other]) => [Math.min(one, other), Math.max(one, other)] as const)

function flipped(hash: Uint8Array, bit: number): Buffer {
  const copy = Buffer.from(hash)
  const at = (bit >> 3) % copy.length
  copy[at] = (copy[at] ?? 0) ^ (1 << (bit & 7))
  return copy
}

describe('proofs', () => {
  test('of inclusion hold for every record at every size to 40', () => {
    for (let size = 1; size <= 40; size++) {
      const root = naiveRoot(leaves.slice(0, size))
      for (let index = 0; index < size; index++) {
        const claim = {
          index,
          size,
          leaf: leaves[index] ?? emptyRoot(),
          proof: inclusionProof(leaves, index, size),
          root,
        }
        expect(verifyInclusion(claim)).toBe(true)
      }
    }
  })

  test('of inclusion fail for another index, size or leaf, and with any bit flipped or any hash missing', () => {
    fc.assert(
      fc.property(twoSizes, fc.nat(), fc.nat(255), ([less, size], pick, bit) => {
        const index = less - 1
        const proof = inclusionProof(leaves, index, size)
        const claim = {
          index,
          size,
          leaf: leaves[index] ?? emptyRoot(),
          proof,
          root: naiveRoot(leaves.slice(0, size)),
        }
        expect(verifyInclusion(claim)).toBe(true)
        expect(verifyInclusion({ ...claim, leaf: flipped(claim.leaf, bit) })).toBe(false)
        expect(verifyInclusion({ ...claim, root: flipped(claim.root, bit) })).toBe(false)
        expect(verifyInclusion({ ...claim, proof: [...proof, claim.root] })).toBe(false)
        expect(verifyInclusion({ ...claim, index: size })).toBe(false)
        expect(verifyInclusion({ ...claim, index: -1 })).toBe(false)
        if (index > 0) expect(verifyInclusion({ ...claim, index: index - 1 })).toBe(false)
        if (proof.length > 0) {
          const at = pick % proof.length
          expect(verifyInclusion({ ...claim, proof: proof.toSpliced(at, 1) })).toBe(false)
          expect(
            verifyInclusion({ ...claim, proof: proof.with(at, flipped(proof[at] ?? claim.root, bit)) }),
          ).toBe(false)
        }
      }),
    )
  })

  test('of consistency hold for every pair of sizes to 40', () => {
    for (let to = 1; to <= 40; to++) {
      for (let from = 1; from <= to; from++) {
        const [fromRoot, toRoot] = [naiveRoot(leaves.slice(0, from)), naiveRoot(leaves.slice(0, to))]
        expect(
          verifyConsistency({ from, to, fromRoot, toRoot, proof: consistencyProof(leaves, from, to) }),
        ).toBe(true)
      }
    }
  })

  test('of consistency fail for other sizes and roots, and with any bit flipped or any hash missing', () => {
    fc.assert(
      fc.property(twoSizes, fc.nat(), fc.nat(255), ([from, to], pick, bit) => {
        const proof = consistencyProof(leaves, from, to)
        const [fromRoot, toRoot] = [naiveRoot(leaves.slice(0, from)), naiveRoot(leaves.slice(0, to))]
        const claim = { from, to, fromRoot, toRoot, proof }
        expect(verifyConsistency(claim)).toBe(true)
        expect(verifyConsistency({ ...claim, fromRoot: flipped(fromRoot, bit) })).toBe(false)
        expect(verifyConsistency({ ...claim, toRoot: flipped(toRoot, bit) })).toBe(false)
        expect(verifyConsistency({ ...claim, proof: [...proof, toRoot] })).toBe(false)
        expect(verifyConsistency({ ...claim, from: 0 })).toBe(false)
        if (from < to) expect(verifyConsistency({ ...claim, from: to, to: from })).toBe(false)
        if (proof.length > 0) {
          const at = pick % proof.length
          expect(verifyConsistency({ ...claim, proof: proof.toSpliced(at, 1) })).toBe(false)
          expect(
            verifyConsistency({ ...claim, proof: proof.with(at, flipped(proof[at] ?? toRoot, bit)) }),
          ).toBe(false)
        }
      }),
    )
  })

  test('hold in trees of more than 2^32 records', () => {
    // The right half of a tree of 2^33 + 1 records is one leaf; its only sibling is the rest.
    const [rest, leaf] = [leafHash('rest'), leafHash('last')]
    const [index, size, root] = [2 ** 33, 2 ** 33 + 1, nodeHash(rest, leaf)]
    expect(verifyInclusion({ index, size, leaf, proof: [rest], root })).toBe(true)
    expect(verifyInclusion({ index: 0, size, leaf, proof: [rest], root })).toBe(false)
    expect(verifyConsistency({ from: index, to: size, fromRoot: rest, toRoot: root, proof: [leaf] })).toBe(
      true,
    )
    expect(verifyConsistency({ from: 2 ** 32, to: size, fromRoot: rest, toRoot: root, proof: [leaf] })).toBe(
      false,
    )
  })

  test('are not made of records that the log does not hold', () => {
    expect(() => inclusionProof(leaves, 5, 5)).toThrow('no proof of record 5')
    expect(() => inclusionProof(leaves, 0, 201)).toThrow('no proof of record 0')
    expect(() => consistencyProof(leaves, 0, 5)).toThrow('no proof')
    expect(() => consistencyProof(leaves, 6, 5)).toThrow('no proof')
    expect(() => consistencyProof(leaves, 5, 201)).toThrow('no proof')
  })
})
