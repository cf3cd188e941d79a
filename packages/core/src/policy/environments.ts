import type { EnvironmentList } from '../model/policy.ts'
import type { Findings, PolicySource } from './sources.ts'

/**
 * The environments that a policy is made for: those that every file allows that names some.
 *
 * @param sources the files, those that are extended before those that extend them
 */
export function declareEnvironments(
  sources: readonly PolicySource[],
  findings: Findings,
): EnvironmentList | undefined {
  let declared: EnvironmentList | undefined
  for (const source of sources) {
    const names = source.content.environments
    if (names === undefined) continue
    for (const [at, name] of names.entries()) {
      if (declared === undefined || declared.names.includes(name)) continue
      const message = `the environment \`${name}\` is none of those in \`${declared.file ?? ''}\``
      const place = source.positions.ofValue(['environments', at])
      findings.error(source, place, message, `write only ${declared.names.join(', ')}`, {
        code: 'widened-environments',
      })
    }
    const { line } = source.positions.ofKey(['environments'])
    declared = { names, line, file: source.file }
  }
  return declared
}

const literal = /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/g

/** The texts that a condition compares `env` with, and where they stand. */
export function environmentLiterals(
  condition: string,
): readonly { readonly value: string; readonly offset: number }[] {
  const literals = [...condition.matchAll(literal)].map((match) => ({
    value: match[0].slice(1, -1),
    offset: match.index,
  }))
  // Texts are replaced by as many `#`, so that nothing in them is taken for code, and offsets stay.
  const code = condition.replace(literal, (text) => '#'.repeat(text.length))
  const comparisons = [
    ...code.matchAll(/(?<![\w.])env\s*(?:==|!=)\s*#+/g),
    ...code.matchAll(/#+\s*(?:==|!=)\s*env(?![\w.])/g),
    ...code.matchAll(/(?<![\w.])env\s+in\s*\[[#\s,]*\]/g),
  ].map((match) => ({ start: match.index, end: match.index + match[0].length }))
  return literals.filter(({ offset }) =>
    comparisons.some(({ start, end }) => offset >= start && offset < end),
  )
}
