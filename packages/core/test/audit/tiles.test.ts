import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encodeEntries } from '../../src/audit/entry-bundle.ts'
import { appendLeaves, emptyFrontier, frontierRoot, leafHash, nodeHash } from '../../src/audit/frontier.ts'
import {
  consistencyProof,
  inclusionProof,
  verifyConsistency,
  verifyInclusion,
} from '../../src/audit/merkle.ts'
import { proveConsistency, proveInclusion, treeRoot } from '../../src/audit/proofs.ts'
import {
  completeRoot,
  nodesFromTiles,
  parseTilePath,
  tileEnd,
  tilePath,
  type Tile,
  type TileReader,
} from '../../src/audit/tiles.ts'
import { evaluationRows } from './evaluation.ts'

const leaves = Array.from({ length: 66_600 }, (_, index) => leafHash(`record ${index}`))

function rootOf(size: number, from = 0): Buffer {
  return frontierRoot(appendLeaves(emptyFrontier, leaves.slice(from, size)))
}

/** The hashes of every level that has any: one that stands for 256 of the level below, by the definition. */
const levels: Buffer[][] = [leaves]
for (let below = leaves; below.length >= 256; below = levels.at(-1) ?? []) {
  const width = 256 ** levels.length
  levels.push(
    Array.from({ length: Math.floor(below.length / 256) }, (_, at) => rootOf((at + 1) * width, at * width)),
  )
}

/** Serves tiles, and only those that are part of the tree of `size`. */
function tilesOf(size: number): { read: TileReader; asked: Tile[] } {
  const asked: Tile[] = []
  return {
    asked,
    read: (tile) => {
      asked.push(tile)
      expect(tileEnd(tile)).toBeLessThanOrEqual(size)
      const { level, index, width } = tile
      return Promise.resolve(Buffer.concat(levels[level]?.slice(index * 256, index * 256 + width) ?? []))
    },
  }
}

const sizes = fc.oneof(
  fc.integer({ min: 1, max: 700 }),
  fc.integer({ min: 1, max: leaves.length }),
  fc.constantFrom(1, 255, 256, 257, 511, 512, 65_535, 65_536, 65_537, 65_792),
)

describe('proofs from tiles', () => {
  test('of inclusion are those from all leaves, and read two tiles of a level at most', async () => {
    await fc.assert(
      fc.asyncProperty(sizes, fc.nat(), async (size, pick) => {
        const index = pick % size
        const { read, asked } = tilesOf(size)
        const proof = await proveInclusion(nodesFromTiles(read, size), index, size)
        expect(proof).toEqual(inclusionProof(leaves, index, size))
        expect(new Set(asked.map(tilePath)).size).toBe(asked.length)
        expect(asked.length).toBeLessThanOrEqual(2 * levels.length)
        const leaf = leaves[index] ?? Buffer.alloc(0)
        expect(verifyInclusion({ index, size, leaf, proof, root: rootOf(size) })).toBe(true)
      }),
      { numRuns: 30 },
    )
  })

  test('of consistency are those from all leaves, also from one tile to many', async () => {
    await fc.assert(
      fc.asyncProperty(sizes, sizes, async (one, other) => {
        const [from, to] = [Math.min(one, other), Math.max(one, other)]
        const { read, asked } = tilesOf(to)
        const proof = await proveConsistency(nodesFromTiles(read, to), from, to)
        expect(proof).toEqual(consistencyProof(leaves, from, to))
        expect(asked.length).toBeLessThanOrEqual(2 * levels.length)
        const claim = { from, to, fromRoot: rootOf(from), toRoot: rootOf(to), proof }
        expect(verifyConsistency(claim)).toBe(true)
      }),
      { numRuns: 30 },
    )
  })

  test('come with the root of the tree', async () => {
    await fc.assert(
      fc.asyncProperty(sizes, async (size) => {
        expect(await treeRoot(nodesFromTiles(tilesOf(size).read, size), size)).toEqual(rootOf(size))
      }),
      { numRuns: 10 },
    )
    expect(await treeRoot(nodesFromTiles(tilesOf(0).read, 0), 0)).toEqual(rootOf(0))
  })

  test('work beyond 2^32 records, where every record has the same hash', async () => {
    const leaf = leafHash('x')
    // The root over 256^level equal leaves.
    const equal = [leaf]
    for (let level = 0; level < 7; level++) {
      equal.push(
        Array.from({ length: 8 }).reduce<Buffer>((hash) => nodeHash(hash, hash), equal[level] ?? leaf),
      )
    }
    const read: TileReader = ({ level, width }) =>
      Promise.resolve(Buffer.concat(Array.from({ length: width }, () => equal[level] ?? leaf)))
    for (const size of [2 ** 32 + 1, 2 ** 40 + 2 ** 31 + 77]) {
      const nodes = nodesFromTiles(read, size)
      const root = await treeRoot(nodes, size)
      for (const index of [0, 2 ** 31 + 5, size - 1]) {
        const proof = await proveInclusion(nodes, index, size)
        expect(verifyInclusion({ index, size, leaf, proof, root })).toBe(true)
      }
      const from = 2 ** 32 - 3
      const proof = await proveConsistency(nodes, from, size)
      const fromRoot = await treeRoot(nodesFromTiles(read, from), from)
      expect(verifyConsistency({ from, to: size, fromRoot, toRoot: root, proof })).toBe(true)
    }
  })

  test('are not made of records that the log does not hold, nor of tiles of another length', async () => {
    const nodes = nodesFromTiles(tilesOf(300).read, 300)
    await expect(proveInclusion(nodes, 300, 300)).rejects.toThrow('no proof of record 300')
    await expect(proveInclusion(nodes, -1, 300)).rejects.toThrow('no proof')
    await expect(proveConsistency(nodes, 0, 300)).rejects.toThrow('no proof')
    await expect(proveConsistency(nodes, 301, 300)).rejects.toThrow('no proof')
    await expect(treeRoot(nodes, 1.5)).rejects.toThrow('no log has 1.5 records')
    const short: TileReader = () => Promise.resolve(Buffer.alloc(31))
    await expect(proveInclusion(nodesFromTiles(short, 300), 5, 300)).rejects.toMatchObject({
      code: 'log_broken',
    })
  })
})

describe('the level above', () => {
  test('has the root over each full tile', () => {
    expect(completeRoot(Buffer.concat(leaves.slice(256, 512)), 0, 256)).toEqual(rootOf(512, 256))
    expect(completeRoot(Buffer.concat(leaves.slice(0, 4)), 2, 2)).toEqual(rootOf(4, 2))
  })
})

describe('the address of a tile', () => {
  test.each([
    [{ level: 0, index: 0, width: 256 }, 'tile/0/000'],
    [{ level: 0, index: 0, width: 1 }, 'tile/0/000.p/1'],
    [{ level: 4, index: 1_234_067, width: 255 }, 'tile/4/x001/x234/067.p/255'],
    [{ level: 63, index: 999, width: 256 }, 'tile/63/999'],
    [{ level: 'entries', index: 1000, width: 256 }, 'tile/entries/x001/000'],
    [{ level: 'entries', index: 12, width: 40 }, 'tile/entries/012.p/40'],
  ] as const)('%j is %s, and back', (tile, path) => {
    expect(tilePath(tile)).toBe(path)
    expect(parseTilePath(path)).toEqual(tile)
  })

  test('and the tile name each other', () => {
    fc.assert(
      fc.property(
        fc.record({
          level: fc.oneof(fc.nat(63), fc.constant('entries' as const)),
          index: fc.maxSafeNat(),
          width: fc.integer({ min: 1, max: 256 }),
        }),
        (tile) => {
          expect(parseTilePath(tilePath(tile))).toEqual(tile)
        },
      ),
    )
  })

  test.each([
    'tile/0/0',
    'tile/0/00',
    'tile/0/0000',
    'tile/0/x000/001',
    'tile/0/001/x000',
    'tile/0/x001',
    'tile/0/x001/x234/67',
    'tile/00/000',
    'tile/64/000',
    'tile/-1/000',
    'tile/data/000',
    'tile/8/0/000',
    'tile/0/000.p/0',
    'tile/0/000.p/256',
    'tile/0/000.p/01',
    'tile/0/000.p/',
    'tile/0/000.p',
    'tile/0/000/',
    'tile//000',
    'tile/0/',
    'tile/0/xabc/000',
    'tile/0/x999/x999/x999/x999/x999/999',
    'tile/0/\u0660\u0660\u0660',
    '/tile/0/000',
    'tile/0/000\n',
    'tile/entries/000.p/300',
    '',
  ])('%j is none', (path) => {
    expect(parseTilePath(path)).toBeUndefined()
  })

  test('says how many records a log needs to have it', () => {
    expect(tileEnd({ level: 0, index: 1, width: 4 })).toBe(260)
    expect(tileEnd({ level: 'entries', index: 1, width: 4 })).toBe(260)
    expect(tileEnd({ level: 1, index: 0, width: 2 })).toBe(512)
    expect(tileEnd({ level: 63, index: 0, width: 1 })).toBeGreaterThan(Number.MAX_SAFE_INTEGER)
  })
})

describe('an entry bundle', () => {
  test('is each record after its length in two bytes', () => {
    expect(encodeEntries(['a', 'Zoë', '']).toString('latin1')).toBe('\0\x01a\0\x04Zo\xc3\xab\0\0')
    const long = 'x'.repeat(65_535)
    expect(encodeEntries([long]).subarray(0, 3).toString('latin1')).toBe('\xff\xffx')
    expect(encodeEntries([])).toEqual(Buffer.alloc(0))
  })

  test('is not made of a text that is longer than two bytes can say', () => {
    expect(() => encodeEntries(['x'.repeat(65_536)])).toThrow(expect.objectContaining({ code: 'log_broken' }))
  })
})

interface Vector {
  id: string
  type: 'inclusion' | 'consistency'
  leafIdx: number
  treeSize: number
  root: string
  size1: number
  size2: number
  root1: string
  root2: string
  proof: string[] | null
  wantErr: boolean
}

const vectors = evaluationRows<Vector>('vectors/merkle.jsonl', 'the published proofs, made again from tiles')
describe.skipIf(vectors.absent)(vectors.title, () => {
  const good = vectors.rows.filter((row) => !row.wantErr)
  // The leaves of the reference tree of RFC 6962's test data, which the good vectors are about.
  const inputs = [
    '',
    '00',
    '10',
    '2021',
    '3031',
    '40414243',
    '5051525354555657',
    '606162636465666768696a6b6c6d6e6f',
  ]
  const hashes = inputs.map((hex) => leafHash(Buffer.from(hex, 'hex')))
  const read: TileReader = ({ index, width }) =>
    Promise.resolve(Buffer.concat(hashes.slice(index * 256, index * 256 + width)))
  const inTree = good.filter(({ type, root, treeSize, root2, size2 }) => {
    const [size, wanted] = type === 'inclusion' ? [treeSize, root] : [size2, root2]
    const whole = frontierRoot(appendLeaves(emptyFrontier, hashes.slice(0, size)))
    return size <= hashes.length && whole.toString('base64') === wanted
  })

  test('there are some of the reference tree, of both kinds', () => {
    expect(new Set(inTree.map(({ type }) => type)).size).toBe(2)
    expect(inTree.length).toBeGreaterThan(5)
  })

  test.each(inTree)('$id', async ({ type, leafIdx, treeSize, size1, size2, proof }) => {
    const made =
      type === 'inclusion'
        ? await proveInclusion(nodesFromTiles(read, treeSize), leafIdx, treeSize)
        : size1 === 0
          ? []
          : await proveConsistency(nodesFromTiles(read, size2), size1, size2)
    expect(made.map((hash) => Buffer.from(hash).toString('base64'))).toEqual(proof ?? [])
  })
})
