import type { RuleId } from '../model/ids.ts'
import type { ListedAction } from '../model/policy.ts'
import { removeRepeated } from './edit/edits.ts'
import { namePattern } from './pattern.ts'
import { ancestorsOf, type Findings, type PolicySource } from './sources.ts'

type ListKey = 'allowed_actions' | 'forbidden_actions'

/** The entries of one list of one file, each with its place. */
export function listedActions(source: PolicySource, key: ListKey): readonly ListedAction[] {
  return (source.content[key] ?? []).map((text, at) => ({
    id: (source.file === undefined ? `${key}[${at}]` : `${source.file}:${key}[${at}]`) as RuleId,
    pattern: namePattern(text),
    line: source.positions.ofValue([key, at]).line,
    file: source.file,
  }))
}

/** What is wrong with the lists of one file by themselves: entries twice, entries that cancel each other. */
export function checkLists(source: PolicySource, findings: Findings): void {
  const allowed = source.content.allowed_actions ?? []
  const forbidden = source.content.forbidden_actions ?? []
  checkTwice(source, 'allowed_actions', allowed, findings)
  checkTwice(source, 'forbidden_actions', forbidden, findings)
  // A file may list tens of thousands: each is looked up, and each pattern read, once.
  const allowedTexts = new Set(allowed)
  const forbiddenTexts = new Set(forbidden)
  const patterns = [...forbiddenTexts].filter((text) => text.includes('*')).map(namePattern)
  for (const [at, text] of forbidden.entries()) {
    if (!allowedTexts.has(text)) continue
    const place = source.positions.ofValue(['forbidden_actions', at])
    findings.error(
      source,
      place,
      `\`${text}\` is both allowed and forbidden`,
      'remove it from one of the two lists',
      { code: 'allowed-and-forbidden' },
    )
  }
  for (const [at, text] of allowed.entries()) {
    if (text.includes('*') || forbiddenTexts.has(text)) continue
    const beaten = patterns.find((pattern) => pattern.matches(text))?.text
    if (beaten === undefined) continue
    const place = source.positions.ofValue(['allowed_actions', at])
    const message = `\`${text}\` is never allowed: the forbidden pattern \`${beaten}\` covers it`
    findings.warning(source, place, message, 'remove it, or narrow the pattern', {
      code: 'allowed-yet-forbidden',
    })
  }
}

function checkTwice(source: PolicySource, key: ListKey, texts: readonly string[], findings: Findings): void {
  const seen = new Set<string>()
  for (const [at, text] of texts.entries()) {
    if (seen.size < seen.add(text).size) continue
    const place = source.positions.ofValue([key, at])
    findings.warning(source, place, `\`${text}\` stands twice in ${key}`, 'remove one of the two', {
      code: 'repeated-entry',
      edit: removeRepeated(key, at, text),
    })
  }
}

/**
 * A file may only narrow what it extends: each action that it allows has to be covered by every file that it
 * extends, also through another, and be forbidden by none.
 */
export function checkNarrowing(sources: readonly PolicySource[], findings: Findings): void {
  for (const source of sources) {
    for (const parent of ancestorsOf(source, sources)) checkAllowedBy(parent, source, findings)
  }
}

function checkAllowedBy(parent: PolicySource, source: PolicySource, findings: Findings): void {
  const allowed = parent.content.allowed_actions?.map(namePattern)
  const forbidden = (parent.content.forbidden_actions ?? []).map(namePattern)
  const name = parent.file ?? ''
  for (const [at, text] of (source.content.allowed_actions ?? []).entries()) {
    // A `*` in `text` is covered only by a `*`, for no name and no pattern contains one in any other sense.
    if (allowed !== undefined && !allowed.some((pattern) => pattern.matches(text))) {
      const fix = 'allow it there first, or remove it: a policy may only narrow what it extends'
      const place = source.positions.ofValue(['allowed_actions', at])
      findings.error(source, place, `\`${text}\` is not allowed by \`${name}\``, fix, {
        code: 'widened-actions',
      })
    }
    const beaten = forbidden.find((pattern) => pattern.matches(text))
    if (beaten !== undefined) {
      const message = `\`${text}\` is never allowed: \`${name}\` forbids \`${beaten.text}\``
      const place = source.positions.ofValue(['allowed_actions', at])
      findings.warning(source, place, message, 'remove it', { code: 'allowed-yet-forbidden' })
    }
  }
}
