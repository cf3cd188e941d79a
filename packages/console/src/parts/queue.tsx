import { usePendingApprovals } from '../queries.ts'
import { Link } from '../router.tsx'
import { inInboxOrder } from '../inbox-order.ts'
import { Icon } from './icons.tsx'

/** Where one approval stands among those that wait, in the order of the inbox. */
export interface QueuePlace {
  /** From 1 on; null where it does not wait. */
  readonly place: number | null
  readonly waiting: number
  readonly previous: string | null
  readonly next: string | null
}

/** The place of an approval in the queue; where it does not wait, the first that does comes next. */
export function useQueue(id: string): QueuePlace {
  const queue = inInboxOrder(usePendingApprovals().approvals ?? [])
  const at = queue.findIndex((approval) => approval.id === id)
  return {
    place: at === -1 ? null : at + 1,
    waiting: queue.length,
    previous: at === -1 ? null : (queue[at - 1]?.id ?? null),
    next: queue[at + 1]?.id ?? null,
  }
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
