import { textLengthMax } from '../limits.ts'
import { CelDuration, CelFailure, CelOptional, CelTimestamp, CelTypeValue, CelUint } from '../value.ts'
import type { CelMap, CelValue } from '../value.ts'
import { decodedUtf8, hexadecimal } from './bytes-text.ts'
import { doubleText, fixedText, scientificText } from './double-text.ts'
import { durationText } from './duration.ts'
import type { LibraryFunction } from './entry.ts'
import { method } from './forms.ts'
import { printedDepthMax, tooLong, walkingSteps } from './limits.ts'
import { timestampText } from './timestamp.ts'

const precisionDefault = 6
/** Digits after the point at most: no double has more that say something about a quantity. */
const precisionMax = 100

/** `%%`, or a clause with its precision. A `%` that begins neither is matched alone, and refused. */
const clauses = /%(?:%|(?:\.(\d{1,4}))?([a-zA-Z]))?/g

/** `"%s: %d".format([name, count])`: as in the strings extension, with the locale left out. */
export const formatFunctions: readonly LibraryFunction[] = [
  method('string', 'format', [{ list: 'dyn' }], 'string', format, {
    cost: (text = 0, items = 0) => walkingSteps(text) + 10 * items,
    // How long the items are is not known here; what is built is bounded when it is built.
    resultSize: () => textLengthMax,
  }),
]

function format(template: string, values: readonly CelValue[]): string | CelFailure {
  let [built, end, used] = ['', 0, 0]
  for (const match of template.matchAll(clauses)) {
    built += template.slice(end, match.index)
    end = match.index + match[0].length
    if (match[0] === '%%') {
      built += '%'
      continue
    }
    const clause = match[2]
    if (clause === undefined) return new CelFailure('has a clause that is not complete')
    const value = values[used]
    if (value === undefined) return new CelFailure('has fewer values than clauses')
    used += 1
    const text = clauseText(clause, value, match[1] === undefined ? precisionDefault : Number(match[1]))
    if (text instanceof CelFailure) return text
    built += text
    if (built.length > textLengthMax) return tooLong()
  }
  if (used < values.length) return new CelFailure('has more values than clauses')
  built += template.slice(end)
  return built.length > textLengthMax ? tooLong() : built
}

function clauseText(clause: string, value: CelValue, precision: number): string | CelFailure {
  switch (clause) {
    case 's':
      return plainText(value, 0)
    case 'd':
      return decimal(value)
    case 'f':
      return floating(value, precision, 'f')
    case 'e':
      return floating(value, precision, 'e')
    case 'b':
      if (typeof value === 'boolean') return value ? '1' : '0'
      return wholeIn(2, value) ?? new CelFailure('needs a whole number or a bool for %b')
    case 'o':
      return wholeIn(8, value) ?? new CelFailure('needs a whole number for %o')
    case 'x':
      return inHexadecimal(value)
    case 'X': {
      const text = inHexadecimal(value)
      return typeof text === 'string' ? text.toUpperCase() : text
    }
    default:
      return new CelFailure(`has no clause %${clause}`)
  }
}

function wholeIn(radix: number, value: CelValue): string | undefined {
  if (typeof value === 'bigint') return value.toString(radix)
  return value instanceof CelUint ? value.value.toString(radix) : undefined
}

function decimal(value: CelValue): string | CelFailure {
  // The specification lets the doubles through that no whole number can stand for, and no other double.
  if (typeof value === 'number' && !Number.isFinite(value)) return doubleText(value)
  return wholeIn(10, value) ?? new CelFailure('needs a whole number for %d')
}

function floating(value: CelValue, precision: number, clause: 'e' | 'f'): string | CelFailure {
  if (typeof value !== 'number') return new CelFailure(`needs a double for %${clause}`)
  if (precision > precisionMax) return new CelFailure(`has a precision of more than ${String(precisionMax)}`)
  if (!Number.isFinite(value)) return doubleText(value)
  return clause === 'f' ? fixedText(value, precision) : scientificText(value, precision)
}

function inHexadecimal(value: CelValue): string | CelFailure {
  if (typeof value === 'string') return hexadecimal(new TextEncoder().encode(value))
  if (value instanceof Uint8Array) return hexadecimal(value)
  return wholeIn(16, value) ?? new CelFailure('needs a whole number, a string or bytes for %x')
}

function plainText(value: CelValue, depth: number): string | CelFailure {
  if (depth > printedDepthMax) return new CelFailure('cannot print a value that is nested so deep')
  if (value === null) return 'null'
  if (typeof value === 'string') return value
  if (typeof value === 'number') return doubleText(value)
  if (typeof value !== 'object') return String(value)
  if (value instanceof CelUint) return String(value.value)
  if (value instanceof Uint8Array) return decodedUtf8(value)
  if (value instanceof CelTimestamp) return timestampText(value)
  if (value instanceof CelDuration) return durationText(value)
  if (value instanceof CelTypeValue) return value.name
  if (value instanceof CelOptional) return new CelFailure('cannot print an optional value')
  return isList(value) ? listText(value, depth) : mapText(value, depth)
}

function isList(value: readonly CelValue[] | CelMap): value is readonly CelValue[] {
  return Array.isArray(value)
}

function listText(items: readonly CelValue[], depth: number): string | CelFailure {
  const texts: string[] = []
  const taken = takeTexts(items, depth, (text) => texts.push(text))
  return taken ?? `[${texts.join(', ')}]`
}

/** Members in the order of their names, so that the same map always gives the same text. */
function mapText(map: CelMap, depth: number): string | CelFailure {
  const entries = map instanceof Map ? [...map] : Object.entries(map)
  const names = entries.map(([key]) => String(key))
  const members: (readonly [name: string, text: string])[] = []
  const values = entries.map(([, value]: readonly [unknown, CelValue]) => value)
  const failure = takeTexts(values, depth, (text) => members.push([names[members.length] ?? '', text]))
  if (failure !== undefined) return failure
  members.sort(([a], [b]) => (a < b ? -1 : Number(a > b)))
  return `{${members.map(([name, text]) => `${name}: ${text}`).join(', ')}}`
}

/** Prints the values one after the other, until one fails or all together are too long. */
function takeTexts(
  values: readonly CelValue[],
  depth: number,
  take: (text: string) => void,
): CelFailure | undefined {
  let length = 0
  for (const value of values) {
    const text = plainText(value, depth + 1)
    if (text instanceof CelFailure) return text
    length += text.length
    if (length > textLengthMax) return tooLong()
    take(text)
  }
  return undefined
}
