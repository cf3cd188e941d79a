import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createLogKey, loadLogKey, signCheckpoint } from '../../src/audit/checkpoint.ts'
import {
  parseProofBundle,
  proofBundleLengthMax,
  verifyProofBundle,
  type ProofBundle,
} from '../../src/audit/proof-bundle.ts'
import { isTlogProof, parseTlogProof, tlogProofText } from '../../src/audit/tlog-proof.ts'
import { bundleOf, entries, leaves, noteAt, origin, otherKey, verifierKey } from './bundles.ts'

describe('a proof bundle', () => {
  test.each(entries.map(({ index }) => index))('proves record %i with the key that was given', (index) => {
    const bundle = parseProofBundle(JSON.stringify(bundleOf(index)))
    const verdict = verifyProofBundle(bundle, [otherKey, verifierKey])
    expect(verdict).toMatchObject({
      kind: 'proven',
      keys: 'given',
      signedBy: [verifierKey],
      checkpoint: { origin, size: 23 },
      record: { index },
      payload: bundle.payload.state === 'included' ? 'committed' : bundle.payload.state,
    })
  })

  test('without a key of the caller proves only what the holder of its own key signed, and says so', () => {
    expect(verifyProofBundle(bundleOf(3))).toMatchObject({ kind: 'proven', keys: 'bundled' })
  })

  test('of a forger, who signs a log of his own, is refuted by the key of the log', () => {
    const forger = createLogKey(origin)
    const note = signCheckpoint(
      { origin, size: 1, root: leaves[0] ?? Buffer.alloc(0) },
      loadLogKey(origin, forger.privateKeyPem).signer,
    )
    const bundle = { ...bundleOf(0, 1), checkpoint: note, verifierKeys: [forger.verifierKey] }
    expect(verifyProofBundle(bundle)).toMatchObject({ kind: 'proven', keys: 'bundled' })
    expect(verifyProofBundle(bundle, [verifierKey])).toMatchObject({
      kind: 'refuted',
      problem: 'the note is not signed by any of the keys given',
    })
  })

  test('is refuted, or is no bundle any more, with any character of its members changed', () => {
    const members = ['record', 'checkpoint', 'proof', 'salt', 'body', 'index', 'size'] as const
    fc.assert(
      fc.property(
        fc.nat(entries.length - 1),
        fc.constantFrom(...members),
        fc.nat(),
        (index, member, pick) => {
          const bundle = bundleOf(index)
          const changed = changedBundle(bundle, member, pick)
          fc.pre(JSON.stringify(changed) !== JSON.stringify(bundle))
          expect(verifyProofBundle(changed, [verifierKey]).kind).toBe('refuted')
        },
      ),
      { numRuns: 300 },
    )
  })

  test('is refuted with another record of the same log, a proof too long or too short, a note of another size', () => {
    const bundle = bundleOf(5)
    const refuted = (changed: Partial<ProofBundle>) =>
      expect(verifyProofBundle({ ...bundle, ...changed }, [verifierKey])).toMatchObject({ kind: 'refuted' })
    refuted({ record: bundleOf(6).record })
    refuted({ record: bundleOf(6).record, index: 6 })
    refuted({ record: bundle.record.replace('{', '{ ') })
    refuted({ proof: bundle.proof.slice(1) })
    refuted({ proof: [...bundle.proof, bundle.proof[0] ?? ''] })
    refuted({ proof: ['AAAA', ...bundle.proof.slice(1)] })
    refuted({ checkpoint: noteAt(22) })
    refuted({ checkpoint: noteAt(22), size: 22 })
    refuted({ checkpoint: null })
    refuted({ checkpoint: '' })
  })

  test('is proven whatever others have signed beside the log, as witnesses do', () => {
    const cosigned = `${noteAt(23)}— witness.example.com ${Buffer.alloc(76, 7).toString('base64')}\n`
    expect(verifyProofBundle({ ...bundleOf(5), checkpoint: cosigned }, [verifierKey])).toMatchObject({
      kind: 'proven',
      signedBy: [verifierKey],
    })
    // A signature by the log's own key that does not fit spoils the note, also beside one that does.
    const keyId = Buffer.from(/\+([0-9a-f]{8})\+/.exec(verifierKey)?.[1] ?? '', 'hex')
    const wrong = Buffer.concat([keyId, Buffer.alloc(64, 7)]).toString('base64')
    const spoilt = `${noteAt(23)}— ${origin} ${wrong}\n`
    expect(verifyProofBundle({ ...bundleOf(5), checkpoint: spoilt }, [verifierKey]).kind).toBe('refuted')
  })

  test('is none with half of a surrogate pair in its record or payload, which has the hash of another text', () => {
    const payload = { state: 'included', salt: '00'.repeat(32), body: '{"a":"\ufffd"}' } as const
    const whole = { ...bundleOf(0), payload }
    expect(parseProofBundle(JSON.stringify(whole)).payload).toEqual(whole.payload)
    for (const half of [
      { ...whole, payload: { ...whole.payload, body: '{"a":"\udc00"}' } },
      { ...whole, record: `${whole.record.slice(0, -1)}\ud800}` },
    ]) {
      expect(() => parseProofBundle(JSON.stringify(half))).toThrow('this is no proof bundle')
    }
  })

  test.each([
    ['index', (text: string) => text.replace('{', '{"index":7,')],
    ['a state of the payload', (text: string) => text.replace('"payload":{', '"payload":{"state":"erased",')],
    ['the record, spelled otherwise', (text: string) => text.replace('{', '{"re\\u0063ord":"{}",')],
    ['something in what it does not know', (text: string) => text.replace('{', '{"more":[{"a":1,"a":":"}],')],
  ])('is none where it has %s twice, of which another reader may show the other', (_what, change) => {
    const text = JSON.stringify(bundleOf(3))
    expect(parseProofBundle(text.replace('{', '{"more":[{"a":":","b":{"a":"\\":"}}],'))).toEqual(bundleOf(3))
    expect(() => parseProofBundle(change(text))).toThrow('two members of one name')
  })

  test('does not hide or invent a payload', () => {
    const state = (index: number, payload: ProofBundle['payload']) =>
      verifyProofBundle({ ...bundleOf(index), payload }, [verifierKey])
    const withPayload = entries.findIndex(({ payload }) => typeof payload !== 'string')
    const without = entries.findIndex(({ payload }) => payload === 'none')
    expect(state(withPayload, { state: 'withheld' })).toMatchObject({ kind: 'proven', payload: 'withheld' })
    expect(state(withPayload, { state: 'erased' })).toMatchObject({ kind: 'proven', payload: 'erased' })
    expect(state(withPayload, { state: 'none' })).toMatchObject({ kind: 'refuted' })
    for (const invented of ['withheld', 'erased'] as const) {
      expect(state(without, { state: invented })).toMatchObject({ kind: 'refuted' })
    }
    const included = { state: 'included', salt: '00'.repeat(32), body: '{}' } as const
    expect(state(without, included)).toMatchObject({ kind: 'refuted' })
    expect(state(withPayload, { ...included, salt: 'zz' })).toMatchObject({ kind: 'refuted' })
  })

  test('with a malformed key is refuted where it is its own, and a fault where the caller gave it', () => {
    expect(verifyProofBundle({ ...bundleOf(1), verifierKeys: ['x'] })).toMatchObject({
      kind: 'refuted',
      problem: 'the verifier key is malformed',
    })
    expect(() => verifyProofBundle(bundleOf(1), ['x'])).toThrow(
      expect.objectContaining({ code: 'bad_input' }),
    )
    expect(verifyProofBundle(bundleOf(1), [])).toMatchObject({ kind: 'refuted' })
  })

  test.each([
    ['', 'it is not JSON'],
    ['[]', 'it is not a JSON object'],
    ['null', 'it is not a JSON object'],
    ['{}', 'its `format`'],
    [' '.repeat(proofBundleLengthMax + 1), 'it is too long'],
  ])('is not %.10j: %s', (text, why) => {
    expect(() => parseProofBundle(text)).toThrow(why)
  })

  test.each([
    ['index', -1],
    ['index', 1.5],
    ['index', '3'],
    ['record', null],
    ['payload', 'none'],
    ['payload', { state: 'other' }],
    ['payload', { state: 'included', salt: 'ab' }],
    ['size', 2 ** 60],
    ['proof', 'AAAA'],
    ['proof', [1]],
    ['proof', Array.from({ length: 65 }, () => 'AAAA')],
    ['checkpoint', 3],
    ['verifierKeys', [null]],
    ['verifierKeys', Array.from({ length: 17 }, () => verifierKey)],
  ])('is none with %s %j', (member, value) => {
    const text = JSON.stringify({ ...bundleOf(2), [member]: value })
    expect(() => parseProofBundle(text)).toThrow(`its \`${member}\` is missing or not what it should be`)
  })
})

describe('a tlog-proof', () => {
  test('is laid out as C2SP says, and reads back', () => {
    const bundle = bundleOf(4)
    const text = tlogProofText(bundle)
    const lines = text.split('\n')
    expect(lines[0]).toBe('c2sp.org/tlog-proof@v1')
    expect(lines[1]).toBe(`extra ${Buffer.from(bundle.record).toString('base64')}`)
    expect(lines[2]).toBe('index 4')
    expect(lines.slice(3, 3 + bundle.proof.length)).toEqual(bundle.proof)
    expect(text.endsWith(`\n\n${bundle.checkpoint}`)).toBe(true)
    expect(isTlogProof(text)).toBe(true)
    expect(isTlogProof(JSON.stringify(bundle))).toBe(false)
    const read = parseTlogProof(text)
    expect(read).toMatchObject({ index: 4, record: bundle.record, proof: bundle.proof, size: 23 })
    expect(verifyProofBundle(read, [verifierKey])).toMatchObject({ kind: 'proven', keys: 'given' })
    expect(verifyProofBundle(read)).toMatchObject({ kind: 'refuted' })
  })

  test('of a log with one record has no hashes', () => {
    const text = tlogProofText(bundleOf(0, 1))
    expect(text.split('\n')[3]).toBe('')
    expect(verifyProofBundle(parseTlogProof(text), [verifierKey])).toMatchObject({ kind: 'proven' })
  })

  test('needs a checkpoint, an index and the record', () => {
    expect(() => tlogProofText({ ...bundleOf(0), checkpoint: null })).toThrow('needs a checkpoint')
    const text = tlogProofText(bundleOf(4))
    expect(() => parseTlogProof(text.replace(/extra .*\n/, ''))).toThrow('carry the record')
    expect(() => parseTlogProof(text.replace('index 4', 'index 04'))).toThrow('no index')
    expect(() => parseTlogProof(text.replace('@v1', '@v2'))).toThrow('first line')
    expect(() => parseTlogProof(text.replace(/extra .*/, 'extra //79'))).toThrow('not UTF-8')
    const notRecord = parseTlogProof(text.replace(/extra .*/, 'extra e30='))
    expect(verifyProofBundle(notRecord, [verifierKey])).toMatchObject({ kind: 'refuted' })
  })

  test('is refuted with any character changed', () => {
    const text = tlogProofText(bundleOf(7))
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.constantFrom('A', 'a', '0', ' ', '\n', '='), (at, other) => {
        fc.pre(text[at] !== other)
        const changed = text.slice(0, at) + other + text.slice(at + 1)
        expect(provenBy(changed)).toBe(false)
      }),
      { numRuns: 300 },
    )
  })
})

function provenBy(text: string): boolean {
  try {
    return verifyProofBundle(parseTlogProof(text), [verifierKey]).kind === 'proven'
  } catch {
    return false
  }
}

function changedBundle(
  bundle: ProofBundle,
  member: 'record' | 'checkpoint' | 'proof' | 'salt' | 'body' | 'index' | 'size',
  pick: number,
): ProofBundle {
  const { payload, proof } = bundle
  switch (member) {
    case 'index':
    case 'size':
      return { ...bundle, [member]: (bundle[member] + 1 + (pick % 7)) % 40 }
    case 'record':
      return { ...bundle, record: changed(bundle.record, pick) }
    case 'checkpoint':
      return { ...bundle, checkpoint: changed(bundle.checkpoint ?? '', pick) }
    case 'proof': {
      const at = pick % proof.length
      return { ...bundle, proof: proof.with(at, changed(proof[at] ?? '', pick)) }
    }
    case 'salt':
    case 'body':
      return payload.state === 'included'
        ? { ...bundle, payload: { ...payload, [member]: changed(payload[member], pick) } }
        : bundle
  }
}

function changed(text: string, pick: number): string {
  const at = pick % text.length
  return text.slice(0, at) + (text[at] === 'x' ? 'y' : 'x') + text.slice(at + 1)
}
