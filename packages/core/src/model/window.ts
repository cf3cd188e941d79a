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
}

/** The span over which a counter counts. `sliding`: the last `ms`. `calendar`: the current day, week or month of a zone. */
export type CounterWindow =
  | { readonly kind: 'sliding'; readonly ms: number }
  | { readonly kind: 'calendar'; readonly unit: 'day' | 'week' | 'month'; readonly zone: string }
