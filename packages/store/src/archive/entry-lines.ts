import {
  commitPayload,
  Fault,
  leafHash,
  parseRecord,
  recordText,
  type LogRecord,
  type StoredEntry,
} from '@bailiwick/core'

const saltHex = /^[0-9a-f]{64} /

/** How a payload is written in an archive: nothing, `erased`, or salt and body. */
export function payloadLine(payload: StoredEntry['payload']): string {
  if (payload === 'none') return ''
  if (payload === 'erased') return 'erased'
  return `${Buffer.from(payload.salt).toString('hex')} ${payload.body}`
}

/** A line of an archive's payloads; undefined where it is none. */
export function payloadOfLine(line: string): StoredEntry['payload'] | undefined {
  if (line === '') return 'none'
  if (line === 'erased') return 'erased'
  if (!saltHex.test(line)) return undefined
  return { salt: Buffer.from(line.slice(0, 64), 'hex'), body: line.slice(65) }
}

/**
 * The record of an entry that is to stand at `index`, with everything held against everything: its text against the leaf
 * hash, what it says of itself, and its payload against its commitment.
 *
 * @throws Fault `log_broken` at the first thing that does not hold
 */
export function checkedRecord(entry: StoredEntry, ledger: string, index: number): LogRecord {
  const broken = (why: string) =>
    new Fault('log_broken', `record ${index} ${why}`, {
      fix: 'Keep the archive and the database as evidence, and run `bailiwick log verify`.',
    })
  if (entry.index !== index) throw broken(`is missing: the next one is ${entry.index}`)
  if (!leafHash(entry.record).equals(entry.leafHash))
    throw broken('was changed: its text does not have its leaf hash')
  const record = parseRecord(entry.record)
  if (recordText(record) !== entry.record) throw broken('is not canonical JSON')
  if (record.index !== index) throw broken(`was moved or replaced: it says that it is record ${record.index}`)
  if (record.ledger !== ledger) throw broken('belongs to another ledger')
  const { payload } = entry
  if (record.payload === null ? payload !== 'none' : payload === 'none')
    throw broken('does not have the payload it should')
  if (typeof payload !== 'string' && commitPayload(payload.salt, payload.body) !== record.payload) {
    throw broken('has another payload than it commits to')
  }
  return record
}
