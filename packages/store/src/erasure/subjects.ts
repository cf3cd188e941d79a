import { canonicalJson } from '@bailiwick/core'

/**
 * The canonical texts by which a subject may have been recorded. People who ask seldom know whether an id was sent as a
 * number or as text, so `7` and `"7"` are both looked for.
 */
export function subjectTexts(subject: string | number): readonly string[] {
  const own = canonicalJson(subject)
  if (typeof subject === 'number') return [own, canonicalJson(own)]
  const number = Number(subject)
  return Number.isFinite(number) && canonicalJson(number) === subject ? [own, subject] : [own]
}
