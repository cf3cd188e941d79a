import { useState } from 'react'
import type { Approval, Session, VoteChoice } from '../api.ts'
import { yesOf } from '../consent.ts'
import { inInboxOrder } from '../inbox-order.ts'
import { useKeptAnswer, useLeftAnswer } from '../kept-answer.ts'
import { visibleText } from '../wording.ts'
import { TimeToAnswer } from './countdown.tsx'
import { Section } from './document.tsx'
import { Icon } from './icons.tsx'
import { CallsInShort } from './in-short.tsx'
import { Choices, Comment } from './vote-form.tsx'

/** One answer to several calls, in two steps as to a single one. */
export function TogetherForm({
  ready,
  me,
  choice,
  isPending,
  onChoose,
  onSend,
}: {
  /** Those that a vote would count on now. */
  readonly ready: readonly Approval[]
  readonly me: Session['person']
  readonly choice: VoteChoice | null
  readonly isPending: boolean
  readonly onChoose: (choice: VoteChoice | null) => void
  readonly onSend: (choice: VoteChoice, comment: string) => void
}) {
  const [first] = ready
  if (first === undefined) {
    return (
      <Section title="Nothing is left to answer">
        <p>None of these calls waits for you any more.</p>
      </Section>
    )
  }
  return (
    <Section title="Your answer to all of them">
      <Choices yes={yesOf(first)} choice={choice} isDisabled={isPending} onChoose={onChoose} />
      {choice === null ? (
        <p className="small quiet">
          Nothing is chosen yet. What should be answered otherwise, leave out. Votes can’t be undone.
        </p>
      ) : (
        <TogetherConfirmation
          key={choice}
          ready={ready}
          me={me}
          choice={choice}
          isPending={isPending}
          onBack={() => onChoose(null)}
          onSend={onSend}
        />
      )}
    </Section>
  )
}

function TogetherConfirmation({
  ready,
  me,
  choice,
  isPending,
  onBack,
  onSend,
}: {
  readonly ready: readonly Approval[]
  readonly me: Session['person']
  readonly choice: VoteChoice
  readonly isPending: boolean
  readonly onBack: () => void
  readonly onSend: (choice: VoteChoice, comment: string) => void
}) {
  const left = useLeftAnswer(ready, me)
  const [comment, setComment] = useState(left?.choice === choice ? left.comment : '')
  useKeptAnswer(ready, me, { choice, comment })
  // Those whose deadline has passed are no longer among them.
  const [nearest] = inInboxOrder(ready)
  return (
    <div className="confirmation" tabIndex={-1}>
      <CallsInShort approvals={ready} />
      <p className="consequence">{consequenceOf(ready, choice)}</p>
      <Comment value={comment} isDisabled={isPending} onChange={setComment} />
      {nearest !== undefined && <TimeToAnswer from={nearest.openedAt} deadline={nearest.deadline} />}
      <div className="vote-buttons">
        <button
          type="button"
          className={`button button-${choice}`}
          disabled={isPending}
          onClick={() => onSend(choice, comment)}
        >
          <Icon name={choice === 'reject' ? 'cross' : 'check'} />
          {isPending ? 'Sending…' : buttonText(choice, ready.length)}
        </button>
        <button type="button" className="button button-quiet" disabled={isPending} onClick={onBack}>
          Back
        </button>
      </div>
      <p className="small quiet">
        {ready.length === 1 ? '1 vote is' : `${ready.length} votes are`} recorded as {visibleText(me.id)},
        each with this comment, and cannot be undone or changed, by you or by anyone.
      </p>
    </div>
  )
}

function consequenceOf(ready: readonly Approval[], choice: VoteChoice): string {
  const [first] = ready
  if (choice === 'reject') return 'One rejection is enough: none of these calls runs, whatever others say.'
  const quorum = first?.terms.quorum ?? 1
  const each = `${visibleText(first?.agent ?? '')} may run each call once, with exactly its own parameters, before its deadline.`
  const did = choice === 'acknowledge' ? 'have said that they have looked at it' : 'have agreed to it'
  if (quorum > 1) return `Once ${quorum} people ${did}, ${each}`
  return choice === 'acknowledge'
    ? `You say that you have looked at each. Then ${each}`
    : `If you agree, ${each}`
}

function buttonText(choice: VoteChoice, count: number): string {
  const calls = count === 1 ? 'this call' : `all ${count}`
  if (choice === 'reject') return `Reject ${calls}`
  return choice === 'approve' ? `I agree to ${calls}` : `I have looked at ${calls}`
}
