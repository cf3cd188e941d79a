import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bundleOf, entries, noteAt, origin, otherKey, verifierKey } from '../../../core/test/audit/bundles.ts'
import { parseProofBundle, tlogProofText, verifyProofBundle, type ProofBundle } from '@bailiwick/core'

/** What the page's script says of a text. */
interface Found {
  readonly outcome: 'proven' | 'self-signed' | 'keyless' | 'refuted' | 'unsupported'
  readonly checks: readonly {
    readonly title: string
    readonly passed: boolean
    readonly made: boolean
    readonly detail: string
  }[]
  readonly record?: { readonly index: number }
  readonly payload?: unknown
  readonly signers: readonly string[]
}

interface PageScript {
  readonly verifyText: (text: string, trustedKeys: readonly string[]) => Promise<Found>
  readonly plainSha256: (bytes: Uint8Array) => Uint8Array
}

// The page's own script, as it is put into the page; it is no TypeScript.
const script: string = new URL('../../verify-page/verify.js', import.meta.url).href
const { verifyText, plainSha256 } = (await import(script)) as PageScript

const verify = (bundle: ProofBundle, keys: readonly string[] = [verifierKey]): Promise<Found> =>
  verifyText(JSON.stringify(bundle), keys)

describe("the page's verifier", () => {
  test.each(entries.map(({ index }) => index))('proves record %i with the key of the log', async (index) => {
    const found = await verify(bundleOf(index))
    expect(found).toMatchObject({ outcome: 'proven', record: { index }, signers: [verifierKey] })
    expect(found.checks.every(({ passed }) => passed)).toBe(true)
    expect((await verify(bundleOf(index), [])).outcome).toBe('self-signed')
    expect((await verify(bundleOf(index), [otherKey])).outcome).toBe('refuted')
    expect((await verify(bundleOf(index), [otherKey, verifierKey])).outcome).toBe('proven')
  })

  test('refutes half of a surrogate pair, which has the hash of another text, and whatever a record says that is no text', async () => {
    const whole = bundleOf(entries.findIndex(({ payload }) => typeof payload !== 'string'))
    const half = { state: 'included', salt: '00'.repeat(32), body: '{"a":"\udc00"}' } as const
    expect((await verify({ ...whole, payload: half })).outcome).toBe('refuted')
    for (const member of ['ledger', 'at', 'index', 'v']) {
      const said = { ...(JSON.parse(whole.record) as object), [member]: { toString: 1 } }
      const record = JSON.stringify(
        Object.fromEntries(Object.entries(said).toSorted(([a], [b]) => (a < b ? -1 : 1))),
      )
      expect((await verify({ ...whole, record })).outcome, member).toBe('refuted')
    }
  })

  test('reads a tlog-proof, which needs a key', async () => {
    const text = tlogProofText(bundleOf(9))
    expect(await verifyText(text, [verifierKey])).toMatchObject({ outcome: 'proven', record: { index: 9 } })
    expect((await verifyText(text.replace('index 9', 'index 8'), [verifierKey])).outcome).toBe('refuted')
  })

  test('says of a bundle without any key what holds and that no signature was checked, and never that it is proven', async () => {
    for (const text of [tlogProofText(bundleOf(9)), JSON.stringify({ ...bundleOf(9), verifierKeys: [] })]) {
      const found = await verifyText(text, [])
      expect(found).toMatchObject({ outcome: 'keyless', record: { index: 9 }, signers: [] })
      expect(found.checks[2]?.title).toBe('Who signed the checkpoint was not checked: there is no key')
      expect((await verifyText(text, [verifierKey])).outcome).toBe('proven')
      expect((await verifyText(text, [otherKey])).outcome).toBe('refuted')
    }
    // What does not fit together is refuted without a key, too.
    const changed = { ...bundleOf(9), proof: bundleOf(9).proof.toReversed(), verifierKeys: [] }
    expect((await verify(changed, [])).outcome).toBe('refuted')
  })

  test('and the one of the command line say the same of every changed bundle', async () => {
    const text = JSON.stringify(bundleOf(3))
    await fc.assert(
      fc.asyncProperty(
        fc.nat(entries.length - 1),
        fc.nat(),
        fc.constantFrom('0', 'A', '"', '\\n', ' ', 'é', '', '9', '=', ','),
        async (index, pick, other) => {
          const whole = JSON.stringify(bundleOf(index))
          const at = pick % whole.length
          const changed = whole.slice(0, at) + other + whole.slice(at + 1)
          expect((await verifyText(changed, [verifierKey])).outcome === 'proven').toBe(isProven(changed))
        },
      ),
      { numRuns: 500 },
    )
    expect(isProven(text)).toBe(true)
  })

  // A policy in force, with its payload.
  const good = bundleOf(4)

  test.each<[string, Partial<ProofBundle>, RegExp]>([
    ['another record', { record: bundleOf(5).record }, /says that it is number 5/],
    ['a changed record', { record: good.record.replace('support', 'suppport') }, /do not lead to the root/],
    ['a record with spaces', { record: good.record.replace('{', '{ ') }, /not canonical JSON/],
    ['a shorter proof', { proof: good.proof.slice(1) }, /do not lead to the root/],
    ['a longer proof', { proof: [...good.proof, good.proof[0] ?? ''] }, /do not lead to the root/],
    ['a hash that is none', { proof: ['AAAA'] }, /a hash that is none/],
    [
      'base64 with a second spelling',
      { proof: good.proof.map((hash) => hash.replace(/.=$/, '/=')) },
      /base64/,
    ],
    ['no checkpoint', { checkpoint: null }, /no checkpoint/],
    ['a checkpoint of another size', { checkpoint: noteAt(20) }, /It counts 20 records, the proof is for 23/],
    ['a note that is none', { checkpoint: 'x' }, /not a signed note/],
    [
      'an index outside',
      { index: 23, record: good.record.replace('"index":4', '"index":23') },
      /has no record 23/,
    ],
    ['a payload that is not there', { payload: { state: 'none' } }, /says that there is none/],
    ['another payload', { payload: { state: 'included', salt: '00'.repeat(32), body: '{}' } }, /not the one/],
    ['a salt that is none', { payload: { state: 'included', salt: 'zz', body: '{}' } }, /The salt is none/],
  ])('refutes %s', async (_, change, why) => {
    const found = await verify({ ...good, ...change })
    expect(found.outcome).toBe('refuted')
    expect(found.checks.at(-1)?.detail).toMatch(why)
  })

  test('takes no notice of what others have signed beside the log, but of what the log signed wrongly', async () => {
    const line = (name: string, bytes: Buffer) => `— ${name} ${bytes.toString('base64')}\n`
    const cosigned = noteAt(23) + line('witness.example.com', Buffer.alloc(76, 7))
    expect((await verify({ ...good, checkpoint: cosigned })).outcome).toBe('proven')
    const [, id = ''] = /\+([0-9a-f]{8})\+/.exec(verifierKey) ?? []
    const wrong = Buffer.concat([Buffer.from(id, 'hex'), Buffer.alloc(64, 7)])
    expect((await verify({ ...good, checkpoint: noteAt(23) + line(origin, wrong) })).outcome).toBe('refuted')
  })

  test('shows that a payload was left out or erased, and invents none', async () => {
    const index = entries.findIndex(({ payload }) => typeof payload !== 'string')
    for (const state of ['withheld', 'erased'] as const) {
      const found = await verify({ ...bundleOf(index), payload: { state } })
      expect(found.outcome).toBe('proven')
      expect(found.payload).toBeUndefined()
      expect(found.checks.map(({ made }) => made)).toEqual([true, true, true, true, false])
    }
    const without = entries.findIndex(({ payload }) => payload === 'none')
    expect((await verify({ ...bundleOf(without), payload: { state: 'withheld' } })).outcome).toBe('refuted')
  })

  test.each(['', '{', '[]', 'null', '"x"', '{"format":"other"}', 'c2sp.org/tlog-proof@v1\n', '\u0000'])(
    'takes %j for no bundle',
    async (text) => {
      expect(await verifyText(text, [])).toMatchObject({ outcome: 'refuted', checks: [{ passed: false }] })
    },
  )

  test.each(['x', 'log.example.com/main+00000000+AAAA', `${verifierKey}x`, verifierKey.replace('+', '-')])(
    'takes %j for no key, and says nothing of the bundle then',
    async (key) => {
      expect((await verify(bundleOf(3), [key])).outcome).toBe('unsupported')
    },
  )

  test('has a SHA-256 of its own that is one', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(Buffer.from(plainSha256(bytes))).toEqual(createHash('sha256').update(bytes).digest())
      }),
    )
    const long = Buffer.alloc(70_000, 'abc')
    expect(Buffer.from(plainSha256(long))).toEqual(createHash('sha256').update(long).digest())
  })
})

function isProven(text: string): boolean {
  try {
    return verifyProofBundle(parseProofBundle(text), [verifierKey]).kind === 'proven'
  } catch {
    return false
  }
}
