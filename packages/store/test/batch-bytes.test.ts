import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { canonicalJson, commitPayload, hashBytes, leafHash, saltBytes } from '@bailiwick/core'
import { BatchBytes } from '../src/log/batch-bytes.ts'

/** What stands in a batch, worked out entry by entry. */
function expectedOf(entries: readonly Entry[], salts: Buffer) {
  return {
    records: entries.map(({ record }) => record).join('\n'),
    bodies: entries.map(({ payload }) => payload ?? '').join('\n'),
    leafHashes: Buffer.concat(entries.map(({ record }) => leafHash(record))),
    salts: salts.subarray(0, entries.length * saltBytes),
  }
}

interface Entry {
  readonly record: string
  readonly payload: string | undefined
}

function saltAt(salts: Buffer, at: number): Buffer {
  return salts.subarray(at * saltBytes, (at + 1) * saltBytes)
}

/** Adds the entries as a batch does, and holds each commitment against the careful one. */
function add(bytes: BatchBytes, entries: readonly Entry[], salts: Buffer): void {
  for (const [at, { record, payload }] of entries.entries()) {
    expect(bytes.salt).toEqual(saltAt(salts, at))
    if (payload !== undefined)
      expect(bytes.commitment(payload)).toBe(commitPayload(saltAt(salts, at), payload))
    bytes.add(record, payload)
  }
}

function taken(bytes: BatchBytes) {
  const { records, bodies, leafHashes, salts } = bytes
  return { records: records.toString(), bodies: bodies.toString(), leafHashes, salts }
}

// Canonical JSON of any text, as records and payloads are; its line breaks are escaped.
const line = fc.string({ unit: 'grapheme', maxLength: 40 }).map((text) => canonicalJson({ text }))
const entry = fc.record({ record: line, payload: fc.option(line, { nil: undefined }) })

describe('the bytes of a batch', () => {
  test('are those of its records, payloads, leaf hashes and salts one by one, in one batch after another', () => {
    const bytes = new BatchBytes()
    fc.assert(
      fc.property(
        fc.array(fc.array(entry, { maxLength: 8 }), { maxLength: 3 }),
        fc.nat(255),
        (batches, fill) => {
          for (const entries of batches) {
            const salts = Buffer.from(Array.from({ length: 8 * saltBytes }, (_, at) => (at * 7 + fill) % 256))
            bytes.clear(salts)
            add(bytes, entries, salts)
            expect(bytes.count).toBe(entries.length)
            expect(taken(bytes)).toEqual(expectedOf(entries, salts))
          }
        },
      ),
    )
  })

  test('are right where entries are far larger than the memory they began with', () => {
    const bytes = new BatchBytes()
    const salts = Buffer.alloc(4 * saltBytes, 9)
    const large = (letter: string) => canonicalJson({ text: letter.repeat(60_000) })
    const entries = [
      { record: large('a'), payload: large('€') },
      { record: '{}', payload: undefined },
      { record: large('€'), payload: large('b') },
    ]
    for (const batch of [entries, entries.slice(1, 2), []]) {
      bytes.clear(salts)
      add(bytes, batch, salts)
      expect(taken(bytes)).toEqual(expectedOf(batch, salts))
    }
  })

  test('hold nothing of a payload that was asked about and not added', () => {
    const bytes = new BatchBytes()
    const salts = Buffer.alloc(2 * saltBytes, 1)
    bytes.clear(salts)
    bytes.commitment('{"secret":1}')
    bytes.add('{"refused":false}', undefined)
    expect(bytes.bodies).toHaveLength(0)
    expect(bytes.leafHashes).toHaveLength(hashBytes)
  })
})
