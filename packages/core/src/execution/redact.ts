import type { Obligation } from '../model/decision.ts'

/** What stands in place of what was redacted. */
const redactedText = '[redacted]'

/**
 * The result with everything redacted that the obligations ask for, in lists at every item. The caller's own object
 * stays as it is. Where the way to a value leads through something that cannot be copied faithfully, such as an
 * instance of a class, all of that is redacted.
 */
export function redacted(result: unknown, obligations: readonly Obligation[]): unknown {
  let shown = result
  for (const obligation of obligations) {
    if (obligation.kind !== 'redact') continue
    // The first name is `result`.
    shown = redactedAt(shown, obligation.path.split('.').slice(1))
  }
  return shown
}

function redactedAt(value: unknown, path: readonly string[]): unknown {
  const [name, ...rest] = path
  if (name === undefined) return redactedText
  if (Array.isArray(value)) return value.map((item: unknown) => redactedAt(item, path))
  if (typeof value !== 'object' || value === null) return typeof value === 'function' ? redactedText : value
  if (!isPlain(value)) return redactedText
  const member = Object.getOwnPropertyDescriptor(value, name)
  if (member === undefined) return value
  const copy = Object.fromEntries(Object.entries(value))
  Object.defineProperty(copy, name, {
    // A value that is computed anew at each look cannot be looked at once and kept.
    value: 'value' in member ? redactedAt(member.value, rest) : redactedText,
    enumerable: true,
    configurable: true,
    writable: true,
  })
  return copy
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
