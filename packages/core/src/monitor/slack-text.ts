import type { JsonObject } from '../model/json.ts'

/** Plain text as Slack takes it: never markup, so that it can mention nobody and disguise no link. */
export function slackPlain(text: string, lengthMax: number): JsonObject {
  return { type: 'plain_text', text: slackText(text, lengthMax), emoji: false }
}

/** A link; its label must be ours. */
export function slackLink(url: string, label: string): string {
  return `<${escaped(url).replaceAll('|', '%7C')}|${label}>`
}

/** `text` as Slack wants it, cut before the escaped form passes `lengthMax` and never inside an entity. */
export function slackText(text: string, lengthMax: number): string {
  const whole = escaped(text)
  if (whole.length <= lengthMax) return whole

  let kept = ''
  for (const character of text) {
    const next = escaped(character)
    if (kept.length + next.length > lengthMax - 1) break
    kept += next
  }
  return `${kept}…`
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
