import { useEffect, useRef } from 'react'
import type { Approval, Ballot, VoteChoice } from '../api.ts'
import { glassCount, isVoid, yesCount } from '../consent.ts'
import type { Problem } from '../problem.ts'
import { visibleText } from '../wording.ts'
import { Notice } from './notice.tsx'

/** Stays when the form goes away, as when someone else was faster: the person must know that their vote did not count. */
export function VoteProblem({ problem }: { readonly problem: Problem }) {
  // An error of the service or of a proxy before it may come after the vote was recorded.
  const isLost = problem.status === null || problem.status >= 500
  return (
    <Notice tone="bad" role="alert">
      <strong>{isLost ? 'It is not known whether your vote arrived' : 'Your vote was not counted'}</strong>
      <p>
        {isLost
          ? 'The service did not confirm it. Look at the votes below before you try again; nobody can vote twice.'
          : problemText(problem)}
      </p>
    </Notice>
  )
}

/** All that a problem says, as sentences. */
export function problemText({ message, detail, fix }: Problem): string {
  const said = [message, detail, fix].filter((part) => part !== null)
  return visibleText(`${said.map((part) => part.replace(/\.$/, '')).join('. ')}.`)
}

/** The result of the vote just cast, in plain words; it takes the focus that the vanished buttons had. */
export function VoteResult({
  approval,
  ballot: { choice, inSteadOf, breakGlass },
}: {
  readonly approval: Approval
  readonly ballot: Ballot
}) {
  const place = useRef<HTMLDivElement>(null)
  useEffect(() => place.current?.focus(), [])
  return (
    <div ref={place} tabIndex={-1} className="vote-result">
      <Notice tone={choice === 'reject' ? 'bad' : 'good'} role="status">
        <strong>
          {breakGlass ? 'You broke the glass for this call' : saidBy('You', choice)}
          {inSteadOf !== null && `, in the stead of ${visibleText(inSteadOf)}`}
        </strong>
        <p>{choice === 'reject' ? 'It will not run.' : recordedText(approval, choice, breakGlass)}</p>
      </Notice>
    </div>
  )
}

function recordedText(approval: Approval, choice: VoteChoice, breakGlass: boolean): string {
  // The service may have started with another policy while the page was open.
  if (isVoid(approval)) return 'Your vote is recorded, but the policy has changed: the call is denied.'
  const missing = breakGlass
    ? (approval.terms.breakGlass?.quorum ?? 0) - glassCount(approval)
    : approval.terms.quorum - yesCount(approval)
  if (approval.status !== 'pending' || missing <= 0) return 'Your vote is recorded, and no more are needed.'
  const people = missing === 1 ? 'person has' : 'people have'
  const todo = breakGlass ? 'do the same' : choice
  return `Your vote is recorded. ${missing} more ${people} to ${todo} before the deadline.`
}

/** Who said what about this call, as a sentence without its full stop. */
export function saidBy(who: string, choice: VoteChoice): string {
  if (choice === 'acknowledge') return `${who} looked at this call`
  return `${who} ${choice === 'approve' ? 'approved' : 'rejected'} this call`
}
