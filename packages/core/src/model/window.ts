import type { Instant } from './ids.ts'

/** A day of the week, Monday first. */
export type Weekday = 'mon' | 'tue' | 'wed' | 'thu' | 'fri' | 'sat' | 'sun'

/** A named time window: certain hours of certain days, by the clocks of a zone. */
export interface TimeWindow {
  readonly name: string
  /** An IANA name such as `Europe/Berlin`. */
  readonly zone: string
  /** The days on which it begins. */
  readonly days: readonly Weekday[]
  /** Minutes after midnight. `from` is inside, `to` is not. Where `to` is not later, it ends on the next day. */
  readonly fromMinute: number
  readonly toMinute: number
  contains(at: Instant): boolean
}

/** The span over which a counter counts. `sliding`: the last `ms`. `calendar`: the current day, week or month of a zone. */
export type CounterWindow = SlidingWindow | CalendarWindow

export interface SlidingWindow {
  readonly kind: 'sliding'
  readonly ms: number
}

export interface CalendarWindow {
  readonly kind: 'calendar'
  readonly unit: 'day' | 'week' | 'month'
  readonly zone: string
  /** The instant at which the day, week or month of `now` began. */
  startOf(now: Instant): Instant
}
