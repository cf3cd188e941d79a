import { Fault } from '../model/fault.ts'

/** What the two bytes before each entry can say. */
const entryBytesMax = 0xffff

/**
 * Records as C2SP tlog-tiles serves them: each after its length in two bytes, the higher first.
 *
 * @throws Fault `log_broken` for a text that is too long to be a record
 * @see https://c2sp.org/tlog-tiles
 */
export function encodeEntries(records: readonly string[]): Buffer {
  const parts = records.flatMap((record) => {
    const bytes = Buffer.from(record)
    if (bytes.length > entryBytesMax) {
      throw new Fault('log_broken', `a stored record has ${bytes.length} bytes, which no record can have`, {
        fix: 'Verify the log.',
      })
    }
    const length = Buffer.alloc(2)
    length.writeUInt16BE(bytes.length)
    return [length, bytes]
  })
  return Buffer.concat(parts)
}
