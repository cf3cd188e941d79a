import type { Json } from '../../model/json.ts'

const plain = /^[A-Za-z_][\w.-]*$/
// What YAML 1.1 or 1.2 readers take for something else than a text.
const notText = /^(?:null|true|false|yes|no|on|off|y|n|\.inf|\.nan)$/i

/** A text as YAML in flow style: without quotes where nobody could take it for anything else. */
export function scalarText(text: string): string {
  return plain.test(text) && !notText.test(text) ? text : JSON.stringify(text)
}

/** A key. */
export function keyText(key: string): string {
  return scalarText(key)
}

/** A value as YAML on one line. */
export function flowText(value: Json): string {
  if (typeof value === 'string') return scalarText(value)
  if (typeof value !== 'object' || value === null) return String(value)
  if (Array.isArray(value)) return `[${(value as readonly Json[]).map(flowText).join(', ')}]`
  const entries = Object.entries(value as Readonly<Record<string, Json>>)
  if (entries.length === 0) return '{}'
  return `{ ${entries.map(([key, member]) => `${keyText(key)}: ${flowText(member)}`).join(', ')} }`
}
