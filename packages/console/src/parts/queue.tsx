import { hasVoted, mayAnswer } from '../consent.ts'
import { inInboxOrder } from '../inbox-order.ts'
import { usePendingApprovals } from '../queries.ts'
import { Link } from '../router.tsx'
import { visibleText } from '../wording.ts'
import { firstAmount } from './approval-rows.tsx'
import { TimeLeft } from './countdown.tsx'
import { OutsideText } from './fields.tsx'
import { Icon } from './icons.tsx'

/** Where one approval stands among those that wait, in the order of the inbox. */
export interface QueuePlace {
  /** From 1 on; null where it does not wait, or not for the reader any more. */
  readonly place: number | null
  readonly waiting: number
  readonly previous: string | null
  readonly next: string | null
}

/** The place of an approval in the reader's queue; where it does not wait for them, the first that waits comes next. */
export function useQueue(id: string, me: string): QueuePlace {
  const waiting = inInboxOrder(usePendingApprovals().approvals ?? [])
  const queue = waiting.filter((approval) => approval.id !== id || !hasVoted(approval, me))
  const at = queue.findIndex((approval) => approval.id === id)
  return {
    place: at === -1 ? null : at + 1,
    waiting: queue.length,
    previous: at === -1 ? null : (queue[at - 1]?.id ?? null),
    next: queue[at + 1]?.id ?? null,
  }
}

/** For whoever has answered one call: the way to the next that they may answer, or that none waits. */
export function NextCall({ after }: { readonly after: string }) {
  const { approvals, hasMore } = usePendingApprovals()
  if (approvals === undefined) return null
  const next = inInboxOrder(approvals).find((approval) => approval.id !== after && mayAnswer(approval))
  if (next === undefined) {
    // Of what is not loaded nothing can be said.
    if (hasMore) return null
    return (
      <p className="small quiet" role="status">
        No other call waits for your answer.
      </p>
    )
  }
  const amount = firstAmount(next)
  return (
    <Link to={`/approvals/${next.id}`} className="button button-primary next-call">
      <span>
        Next: <span className="action-name">{visibleText(next.action)}</span>
        {amount !== null && (
          <>
            , <OutsideText text={amount} />
          </>
        )}{' '}
        <span className="next-call-detail">
          by {visibleText(next.agent)}, <TimeLeft from={next.openedAt} deadline={next.deadline} />
        </span>
      </span>
      <Icon name="forward" />
    </Link>
  )
}

/** The way to the previous and the next call that waits. */
export function Queue({ queue: { place, waiting, previous, next } }: { readonly queue: QueuePlace }) {
  if (waiting === 0 || (place !== null && waiting === 1)) return null
  return (
    <nav className="queue" aria-label="Approvals that wait">
      {previous !== null && (
        <Link to={`/approvals/${previous}`} className="button button-small" aria-label="Previous approval">
          <Icon name="back" />
        </Link>
      )}
      <span className="quiet">
        {place === null ? `${waiting} waiting` : `${place} of ${waiting} waiting`}
      </span>
      {next !== null && (
        <Link to={`/approvals/${next}`} className="button button-small" aria-label="Next approval">
          <Icon name="forward" />
        </Link>
      )}
    </nav>
  )
}
