import type { CompiledPolicy, Standing } from '../model/policy.ts'

/** How many lines of a rule are shown at the most. */
const linesMax = 40

/**
 * A rule as its author wrote it, with the comment above it; undefined where the policy has no such line. Of an entry
 * that stands on one line with others, that whole line.
 */
export function ruleText(
  policy: Pick<CompiledPolicy, 'source' | 'parents'>,
  { line, file }: Standing,
): string | undefined {
  const source =
    file === undefined ? policy.source : policy.parents.find((parent) => parent.file === file)?.source
  const lines = source?.split(/\r?\n/) ?? []
  const first = lines[line - 1]
  if (first === undefined || first.trim() === '') return undefined
  const indent = indentOf(first)
  let start = line - 1
  while (start > 0 && isComment(lines[start - 1], indent)) start--
  let end = line
  while (end < lines.length && belongs(lines[end] ?? '', indent)) end++
  const text = lines.slice(start, Math.min(end, start + linesMax))
  return text
    .map((each) => each.slice(Math.min(indent, indentOf(each))))
    .join('\n')
    .trimEnd()
}

// What belongs to an entry stands further in than it does.
function belongs(line: string, indent: number): boolean {
  return line.trim() === '' || indentOf(line) > indent
}

function isComment(line: string | undefined, indent: number): boolean {
  return line !== undefined && line.trim().startsWith('#') && indentOf(line) === indent
}

function indentOf(line: string): number {
  const at = line.search(/\S/)
  return at === -1 ? line.length : at
}
