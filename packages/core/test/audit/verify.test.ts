import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { canonicalJson } from '../../src/model/canonical-json.ts'
import type { Checkpoint } from '../../src/audit/checkpoint.ts'
import { emptyRoot } from '../../src/audit/merkle.ts'
import { verifyLog } from '../../src/audit/verify.ts'
import type { LogHead, StoredEntry } from '../../src/audit/range-check.ts'
import type { VerifyResult } from '../../src/audit/verify.ts'
import type { JsonObject } from '../../src/model/json.ts'
import { entryAt, headOf, rootOf, storedLog, withRecord } from './stored-log.ts'

async function* stream(entries: readonly StoredEntry[]): AsyncGenerator<StoredEntry> {
  yield* entries
}

function verify(entries: readonly StoredEntry[], head: LogHead = headOf(entries), checkpoint?: Checkpoint) {
  return verifyLog({ head, entries: stream(entries), checkpoint })
}

function checkpointOf(entries: readonly StoredEntry[]): Checkpoint {
  return { origin: 'example.com/main', size: entries.length, root: rootOf(entries) }
}

function brokenAt(index: number | null): VerifyResult {
  return expect.objectContaining({ kind: 'broken', index }) as VerifyResult
}

const log = storedLog(23)
const head = headOf(log)

describe('an honest log', () => {
  test.each([0, 1, 2, 7, 8, 1023, 1024, 1025])('of %i records is intact', async (size) => {
    const entries = storedLog(size)
    const root = rootOf(entries).toString('hex')
    expect(await verify(entries)).toEqual({ kind: 'intact', size, root, erased: 0 })
  })

  test('agrees with every checkpoint of its past', async () => {
    for (let size = 0; size <= log.length; size++) {
      const checkpoint = checkpointOf(log.slice(0, size))
      expect(await verify(log, head, checkpoint)).toMatchObject({ kind: 'intact', checkpoint: { size } })
    }
  })

  test('stays intact when payloads are erased and marked so, and they are counted', async () => {
    const erased = log.map((entry, index) =>
      index === 4 || index === 6 ? { ...entry, payload: 'erased' as const } : entry,
    )
    expect(await verify(erased, head)).toMatchObject({ kind: 'intact', erased: 2 })
  })

  test('tells how far verification is', async () => {
    const entries = storedLog(2500)
    const seen: number[] = []
    await verifyLog({
      head: headOf(entries),
      entries: stream(entries),
      onProgress: (done) => seen.push(done),
    })
    expect(seen).toEqual([1024, 2048, 2500])
  })

  test('that cannot be read is a fault, not an answer', async () => {
    async function* failing(): AsyncGenerator<StoredEntry> {
      yield* log.slice(0, 2)
      throw new Error('connection lost')
    }
    await expect(verifyLog({ head, entries: failing() })).rejects.toThrow('connection lost')
  })
})

const position = fc.nat(log.length - 1)

/** The text with one character replaced by another one. */
function changedText(text: string, at: number, step: number): string {
  const place = at % text.length
  const changed = String.fromCharCode(33 + ((text.charCodeAt(place) + step) % 90))
  return text.slice(0, place) + changed + text.slice(place + 1)
}

function changedBytes(bytes: Uint8Array, at: number, bit: number): Buffer {
  const copy = Buffer.from(bytes)
  const place = at % copy.length
  copy[place] = (copy[place] ?? 0) ^ (1 << (bit % 8))
  return copy
}

type Change = (entry: StoredEntry, at: number, step: number) => StoredEntry

const changes: [string, Change][] = [
  ['record', (entry, at, step) => ({ ...entry, record: changedText(entry.record, at, step) })],
  ['record and its leaf hash', (entry, at, step) => withRecord(entry, changedText(entry.record, at, step))],
  ['leaf hash', (entry, at, step) => ({ ...entry, leafHash: changedBytes(entry.leafHash, at, step) })],
  [
    'salt',
    (entry, at, step) =>
      typeof entry.payload === 'string'
        ? entry
        : { ...entry, payload: { ...entry.payload, salt: changedBytes(entry.payload.salt, at, step) } },
  ],
  [
    'payload',
    (entry, at, step) =>
      typeof entry.payload === 'string'
        ? entry
        : { ...entry, payload: { ...entry.payload, body: changedText(entry.payload.body, at, step) } },
  ],
]

describe('a log that was changed', () => {
  test.each(changes)('in one byte of a %s is found', async (what, change) => {
    await fc.assert(
      fc.asyncProperty(position, fc.nat(), fc.integer({ min: 1, max: 57 }), async (index, at, step) => {
        const honest = log[index] ?? entryAt(index)
        const changed = change(honest, at, step)
        fc.pre(canonicalEntry(changed) !== canonicalEntry(honest))

        const result = await verify(log.with(index, changed), head)
        // A record that still is one, with a leaf hash that fits, is found by the head's hashes only.
        const namesRange =
          what === 'record and its leaf hash' && result.kind === 'broken' && result.index === null
        expect(result).toEqual(brokenAt(namesRange ? null : index))
      }),
    )
  })

  test('by removing a record is found', async () => {
    await fc.assert(
      fc.asyncProperty(position, async (index) => {
        const left = log.toSpliced(index, 1)
        expect(await verify(left, head)).toEqual(brokenAt(index))
        // The same with the rows after it moved up, and with a head that fits.
        const closed = left.map((entry, at) => ({ ...entry, index: at }))
        const last = index === log.length - 1
        if (!last) expect(await verify(closed, headOf(closed))).toEqual(brokenAt(index))
        expect(await verify(closed, headOf(closed), checkpointOf(log))).toEqual(brokenAt(index))
      }),
    )
  })

  test('by swapping two records is found', async () => {
    await fc.assert(
      fc.asyncProperty(position, position, async (one, other) => {
        fc.pre(one < other)
        const [first, second] = [log[one] ?? entryAt(one), log[other] ?? entryAt(other)]
        const rows = log.with(one, second).with(other, first)
        expect((await verify(rows, head)).kind).toBe('broken')
        // With their indices put right and a head that fits, the texts still say where they belong.
        const relabelled = log.with(one, { ...second, index: one }).with(other, { ...first, index: other })
        expect(await verify(relabelled, headOf(relabelled))).toEqual(brokenAt(one))
      }),
    )
  })

  test('by storing a record twice is found', async () => {
    await fc.assert(
      fc.asyncProperty(position, async (index) => {
        const copy = log[index] ?? entryAt(index)
        const last = index === log.length - 1
        const rows = log.toSpliced(index, 0, copy)
        // After the last record, the copy is also beyond the head.
        expect(await verify(rows, head)).toEqual(brokenAt(last ? log.length : index))
      }),
    )
  })

  test('by inserting a record and moving the rest down is found', async () => {
    await fc.assert(
      fc.asyncProperty(position, async (index) => {
        const rows = log
          .toSpliced(index, 0, entryAt(index, 'main', forged))
          .map((entry, at) => ({ ...entry, index: at }))
        const moved = index + 1
        expect(await verify(rows, headOf(rows))).toEqual(brokenAt(moved))
        expect((await verify(rows, head)).kind).toBe('broken')
      }),
    )
  })

  test('by adding a record behind the head is found', async () => {
    expect(await verify([...log, entryAt(log.length)], head)).toEqual(brokenAt(log.length))
  })

  test('by cutting off its end is found by the head, and by a checkpoint where the head was cut too', async () => {
    await fc.assert(
      fc.asyncProperty(position, async (size) => {
        const left = log.slice(0, size)
        expect(await verify(left, head)).toEqual(brokenAt(size))
        expect(await verify(left, headOf(left))).toMatchObject({ kind: 'intact' })
        const result = await verify(left, headOf(left), checkpointOf(log))
        expect(result).toEqual(brokenAt(size))
        expect(result).toMatchObject({
          problem: expect.stringContaining('the checkpoint counts 23') as string,
        })
      }),
    )
  })

  test('by rewriting a record, all hashes and the head is found by a checkpoint', async () => {
    await fc.assert(
      fc.asyncProperty(position, position, async (index, later) => {
        const rows = log.with(index, entryAt(index, 'main', forged))
        expect(await verify(rows, headOf(rows))).toMatchObject({ kind: 'intact' })
        const size = Math.max(index, later) + 1
        const result = await verify(rows, headOf(rows), checkpointOf(log.slice(0, size)))
        expect(result).toEqual(brokenAt(size === 1 ? 0 : null))
        expect(result).toMatchObject({ problem: expect.stringContaining(`records before ${size}`) as string })
      }),
    )
  })

  test('by rewriting a record and its hash is found by the head, which narrows it down', async () => {
    const rows = log.with(22, entryAt(22, 'main', forged))
    expect(await verify(rows, head)).toEqual(brokenAt(22))
    const result = await verify(log.with(17, entryAt(17, 'main', forged)), head)
    expect(result).toEqual(brokenAt(null))
    expect(result).toMatchObject({ problem: expect.stringContaining('between 16 and 19') as string })
  })
})

const forged = { kind: 'access', event: 'key_created', subject: 'key_forged', grants: ['agent:any'] } as const

/** The entry as text, to tell whether a change changed anything. */
function canonicalEntry(entry: StoredEntry): string {
  return JSON.stringify([entry.record, Buffer.from(entry.leafHash).toString('hex'), entry.payload])
}

test('what is stored beside a record is asked of every record in order, and what is wrong with it is found', async () => {
  const asked: number[] = []
  const result = await verifyLog({
    head,
    entries: stream(log),
    beside: (record, entry) => {
      expect(record.index).toBe(entry.index)
      asked.push(entry.index)
      return entry.index === 3 ? 'its term is another one' : undefined
    },
  })
  expect(result).toMatchObject({ kind: 'broken', index: 3, problem: 'record 3: its term is another one' })
  expect(asked).toEqual([0, 1, 2, 3])
})

describe('a record', () => {
  test('that is not canonical JSON is found, though its hash fits', async () => {
    const spaced = withRecord(entryAt(2), entryAt(2).record.replace(':', ': '))
    const doubled = withRecord(entryAt(2), entryAt(2).record.replace('{', '{"agent":"other",'))
    const infinite = withRecord(entryAt(2), entryAt(2).record.replace('{', '{"AA":1e999,'))
    for (const changed of [spaced, doubled, infinite]) {
      expect(await verify(log.with(2, changed), head)).toEqual(brokenAt(2))
    }
  })

  test('of another ledger, version or kind is found', async () => {
    const edit = (change: JsonObject) =>
      withRecord(entryAt(3), canonicalJson({ ...(JSON.parse(entryAt(3).record) as JsonObject), ...change }))
    const otherLedger = await verify(log.with(3, entryAt(3, 'other')), head)
    expect(otherLedger).toEqual(brokenAt(3))
    expect(otherLedger).toMatchObject({ problem: expect.stringContaining('another ledger') as string })
    expect(await verify(log.with(3, edit({ v: 2 })), head)).toEqual(brokenAt(3))
    expect(await verify(log.with(3, edit({ kind: 'erasure' })), head)).toEqual(brokenAt(3))
    expect(await verify(log.with(3, edit({ index: 4 })), head)).toEqual(brokenAt(3))
  })

  test('whose payload is gone without a mark is found, and one marked erased is not', async () => {
    expect(await verify(log.with(2, { ...entryAt(2), payload: 'none' }), head)).toEqual(brokenAt(2))
    expect(await verify(log.with(2, { ...entryAt(2), payload: 'erased' }), head)).toMatchObject({
      kind: 'intact',
    })
  })

  test('that has no payload may not get one, nor a mark that one was erased', async () => {
    const payload = { salt: Buffer.alloc(32), body: '{}' }
    expect(await verify(log.with(3, { ...entryAt(3), payload }), head)).toEqual(brokenAt(3))
    expect(await verify(log.with(3, { ...entryAt(3), payload: 'erased' }), head)).toEqual(brokenAt(3))
  })

  test('whose salt has another length is found, not a fault', async () => {
    const payload = { salt: Buffer.alloc(31), body: '{}' }
    expect(await verify(log.with(2, { ...entryAt(2), payload }), head)).toEqual(brokenAt(2))
  })

  test('that is bad first is the one named', async () => {
    const rows = log
      .with(5, { ...entryAt(5), leafHash: emptyRoot() })
      .with(9, { ...entryAt(9), leafHash: emptyRoot() })
    expect(await verify(rows, head)).toEqual(brokenAt(5))
  })
})

describe('a head', () => {
  test('that does not fit its log is found', async () => {
    expect(await verify(log, { ...head, size: 24 })).toEqual(brokenAt(23))
    expect(await verify(log, { ...head, size: 22 })).toEqual(brokenAt(22))
    expect(await verify(log, { ...head, size: Number.NaN })).toMatchObject({ kind: 'broken' })
    expect(await verify(log, { ...head, frontier: head.frontier.subarray(32) })).toEqual(brokenAt(null))
    expect(await verify([], { ...headOf([]), frontier: Buffer.alloc(32) })).toEqual(brokenAt(null))
  })

  test('with any byte of its hashes changed is found', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.nat(), async (at, bit) => {
        const changed = { ...head, frontier: changedBytes(head.frontier, at, bit) }
        expect(await verify(log, changed)).toMatchObject({ kind: 'broken' })
      }),
      { numRuns: 30 },
    )
  })

  test('and a checkpoint of no records must have the root of nothing', async () => {
    const checkpoint = { origin: 'example.com/main', size: 0, root: Buffer.alloc(32) }
    expect(await verify(log, head, checkpoint)).toMatchObject({ kind: 'broken' })
  })
})
