import { useEffect, useRef } from 'react'
import type { Approval, Session } from '../api.ts'
import { isVoid, wasLetThrough } from '../consent.ts'
import { visibleText } from '../wording.ts'
import { Notice } from './notice.tsx'
import { saidBy } from './vote-outcome.tsx'

const nothingYours = 'Nothing was recorded in your name.'

/**
 * For whoever was about to answer a call that cannot be answered any more: what became of it, by whom, and what they had written.
 * It takes the focus that the vanished buttons had.
 */
export function NotGiven({
  approval,
  me,
  isTooLate,
  comment,
}: {
  readonly approval: Approval
  readonly me: Session['person']
  /** Whether the deadline passed before anybody had settled the call. */
  readonly isTooLate: boolean
  readonly comment: string
}) {
  const place = useRef<HTMLDivElement>(null)
  useEffect(() => place.current?.focus(), [])
  return (
    <div ref={place} tabIndex={-1} className="vote-result">
      <Notice tone="bad" role="alert">
        <strong>{isTooLate ? 'Time is up: your' : 'Your'} answer was not given</strong>
        <p>{takenText(approval, me.id, isTooLate)}</p>
      </Notice>
      <Written comment={comment} />
    </div>
  )
}

/** A comment that went with no vote, so that its author can copy it. */
export function Written({ comment }: { readonly comment: string }) {
  if (comment.trim() === '') return null
  return (
    <label className="comment written-comment">
      <span>What you had written</span>
      <textarea rows={3} readOnly value={comment} />
    </label>
  )
}

function takenText(approval: Approval, me: string, isTooLate: boolean): string {
  const own = approval.votes.find((vote) => vote.person === me || vote.for === me)
  if (own !== undefined) {
    const stead = own.for === me ? ' in your stead' : ''
    return `${votedText(own, me)}${stead} already. That vote counts, and this answer was not recorded.`
  }
  const ended = endedText(approval, me)
  if (ended !== null) return `${ended} before you confirmed yours. ${nothingYours}`
  if (isTooLate) return `The deadline passed before you confirmed it. ${nothingYours}`
  return `You may not answer this call any more. ${nothingYours}`
}

/** What others did to the call, without a full stop; null where nobody has ended it. */
function endedText(approval: Approval, me: string): string | null {
  const { status, votes, cancelled } = approval
  if (status === 'cancelled') {
    if (cancelled === null) return 'This call was withdrawn'
    const by =
      cancelled.by === 'agent' ? 'The agent' : cancelled.by === me ? 'You' : visibleText(cancelled.by)
    return `${by} withdrew this call`
  }
  const last = status === 'rejected' ? votes.find(({ vote }) => vote === 'reject') : votes.at(-1)
  if (status === 'rejected' || wasLetThrough(approval)) {
    return last === undefined ? 'This call was answered' : votedText(last, me)
  }
  return isVoid(approval) ? `The policy of ${visibleText(approval.agent)} changed` : null
}

function votedText({ person, vote, breakGlass }: Approval['votes'][number], me: string): string {
  const who = person === me ? 'You' : visibleText(person)
  return breakGlass === true ? `${who} broke the glass for this call` : saidBy(who, vote)
}
