import { z } from '@hono/zod-openapi'
import { commentLengthMax, nameLengthMax } from '@bailiwick/core'
import { shownName } from '../json/field-path.ts'

// Every message goes on from what is wrong: "`params` is missing", "the query has the unknown field `x`".
/** A name such as of an agent or an action. */
export const name = text(nameLengthMax)
/** A JSON object. */
export const object = z.record(z.string(), z.unknown(), mustBe('an object'))

/** The message of a value of another type. */
export function mustBe(what: string) {
  return {
    error: ({ input }: { input?: unknown }) => (input === undefined ? 'is missing' : `must be ${what}`),
  }
}

/** A text that is not empty. */
export function text(lengthMax: number) {
  return z
    .string(mustBe('a string'))
    .min(1, { error: 'must not be empty' })
    .max(lengthMax, { error: `must have at most ${lengthMax} characters` })
}

/** One of these words. */
export function oneOf<const Values extends readonly string[]>(...values: Values) {
  return z.enum(values, mustBe(`one of ${values.map((value) => `\`${value}\``).join(', ')}`))
}

/** The message of an unknown field. */
export const onlyKnown = {
  error: (issue: { code?: string; keys?: readonly string[] }) => {
    if (issue.code !== 'unrecognized_keys') return 'must be an object'
    const [unknown = '', ...more] = issue.keys ?? []
    return `has the unknown field \`${shownName(unknown)}\`${more.length > 0 ? ` and ${more.length} more` : ''}`
  },
}

/** A person's or an agent's remark. */
export const comment = z
  .string(mustBe('a string'))
  .max(commentLengthMax, { error: `must have at most ${commentLengthMax} characters` })

/** A whole number in a query. */
export const wholeNumber = (max: number) =>
  z
    .string(mustBe('a whole number'))
    .regex(/^[0-9]{1,15}$/, { error: 'must be a whole number' })
    .transform(Number)
    .refine((value) => value <= max, { error: `must be at most ${max}` })

/** What the last page of a list says of what is older. */
export const archived = z
  .literal(true)
  .optional()
  .openapi({ description: 'On the last page: older records lie in the archive, and are not listed.' })
