import { Fault } from '../model/fault.ts'
import { hashBytes, nodeHash } from './frontier.ts'
import type { Hash } from './frontier.ts'
import type { NodeReader, TreeNode } from './proofs.ts'

/** How many hashes a full tile has. */
export const tileWidth = 256
/** How many levels of the tree a tile spans: the nodes above its hashes, up to one that stands for all of them. */
const tileHeight = 8
const tileLevelMax = 63

/**
 * Consecutive hashes of one level of the tree, as C2SP tlog-tiles cuts it up. A hash at level L stands for 256^L
 * records; `entries` are the records of a tile of level 0.
 *
 * @see https://c2sp.org/tlog-tiles
 */
export interface Tile {
  readonly level: number | 'entries'
  /** Which one of its level, from 0. */
  readonly index: number
  /** How many hashes or records it has: 1 to 256. Below 256 it is a partial tile. */
  readonly width: number
}

/** The tile's address below the log's: `tile/0/x001/x234/067` or `tile/entries/067.p/12`. */
export function tilePath({ level, index, width }: Tile): string {
  const digits = String(index)
  const padded = digits.padStart(Math.ceil(digits.length / 3) * 3, '0')
  const groups = padded.match(/.{3}/g) ?? []
  const place = groups.map((group, at) => (at === groups.length - 1 ? group : `x${group}`)).join('/')
  return `tile/${level}/${place}${width === tileWidth ? '' : `.p/${width}`}`
}

const tileAddress = /^tile\/(entries|[0-9]{1,2})\/((?:x[0-9]{3}\/){0,5}[0-9]{3})(?:\.p\/([0-9]{1,3}))?$/

/** The tile that an address below the log's names, or undefined where it is not exactly the address of one. */
export function parseTilePath(path: string): Tile | undefined {
  const [, level = '', place = '', width] = tileAddress.exec(path) ?? []
  const tile: Tile = {
    level: level === 'entries' ? level : Number(level),
    index: Number(place.replaceAll(/[x/]/g, '')),
    width: width === undefined ? tileWidth : Number(width),
  }
  const isLevel = tile.level === 'entries' || tile.level <= tileLevelMax
  const isTile = isLevel && Number.isSafeInteger(tile.index) && tile.width > 0 && tile.width <= tileWidth
  // Writing it again refuses what has a second spelling: leading zeros, and the width 256 said aloud.
  return isTile && tilePath(tile) === path ? tile : undefined
}

/** How many records a log needs for the tile to be a part of it; above 2^53 only about right. */
export function tileEnd({ level, index, width }: Tile): number {
  return (index * tileWidth + width) * tileWidth ** (level === 'entries' ? 0 : level)
}

/** Hands out the hashes of a tile, 32 bytes each. */
export type TileReader = (tile: Tile & { readonly level: number }) => Promise<Uint8Array>

/**
 * Reads nodes of a tree out of its tiles, each tile once for each reading: for a proof, two of each level at most.
 *
 * @param size of the tree; its last tiles are as wide as that makes them
 * @throws Fault `log_broken`, when reading, for a tile that has not the length of its width
 */
export function nodesFromTiles(read: TileReader, size: number): NodeReader {
  return async (nodes) => {
    const tiles = new Map<string, Promise<Uint8Array>>()
    return await Promise.all(
      nodes.map(async (node) => {
        const { tile, from, count } = placeOf(node, size)
        const path = tilePath(tile)
        const reading = tiles.get(path) ?? read(tile)
        tiles.set(path, reading)
        const bytes = await reading
        if (bytes.length !== tile.width * hashBytes) throw wrongLength(path, bytes.length)
        return completeRoot(bytes, from, count)
      }),
    )
  }
}

function placeOf(
  { level, index }: TreeNode,
  size: number,
): { tile: Tile & { level: number }; from: number; count: number } {
  const tileLevel = Math.floor(level / tileHeight)
  const count = 2 ** (level % tileHeight)
  const first = index * count
  const tileIndex = Math.floor(first / tileWidth)
  const hashes = Math.floor(size / tileWidth ** tileLevel)
  const width = Math.min(tileWidth, hashes - tileIndex * tileWidth)
  return { tile: { level: tileLevel, index: tileIndex, width }, from: first - tileIndex * tileWidth, count }
}

/**
 * The root over `count` hashes, a power of two, that stand one after the other in `hashes`, from place `from` on: what
 * stands for a full tile at the level above it.
 */
export function completeRoot(hashes: Uint8Array, from: number, count: number): Hash {
  if (count === 1) return hashes.subarray(from * hashBytes, (from + 1) * hashBytes)
  const half = count / 2
  return nodeHash(completeRoot(hashes, from, half), completeRoot(hashes, from + half, half))
}

function wrongLength(path: string, length: number): Fault {
  return new Fault('log_broken', `\`${path}\` has ${length} bytes, which is not the length of its hashes`, {
    fix: 'Verify the log, or ask whoever serves it; a proof cannot be made of this tile.',
  })
}
