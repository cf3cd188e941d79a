import { exactTime, minuteTime, shortTime } from '../wording.ts'

/** An instant as people read it beside others, and exactly on demand. */
export function ShortTime({
  at,
  now,
  lead = '',
  className,
}: {
  readonly at: string
  /** Of today, only the time of day is shown. */
  readonly now: number
  /** What stands before it and belongs to it. */
  readonly lead?: string
  readonly className?: string
}) {
  return (
    <time className={className} dateTime={at} title={exactTime(at)}>
      {lead}
      {shortTime(at, now)}
    </time>
  )
}

/** An instant of which the day matters, to the minute and with the reader's time zone; exactly on demand. */
export function MinuteTime({ at }: { readonly at: string }) {
  return (
    <time dateTime={at} title={exactTime(at)}>
      {minuteTime(at)}
    </time>
  )
}
