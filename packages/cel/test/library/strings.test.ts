import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { indexFrom, lastIndexUpTo } from '../../src/library/search.ts'
import { call, failureOf, invoke } from './calling.ts'

const texts = fc.string({ unit: fc.constantFrom('a', 'b', 'é', '\u{1F600}'), maxLength: 12 })
const characters = (text: string): readonly string[] => Array.from(text)

describe('positions and lengths', () => {
  test('count characters and not the halves of which some are made', () => {
    expect(call('size', 'a\u{1F600}b')).toBe(3n)
    expect(invoke('a\u{1F600}b', 'size')).toBe(3n)
    expect(invoke('a\u{1F600}b', 'charAt', 1n)).toBe('\u{1F600}')
    expect(invoke('a\u{1F600}b', 'indexOf', 'b')).toBe(2n)
    expect(invoke('a\u{1F600}b', 'substring', 2n)).toBe('b')
    expect(invoke('a\u{1F600}b', 'reverse')).toBe('b\u{1F600}a')
  })

  test('substring and charAt cut between characters, wherever', () => {
    fc.assert(
      fc.property(texts, fc.nat(14), fc.nat(14), (text, from, to) => {
        const all = characters(text)
        const cut = invoke(text, 'substring', BigInt(from), BigInt(to))
        if (from > to || to > all.length) failureOf(cut)
        else expect(cut).toBe(all.slice(from, to).join(''))
        const at = invoke(text, 'charAt', BigInt(from))
        if (from > all.length) failureOf(at)
        else expect(at).toBe(all[from] ?? '')
      }),
    )
  })

  test('indexOf and lastIndexOf find the first and the last place from a position on', () => {
    fc.assert(
      fc.property(
        texts,
        fc.string({ unit: fc.constantFrom('a', '\u{1F600}'), minLength: 1, maxLength: 3 }),
        fc.nat(11),
        (text, part, at) => {
          const [all, sought] = [characters(text), characters(part)]
          fc.pre(at < all.length)
          const places = all.flatMap((_, from) =>
            sought.every((each, next) => all[from + next] === each) ? [from] : [],
          )
          expect(invoke(text, 'indexOf', part)).toBe(BigInt(places[0] ?? -1))
          expect(invoke(text, 'lastIndexOf', part)).toBe(BigInt(places.at(-1) ?? -1))
          expect(invoke(text, 'indexOf', part, BigInt(at))).toBe(
            BigInt(places.find((place) => place >= at) ?? -1),
          )
          expect(invoke(text, 'lastIndexOf', part, BigInt(at))).toBe(
            BigInt(places.findLast((place) => place <= at) ?? -1),
          )
        },
      ),
    )
  })

  test('outside of the text are an error, and huge ones too', () => {
    for (const position of [-1n, 4n, 2n ** 62n]) {
      expect(failureOf(invoke('abc', 'charAt', position))).toBe('needs a position within the text')
      expect(failureOf(invoke('abc', 'indexOf', 'a', position))).toBe('needs a position within the text')
      expect(failureOf(invoke('abc', 'lastIndexOf', 'a', position))).toBe('needs a position within the text')
      expect(failureOf(invoke('abc', 'substring', position))).toBe('needs a position within the text')
    }
    expect(invoke('abc', 'charAt', 3n)).toBe('')
    expect(invoke('abc', 'substring', 3n)).toBe('')
    expect(failureOf(invoke('abc', 'indexOf', 'a', 3n))).toBe('needs a position within the text')
    expect(failureOf(invoke('abc', 'substring', 2n, 1n))).toBe('needs a start that is not after the end')
  })
})

describe('searching', () => {
  test('a text that repeats itself is searched in one pass', () => {
    const half = 'a'.repeat(150_000)
    const text = 'a'.repeat(1_000_000)
    expect(invoke(text, 'contains', `${half}b${half}`)).toBe(false)
    expect(invoke(`${text}b${half}`, 'contains', `${half}b${half}`)).toBe(true)
    expect(invoke(text, 'lastIndexOf', `${half}b`)).toBe(-1n)
    expect(invoke(`${half}b${text}`, 'lastIndexOf', `${half}b`)).toBe(0n)
    expect(invoke(text, 'replace', `${half}b${half}`, '')).toBe(text)
  })

  test('finds what the host finds, in long texts too', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 1, maxLength: 6 })
    fc.assert(
      fc.property(letters, letters, fc.nat(3000), (unit, part, at) => {
        const [text, sought] = [unit.repeat(3000), part.repeat(600)]
        const changed = `${text.slice(0, at)}${sought}${text.slice(at)}`
        for (const searched of [text, changed]) {
          expect(indexFrom(searched, sought, at)).toBe(searched.indexOf(sought, at))
          expect(lastIndexUpTo(searched, sought, at)).toBe(searched.lastIndexOf(sought, at))
        }
      }),
      { numRuns: 50 },
    )
  })

  test('startsWith and endsWith look at the ends only', () => {
    expect(invoke('invoice-7', 'startsWith', 'invoice-')).toBe(true)
    expect(invoke('an invoice-7', 'startsWith', 'invoice-')).toBe(false)
    expect(invoke('a@example.com', 'endsWith', '@example.com')).toBe(true)
    expect(invoke('a@example.com.evil', 'endsWith', '@example.com')).toBe(false)
  })
})

describe('rewriting', () => {
  test('replace changes all places, or the first ones', () => {
    expect(invoke('a-b-c', 'replace', '-', '+')).toBe('a+b+c')
    expect(invoke('a-b-c', 'replace', '-', '+', 1n)).toBe('a+b-c')
    expect(invoke('a-b-c', 'replace', '-', '+', 0n)).toBe('a-b-c')
    expect(invoke('a-b-c', 'replace', '-', '+', -1n)).toBe('a+b+c')
    expect(invoke('aaa', 'replace', 'aa', 'b')).toBe('ba')
    expect(invoke('a\u{1F600}', 'replace', '', '-')).toBe('-a-\u{1F600}-')
    expect(invoke('ab', 'replace', '', '-', 2n)).toBe('-a-b')
    // What is put in is text and no pattern of the host's.
    expect(invoke('a', 'replace', 'a', '$&$1')).toBe('$&$1')
  })

  test('split gives all parts, or so many with the rest in the last', () => {
    expect(invoke('a,b,c', 'split', ',')).toEqual(['a', 'b', 'c'])
    expect(invoke('a,b,c', 'split', ',', 2n)).toEqual(['a', 'b,c'])
    expect(invoke('a,b,c', 'split', ',', 1n)).toEqual(['a,b,c'])
    expect(invoke('a,b,c', 'split', ',', 0n)).toEqual([])
    expect(invoke('', 'split', ',')).toEqual([''])
    expect(invoke('', 'split', '')).toEqual([])
    expect(invoke('a\u{1F600}b', 'split', '')).toEqual(['a', '\u{1F600}', 'b'])
    expect(invoke('a\u{1F600}b', 'split', '', 2n)).toEqual(['a', '\u{1F600}b'])
  })

  test('join puts back together what split took apart', () => {
    fc.assert(
      fc.property(texts, fc.constantFrom('a', 'b', 'ab', '\u{1F600}'), (text, separator) => {
        const parts = invoke(text, 'split', separator)
        expect(Array.isArray(parts) ? invoke(parts, 'join', separator) : parts).toBe(text)
        expect(invoke(text, 'replace', separator, separator)).toBe(text)
      }),
    )
    expect(failureOf(invoke(['a', 1n], 'join'))).toBe('joins a list that is not only strings')
  })

  test('what would grow too long is not built', () => {
    const large = 'a'.repeat(600_000)
    expect(failureOf(invoke(large, 'replace', 'a', 'bb'))).toBe('makes a text that is too long')
    expect(failureOf(invoke([large, large], 'join'))).toBe('makes a text that is too long')
    expect(failureOf(invoke(['a', 'b', 'c'], 'join', large))).toBe('makes a text that is too long')
    expect(failureOf(invoke(large, 'split', 'a'))).toBe('makes a list that is too long')
  })

  test('case changes for ASCII letters only, so that no other letter turns into one', () => {
    expect(invoke('ÄB\u212A', 'lowerAscii')).toBe('Äb\u212A')
    expect(invoke('äbſ', 'upperAscii')).toBe('äBſ')
  })

  test('trim takes what Unicode calls white space, which is not all that cannot be seen', () => {
    expect(invoke('\u0085\u00A0 a \u3000', 'trim')).toBe('a')
    expect(invoke('\uFEFFa\u200B', 'trim')).toBe('\uFEFFa\u200B')
    expect(invoke(' \t ', 'trim')).toBe('')
  })

  test('quote escapes what would end or change a literal', () => {
    expect(call('strings.quote', 'a "b" \\ \n')).toBe(String.raw`"a \"b\" \\ \n"`)
    expect(call('strings.quote', 'a\uD83Db')).toBe('"a\uFFFDb"')
  })
})
