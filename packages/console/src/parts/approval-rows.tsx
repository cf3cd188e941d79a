import type { Approval } from '../api.ts'
import { useNow } from '../clock.ts'
import { progressText } from '../consent.ts'
import { useSession } from '../queries.ts'
import { Link } from '../router.tsx'
import { cardFieldsOf, summaryOf } from '../fields.ts'
import { exactTime, shortTime, visibleText } from '../wording.ts'
import { unreachable } from '../unreachable.ts'
import { StatusBadge } from './badges.tsx'
import { Countdown } from './countdown.tsx'
import { OutsideText } from './fields.tsx'
import { Icon } from './icons.tsx'
import { Hidden } from './reveal.tsx'

const fieldsOnCardMax = 4

/** A call that waits: who asks for what, why it was held, and how long is left. */
export function ApprovalCard({ approval }: { readonly approval: Approval }) {
  const me = useSession().data?.person.id
  const { votes, terms } = approval
  return (
    <li className={approval.mayVote ? 'card card-mine panel' : 'card panel'}>
      <div className="card-main">
        <h2 className="action-name">
          <Link
            to={`/approvals/${approval.id}`}
            className="row-link"
            data-row=""
            data-answerable={approval.mayVote ? '' : undefined}
          >
            {visibleText(approval.action)}
          </Link>
        </h2>
        <p className="agent">{visibleText(approval.agent)}</p>
        <CardFields approval={approval} />
        <p className="card-reason">
          <Icon name="escalate" />
          {visibleText(tellingReason(approval.reasons))}
        </p>
      </div>
      <div className="card-side">
        <Countdown from={approval.openedAt} deadline={approval.deadline} />
        {terms.quorum > 1 && <p className="quiet">{progressText(approval)}</p>}
        {approval.mayVote ? (
          // The whole card is the link; this only looks like the way in.
          <span className="button button-primary">Review</span>
        ) : (
          <span className="quiet">
            {votes.some(({ person }) => person === me) ? 'You have voted' : 'Others answer this one'}
          </span>
        )}
      </div>
    </li>
  )
}

/** What a policy's author wrote says more than that somebody is asked. */
function tellingReason(reasons: readonly string[]): string {
  const written = reasons.find((reason) => !reason.startsWith('Escalation required:'))
  return written ?? reasons[0] ?? 'Held for a person'
}

function CardFields({ approval }: { readonly approval: Approval }) {
  const { params } = approval
  if (params === null) return <p className="quiet">The parameters are not stored any more.</p>
  const fields = cardFieldsOf(params, approval)
  const shown = fields.slice(0, fieldsOnCardMax)
  const more = fields.length - shown.length
  return (
    <dl className="card-fields">
      {shown.map((field) => (
        <div key={field.name}>
          <dt title={field.name}>{field.label}</dt>
          <dd>{field.kind === 'masked' ? <Hidden /> : <OutsideText text={summaryOf(field)} />}</dd>
        </div>
      ))}
      {more > 0 && (
        <div>
          <dt>and</dt>
          <dd className="quiet">{more} more</dd>
        </div>
      )}
    </dl>
  )
}

/** An approval that needs nobody any more, on one line. */
export function ClosedApproval({ approval }: { readonly approval: Approval }) {
  const now = useNow()
  return (
    <li className="closed-row">
      <span className="closed-what">
        <Link to={`/approvals/${approval.id}`} className="row-link" data-row="">
          {visibleText(approval.action)}
        </Link>
        <span className="agent">{visibleText(approval.agent)}</span>
      </span>
      <span className="closed-detail">{closedDetail(approval)}</span>
      <StatusBadge status={approval.status} />
      <time className="closed-time" dateTime={approval.openedAt} title={exactTime(approval.openedAt)}>
        {shortTime(approval.openedAt, now)}
      </time>
    </li>
  )
}

function closedDetail(approval: Approval): string {
  const { status, votes, consumedBy } = approval
  const last = votes.at(-1)
  switch (status) {
    case 'pending':
      return ''
    case 'approved':
      return last === undefined ? 'not used yet' : `by ${last.person}, not used yet`
    case 'consumed':
      return [last && `by ${last.person}`, consumedBy && `used by ${consumedBy}`].filter(Boolean).join(', ')
    case 'rejected':
      return last === undefined ? '' : `by ${last.person}`
    case 'expired':
      return votes.length === 0 ? 'nobody answered' : progressText(approval)
    case 'cancelled':
      return 'withdrawn'
    default:
      return unreachable(status)
  }
}
