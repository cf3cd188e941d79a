import type { Activity, PastDecision } from '../api.ts'
import { useNow } from '../clock.ts'
import { Link } from '../router.tsx'
import { ShortTime } from './short-time.tsx'
import { visibleText } from '../wording.ts'
import { EffectBadge, StatusBadge } from './badges.tsx'

type History = Omit<Activity, 'agent'>

/** How an agent's last decisions came out, as a bar with its numbers, and the newest of them one by one. */
export function HistorySummary({
  history,
  none,
  showAction = false,
}: {
  readonly history: History
  /** What to say where there is no history. */
  readonly none: string
  readonly showAction?: boolean
}) {
  if (history.of === 0) return <p className="quiet">{none}</p>
  return (
    <div className="history">
      <EffectBar history={history} />
      <ol className="history-rows">
        {history.recent.slice(0, 5).map((past) => (
          <HistoryRow key={past.id} past={past} showAction={showAction} />
        ))}
      </ol>
    </div>
  )
}

/** The counts alone. */
export function EffectBar({ history: { of, counts, approvals } }: { readonly history: History }) {
  const parts = [
    { name: 'allowed', tone: 'allow', count: counts.allow },
    { name: 'held for people', tone: 'escalate', count: counts.escalate },
    { name: 'denied', tone: 'deny', count: counts.deny },
  ]
  let start = 0
  const rects = parts.map(({ tone, count }) => {
    const x = (100 * start) / Math.max(1, of)
    start += count
    return (
      <rect
        key={tone}
        className={`bar-${tone}`}
        x={`${x}%`}
        width={`${(100 * count) / Math.max(1, of)}%`}
        height="100%"
      />
    )
  })
  const answered = [
    [(approvals.approved ?? 0) + (approvals.consumed ?? 0), 'approved'],
    [approvals.rejected ?? 0, 'rejected'],
    [approvals.expired ?? 0, 'expired'],
  ] as const
  const answers = answered.filter(([count]) => count > 0).map(([count, word]) => `${count} ${word}`)
  return (
    <div className="effect-bar">
      <svg aria-hidden="true">{rects}</svg>
      <p>
        {parts
          .filter(({ count }) => count > 0)
          .map(({ name, tone, count }) => (
            <span key={name} className={`effect-count effect-${tone}`}>
              <strong>{count}</strong> {name}
            </span>
          ))}
        <span className="quiet">
          of the last {of}
          {answers.length > 0 && `; of those held: ${answers.join(', ')}`}
        </span>
      </p>
    </div>
  )
}

function HistoryRow({ past, showAction }: { readonly past: PastDecision; readonly showAction: boolean }) {
  const now = useNow()
  return (
    <li>
      <Link to={`/decisions/${past.id}`}>{past.id}</Link>
      {showAction && <code className="history-action">{visibleText(past.action)}</code>}
      {past.approval === null ? (
        <EffectBadge effect={past.effect} />
      ) : (
        <StatusBadge status={past.approval.status} />
      )}
      <ShortTime at={past.at} now={now} />
    </li>
  )
}
