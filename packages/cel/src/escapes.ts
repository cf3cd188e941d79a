/** A text token as it stands for a value: a string, bytes, or undefined for an escape that stands for no character. */
export function readText(token: string): string | Uint8Array | undefined {
  const opening = /^([rRbB]*)("""|'''|"|')/.exec(token)
  const prefix = (opening?.[1] ?? '').toLowerCase()
  const quote = opening?.[2] ?? '"'
  const body = token.slice(prefix.length + quote.length, token.length - quote.length)
  if (!prefix.includes('b')) {
    if (prefix.includes('r') || !body.includes('\\')) return body
    return unescapedText(body)
  }
  if (prefix.includes('r') || !body.includes('\\')) return new TextEncoder().encode(body)
  return unescapedBytes(body)
}

const simple: Readonly<Record<string, string | undefined>> = {
  a: '\u0007',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  '?': '?',
  '"': '"',
  "'": "'",
  '`': '`',
}

const escape =
  /\\(?:([abfnrtv\\?"'`])|[xX]([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2})|)/g

interface Escape {
  readonly text?: string
  readonly octet?: number
  readonly point?: number
}

function escapeOf(match: RegExpMatchArray): Escape | undefined {
  const [, plain, hex, short, long, octal] = match
  if (plain !== undefined) return { text: simple[plain] ?? plain }
  if (hex !== undefined) return { octet: Number.parseInt(hex, 16) }
  if (octal !== undefined) return { octet: Number.parseInt(octal, 8) }
  const point = short ?? long
  return point === undefined ? undefined : { point: Number.parseInt(point, 16) }
}

/** The code point, where it is one: no half of a surrogate pair, and none beyond Unicode. */
function characterOf(point: number): string | undefined {
  if (point > 0x10_ffff || (point >= 0xd800 && point <= 0xdfff)) return undefined
  return String.fromCodePoint(point)
}

function unescapedText(body: string): string | undefined {
  let text = ''
  let from = 0
  for (const match of body.matchAll(escape)) {
    const found = escapeOf(match)
    if (found === undefined) return undefined
    const part = found.text ?? characterOf(found.octet ?? found.point ?? 0)
    if (part === undefined) return undefined
    text += body.slice(from, match.index) + part
    from = match.index + match[0].length
  }
  return text + body.slice(from)
}

/** In bytes, `\x` and octal escapes are octets; code point escapes mean nothing there. */
function unescapedBytes(body: string): Uint8Array | undefined {
  const encoder = new TextEncoder()
  const octets: number[] = []
  let from = 0
  for (const match of body.matchAll(escape)) {
    const found = escapeOf(match)
    if (found === undefined || found.point !== undefined) return undefined
    octets.push(...encoder.encode(body.slice(from, match.index)))
    if (found.octet === undefined) octets.push(...encoder.encode(found.text ?? ''))
    else octets.push(found.octet)
    from = match.index + match[0].length
  }
  octets.push(...encoder.encode(body.slice(from)))
  return Uint8Array.from(octets)
}
