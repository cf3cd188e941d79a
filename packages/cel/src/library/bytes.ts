import { CelFailure } from '../value.ts'
import type { LibraryFunction } from './entry.ts'
import { free, method } from './forms.ts'
import { walkingSteps } from './limits.ts'

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const valueOf: ReadonlyMap<string, number> = new Map(Array.from(alphabet, (digit, value) => [digit, value]))
/** Four digits at a time; the last group may lack its padding. */
const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?$/

const sizeOf = (bytes: Uint8Array): bigint => BigInt(bytes.length)
const one = { resultSize: () => 1 }

/** Bytes: their number, and base64 as in the encoders extension. */
export const bytesFunctions: readonly LibraryFunction[] = [
  free('size', ['bytes'], 'int', sizeOf, one),
  method('bytes', 'size', [], 'int', sizeOf, one),
  free('base64.encode', ['bytes'], 'string', encoded, {
    cost: (bytes = 0) => walkingSteps(bytes),
    resultSize: (bytes = 0) => 4 * Math.ceil(bytes / 3),
  }),
  free('base64.decode', ['string'], 'bytes', decoded, {
    cost: (text = 0) => walkingSteps(text),
    resultSize: (text = 0) => Math.ceil((text * 3) / 4),
  }),
]

function encoded(bytes: Uint8Array): string {
  const groups: string[] = []
  for (let at = 0; at < bytes.length; at += 3) groups.push(encodedGroup(bytes.subarray(at, at + 3)))
  return groups.join('')
}

function encodedGroup([first = 0, second, third]: Uint8Array): string {
  const bits = (first << 16) | ((second ?? 0) << 8) | (third ?? 0)
  const digit = (shift: number): string => alphabet.charAt((bits >> shift) & 63)
  return `${digit(18)}${digit(12)}${second === undefined ? '=' : digit(6)}${third === undefined ? '=' : digit(0)}`
}

/** Padding may be missing. Line breaks, and bits that no encoder sets, are refused: each value has one text. */
function decoded(text: string): Uint8Array | CelFailure {
  if (!base64.test(text)) return new CelFailure('is not base64')
  const digits = text.replace(/=+$/, '')
  const bytes = new Uint8Array(Math.floor((digits.length * 3) / 4))
  let [bits, held, filled] = [0, 0, 0]
  for (const digit of digits) {
    bits = ((bits << 6) | (valueOf.get(digit) ?? 0)) & 0xff_ff
    held += 6
    if (held < 8) continue
    held -= 8
    bytes[filled] = (bits >> held) & 0xff
    filled += 1
  }
  return (bits & ((1 << held) - 1)) === 0 ? bytes : new CelFailure('is not base64')
}
