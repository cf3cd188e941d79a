import type { Json } from '../../model/json.ts'

const plain = /^[A-Za-z_][\w.-]*$/
// What YAML 1.1 or 1.2 readers take for something else than a text.
const notText = /^(?:null|true|false|yes|no|on|off|y|n|\.inf|\.nan)$/i
const lineMax = 100

/** A text as YAML, key or value: without quotes where nobody could take it for anything else. */
export function scalarText(text: string): string {
  return plain.test(text) && !notText.test(text) ? text : quoted(text)
}

/** A value as YAML on one line. */
export function flowText(value: Json): string {
  if (typeof value === 'string') return scalarText(value)
  if (typeof value !== 'object' || value === null) return String(value)
  if (isList(value)) return `[${value.map(flowText).join(', ')}]`
  const entries = Object.entries(value)
  if (entries.length === 0) return '{}'
  return `{ ${entries.map(([key, member]) => `${scalarText(key)}: ${flowText(member)}`).join(', ')} }`
}

/** An entry of a block map, in as many lines as it needs: what fits on one line stands on one. */
export function blockLines(key: string, value: Json, indent: number): readonly string[] {
  const margin = ' '.repeat(indent)
  const head = `${margin}${scalarText(key)}:`
  const flow = `${head} ${flowText(value)}`
  if (flow.length <= lineMax || typeof value !== 'object' || value === null) return [flow]
  if (isList(value)) {
    return [head, ...value.map((item) => `${margin}  - ${flowText(item)}`)]
  }
  return [head, ...Object.entries(value).flatMap(([name, member]) => blockLines(name, member, indent + 2))]
}

// JSON's escapes are YAML's, but YAML also wants what does not print to be escaped.
function quoted(text: string): string {
  return JSON.stringify(text).replace(/[\u007F-\u009F\u2028\u2029\uFEFF\uFFFE\uFFFF]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value)
}
