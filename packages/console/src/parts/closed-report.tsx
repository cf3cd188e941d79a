import type { ReactNode } from 'react'
import type { Approval } from '../api.ts'
import { useNow } from '../clock.ts'
import { isByGlass, isVoid, wasLetThrough, yesCount, yesOf } from '../consent.ts'
import { Link } from '../router.tsx'
import { unreachable } from '../unreachable.ts'
import { ShortTime } from './short-time.tsx'
import { visibleText } from '../wording.ts'
import { GlassBadge } from './badges.tsx'
import { Section } from './document.tsx'

/** What became of an approval that no longer waits. */
export function ClosedReport({ approval }: { readonly approval: Approval }) {
  const now = useNow()
  const { title, body } = reportOf(approval, now)
  return (
    <Section title={title}>
      <p>{body}</p>
      {isByGlass(approval) && !isVoid(approval) && (
        <p className="glass-note">
          <GlassBadge /> It was let through in an emergency, not by those whom the policy asks.
        </p>
      )}
    </Section>
  )
}

function reportOf(approval: Approval, now: number): { title: string; body: ReactNode } {
  const { status, votes, consumedBy } = approval
  const deadline = <ShortTime at={approval.deadline} now={now} />
  switch (status) {
    case 'pending':
      return { title: 'Waiting', body: <>Waits for an answer until {deadline}.</> }
    case 'approved':
      if (isVoid(approval)) return { title: 'Approved, but void', body: <VoidedText approval={approval} /> }
      return {
        title: 'Approved, not used yet',
        body: <>The agent may run this call once, with exactly these parameters, until {deadline}.</>,
      }
    case 'consumed':
      return {
        title: 'Approved and used',
        body: (
          <>
            The call was decided again and allowed
            {consumedBy !== null && (
              <>
                {' '}
                by <Link to={`/decisions/${consumedBy}`}>{consumedBy}</Link>
              </>
            )}
            . The approval can’t be used again.
          </>
        ),
      }
    case 'rejected': {
      const rejecting = votes.find(({ vote }) => vote === 'reject')
      const who = rejecting === undefined ? 'It was rejected' : `${visibleText(rejecting.person)} rejected it`
      return {
        title: 'Rejected',
        body: (
          <>
            {who}; one rejection is enough. <Denied />
          </>
        ),
      }
    }
    case 'expired':
      return expiryOf(approval, deadline)
    case 'cancelled':
      return {
        title: 'Cancelled',
        body: <Withdrawal approval={approval} />,
      }
    default:
      return unreachable(status)
  }
}

/** That nobody, or too few, answered in time, or that the agent did not use the yes that it had. */
function expiryOf(approval: Approval, deadline: ReactNode): { title: string; body: ReactNode } {
  const approved = yesCount(approval)
  const done = yesOf(approval) === 'approve' ? 'approved' : 'looked at it'
  if (wasLetThrough(approval)) {
    return {
      title: 'Expired unused',
      body: (
        <>
          It was approved, but the agent did not use it by {deadline}. <Denied />
        </>
      ),
    }
  }
  const count =
    approved === 0 ? 'Nobody answered' : `Only ${approved} of ${approval.terms.quorum} people ${done}`
  return {
    title: 'Expired',
    body: (
      <>
        {count} by {deadline}, and silence is a denial. <Denied />
      </>
    ),
  }
}

/** That the policy has changed, and what that means for the call. */
export function VoidedText({ approval: { agent, status } }: { readonly approval: Approval }) {
  return (
    <>
      The policy of {visibleText(agent)} has changed since this was asked.{' '}
      {status === 'pending' ? 'Whatever is answered, the call is denied' : 'The call is denied all the same'};
      the agent has to ask again. Nothing has run.
    </>
  )
}

/** What it means for the call that nothing let it through. */
function Denied() {
  return <>The call is denied, and nothing has run. The agent may ask again, which is a new call.</>
}

function Withdrawal({ approval: { cancelled } }: { readonly approval: Approval }) {
  const now = useNow()
  if (cancelled === null) {
    return (
      <>
        It was withdrawn before it was used. <Denied />
      </>
    )
  }
  return (
    <>
      {cancelled.by === 'agent' ? 'The agent' : visibleText(cancelled.by)} withdrew it{' '}
      <ShortTime at={cancelled.at} now={now} lead="at " />. <Denied />
      {cancelled.reason !== null && (
        <span className="vote-comment withdrawal-reason">{visibleText(cancelled.reason)}</span>
      )}
    </>
  )
}
