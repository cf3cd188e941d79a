import { randomFillSync } from 'node:crypto'

/** As many as some two thousand salts. */
const poolBytes = 64 * 1024

/**
 * Random bytes that are asked of the system many at a time, because asking costs more than the bytes. No byte is given
 * out twice, and none is overwritten: who has taken some may keep them.
 */
export function randomPool(): (size: number) => Buffer {
  let pool = Buffer.alloc(0)
  return (size) => {
    if (size > pool.length) pool = randomFillSync(Buffer.alloc(Math.max(size, poolBytes)))
    const taken = pool.subarray(0, size)
    pool = pool.subarray(size)
    return taken
  }
}
