import { fieldPath } from './field-path.ts'

/** What a text of JSON says, or why it is not taken. */
export type StrictJson =
  | { readonly kind: 'read'; readonly value: unknown }
  /** `path` is where, such as `params.amount`, and empty for the whole; `message` goes on from it. */
  | { readonly kind: 'refused'; readonly path: string; readonly message: string }

/**
 * Reads JSON that every parser reads alike (I-JSON, RFC 7493): no object names a member twice, and every number is
 * carried exactly. `JSON.parse` alone would take the last of two members and the nearest of two account numbers,
 * and a person would have approved another call than the one that runs.
 *
 * A number is carried exactly where writing it again gives the same digits. One that overflows is read as an
 * infinity, for whoever needs a finite number refuses it anyway, and records that it did.
 *
 * Takes time linear in the text, however deep it nests.
 */
export function strictJson(text: string): StrictJson {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return { kind: 'refused', path: '', message: 'is not JSON' }
  }
  return ambiguity(text) ?? { kind: 'read', value }
}

/** An object or a list that has been opened, and the step that leads to what is being read in it. */
type Open = { readonly names: Set<string>; step: string } | { readonly names: undefined; step: number }

const quote = 0x22
const backslash = 0x5c

/** The first place that parsers could read differently in `text`, which is JSON. */
function ambiguity(text: string): StrictJson | undefined {
  const opened: Open[] = []
  let nameIsNext = false
  let end: number
  for (let at = 0; at < text.length; at = end) {
    const code = text.charCodeAt(at)
    end = tokenEnd(text, at, code)
    switch (code) {
      case 0x7b: // {
        opened.push({ names: new Set(), step: '' })
        nameIsNext = true
        break
      case 0x5b: // [
        opened.push({ names: undefined, step: 0 })
        nameIsNext = false
        break
      case 0x7d: // }
      case 0x5d: // ]
        opened.pop()
        break
      case 0x2c: {
        // ,
        const top = opened.at(-1)
        nameIsNext = top?.names !== undefined
        if (top?.names === undefined && top !== undefined) top.step += 1
        break
      }
      case quote: {
        if (!nameIsNext) break
        nameIsNext = false
        const top = opened.at(-1)
        if (top?.names === undefined) break
        top.step = unescaped(text.slice(at, end))
        if (top.names.has(top.step)) return refused(opened, 'stands twice in its object')
        top.names.add(top.step)
        break
      }
      default: {
        if (!startsNumber(code)) break
        const loss = lossOf(text.slice(at, end))
        if (loss !== undefined) return refused(opened, loss)
      }
    }
  }
  return undefined
}

function refused(opened: readonly Open[], message: string): StrictJson {
  return { kind: 'refused', path: fieldPath(opened.map(({ step }) => step)), message }
}

/** Where the string or number that starts at `start` ends; anything else is taken character by character. */
function tokenEnd(text: string, start: number, code: number): number {
  let at = start + 1
  if (code === quote) {
    for (let next = text.charCodeAt(at); next !== quote; next = text.charCodeAt(at)) {
      at += next === backslash ? 2 : 1
    }
    return at + 1
  }
  if (startsNumber(code)) while (continuesNumber(text.charCodeAt(at))) at++
  return at
}

// Digits, point, signs and the letter of the exponent; NaN, past the end, is none of them.
function continuesNumber(code: number): boolean {
  if (code >= 0x30 && code <= 0x39) return true
  return code === 0x2e || code === 0x2b || code === 0x2d || code === 0x65 || code === 0x45
}

function startsNumber(code: number): boolean {
  return code === 0x2d || (code >= 0x30 && code <= 0x39)
}

/** Names are the same where their characters are, however they were escaped. */
function unescaped(literal: string): string {
  return literal.includes('\\') ? String(JSON.parse(literal)) : literal.slice(1, -1)
}

function lossOf(literal: string): string | undefined {
  const carried = Number(literal)
  const written = String(carried)
  if (written === literal || !Number.isFinite(carried)) return undefined
  if (normalised(written) === normalised(literal)) return undefined
  return `is a number that cannot be kept exactly: it would become ${written}`
}

/** The same text for every way to write one decimal number: sign, digits without outer zeros, and the exponent of ten. */
function normalised(literal: string): string {
  const [mantissa = '', exponent = '0'] = literal.toLowerCase().split('e')
  const sign = mantissa.startsWith('-') ? '-' : ''
  const [whole = '', fraction = ''] = mantissa.slice(sign.length).split('.')
  const digits = whole + fraction
  // Loops, because a pattern for the zeros at the end is quadratic in zeros that are not at the end.
  let first = 0
  while (digits[first] === '0') first++
  if (first === digits.length) return '0'
  let last = digits.length
  while (digits[last - 1] === '0') last--
  return `${sign}${digits.slice(first, last)}e${Number(exponent) - fraction.length + digits.length - last}`
}
