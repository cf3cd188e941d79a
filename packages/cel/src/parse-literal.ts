import { readText } from './escapes.ts'
import { Refusal } from './node-builder.ts'
import type { LiteralValue } from './syntax.ts'
import type { Token } from './tokens.ts'
import { CelUint } from './value.ts'

/**
 * The value that a number or a text token spells. `negative`: a minus sign stands directly before it.
 *
 * @throws a Refusal where it spells none, or one that is not used in this dialect
 */
export function literalOf(token: Token, negative: boolean, standard: boolean): LiteralValue {
  if (token.kind === 'text') return textOf(token)
  return /u$/i.test(token.text) ? unsignedOf(token, negative, standard) : numberOf(token, negative)
}

function textOf(token: Token): string | Uint8Array {
  const value = readText(token.text)
  if (value !== undefined) return value
  const message = 'a text holds an escape that stands for no character'
  throw Refusal.at(token.offset, message, 'correct its `\\` escapes')
}

function unsignedOf({ text, offset }: Token, negative: boolean, standard: boolean): CelUint {
  if (!standard) {
    throw Refusal.at(offset, 'unsigned numbers are not used here', 'write the number without the `u`')
  }
  const value = /^(?:0x[0-9a-f]+|\d+)u$/i.test(text) ? BigInt(text.slice(0, -1)) : -1n
  if (!negative && value === BigInt.asUintN(64, value)) return new CelUint(value)
  throw Refusal.at(offset, 'this unsigned number does not fit 64 bits', 'write a smaller number')
}

function numberOf({ text, offset }: Token, negative: boolean): bigint | number {
  if (/^(?:0x[0-9a-f]+|\d+)$/i.test(text)) {
    const value = negative ? -BigInt(text) : BigInt(text)
    if (BigInt.asIntN(64, value) === value) return value
    throw Refusal.at(offset, 'this whole number does not fit 64 bits', 'write a smaller number')
  }
  const value = Number(text)
  if (Number.isFinite(value)) return negative ? -value : value
  throw Refusal.at(offset, 'this number is too large', 'write a smaller number')
}
