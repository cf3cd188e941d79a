import { timeWords, visibleText } from '@bailiwick/core/words'
import type { BusinessHours, VoteChannel } from './answers.ts'

export { durationText, humanName, visibleText } from '@bailiwick/core/words'

const times = timeWords()

// Made once: making one takes longer than formatting a screen of times with it.
const formats = {
  clock: new Intl.DateTimeFormat('en-GB', {
    hour12: false,
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  }),
  longDay: new Intl.DateTimeFormat('en-GB', {
    weekday: 'long',
    day: 'numeric',
    month: 'long',
    year: 'numeric',
  }),
  shortDay: new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' }),
}

/** The time of day, to the second. */
export function clockTime(at: string): string {
  return formats.clock.format(new Date(at))
}

/** Date and time with milliseconds and time zone, for records. */
export function exactTime(at: string): string {
  return times.exact(at)
}

/** Date and time to the minute, with the time zone. */
export function minuteTime(at: string): string {
  return times.minute(at)
}

/** A day or an instant as it was sent, read as one. */
export function readTime(text: string): string {
  return times.read(text)
}

/** `Today`, `Yesterday` or the date, in the reader's time zone. */
export function dayName(at: string, now: number): string {
  const date = new Date(at)
  const yesterday = new Date(now)
  yesterday.setDate(yesterday.getDate() - 1)
  if (date.toDateString() === new Date(now).toDateString()) return 'Today'
  if (date.toDateString() === yesterday.toDateString()) return 'Yesterday'
  return formats.longDay.format(date)
}

/** Today's times as a time of day; others with their date. */
export function shortTime(at: string, now: number): string {
  const date = new Date(at)
  if (date.toDateString() === new Date(now).toDateString()) return clockTime(at)
  return `${formats.shortDay.format(date)}, ${clockTime(at)}`
}

/** The same to the minute, for what somebody plans. */
export function shortMinute(at: string, now: number): string {
  return shortTime(at, now).replace(/:\d\d$/, '')
}

/** Time left as a clock shows it: `4:05`, `1:02:03`, `3 d 04:00`. Zero once it has run out. */
export function countdownText(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1000))
  const minutes = Math.floor(seconds / 60)
  const hours = Math.floor(minutes / 60)
  if (hours >= 24) return `${Math.floor(hours / 24)} d ${twoDigits(hours % 24)}:${twoDigits(minutes % 60)}`
  if (hours > 0) return `${hours}:${twoDigits(minutes % 60)}:${twoDigits(seconds % 60)}`
  return `${minutes}:${twoDigits(seconds % 60)}`
}

const weekdays = [
  ['mon', 'Monday'],
  ['tue', 'Tuesday'],
  ['wed', 'Wednesday'],
  ['thu', 'Thursday'],
  ['fri', 'Friday'],
  ['sat', 'Saturday'],
  ['sun', 'Sunday'],
] as const

/** Hours of days: `Monday to Friday, 09:00 to 17:00 by the clocks of Europe/Berlin`. */
export function hoursText({ zone, days, fromMinute, toMinute }: BusinessHours): string {
  const ends = `${minuteOfDay(toMinute)}${toMinute <= fromMinute ? ' of the next day' : ''}`
  return `${daysText(days)}, ${minuteOfDay(fromMinute)} to ${ends} by the clocks of ${visibleText(zone)}`
}

// Three days or more that follow one another are told by the first and the last.
function daysText(days: readonly string[]): string {
  const runs: string[][] = []
  weekdays.forEach(([key, name], at) => {
    if (!days.includes(key)) return
    const [before] = weekdays[at - 1] ?? []
    const run = before !== undefined && days.includes(before) ? runs.at(-1) : undefined
    if (run === undefined) runs.push([name])
    else run.push(name)
  })
  const texts = runs.flatMap((run) => (run.length < 3 ? run : [`${run[0]} to ${run.at(-1)}`]))
  if (runs[0]?.length === weekdays.length) return 'every day'
  return texts.length < 2 ? texts.join('') : `${texts.slice(0, -1).join(', ')} and ${texts.at(-1)}`
}

function minuteOfDay(minute: number): string {
  return `${twoDigits(Math.floor(minute / 60))}:${twoDigits(minute % 60)}`
}

/** Who may vote, one phrase per route; a person must be entitled by every one. */
export function approversText(approvers: readonly (readonly string[])[]): string {
  const routes = approvers
    .filter((route) => route.length > 0)
    .map((route) => route.map(approverText).join(' or '))
  return routes.length === 0
    ? 'people with the role approver or administrator'
    : [...new Set(routes)].join(', and also ')
}

function approverText(approver: string): string {
  if (approver.startsWith('role:')) return `people with the role ${visibleText(approver.slice(5))}`
  return visibleText(approver.startsWith('person:') ? approver.slice(7) : approver)
}

const channels: Readonly<Record<VoteChannel, string>> = {
  console: 'in the console',
  slack: 'over Slack',
  email: 'by e-mail',
  api: 'by the API',
}

/** How a vote came, or comes. */
export function channelText(channel: VoteChannel): string {
  return channels[channel]
}

function twoDigits(part: number): string {
  return String(part).padStart(2, '0')
}
