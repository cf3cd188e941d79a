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

/** Instants in words, by the clocks of one zone. */
export interface TimeWords {
  /** Date and time to the minute, with the zone. */
  minute(at: string): string
  /** Date and time with milliseconds and time zone, for records. */
  exact(at: string): string
  /** What a text that is a day or an instant by RFC 3339 says, read as one. A day is the same everywhere. */
  read(text: string): string
}

/** Words for instants. @param zone an IANA name; absent: the reader's own */
export function timeWords(zone?: string): TimeWords {
  // Made once: making one takes longer than formatting a screen of times with it.
  const format = (options: Intl.DateTimeFormatOptions): ((at: string) => string) => {
    const made = new Intl.DateTimeFormat('en-GB', {
      hour12: false,
      ...(zone === undefined ? {} : { timeZone: zone }),
      ...options,
    })
    return (at) => made.format(new Date(at))
  }
  const clock = { hour: '2-digit', minute: '2-digit', timeZoneName: 'short' } as const
  const date = format({ day: 'numeric', month: 'short', year: 'numeric' })
  const minute = format(clock)
  const exactClock = format({ ...clock, second: '2-digit', fractionalSecondDigits: 3 })
  const day = format({ dateStyle: 'full', timeZone: 'UTC' })
  const exact = (at: string): string => `${date(at)}, ${exactClock(at)}`
  return {
    minute: (at) => `${date(at)}, ${minute(at)}`,
    exact,
    read: (text) => (text.includes('T') ? exact(text) : day(text)),
  }
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
