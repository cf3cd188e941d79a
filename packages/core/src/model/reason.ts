import { jsonProblem } from './canonical-json.ts'
import { commentLengthMax } from './limits.ts'

// Some characters count as letters and have no picture, such as U+3164.
const readable = /(?!\p{Default_Ignorable_Code_Point})[\p{L}\p{N}]/u

/** Whether a text says something to whoever reads it: whether it has a letter or a digit that can be seen. */
export function saysSomething(text: string): boolean {
  return readable.test(text)
}

/** Whether a text may be recorded as a reason: it says something, in at most 2,000 UTF-16 units of well-formed Unicode. */
export function isReason(text: string): boolean {
  return (
    saysSomething(text) && text.length <= commentLengthMax && jsonProblem(text, 'reason', 1) === undefined
  )
}
