const bell = String.fromCodePoint(7)

const escapes: ReadonlyMap<string, string> = new Map([
  [bell, String.raw`\a`],
  ['\b', String.raw`\b`],
  ['\f', String.raw`\f`],
  ['\n', String.raw`\n`],
  ['\r', String.raw`\r`],
  ['\t', String.raw`\t`],
  ['\v', String.raw`\v`],
  ['\\', String.raw`\\`],
  ['"', String.raw`\"`],
])

const loneSurrogate = /\p{Surrogate}/gu

/** The text in quotation marks, so that it can be read as a CEL literal again. Half of a pair becomes U+FFFD. */
export function quoted(text: string): string {
  const inside = Array.from(text, (character) => escapes.get(character) ?? character).join('')
  return `"${inside.replaceAll(loneSurrogate, '\uFFFD')}"`
}
