import { z } from 'zod'
import { nameLengthMax } from '../model/limits.ts'
import { spanMs, spanText, type SpanUnit } from './spans.ts'

// No white space and no control characters: names are compared as they stand, and shown to people.
const namePattern = /^[^\s\p{C}]+$/u
/** A name that conditions may use. */
export const identifierPattern = /^[A-Za-z_][A-Za-z0-9_]*$/

/** A name as calls carry it: of an action, an agent, a rule. */
export const name = z
  .string({ error: 'must be a text' })
  .min(1, { error: 'must not be empty' })
  .max(nameLengthMax, { error: `must have at most ${nameLengthMax} characters` })
  .regex(namePattern, { error: 'must not contain white space or control characters' })

/** Any number of names. */
export const names = z.array(name, { error: 'must be a list of names' })

/** One name or several: an empty list would make a rule or a fact that never applies, without a word. */
export const patterns = z.union([name, names.min(1, { error: 'must name at least one action' })], {
  error: 'must be a name or a list of names',
})

/** At least one name of something that is not an action. */
export function someNames(what: string) {
  return names.min(1, { error: `must name at least one ${what}` })
}

/** The text of a condition. */
export const condition = z.string({
  error: 'must be a text with a condition, such as "refund_amount > 500"',
})

/** A sentence for people. */
export const reason = z.string({ error: 'must be a text' }).min(1, { error: 'must not be empty' }).max(500, {
  error: 'must have at most 500 characters',
})

/** Where people can read more. Nothing but http and https: it becomes a link. */
export const link = z
  .string({ error: 'must be an address such as https://wiki.example.com/refunds' })
  .max(500, { error: 'must have at most 500 characters' })
  .regex(/^https?:\/\/[^\s\p{C}"'<>\\]+$/u, {
    error: 'must be an address such as https://wiki.example.com/refunds',
  })

/** `enforce` or `shadow`. */
export const mode = z.enum(['enforce', 'shadow'], { error: 'must be enforce or shadow' })

/**
 * A length of time such as `30s`, `5m`, `2h` or `1d`, in milliseconds.
 *
 * @param units the units it may have, the smallest first
 */
export function durationMs(units: readonly SpanUnit[], msMax: number) {
  const examples = units.map((unit, at) => `${[30, 5, 2, 1][at] ?? 1}${unit}`)
  const last = examples.pop() ?? ''
  const error = `must be a length of time such as ${examples.join(', ')} or ${last}`
  return z
    .string({ error })
    .regex(new RegExp(`^[1-9][0-9]{0,6}(${units.join('|')})$`), { error })
    .transform(spanMs)
    .refine((ms) => ms <= msMax, { error: `must be at most ${spanText(msMax)}` })
}

const timeError = 'must be a time of day in quotes, such as "08:00"'
/** A time of day. */
const timeOfDay = z
  .string({ error: timeError })
  .regex(/^([01]\d|2[0-3]):[0-5]\d$|^24:00$/, { error: timeError })

/** The days of the week, Monday first. */
export const weekdays = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const

/** A time zone by its IANA name. Not by its offset: an offset has no summer. */
export const zone = z
  .string({ error: 'must be a time zone such as Europe/Berlin' })
  .refine(isZone, { error: 'must be a time zone such as Europe/Berlin' })

/** Hours of days by the clocks of a zone, such as business hours. */
export const timeWindow = z
  .strictObject(
    {
      zone,
      days: z
        .array(z.enum(weekdays, { error: `must be one of ${weekdays.join(', ')}` }), {
          error: 'must be a list of days such as [mon, tue]',
        })
        .min(1, { error: 'must name at least one day' })
        .optional(),
      from: timeOfDay.optional(),
      to: timeOfDay.optional(),
    },
    { error: 'must be a map with zone, and days or from and to' },
  )
  .refine((value) => value.from !== '24:00', {
    error: 'cannot begin at 24:00; write "00:00"',
    path: ['from'],
  })
  .refine((value) => (value.from ?? '00:00') !== (value.to ?? '24:00'), {
    error: 'begins and ends at the same time; for whole days leave both out',
  })

function isZone(text: string): boolean {
  if (!/^[A-Za-z][A-Za-z0-9_+/-]*$/.test(text)) return false
  try {
    return new Intl.DateTimeFormat('en', { timeZone: text }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}
