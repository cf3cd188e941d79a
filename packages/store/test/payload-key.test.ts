import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { PayloadKey } from '../src/sealing/payload-key.ts'

const bytes = randomBytes(32)
const key = new PayloadKey(bytes.toString('hex'))
const owner = { ledger: 'main', subject: 'ab'.repeat(32), id: 'cd'.repeat(16) }

describe('the master key', () => {
  test('is read in hexadecimal, base64 and base64url, with a line break after it, and has one id', () => {
    const forms = [bytes.toString('base64'), bytes.toString('base64url'), `${bytes.toString('hex')}\n`]
    for (const text of forms) expect(new PayloadKey(text).id).toBe(key.id)
    expect(key.id).toMatch(/^[0-9a-f]{16}$/)
    expect(new PayloadKey(randomBytes(32).toString('hex')).id).not.toBe(key.id)
  })

  test.each([
    '',
    'secret',
    'ab'.repeat(31),
    'ab'.repeat(33),
    randomBytes(31).toString('base64'),
    'zz'.repeat(32),
  ])('is not `%s`', (text) => {
    expect(() => new PayloadKey(text)).toThrow(expect.objectContaining({ code: 'bad_input' }))
  })

  test('opens what it has wrapped for its owner, and for nobody else', () => {
    const wrapped = key.wrap(randomBytes(32), owner, randomBytes(12))
    expect(key.unwrap(wrapped, owner).id).toBe(owner.id)
    const others = [
      { ...owner, ledger: 'other' },
      { ...owner, subject: 'ac'.repeat(32) },
      { ...owner, id: 'ce'.repeat(16) },
    ]
    const broken = expect.objectContaining({ code: 'log_broken' }) as unknown
    for (const other of others) expect(() => key.unwrap(wrapped, other)).toThrow(broken)
    const stranger = new PayloadKey(randomBytes(32).toString('hex'))
    expect(() => stranger.unwrap(wrapped, owner)).toThrow(broken)
    for (let at = 0; at < wrapped.length; at++) {
      const changed = Buffer.from(wrapped)
      changed[at] = (changed[at] ?? 0) ^ 1
      expect(() => key.unwrap(changed, owner)).toThrow(broken)
    }
  })
})
