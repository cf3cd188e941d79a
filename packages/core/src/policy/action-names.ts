import { nearest } from '@bailiwick/cel'
import type { Problem } from '../model/problem.ts'
import { actionPattern } from './pattern.ts'
import type { DocumentPath, Position, Positions } from './positions.ts'
import type { PolicyFile } from './schema.ts'

/**
 * Problems of the action names in `on` and `for`. A misspelt one would switch a rule off without a
 * word, so one that is close to a listed action is an error. Others are warnings: the rule or fact has
 * no effect, because the action is denied anyway.
 */
export function actionNameProblems(file: PolicyFile, positions: Positions): Problem[] {
  const listed = [...file.allowed_actions, ...(file.forbidden_actions ?? [])]
  const patterns = listed.map(actionPattern)
  return writtenNames(file).flatMap(({ path, text }): Problem[] => {
    if (patterns.some((pattern) => pattern.matches(text))) return []
    const place = positions.ofValue(path)
    if (text.includes('*')) return coversSomething(text, listed) ? [] : [coversNothing(text, listed, place)]
    const near = nearest(text, listed)
    const message = `\`${text}\` is neither allowed nor forbidden`
    if (near === undefined) {
      const fix = 'add it to allowed_actions, or remove it: it has no effect'
      return [{ severity: 'warning', ...place, message, fix }]
    }
    return [{ severity: 'error', ...place, message, fix: `did you mean \`${near}\`?` }]
  })
}

// Patterns on both sides: one covers the other's text read as a name, or their fixed beginnings may meet.
function coversSomething(text: string, listed: readonly string[]): boolean {
  const pattern = actionPattern(text)
  const start = text.slice(0, text.indexOf('*'))
  return listed.some((name) => {
    if (!name.includes('*')) return pattern.matches(name)
    const other = name.slice(0, name.indexOf('*'))
    return start.startsWith(other) || other.startsWith(start)
  })
}

function coversNothing(text: string, listed: readonly string[], place: Position): Problem {
  const message = `the pattern \`${text}\` covers no action that is allowed or forbidden`
  const near = nearest(text.replaceAll('*', ''), listed)
  if (near !== undefined) return { severity: 'error', ...place, message, fix: `did you mean \`${near}\`?` }
  return { severity: 'warning', ...place, message, fix: 'correct it, or remove it: it has no effect' }
}

function writtenNames(file: PolicyFile): { readonly path: DocumentPath; readonly text: string }[] {
  const facts = Object.entries(file.facts ?? {}).map(([name, fact]) =>
    namesAt(['facts', name, 'for'], fact.for),
  )
  const rules = (file.rules ?? []).map((rule, at) => namesAt(['rules', at, 'on'], rule.on))
  const escalations = (file.escalation_rules ?? []).map((rule, at) =>
    namesAt(['escalation_rules', at, 'on'], rule.on),
  )
  return [...facts, ...rules, ...escalations].flat()
}

function namesAt(path: DocumentPath, written: string | readonly string[] | undefined) {
  if (typeof written === 'string') return [{ path, text: written }]
  return (written ?? []).map((text, at) => ({ path: [...path, at], text }))
}
