import { listLengthMax, textLengthMax } from '../limits.ts'
import { CelFailure } from '../value.ts'
import type { CelValue } from '../value.ts'
import { codePointCount, positionOf, unitOf, widthAt } from './code-points.ts'
import type { LibraryFunction } from './entry.ts'
import { free, method } from './forms.ts'
import { readingSteps, tooLong, walkingSteps } from './limits.ts'
import { formatFunctions } from './format.ts'
import { patternFunctions } from './pattern.ts'
import { quoted } from './quote.ts'
import { indexFrom, lastIndexUpTo, searchingSteps } from './search.ts'

type Items = readonly CelValue[]

const one = (): number => 1
const reading = { cost: (text = 0) => readingSteps(text), resultSize: one }
const searching = { cost: searchingSteps, resultSize: one }
/** The receiver alone is read, and bounds the result. */
const ofReceiver = { cost: (text = 0) => readingSteps(text), resultSize: (text = 0) => text }

const sizeOf = (text: string): bigint => BigInt(codePointCount(text))

const parts: readonly LibraryFunction[] = [
  free('size', ['string'], 'int', sizeOf, reading),
  method('string', 'size', [], 'int', sizeOf, reading),
  method('string', 'contains', ['string'], 'bool', contains, searching),
  method('string', 'startsWith', ['string'], 'bool', (text: string, part: string) => text.startsWith(part), {
    cost: (_text = 0, part = 0) => readingSteps(part),
    resultSize: one,
  }),
  method('string', 'endsWith', ['string'], 'bool', (text: string, part: string) => text.endsWith(part), {
    cost: (_text = 0, part = 0) => readingSteps(part),
    resultSize: one,
  }),
]

const positions: readonly LibraryFunction[] = [
  method('string', 'charAt', ['int'], 'string', charAt, { ...ofReceiver, resultSize: () => 2 }),
  method('string', 'indexOf', ['string'], 'int', indexOf, searching),
  method('string', 'indexOf', ['string', 'int'], 'int', indexOf, searching),
  method('string', 'lastIndexOf', ['string'], 'int', lastIndexOf, searching),
  method('string', 'lastIndexOf', ['string', 'int'], 'int', lastIndexOf, searching),
  method('string', 'substring', ['int'], 'string', substring, ofReceiver),
  method('string', 'substring', ['int', 'int'], 'string', substring, ofReceiver),
]

// Each unit of the text, and the end, may become `by`.
const replacing = {
  cost: (text = 0, part = 0, by = 0) =>
    walkingSteps(text) + readingSteps(part, Math.min((text + 1) * by, textLengthMax)),
  resultSize: (text = 0, _part = 0, by = 0) => Math.min(text + (text + 1) * by, textLengthMax),
}
const splitting = {
  cost: (text = 0, part = 0) => readingSteps(text, part) + text,
  resultSize: (text = 0) => Math.min(text + 1, listLengthMax),
}
// How long the items are is not known here; what they hold was bounded when they were made.
const joining = {
  cost: (items = 0, separator = 0) => 1 + items + readingSteps(items * separator),
  resultSize: () => textLengthMax,
}

const rewriting: readonly LibraryFunction[] = [
  method('string', 'lowerAscii', [], 'string', lowerAscii, ofReceiver),
  method('string', 'upperAscii', [], 'string', upperAscii, ofReceiver),
  method('string', 'trim', [], 'string', trim, ofReceiver),
  method('string', 'reverse', [], 'string', reverse, {
    ...ofReceiver,
    cost: (text = 0) => walkingSteps(text),
  }),
  method('string', 'replace', ['string', 'string'], 'string', replace, replacing),
  method('string', 'replace', ['string', 'string', 'int'], 'string', replace, replacing),
  method('string', 'split', ['string'], { list: 'string' }, split, splitting),
  method('string', 'split', ['string', 'int'], { list: 'string' }, split, splitting),
  method({ list: 'string' }, 'join', [], 'string', join, joining),
  method({ list: 'string' }, 'join', ['string'], 'string', join, joining),
  free('strings.quote', ['string'], 'string', quoted, {
    cost: (text = 0) => walkingSteps(text),
    resultSize: (text = 0) => 2 * text + 2,
  }),
]

/** Texts: the standard functions and the strings extension. Positions and lengths count Unicode code points. */
export const stringFunctions: readonly LibraryFunction[] = [
  ...parts,
  ...positions,
  ...rewriting,
  ...patternFunctions,
  ...formatFunctions,
]

function contains(text: string, part: string): boolean {
  return indexFrom(text, part, 0) !== -1
}

function charAt(text: string, position: bigint): string | CelFailure {
  const unit = unitOf(text, position)
  if (unit === undefined) return outside()
  return unit === text.length ? '' : text.slice(unit, unit + widthAt(text, unit))
}

function indexOf(text: string, part: string, position?: bigint): bigint | CelFailure {
  const from = position === undefined ? 0 : startUnit(text, part, position)
  if (from === undefined) return outside()
  const found = indexFrom(text, part, from)
  return found === -1 ? -1n : BigInt(positionOf(text, found))
}

function lastIndexOf(text: string, part: string, position?: bigint): bigint | CelFailure {
  const upTo = position === undefined ? text.length : startUnit(text, part, position)
  if (upTo === undefined) return outside()
  const found = lastIndexUpTo(text, part, upTo)
  return found === -1 ? -1n : BigInt(positionOf(text, found))
}

/** Where a search may start: at a character, or, for the empty text, at the end too. */
function startUnit(text: string, part: string, position: bigint): number | undefined {
  const unit = unitOf(text, position)
  return unit === text.length && part !== '' ? undefined : unit
}

function substring(text: string, start: bigint, end?: bigint): string | CelFailure {
  const from = unitOf(text, start)
  const to = end === undefined ? text.length : unitOf(text, end)
  if (from === undefined || to === undefined) return outside()
  if (from > to) return new CelFailure('needs a start that is not after the end')
  return text.slice(from, to)
}

function outside(): CelFailure {
  return new CelFailure('needs a position within the text')
}

/** Texts without other characters than these are left to the host, which is faster. */
const beyondAscii = /[^ -~]/

function lowerAscii(text: string): string {
  if (!beyondAscii.test(text)) return text.toLowerCase()
  return text.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase())
}

function upperAscii(text: string): string {
  if (!beyondAscii.test(text)) return text.toUpperCase()
  return text.replaceAll(/[a-z]+/g, (letters) => letters.toUpperCase())
}

/** White space as Unicode has it, which is not what the host's `trim` takes away: that takes U+FEFF and leaves U+0085. */
const whitespace = /[\t-\r \u0085\u00A0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000]/

function trim(text: string): string {
  let [start, end] = [0, text.length]
  while (start < end && whitespace.test(text.charAt(start))) start += 1
  while (end > start && whitespace.test(text.charAt(end - 1))) end -= 1
  return text.slice(start, end)
}

function reverse(text: string): string {
  return Array.from(text).reverse().join('')
}

/** A negative or absent count means all. */
function replace(text: string, part: string, by: string, count = -1n): string | CelFailure {
  const cuts = cut(text, part, count < 0n ? Infinity : Number(count))
  const length = text.length + (cuts.length - 1) * (by.length - part.length)
  return length > textLengthMax ? tooLong() : cuts.join(by)
}

/** What stands between the first `count` places of `part`. The empty part is before each character and at the end. */
function cut(text: string, part: string, count: number): readonly string[] {
  if (part === '') return cutAtCharacters(text, count)
  const cuts: string[] = []
  let from = 0
  while (cuts.length < count) {
    const found = indexFrom(text, part, from)
    if (found === -1) break
    cuts.push(text.slice(from, found))
    from = found + part.length
  }
  cuts.push(text.slice(from))
  return cuts
}

function cutAtCharacters(text: string, count: number): readonly string[] {
  const cuts: string[] = count > 0 ? [''] : []
  let unit = 0
  while (unit < text.length && cuts.length < count) {
    const next = unit + widthAt(text, unit)
    cuts.push(text.slice(unit, next))
    unit = next
  }
  cuts.push(text.slice(unit))
  return cuts
}

/** At most `count` items, of which the last is the rest; a negative or absent count means all. */
function split(text: string, separator: string, count = -1n): readonly string[] | CelFailure {
  if (count === 0n) return []
  const cutsMax = count < 0n ? Infinity : Number(count) - 1
  const cuts = separator === '' ? characters(text, cutsMax) : cut(text, separator, cutsMax)
  return cuts.length > listLengthMax ? new CelFailure('makes a list that is too long') : cuts
}

function characters(text: string, cutsMax: number): readonly string[] {
  if (text === '') return []
  // The empty separator is not found before the first character, nor after the last.
  const [, ...cuts] = cutAtCharacters(text, cutsMax + 1)
  return cuts.at(-1) === '' ? cuts.slice(0, -1) : cuts
}

function join(items: Items, separator = ''): string | CelFailure {
  let length = separator.length * Math.max(0, items.length - 1)
  const texts: string[] = []
  for (const item of items) {
    if (typeof item !== 'string') return new CelFailure('joins a list that is not only strings')
    length += item.length
    texts.push(item)
  }
  return length > textLengthMax ? tooLong() : texts.join(separator)
}
