/** A piece of YAML, by what it is. */
export interface YamlToken {
  readonly kind: 'plain' | 'key' | 'string' | 'number' | 'word' | 'comment' | 'mark'
  readonly text: string
}

/**
 * The pieces of one line of YAML, for colours only: together they are the line, whatever it says. Texts over several
 * lines are coloured as if each line stood alone.
 */
export function yamlTokens(line: string): readonly YamlToken[] {
  const tokens: YamlToken[] = []
  let rest = line
  while (rest !== '') {
    const { kind, text } = firstToken(rest, tokens.at(-1)?.text ?? '')
    tokens.push({ kind, text })
    rest = rest.slice(text.length)
  }
  return tokens
}

const patterns: readonly (readonly [YamlToken['kind'], RegExp])[] = [
  ['plain', /^\s+/],
  ['key', /^("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s#'"{}[\],:&*!|>][^#'"{}[\],:]*?)(?=\s*:(\s|$))/],
  ['string', /^("(?:[^"\\]|\\.)*"?|'(?:[^']|'')*'?)/],
  ['mark', /^(-(?=\s|$)|[{}[\],:]|[|>][+-]?(?=\s*$))/],
  ['number', /^-?\d[\d_.]*(?=[\s,}\]]|$)/],
  ['word', /^(true|false|null)(?=[\s,}\]]|$)/],
  ['plain', /^[^\s,{}[\]:#]+/],
  ['plain', /^[^]/],
]

function firstToken(rest: string, before: string): YamlToken {
  // A hash begins a comment only after white space, or at the start.
  if (rest.startsWith('#') && /^$|\s$/.test(before)) return { kind: 'comment', text: rest }
  for (const [kind, pattern] of patterns) {
    const text = pattern.exec(rest)?.[0]
    if (text !== undefined && text !== '') return { kind, text }
  }
  return { kind: 'plain', text: rest }
}
