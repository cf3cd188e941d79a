import { useEffect, useRef, useState } from 'react'
import type { ReactNode } from 'react'
import type { Approval, Session, VoteChoice } from '../api.ts'
import { useNow } from '../clock.ts'
import { asProblem } from '../problem.ts'
import type { Problem } from '../problem.ts'
import { useVote } from '../queries.ts'
import { approversText, visibleText } from '../wording.ts'
import { ClosedReport } from './closed-report.tsx'
import { Section } from './document.tsx'
import { Icon } from './icons.tsx'

type Person = Session['person']

/** The answer: a form for those who may vote, otherwise why there is none, and always what came of it. */
export function VotePanel({ approval, me }: { readonly approval: Approval; readonly me: Person }) {
  const vote = useVote(approval)
  const now = useNow()
  const isOver = now >= Date.parse(approval.deadline)
  const cast = vote.isSuccess ? vote.variables.choice : null

  return (
    <>
      {vote.isError && <VoteProblem problem={asProblem(vote.error)} />}
      {cast !== null && <VoteResult approval={approval} choice={cast} />}
      {approval.status !== 'pending' ? (
        <ClosedReport approval={approval} />
      ) : isOver ? (
        <Section title="Time is up">
          <p>The deadline has passed, so the call is denied. This page shows it as soon as it is recorded.</p>
        </Section>
      ) : approval.mayVote && cast === null ? (
        <VoteForm approval={approval} me={me} vote={vote} />
      ) : (
        cast === null && <WhyNot approval={approval} me={me} />
      )}
    </>
  )
}

const commentLengthMax = 2000

function VoteForm({
  approval,
  me,
  vote,
}: {
  readonly approval: Approval
  readonly me: Person
  readonly vote: ReturnType<typeof useVote>
}) {
  const [comment, setComment] = useState('')
  const sending = vote.isPending ? vote.variables.choice : null
  return (
    <Section title="Your answer">
      <label className="comment">
        <span>
          Comment <span className="quiet">optional, recorded with your vote</span>
        </span>
        <textarea
          rows={3}
          maxLength={commentLengthMax}
          value={comment}
          disabled={vote.isPending}
          onChange={(event) => setComment(event.target.value)}
        />
      </label>
      <div className="vote-buttons">
        <VoteButton choice="reject" sending={sending} onVote={(choice) => vote.mutate({ choice, comment })} />
        <VoteButton
          choice="approve"
          sending={sending}
          onVote={(choice) => vote.mutate({ choice, comment })}
        />
      </div>
      <p className="small quiet">
        {consequenceOf(approval)} Your vote is recorded as {visibleText(me.id)} and cannot be undone.
      </p>
    </Section>
  )
}

function consequenceOf({ agent, votes, terms }: Approval): string {
  const missing = terms.quorum - votes.filter(({ vote }) => vote === 'approve').length
  const run = `${visibleText(agent)} may run this call once, with exactly these parameters, before the deadline.`
  return missing > 1 ? `Once ${missing} more people have approved, ${run}` : `If you approve, ${run}`
}

function VoteButton({
  choice,
  sending,
  onVote,
}: {
  readonly choice: VoteChoice
  readonly sending: VoteChoice | null
  readonly onVote: (choice: VoteChoice) => void
}) {
  const isApprove = choice === 'approve'
  const label = isApprove ? 'Approve' : 'Reject'
  return (
    <button
      type="button"
      className={`button button-${choice}`}
      disabled={sending !== null}
      onClick={() => onVote(choice)}
    >
      <Icon name={isApprove ? 'check' : 'cross'} />
      {sending === choice ? 'Sending…' : label}
    </button>
  )
}

/** Stays when the form goes away, as when someone else was faster: the person must know that their vote did not count. */
function VoteProblem({ problem }: { readonly problem: Problem }) {
  // An error of the service or of a proxy before it may come after the vote was recorded.
  const isLost = problem.status === null || problem.status >= 500
  const said = [problem.message, problem.detail, problem.fix].filter((part) => part !== null)
  return (
    <Notice tone="bad" role="alert">
      <strong>{isLost ? 'It is not known whether your vote arrived' : 'Your vote was not counted'}</strong>
      <p>
        {isLost
          ? 'The service did not confirm it. Look at the votes below before you try again; nobody can vote twice.'
          : visibleText(
              said
                .map((part) => part.replace(/\.$/, ''))
                .join('. ')
                .concat('.'),
            )}
      </p>
    </Notice>
  )
}

/** The result of the vote just cast, in plain words; it takes the focus that the vanished buttons had. */
function VoteResult({ approval, choice }: { readonly approval: Approval; readonly choice: VoteChoice }) {
  const place = useRef<HTMLDivElement>(null)
  useEffect(() => place.current?.focus(), [])
  const missing = approval.terms.quorum - approval.votes.filter(({ vote }) => vote === 'approve').length
  const stillMissing = choice === 'approve' && approval.status === 'pending' && missing > 0
  return (
    <div ref={place} tabIndex={-1} className="vote-result">
      <Notice tone={choice === 'approve' ? 'good' : 'bad'} role="status">
        <strong>{choice === 'approve' ? 'You approved this call' : 'You rejected this call'}</strong>
        <p>
          {choice === 'reject'
            ? 'It will not run.'
            : stillMissing
              ? `Your vote is recorded. ${missing} more ${missing === 1 ? 'person has' : 'people have'} to approve before the deadline.`
              : 'Your vote is recorded, and no more are needed.'}
        </p>
      </Notice>
    </div>
  )
}

function WhyNot({ approval, me }: { readonly approval: Approval; readonly me: Person }) {
  if (approval.erased === true) {
    return (
      <Section title="Nothing to answer">
        <p>
          What this call was to do has been erased, so nobody can approve or reject it any more. It never
          runs; the approval expires at its deadline.
        </p>
      </Section>
    )
  }
  const mine = approval.votes.find(({ person }) => person === me.id)
  if (mine !== undefined) {
    return (
      <Section title="You have voted">
        <p>
          You {mine.vote === 'approve' ? 'approved' : 'rejected'} this call. One person counts once; it waits
          for others now.
        </p>
      </Section>
    )
  }
  const roles = me.roles.length === 0 ? 'no role' : me.roles.map(visibleText).join(', ')
  return (
    <Section title="You can’t answer this one">
      <p>
        The policy asks for {approversText(approval.terms.approvers)}. You are signed in as{' '}
        {visibleText(me.id)}, with {roles}.
      </p>
    </Section>
  )
}

function Notice({
  tone,
  role,
  children,
}: {
  readonly tone: 'good' | 'bad'
  readonly role: 'status' | 'alert'
  readonly children: ReactNode
}) {
  return (
    <div className={`notice notice-${tone}`} role={role}>
      <Icon name={tone === 'good' ? 'check' : role === 'alert' ? 'warning' : 'cross'} />
      <div>{children}</div>
    </div>
  )
}
