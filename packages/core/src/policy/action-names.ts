import { nearest } from '@bailiwick/cel'
import { namePattern } from './pattern.ts'
import type { DocumentPath } from './positions.ts'
import type { PolicyFile } from './schema.ts'
import type { Findings, PolicySource } from './sources.ts'

/**
 * Checks the action names in `on`, `for`, `after` and `actions`. A misspelt one would switch a rule off without a
 * word, so one that is close to a listed action is an error. Others are warnings: the rule or fact has
 * no effect, because the action is denied anyway.
 *
 * In a file that others extend it is no error to speak of actions that this policy does not list: other policies may.
 *
 * @param listed what all files of the policy allow or forbid
 */
export function checkActionNames(source: PolicySource, listed: readonly string[], findings: Findings): void {
  const patterns = listed.map(namePattern)
  for (const { path, text, isKey } of writtenNames(source.content)) {
    if (patterns.some((pattern) => pattern.matches(text))) continue
    const isPattern = text.includes('*')
    if (isPattern && coversSomething(text, listed)) continue
    const near = nearest(text.replaceAll('*', ''), listed)
    const place = isKey ? source.positions.ofKey(path) : source.positions.ofValue(path)
    const message = isPattern
      ? `the pattern \`${text}\` covers no action that is allowed or forbidden`
      : `\`${text}\` is neither allowed nor forbidden`
    if (source.file !== undefined) {
      if (near !== undefined)
        findings.warning(source, place, message, `did you mean \`${near}\`?`, { code: 'misspelt-action' })
    } else if (near !== undefined) {
      findings.error(source, place, message, `did you mean \`${near}\`?`, { code: 'misspelt-action' })
    } else {
      const fix = isPattern ? 'correct it, or remove it' : 'add it to allowed_actions, or remove it'
      findings.warning(source, place, message, `${fix}: it has no effect`, { code: 'unlisted-action' })
    }
  }
}

// Patterns on both sides: one covers the other's text read as a name, or their fixed beginnings may meet.
function coversSomething(text: string, listed: readonly string[]): boolean {
  const pattern = namePattern(text)
  const start = text.slice(0, text.indexOf('*'))
  return listed.some((name) => {
    if (!name.includes('*')) return pattern.matches(name)
    const other = name.slice(0, name.indexOf('*'))
    return start.startsWith(other) || other.startsWith(start)
  })
}

interface WrittenName {
  readonly path: DocumentPath
  readonly text: string
  readonly isKey?: true
}

function writtenNames(file: PolicyFile): readonly WrittenName[] {
  const facts = Object.entries(file.facts ?? {}).flatMap(([name, fact]) =>
    namesAt(['facts', name, 'for'], fact.for),
  )
  const rules = (['escalation_rules', 'rules', 'budgets', 'rates', 'flows'] as const).flatMap((key) =>
    (file[key] ?? []).flatMap((rule, at) => namesAt([key, at, 'on'], rule.on)),
  )
  const flows = (file.flows ?? []).flatMap(({ after }, at) =>
    namesAt(['flows', at, 'after', 'action'], after.action),
  )
  const actions = Object.keys(file.actions ?? {}).map((text): WrittenName => ({
    path: ['actions', text],
    text,
    isKey: true,
  }))
  return [...facts, ...rules, ...flows, ...actions]
}

function namesAt(
  path: DocumentPath,
  written: string | readonly string[] | undefined,
): readonly WrittenName[] {
  if (typeof written === 'string') return [{ path, text: written }]
  return (written ?? []).map((text, at) => ({ path: [...path, at], text }))
}
