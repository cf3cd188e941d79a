import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { openPayload, sealedKeys, sealPayload, type SubjectKey } from '../../src/audit/sealed-payload.ts'
import { canonicalJson } from '../../src/model/canonical-json.ts'
import type { Json } from '../../src/model/json.ts'

const place = { ledger: 'main', index: 7 }
const body = canonicalJson({ context: {}, params: { customer: 'cu-ann', note: 'Zoë' } })

function newKey(): SubjectKey {
  return { id: randomBytes(16).toString('hex'), key: randomBytes(32) }
}

function sealed(keys: readonly SubjectKey[], text = body): string {
  return sealPayload(text, keys, place, randomBytes(32))
}

const broken = expect.objectContaining({ code: 'log_broken' }) as unknown

describe('a sealed payload', () => {
  test('opens with the keys of all its people, in any order, whatever it holds', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.integer({ min: 1, max: 5 }), (value, people) => {
        const text = canonicalJson({ context: {}, params: { value: value as Json } })
        const keys = Array.from({ length: people }, newKey)
        const stored = sealed(keys, text)
        expect(openPayload(stored, keys.toReversed(), place)).toBe(text)
        expect(sealedKeys(stored)).toEqual(keys.map(({ id }) => id).sort())
      }),
      { numRuns: 50 },
    )
  })

  test('is canonical JSON on one line, and shows nothing of what it holds', () => {
    const stored = sealed([newKey()])
    expect(canonicalJson(JSON.parse(stored) as Json)).toBe(stored)
    expect(stored).not.toContain('\n')
    expect(stored).not.toContain('cu-ann')
    expect(sealed([newKey()])).not.toBe(stored)
  })

  test('does not open without every one of its keys', () => {
    const keys = [newKey(), newKey(), newKey()]
    const stored = sealed(keys)
    for (const gone of keys) {
      const left = keys.filter((key) => key !== gone)
      expect(() => openPayload(stored, left, place)).toThrow(broken)
      const replaced = [...left, { id: gone.id, key: randomBytes(32) }]
      expect(() => openPayload(stored, replaced, place)).toThrow(broken)
    }
  })

  test('opens in its place alone', () => {
    const keys = [newKey()]
    const stored = sealed(keys)
    expect(() => openPayload(stored, keys, { ...place, index: 8 })).toThrow(broken)
    expect(() => openPayload(stored, keys, { ...place, ledger: 'other' })).toThrow(broken)
  })

  test('does not open once any of its characters was changed', () => {
    const keys = [newKey(), newKey()]
    const stored = sealed(keys)
    for (let at = 0; at < stored.length; at++) {
      for (const other of ['A', 'b', '0', '"', '-']) {
        if (stored[at] === other) continue
        const changed = stored.slice(0, at) + other + stored.slice(at + 1)
        expect(() => openPayload(changed, keys, place), `${at} ${other}`).toThrow(broken)
      }
    }
    expect(() => openPayload(`${stored} `, keys, place)).toThrow(broken)
  })

  test('is told from one that is not', () => {
    expect(sealedKeys(body)).toBeUndefined()
    expect(sealedKeys('null')).toBeUndefined()
    expect(sealedKeys('{"sealed":{}}')).toBeUndefined()
    expect(sealedKeys(canonicalJson({ params: { sealed: sealed([newKey()]) } }))).toBeUndefined()
  })

  test('is made with keys alone that are some', () => {
    expect(() => sealPayload(body, [], place, randomBytes(32))).toThrow()
    expect(() => sealPayload(body, [{ id: 'a', key: randomBytes(31) }], place, randomBytes(32))).toThrow()
    expect(() => sealPayload(body, [newKey()], place, randomBytes(31))).toThrow()
  })
})
