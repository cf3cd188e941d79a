import { useNow } from '../clock.ts'
import { countdownText } from '../wording.ts'
import { Icon } from './icons.tsx'

const urgentMs = 60_000

/** The time left until `deadline`, as large digits over a bar that runs out. */
export function Countdown({ from, deadline }: { readonly from: string; readonly deadline: string }) {
  const { left, share, tone } = useTimeLeft(from, deadline)
  return (
    <div
      className={`countdown countdown-${tone}`}
      role="timer"
      aria-label={`Time left: ${countdownText(left)}`}
    >
      <span className="countdown-digits">{countdownText(left)}</span>
      <span className="countdown-label">{left > 0 ? 'left, then it is denied' : 'time is up'}</span>
      {/* Attributes, not styles: the content security policy allows no inline style. */}
      <svg className="countdown-bar" aria-hidden="true">
        <rect className="countdown-track" width="100%" height="100%" rx="2" />
        <rect className="countdown-fill" width={`${share * 100}%`} height="100%" rx="2" />
      </svg>
    </div>
  )
}

/** The time left as a sentence, where an answer is given: on a phone, the large digits are out of sight there. */
export function TimeToAnswer({ from, deadline }: { readonly from: string; readonly deadline: string }) {
  const { left, tone } = useTimeLeft(from, deadline)
  return (
    <p
      className={`time-to-answer countdown-${tone}`}
      role="timer"
      aria-label={`Time left to answer: ${countdownText(left)}`}
    >
      <Icon name="clock" />
      <span>
        <strong className="number">{countdownText(left)}</strong> left to answer
      </span>
    </p>
  )
}

/** The time left on one line, for lists. */
export function TimeLeft({ from, deadline }: { readonly from: string; readonly deadline: string }) {
  const { left, tone } = useTimeLeft(from, deadline)
  return (
    <span className={`time-left countdown-${tone}`}>{left > 0 ? countdownText(left) : 'time is up'}</span>
  )
}

function useTimeLeft(from: string, deadline: string): { left: number; share: number; tone: string } {
  const now = useNow()
  const end = Date.parse(deadline)
  const left = Math.max(0, end - now)
  const whole = end - Date.parse(from)
  const share = whole > 0 ? Math.min(1, left / whole) : 0
  return { left, share, tone: left === 0 ? 'over' : left <= urgentMs ? 'urgent' : 'calm' }
}
