import type { VoteChannel } from './answers.ts'

/**
 * Characters that would let a model's text look like something else: controls, direction marks, invisibles.
 * Line breaks, tabs and the two marks that only choose between text and emoji are harmless.
 */
const deceptive =
  /(?!\n|\t|\ufe0e|\ufe0f)[\p{Cc}\p{Default_Ignorable_Code_Point}\p{Bidi_Control}\u2028\u2029\ufff9-\ufffb]/gu

/** Outside text with every invisible or direction-changing character made visible, as in `\u{202e}`. */
export function visibleText(text: string): string {
  return text.replace(deceptive, (character) => `\\u{${character.codePointAt(0)?.toString(16) ?? ''}}`)
}

/** A name as people read it: `order_id` and `orderId` become `Order id`. Unusual names stay as they are. */
export function humanName(name: string): string {
  if (!/^[a-z][a-z0-9]*(_[a-z0-9]+)*$|^[a-z]+([A-Z][a-z0-9]*)+$/.test(name)) return visibleText(name)
  const words = name
    .replace(/([A-Z])/g, ' $1')
    .replaceAll('_', ' ')
    .toLowerCase()
  return words.charAt(0).toUpperCase() + words.slice(1)
}

// Made once: making one takes longer than formatting a screen of times with it.
const formats = {
  clock: new Intl.DateTimeFormat('en-GB', {
    hour12: false,
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  }),
  date: new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric' }),
  exactClock: new Intl.DateTimeFormat('en-GB', {
    hour12: false,
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    fractionalSecondDigits: 3,
    timeZoneName: 'short',
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
  const date = new Date(at)
  return `${formats.date.format(date)}, ${formats.exactClock.format(date)}`
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

/** A length of time in words: `5 minutes`, `1 hour 30 minutes`. */
export function durationText(ms: number): string {
  const units = [
    ['day', 86_400_000],
    ['hour', 3_600_000],
    ['minute', 60_000],
    ['second', 1000],
  ] as const
  const parts: string[] = []
  let rest = ms
  for (const [unit, size] of units) {
    const count = Math.floor(rest / size)
    rest -= count * size
    if (count > 0) parts.push(`${count} ${unit}${count === 1 ? '' : 's'}`)
  }
  return parts.slice(0, 2).join(' ') || 'less than a second'
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
