import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { strictJson } from '../../src/json/strict-json.ts'

const twice = 'stands twice in its object'
const bytesMax = 256 * 1024

function reads(text: string): void {
  expect(strictJson(text)).toEqual({ kind: 'read', value: JSON.parse(text) })
}

function refuses(text: string, path: string, message: RegExp | string): void {
  const answer = strictJson(text)
  expect(answer).toMatchObject({ kind: 'refused', path })
  if (answer.kind === 'refused') expect(answer.message).toMatch(message)
}

const listed = (literals: string) => literals.trim().split(/\s+/)

/** The text in which the strings `marker` stand for `literal`. */
const planted = (value: unknown, marker: string, literal: string) =>
  JSON.stringify(value).replaceAll(JSON.stringify(marker), () => literal)

/** JSON values in which, somewhere, stands a leaf of this kind. */
function around(leaf: fc.Arbitrary<string>): fc.Arbitrary<unknown> {
  const steps = fc.array(fc.tuple(fc.boolean(), fc.jsonValue(), fc.jsonValue()), { maxLength: 12 })
  return fc.tuple(leaf, steps).map(([inner, around]) => {
    let value: unknown = inner
    for (const [inObject, before, after] of around) {
      value = inObject ? { before, held: value, after } : [before, value, after]
    }
    return value
  })
}

describe('a text of JSON', () => {
  test('that a program wrote is read as it was written', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), fc.constantFrom(undefined, 2, '\t'), (value, indent) =>
        reads(JSON.stringify(value, null, indent)),
      ),
      { numRuns: 2_000 },
    )
  })

  test('is read with every finite number that a program can write', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        for (const text of [String(value), value.toExponential(), JSON.stringify([value])]) reads(text)
      }),
    )
  })

  test.each([
    '',
    ' ',
    '{',
    '{"a":}',
    '[1,]',
    '01',
    '+1',
    '.5',
    '1.',
    'NaN',
    "{'a':1}",
    '{"a":1}x',
    '"\n"',
    '"',
  ])('is not %j', (text) => refuses(text, '', 'is not JSON'))

  test('whose marks stand in strings is only text', () => {
    for (const text of [
      '{"a":"\\",\\"a\\":1"}',
      '["{\\"a\\":1,\\"a\\":2}"]',
      '["9007199254740993","\\\\"]',
    ]) {
      reads(text)
    }
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('"', '\\', '{', '}', ',', ':', '9', 'é') }), (inner) =>
        reads(JSON.stringify({ [inner]: inner, a: [inner, { [inner]: inner }] })),
      ),
    )
  })

  test('is read to the limit of a body, however deep it nests', () => {
    const depth = bytesMax / 2
    const read = strictJson('['.repeat(depth) + ']'.repeat(depth))
    expect(read.kind).toBe('read')
    const objects = Math.floor((bytesMax - 1) / 6)
    expect(strictJson(`${'{"a":'.repeat(objects)}1${'}'.repeat(objects)}`).kind).toBe('read')
    const flaw = `${'['.repeat(100_000)}9007199254740993${']'.repeat(100_000)}`
    refuses(flaw, `${'[0]'.repeat(16)}…`, 'cannot be kept exactly')
  })
})

describe('a name that stands twice in one object', () => {
  test.each([
    ['{"amount":9000,"amount":1}', 'amount'],
    ['{"amount":1,"amount":1}', 'amount'],
    ['{"a":1,"b":2,"a":3}', 'a'],
    ['{"a":{},"a":{}}', 'a'],
    ['{"a":[{"b":1},{"b":1,"c":[],"b":2}]}', 'a[1].b'],
    ['{"amount":1,"\\u0061mount":2}', 'amount'],
    ['{"\\/":1,"/":2}', '["/"]'],
    ['{"":1,"":2}', '[""]'],
    ['{"__proto__":1,"__proto__":2}', '__proto__'],
    ['{"a b":1,"a b":2}', '["a b"]'],
    ['[1,{"x":[[],{}],"y":{"z":"}"},"x":0}]', '[1].x'],
  ])('is refused: %s', (text, path) => refuses(text, path, twice))

  test.each([
    '{"a":1,"A":1}',
    '{"a":{"a":{"a":1}}}',
    '[{"a":1},{"a":1}]',
    '{"a":[{"a":1}],"b":{"a":1}}',
    '{"a":"b","b":"a"}',
    '{"\\u00e9":1,"e\\u0301":2}',
    '{"constructor":1,"__proto__":2,"toString":3}',
  ])('is another thing than %s', reads)

  test('is refused wherever it stands', () => {
    const marker = 'here'
    const members = fc.uniqueArray(fc.string({ maxLength: 4 }), { minLength: 1, maxLength: 5 })
    fc.assert(
      fc.property(around(fc.constant(marker)), members, fc.nat(), (value, names, pick) => {
        const entries = names.map((name) => `${JSON.stringify(name)}:0`)
        reads(planted(value, marker, `{${entries.join()}}`))
        const again = `${JSON.stringify(names[pick % names.length])}:1`
        expect(strictJson(planted(value, marker, `{${[...entries, again].join()}}`))).toMatchObject({
          kind: 'refused',
          message: twice,
        })
      }),
    )
  })
})

describe('a number', () => {
  test.each([
    ...listed(`
      0 -0 0.0 0e0 -0.0e-5 0e999999999999999999999 1 1.0 100 1e2 1E+2 100e0 1.50 0.1 0.10
      0.30000000000000004 -0.5 5e-324 1.7976931348623157e308 9007199254740992 9007199254740991
      -9007199254740991 1e21 1000000000000000000000 0.0000001 1e-7 100000e-5
    `),
    `1${'0'.repeat(300)}`,
    `0.${'0'.repeat(300)}1`,
  ])('that is carried exactly is read: %s', (text) => {
    reads(text)
    reads(`{"a":[${text}]}`)
  })

  test.each([
    ...listed(`
      9007199254740993 -9007199254740993 9007199254740993.0 9007199254740993e0 500.00000000000000001
      0.1000000000000000055511151231257827 0.300000000000000044 1e-400 3e-324 1e-99999999999999999999
      123456789012345678901234567890 90071992547409930e-1 0.9007199254740993e16
      1.79769313486231571e308
    `),
    `1${'0'.repeat(300)}1`,
    `1.${'0'.repeat(300)}1`,
  ])('that would lose digits is refused: %s', (text) => {
    refuses(text, '', 'cannot be kept exactly: it would become ')
    refuses(`{"a":[0,${text}]}`, 'a[1]', 'cannot be kept exactly')
  })

  test.each(['1e999', '-1e999', `1${'0'.repeat(400)}`, '1e99999999999999999999'])(
    'that overflows is left to whoever needs a finite one: %s',
    (text) => {
      expect(strictJson(text)).toEqual({ kind: 'read', value: text.startsWith('-') ? -Infinity : Infinity })
    },
  )

  test('is refused exactly where the integer is another one than was written', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }), (integer) => {
        const written = Number(integer)
        // What a program would write for it: beyond 2^53 zeros stand where digits are no longer known.
        const same =
          (BigInt(written) === integer && written.toFixed(0) === String(integer)) ||
          String(written) === String(integer)
        if (Number.isSafeInteger(written)) reads(String(integer))
        else if (!same) expect(strictJson(String(integer)).kind).toBe('refused')
      }),
      { numRuns: 2_000 },
    )
  })

  test('with more digits than are kept is refused wherever it stands', () => {
    const marker = 'here'
    const long = fc
      .tuple(
        fc.integer({ min: 1, max: 9 }),
        fc.stringMatching(/^[0-9]{17,40}$/),
        fc.integer({ min: 1, max: 9 }),
      )
      .map(([first, middle, last]) => `${first}${middle}${last}`)
    const point = fc.nat({ max: 19 })
    fc.assert(
      fc.property(around(fc.constant(marker)), long, point, (value, digits, at) => {
        reads(planted(value, marker, digits.slice(0, 15)))
        const text = at === 0 ? digits : `${digits.slice(0, at)}.${digits.slice(at)}`
        expect(strictJson(planted(value, marker, text))).toMatchObject({ kind: 'refused' })
      }),
    )
  })

  test('as long as a body is read or refused at once', () => {
    const zeros = '0'.repeat(bytesMax - 10)
    refuses(`0.1${zeros}1`, '', 'cannot be kept exactly')
    reads(`0.1${zeros}`)
    reads(`0.${zeros}1e${zeros.length + 1}`)
  })
})
