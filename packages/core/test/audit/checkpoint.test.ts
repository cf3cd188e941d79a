import { generateKeyPairSync } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  checkpointBody,
  createLogKey,
  loadLogKey,
  openCheckpoint,
  signCheckpoint,
  verifierKey,
} from '../../src/audit/checkpoint.ts'
import { emptyRoot, leafHash } from '../../src/audit/merkle.ts'
import { openNote, signNote } from '../../src/audit/signed-note.ts'

// The key pair and note that Go's golang.org/x/mod/sumdb/note publishes as its example.
const peterKey = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW'
const peterSeed = Buffer.from('AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz', 'base64').subarray(1)
const peterText =
  "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
const peterNote = `${peterText}\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n`

/** An Ed25519 seed as PKCS #8 (RFC 8410). */
function pemOf(seed: Buffer): string {
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed])
  return `-----BEGIN PRIVATE KEY-----\n${der.toString('base64')}\n-----END PRIVATE KEY-----\n`
}

const broken = expect.objectContaining({ code: 'log_broken' }) as Error
const badInput = expect.objectContaining({ code: 'bad_input' }) as Error

describe("Go's published note", () => {
  test('opens with its key', () => {
    expect(openNote(peterNote, [peterKey])).toBe(peterText)
  })

  test('comes out byte for byte when its text is signed with its key', () => {
    const key = loadLogKey('PeterNeumann', pemOf(peterSeed))
    expect(key.verifierKey).toBe(peterKey)
    expect(signNote(peterText, key.signer)).toBe(peterNote)
  })

  test('does not open with any character changed, left out or put in', () => {
    fc.assert(
      fc.property(fc.nat(peterNote.length - 1), fc.constantFrom('A', ' ', '\n', '=', ''), (at, put) => {
        const changed = peterNote.slice(0, at) + put + peterNote.slice(at + 1)
        if (changed !== peterNote) expect(() => openNote(changed, [peterKey])).toThrow(broken)
        const grown = `${peterNote.slice(0, at)}${put}${peterNote.slice(at)}`
        if (put !== '') expect(() => openNote(grown, [peterKey])).toThrow(broken)
      }),
    )
  })

  test('has a key of which no part and no altered form is accepted', () => {
    for (let at = 0; at < peterKey.length; at++) {
      const next = String.fromCharCode(peterKey.charCodeAt(at) + 1)
      const altered = peterKey.slice(0, at) + next + peterKey.slice(at + 1)
      expect(() => openNote(peterNote, [altered])).toThrow(badInput)
      if (at > 0) expect(() => openNote(peterNote, [peterKey.slice(0, at)])).toThrow(badInput)
      if (at > 0) expect(() => openNote(peterNote, [peterKey.slice(at)])).toThrow(badInput)
    }
  })
})

const ledger = createLogKey('example.com/ledger')
const { signer } = loadLogKey('example.com/ledger', ledger.privateKeyPem)
const other = createLogKey('example.com/witness')
const otherSigner = loadLogKey('example.com/witness', other.privateKeyPem).signer
const checkpoint = { origin: 'example.com/ledger', size: 3, root: leafHash('a root') }

describe('a checkpoint', () => {
  test('is three lines: origin, size, base64 root', () => {
    const body = checkpointBody({ origin: 'example.com/ledger', size: 0, root: emptyRoot() })
    expect(body).toBe('example.com/ledger\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n')
  })

  test('comes back from the note it was signed into, whatever its size', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (size) => {
        const signed = { ...checkpoint, size: size + (size === 0 ? 1 : 0) }
        expect(openCheckpoint(signCheckpoint(signed, signer), [ledger.verifierKey])).toEqual(signed)
      }),
      { numRuns: 30 },
    )
  })

  test('opens by any of several keys, and among signatures by unknown ones', () => {
    const note = signCheckpoint(checkpoint, signer)
    const witnessLine = signNote(checkpointBody(checkpoint), otherSigner).split('\n\n')[1] ?? ''
    const unknownLine = `— example.com/future ${Buffer.alloc(2424, 6).toString('base64')}\n`
    const crowded = note + unknownLine + witnessLine
    expect(openCheckpoint(crowded, [ledger.verifierKey])).toEqual(checkpoint)
    expect(openCheckpoint(crowded, [other.verifierKey, ledger.verifierKey])).toEqual(checkpoint)
    expect(openCheckpoint(note, [other.verifierKey, ledger.verifierKey])).toEqual(checkpoint)
  })

  test('is refused without a signature by a given key, even one of the same name', () => {
    const note = signCheckpoint(checkpoint, signer)
    const namesake = createLogKey('example.com/ledger')
    expect(() => openCheckpoint(note, [other.verifierKey])).toThrow('not signed by any of the keys')
    expect(() => openCheckpoint(note, [namesake.verifierKey])).toThrow('not signed by any of the keys')
    expect(() => openCheckpoint(note, [])).toThrow('not signed by any of the keys')
  })

  test('is refused where one known signature is bad, though another is good', () => {
    const good = signCheckpoint(checkpoint, signer)
    const stale = signNote(checkpointBody({ ...checkpoint, size: 2 }), otherSigner).split('\n\n')[1] ?? ''
    expect(() => openCheckpoint(good + stale, [ledger.verifierKey, other.verifierKey])).toThrow(
      'does not match',
    )
  })

  test('is refused with its size, root or origin changed', () => {
    const note = signCheckpoint(checkpoint, signer)
    for (const changed of [
      note.replace('\n3\n', '\n4\n'),
      note.replace('ledger\n', 'ledgers\n'),
      note.replace('=\n', 'A\n'),
    ]) {
      expect(changed).not.toBe(note)
      expect(() => openCheckpoint(changed, [ledger.verifierKey])).toThrow(broken)
    }
  })

  test('may carry extension lines', () => {
    const note = signNote(`${checkpointBody(checkpoint)}one more line\n`, signer)
    expect(openCheckpoint(note, [ledger.verifierKey])).toEqual(checkpoint)
  })

  test.each([
    ['two lines', 'example.com/ledger\n3\n'],
    ['a leading zero', checkpointBody(checkpoint).replace('\n3\n', '\n03\n')],
    ['a sign', checkpointBody(checkpoint).replace('\n3\n', '\n+3\n')],
    ['a fraction', checkpointBody(checkpoint).replace('\n3\n', '\n3.0\n')],
    ['a size beyond exact numbers', checkpointBody(checkpoint).replace('\n3\n', '\n9007199254740993\n')],
    ['a short root', 'example.com/ledger\n3\nAAAA\n'],
    ['a root with stray padding', checkpointBody(checkpoint).replace('=\n', '==\n')],
    ['a root for no records that is not the empty one', checkpointBody({ ...checkpoint, size: 0 })],
    ['an empty extension line', `${checkpointBody(checkpoint)}\n`],
    ['no origin', checkpointBody(checkpoint).replace('example.com/ledger', '')],
  ])('is refused with %s, however well signed', (_, text) => {
    expect(() => openCheckpoint(signNote(text, signer), [ledger.verifierKey])).toThrow(broken)
  })

  test.each([
    '',
    'text',
    'text\n',
    '\n\n',
    'text\n\n',
    'text\n\n— name\n',
    'text\n\n- name AAAAAAAA\n',
    'text\n\n— name AAAAAAAA',
  ])('is refused where the note is malformed: %j', (note) => {
    expect(() => openCheckpoint(note, [ledger.verifierKey])).toThrow(broken)
  })

  test('is not signed where it could not be read back', () => {
    for (const wrong of [
      { ...checkpoint, origin: '' },
      { ...checkpoint, origin: 'two\nlines' },
      { ...checkpoint, origin: 'a\ttab' },
      { ...checkpoint, size: -1 },
      { ...checkpoint, size: 2 ** 53 },
      { ...checkpoint, root: Buffer.alloc(20) },
    ]) {
      expect(() => signCheckpoint(wrong, signer)).toThrow(badInput)
    }
  })
})

describe('a log key', () => {
  test('keeps its published form when its private half is loaded again', () => {
    expect(loadLogKey('example.com/ledger', ledger.privateKeyPem).verifierKey).toBe(ledger.verifierKey)
  })

  test.each(['', 'two words', 'a+b', 'tab\t', 'line\n', 'no\u00a0break', 'next\u0085line'])(
    'cannot be named %j',
    (name) => {
      expect(() => verifierKey(name, Buffer.alloc(32))).toThrow(badInput)
      expect(() => createLogKey(name)).toThrow(badInput)
    },
  )

  test('is an Ed25519 private key in PEM and nothing else', () => {
    const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
      type: 'pkcs8',
      format: 'pem',
    })
    expect(() => loadLogKey('name', p256.toString())).toThrow('not an Ed25519 key')
    expect(() => loadLogKey('name', 'no key')).toThrow('not a private key')
    expect(() => verifierKey('name', Buffer.alloc(33))).toThrow(badInput)
  })
})
