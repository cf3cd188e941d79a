// How much of what others wrote a notice takes in, and in what form.
import { nameLengthMax } from '../model/limits.ts'
import { noticeItemsMax, noticeTextLengthMax } from './notice.ts'

/** Who did what, as a notice names them. */
export function actor(record: { readonly agent: string; readonly action: string }) {
  return { agent: shortened(record.agent, nameLengthMax), action: shortened(record.action, nameLengthMax) }
}

/** As many items, and as much of each, as a notice carries. */
export function bounded(items: readonly string[], lengthMax = nameLengthMax): readonly string[] {
  return items.slice(0, noticeItemsMax).map((item) => shortened(item, lengthMax))
}

/** A name inside of a sentence. The agent names itself and the action, so neither may bring in a line of its own. */
export function named(text: string): string {
  return `\`${oneLine(shortened(text, nameLengthMax))}\``
}

/** A text inside of a sentence. */
export function oneLine(text: string): string {
  return shortened(text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' '), noticeTextLengthMax)
}

/** At most `lengthMax` code units, never half of a surrogate pair; an ellipsis says that something is missing. */
function shortened(text: string, lengthMax: number): string {
  if (text.length <= lengthMax) return text
  return `${text.slice(0, lengthMax - 1).replace(/[\uD800-\uDBFF]$/, '')}…`
}
