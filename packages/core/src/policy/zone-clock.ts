import type { Instant } from '../model/ids.ts'

/** One day of clock time. */
export const dayMs = 86_400_000
/** Clocks are changed at full quarters of an hour, so one offset holds for a whole quarter. */
export const slotMs = 15 * 60_000

/**
 * The clocks of a time zone. Its answers depend on nothing but zone and instant; asking the platform takes
 * microseconds, so the last answer is kept.
 */
export class ZoneClock {
  readonly #format: Intl.DateTimeFormat
  #slot = Number.NaN
  #offset = 0

  /** @param zone an IANA name that the platform knows */
  constructor(zone: string) {
    this.#format = new Intl.DateTimeFormat('en-u-ca-iso8601-nu-latn', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
  }

  /** What the clocks show at `at`, as the instant at which clocks in UTC show the same. */
  local(at: number): number {
    const slot = Math.floor(at / slotMs)
    if (slot !== this.#slot) {
      this.#offset = this.#ask(slot * slotMs)
      this.#slot = slot
    }
    return at + this.#offset
  }

  /**
   * The first instant at which the clocks show `local`. Where they never show it, because they jump ahead, the
   * instant of the jump.
   */
  firstAt(local: number): Instant {
    // No zone is further than a day from UTC.
    let before = local - 2 * dayMs
    let after = local + 2 * dayMs
    const near = [before, local, after].map((at) => local - (this.local(at) - at))
    const exact = near.filter((at) => this.local(at) === local)
    if (exact.length > 0) return Math.min(...exact) as Instant
    while (after - before > 1) {
      const middle = Math.floor((before + after) / 2)
      if (this.local(middle) >= local) after = middle
      else before = middle
    }
    return after as Instant
  }

  #ask(at: number): number {
    const parts = new Map<string, number>()
    for (const { type, value } of this.#format.formatToParts(at)) parts.set(type, Number(value))
    const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = [
      'year',
      'month',
      'day',
      'hour',
      'minute',
      'second',
    ].map((type) => parts.get(type))
    return Date.UTC(year, month - 1, day, hour, minute, second) - at
  }
}

/** The day of the week that clocks show, Monday 0. */
export function weekdayOf(local: number): number {
  // 1970-01-01 was a Thursday.
  return (((Math.floor(local / dayMs) + 3) % 7) + 7) % 7
}
