import { timeWords, visibleText } from '@bailiwick/core/words'
import type { VoteChannel } from './answers.ts'

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
