import type { Approval } from '../api.ts'
import { useNow } from '../clock.ts'
import { glassCount, isByGlass, isVoid, mayAnswer, progressText } from '../consent.ts'
import { useSession } from '../queries.ts'
import { Link } from '../router.tsx'
import { canBeSelected } from '../alike.ts'
import { cardFieldsOf, isAmount, reasonText, summaryOf } from '@bailiwick/core/words'
import type { Field } from '@bailiwick/core/words'
import { ShortTime } from './short-time.tsx'
import { visibleText } from '../wording.ts'
import { unreachable } from '../unreachable.ts'
import { GlassBadge, StatusBadge, VoidBadge } from './badges.tsx'
import { Countdown } from './countdown.tsx'
import { OutsideText } from './fields.tsx'
import { Icon } from './icons.tsx'
import { Hidden } from './reveal.tsx'

const fieldsOnCardMax = 4

/** How a card is selected, to be answered together with others. */
interface CardSelecting {
  readonly isChosen: boolean
  readonly isOffered: boolean
  readonly onSelect: () => void
}

/** A call that waits: who asks for what, why it was held, and how long is left. */
export function ApprovalCard({
  approval,
  selecting,
  onWithdraw = null,
}: {
  readonly approval: Approval
  /** Absent: nothing is selected here. */
  readonly selecting?: CardSelecting
  /** Null: the reader may not. */
  readonly onWithdraw?: (() => void) | null
}) {
  const isMine = mayAnswer(approval)
  const marks = [isMine && 'card-mine', selecting?.isChosen === true && 'card-chosen']
  return (
    <li className={['card panel', ...marks].filter(Boolean).join(' ')}>
      <div className="card-main">
        <div className="card-head">
          <h2 className="action-name">
            <Link
              to={`/approvals/${approval.id}`}
              className="row-link"
              data-row=""
              data-answerable={isMine ? '' : undefined}
            >
              {visibleText(approval.action)}
            </Link>
          </h2>
          {selecting !== undefined && canBeSelected(approval) && (
            <CardSelect approval={approval} selecting={selecting} />
          )}
        </div>
        <p className="agent">{visibleText(approval.agent)}</p>
        <CardFields approval={approval} />
        <p className="card-reason">
          <Icon name="escalate" />
          <span>{tellingReason(approval.reasons)}</span>
        </p>
        {onWithdraw !== null && (
          <button
            type="button"
            className="button button-small button-quiet card-withdraw"
            aria-label={`Withdraw ${approval.id}, ${visibleText(approval.action)}`}
            onClick={onWithdraw}
          >
            Withdraw…
          </button>
        )}
      </div>
      <div className="card-side">
        {isVoid(approval) ? (
          <VoidBadge />
        ) : (
          <Countdown from={approval.openedAt} deadline={approval.deadline} />
        )}
        {glassCount(approval) > 0 && <GlassBadge />}
        {approval.terms.quorum > 1 && <p className="quiet">{progressText(approval)}</p>}
        <WhoAnswers approval={approval} />
      </div>
    </li>
  )
}

function CardSelect({
  approval,
  selecting: { isChosen, isOffered, onSelect },
}: {
  readonly approval: Approval
  readonly selecting: CardSelecting
}) {
  return (
    <label className="card-select">
      <input
        type="checkbox"
        aria-label={`Select ${approval.id}, ${visibleText(approval.action)}`}
        checked={isChosen}
        disabled={!isOffered}
        onChange={onSelect}
      />
    </label>
  )
}

function WhoAnswers({ approval }: { readonly approval: Approval }) {
  const me = useSession().data?.person.id
  const { votes, terms, mayVote, mayVoteFor } = approval
  if (isVoid(approval)) return <span className="quiet">No answer lets it run</span>
  if (!mayAnswer(approval)) {
    const isVoted = votes.some(({ person }) => person === me)
    return <span className="quiet">{isVoted ? 'You have voted' : 'Others answer this one'}</span>
  }
  return (
    <>
      {!mayVote && (
        <p className="quiet break">In the stead of {(mayVoteFor ?? []).map(visibleText).join(' or ')}</p>
      )}
      {terms.signed === true && <p className="quiet">Votes are signed</p>}
      {/* The whole card is the link; this only looks like the way in. */}
      <span className="button button-primary">Review</span>
    </>
  )
}

/** What a policy's author wrote says more than that somebody is asked. */
function tellingReason(reasons: readonly string[]): string {
  const written = reasons.find((reason) => !reason.startsWith('Escalation required:'))
  return reasonText(written ?? reasons[0] ?? 'Held for a person')
}

function CardFields({ approval }: { readonly approval: Approval }) {
  const { params } = approval
  if (params === null) return <p className="quiet">The parameters are not stored any more.</p>
  const fields = orderedFields(params, approval)
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

/** The amount that the inbox shows first of a call, in words; null where it has none that the reader may see. */
export function firstAmount(approval: Approval): string | null {
  const [first] = approval.params === null ? [] : orderedFields(approval.params, approval)
  return first !== undefined && rank(first) === 0 ? summaryOf(first) : null
}

function orderedFields(params: NonNullable<Approval['params']>, approval: Approval): readonly Field[] {
  return cardFieldsOf(params, approval).toSorted((one, other) => rank(one) - rank(other))
}

// Amounts say most of a call: they are not left out for what the agent happened to name before them.
function rank(field: Field): number {
  if (field.kind !== 'number') return 2
  return isAmount(field) ? 0 : 1
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
      <span className="closed-badges">
        <StatusBadge status={approval.status} />
        {isVoid(approval) && <VoidBadge />}
        {isByGlass(approval) && <GlassBadge />}
      </span>
      <ShortTime at={approval.openedAt} now={now} className="closed-time" />
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
      return [last && `by ${last.person}`, isVoid(approval) ? 'can’t be used' : 'not used yet']
        .filter(Boolean)
        .join(', ')
    case 'consumed':
      return [last && `by ${last.person}`, consumedBy && `used by ${consumedBy}`].filter(Boolean).join(', ')
    case 'rejected':
      return last === undefined ? '' : `by ${last.person}`
    case 'expired':
      return votes.length === 0 ? 'nobody answered' : progressText(approval)
    case 'cancelled':
      return approval.cancelled === null
        ? 'withdrawn'
        : `withdrawn by ${approval.cancelled.by === 'agent' ? 'its agent' : approval.cancelled.by}`
    default:
      return unreachable(status)
  }
}
