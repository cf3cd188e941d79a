import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { joinRange, RangeBuilder } from '../../src/audit/compact-range.ts'
import { appendLeaves, emptyFrontier, frontierRoot, leafHash } from '../../src/audit/merkle.ts'
import { RangeCheck } from '../../src/audit/range-check.ts'
import { completeRecord, recordText } from '../../src/audit/record.ts'
import { parseRecord } from '../../src/audit/record-shape.ts'
import { RecordTemplates } from '../../src/audit/record-templates.ts'
import { LogVerification, verifyLog } from '../../src/audit/verify.ts'
import type { StoredEntry } from '../../src/audit/range-check.ts'
import type { DecisionRecord, LogRecord } from '../../src/model/record.ts'
import { bodyAt, headOf, rootOf, storedLog } from './stored-log.ts'

const leaves = Array.from({ length: 300 }, (_, at) => leafHash(String(at)))

describe('ranges of leaves', () => {
  test('join to the tree of all of them, wherever it is cut', () => {
    const cuts = fc.uniqueArray(fc.integer({ min: 0, max: leaves.length }), { maxLength: 12 })
    fc.assert(
      fc.property(cuts, fc.integer({ min: 0, max: leaves.length }), (inner, size) => {
        const ends = [...inner.filter((at) => at < size).sort((a, b) => a - b), size]
        let frontier = emptyFrontier
        for (const end of ends) {
          const builder = new RangeBuilder(frontier.size)
          for (const leaf of leaves.slice(frontier.size, end)) builder.push(leaf)
          frontier = joinRange(frontier, builder.range())
        }
        const whole = appendLeaves(emptyFrontier, leaves.slice(0, size))
        expect(frontier).toEqual(whole)
      }),
    )
  })

  test('hold no more than two hashes of each width, from any position on', () => {
    fc.assert(
      fc.property(fc.nat(2 ** 40), fc.integer({ min: 1, max: 300 }), (start, count) => {
        const builder = new RangeBuilder(start)
        for (const leaf of leaves.slice(0, count)) builder.push(leaf)
        expect(builder.range().hashes.length).toBeLessThanOrEqual(2 * Math.ceil(Math.log2(count + 1)))
      }),
    )
  })

  test('that do not follow on the tree, or lack a hash, are refused', () => {
    const builder = new RangeBuilder(4)
    for (const leaf of leaves.slice(4, 7)) builder.push(leaf)
    const { start, end, hashes } = builder.range()
    const four = appendLeaves(emptyFrontier, leaves.slice(0, 4))
    expect(joinRange(four, { start, end, hashes }).size).toBe(7)
    expect(() => joinRange(emptyFrontier, { start, end, hashes })).toThrow('does not continue')
    expect(() => joinRange(four, { start, end, hashes: hashes.slice(1) })).toThrow('does not continue')
  })
})

describe('a log that is checked in parts', () => {
  const log = storedLog(60)
  const head = headOf(log)

  function inParts(entries: readonly StoredEntry[], cuts: readonly number[], size = 40) {
    const checkpoint = { origin: 'example.com/main', size, root: rootOf(log.slice(0, size)) }
    const verification = new LogVerification(head, checkpoint)
    const ends = [...cuts.filter((at) => at < entries.length).sort((a, b) => a - b), entries.length]
    let start = 0
    for (const end of ends) {
      const check = new RangeCheck({ head, cut: checkpoint.size })
      for (const entry of entries.slice(start, end)) check.take(entry)
      const broken = verification.add(check.result())
      if (broken !== undefined) return broken
      start = end
    }
    return verification.finished()
  }
  const cuts = fc.uniqueArray(fc.nat(log.length), { maxLength: 8 })

  test('is found intact, or broken at the same place for the same reason, as in one', async () => {
    const change = fc.constantFrom('none', 'drop', 'swap', 'twice', 'text', 'payload', 'last')
    await fc.assert(
      fc.asyncProperty(cuts, change, fc.nat(log.length - 2), async (at, what, place) => {
        const entries = [...log]
        const [one, two] = [entries[place] as StoredEntry, entries[place + 1] as StoredEntry]
        if (what === 'drop') entries.splice(place, 1)
        if (what === 'swap') entries.splice(place, 2, two, one)
        if (what === 'twice') entries.splice(place, 0, one)
        if (what === 'text') entries[place] = { ...one, record: one.record.replace('"v":1', '"v":2') }
        if (what === 'payload') entries[place] = { ...one, payload: 'none' }
        if (what === 'last') entries.push(one)
        const checkpoint = { origin: 'example.com/main', size: 40, root: rootOf(log.slice(0, 40)) }
        const whole = await verifyLog({
          head,
          entries: (async function* () {
            yield* entries
          })(),
          checkpoint,
        })
        expect(inParts(entries, at)).toEqual(whole)
        expect(whole.kind).toBe(
          what === 'none' || (what === 'payload' && one.payload === 'none') ? 'intact' : 'broken',
        )
      }),
      { numRuns: 300 },
    )
  })

  test('can begin behind records that are elsewhere, given their tree', () => {
    for (const first of [1, 17, 32, 59]) {
      const before = appendLeaves(
        emptyFrontier,
        log.slice(0, first).map((entry) => leafHash(entry.record)),
      )
      const verification = new LogVerification(head, undefined, before)
      const check = new RangeCheck({ head })
      for (const entry of log.slice(first)) check.take(entry)
      expect(verification.add(check.result())).toBeUndefined()
      expect(verification.finished()).toMatchObject({ kind: 'intact', size: log.length })
      const other = new LogVerification(head, undefined, {
        ...before,
        hashes: before.hashes.map(() => frontierRoot(emptyFrontier)),
      })
      expect(other.add(check.result())).toBeUndefined()
      expect(other.finished()).toMatchObject({ kind: 'broken' })
    }
  })
})

describe('decisions that differ in time, call id, index and payload alone', () => {
  const place = { ledger: 'main', at: '2026-03-01T09:00:00.000Z', payload: 'a'.repeat(64) as never }
  const decision = (index: number, more: Partial<DecisionRecord> = {}) =>
    completeRecord({ ...bodyAt(0), opens: null, id: `dec_${index}`, ...more } as never, {
      ...place,
      index,
    }) as DecisionRecord
  const learned = (record: DecisionRecord) => {
    const templates = new RecordTemplates()
    templates.learn(parseRecord(recordText(record)) as DecisionRecord, recordText(record))
    return templates
  }
  const callId = fc.oneof(fc.constant(null), fc.string({ unit: 'grapheme', maxLength: 12 }))
  const holes = fc.record({
    index: fc.nat(),
    callId,
    at: fc
      .date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true })
      .map((date) => date.toISOString()),
    payload: fc
      .uint8Array({ minLength: 32, maxLength: 32 })
      .map((bytes) => Buffer.from(bytes).toString('hex')),
  })

  test('are read as a parser reads them, or not at all', () => {
    let read = 0
    fc.assert(
      fc.property(holes, holes, (one, other) => {
        const make = ({ index, callId: id, at, payload }: typeof one): LogRecord =>
          completeRecord(
            { ...decision(index), callId: id },
            {
              ledger: 'main',
              index,
              at,
              payload: payload as never,
            },
          )
        const templates = learned(make(one) as DecisionRecord)
        const text = recordText(make(other))
        const found = templates.read(text, other.index)
        if (found === undefined) return
        read += 1
        expect(found).toEqual(parseRecord(text))
      }),
      { numRuns: 500 },
    )
    expect(read).toBeGreaterThan(100)
  })

  test('are not read where any other character differs, or one of a hole is of another kind', () => {
    const text = recordText(decision(7, { callId: 'call-7' }))
    const templates = learned(decision(6, { callId: 'call-6' }))
    expect(templates.read(text, 7)).toEqual(parseRecord(text))
    expect(templates.read(text, 8)).toBeUndefined()
    fc.assert(
      fc.property(
        fc.nat(text.length - 1),
        fc.constantFrom('x', '0', 'A', '"', '\\', ' ', 'é', '\n'),
        (at, character) => {
          const changed = text.slice(0, at) + character + text.slice(at + 1)
          const found = templates.read(changed, 7)
          if (found !== undefined) expect(recordText(found)).toBe(changed)
        },
      ),
      { numRuns: 2000 },
    )
    for (const cut of [text.slice(0, -1), `${text} `, text.slice(1)])
      expect(templates.read(cut, 7)).toBeUndefined()
  })

  test('are no templates where what looks like a hole is another member’s', () => {
    // The record's own index is `7` in both, and what changes is inside a rule that nobody wrote.
    const forged = (n: number) =>
      recordText(decision(7)).replace('"rules":[', `"rules":[{"id":"dec_${n}","index":${n},"x":1},`)
    const index = (n: number) => forged(n).replace('"id":"dec_7","index":7,', '"id":"dec_7","index": 7,')
    const templates = new RecordTemplates()
    for (const n of [7, 8]) templates.learn(parseRecord(index(n)) as DecisionRecord, index(n))
    expect(templates.read(index(9), 9)).toBeUndefined()
    expect(templates.read(index(8), 8)).toBeUndefined()
  })
})
