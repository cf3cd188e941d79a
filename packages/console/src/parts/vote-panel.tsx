import { useEffect, useRef, useState } from 'react'
import type { ReactNode } from 'react'
import type { Approval, Session, VoteChoice } from '../api.ts'
import { useNow } from '../clock.ts'
import { yesCount, yesOf } from '../consent.ts'
import { asProblem } from '../problem.ts'
import type { Problem } from '../problem.ts'
import { useVote } from '../queries.ts'
import { approversText, visibleText } from '../wording.ts'
import { ClosedReport } from './closed-report.tsx'
import { Section } from './document.tsx'
import { Icon } from './icons.tsx'
import { sendingWords, SignedVoteNote, useSigning } from './signed-vote-note.tsx'

type Person = Session['person']

/** What a person is about to answer; nothing is chosen until they choose. */
export interface AnswerInMaking {
  readonly choice: VoteChoice | null
  readonly onChoose: (choice: VoteChoice | null) => void
}

/** The answer: a form for those who may vote, otherwise why there is none, and always what came of it. */
export function VotePanel({
  approval,
  me,
  answer,
}: {
  readonly approval: Approval
  readonly me: Person
  readonly answer: AnswerInMaking
}) {
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
        <VoteForm approval={approval} me={me} vote={vote} answer={answer} />
      ) : (
        cast === null && <WhyNot approval={approval} me={me} />
      )}
    </>
  )
}

const commentLengthMax = 2000

const words: Readonly<Record<VoteChoice, { option: string; hint: string; button: string }>> = {
  approve: { option: 'Approve', hint: 'I agree that it runs', button: 'I agree to this' },
  acknowledge: { option: 'Acknowledge', hint: 'I have looked at it', button: 'I have looked at this' },
  reject: { option: 'Reject', hint: 'It must not run', button: 'Reject this call' },
}

function VoteForm({
  approval,
  me,
  vote,
  answer,
}: {
  readonly approval: Approval
  readonly me: Person
  readonly vote: ReturnType<typeof useVote>
  readonly answer: AnswerInMaking
}) {
  const { choice, onChoose } = answer
  return (
    <Section title="Your answer">
      <fieldset className="choices" disabled={vote.isPending}>
        <legend className="unseen">Your answer</legend>
        {(['reject', yesOf(approval)] as const).map((each) => (
          <label key={each} className={`choice choice-${each}`}>
            <input
              type="radio"
              name="answer"
              value={each}
              checked={choice === each}
              onChange={() => onChoose(each)}
            />
            <span>
              <strong>
                <Icon name={each === 'reject' ? 'cross' : 'check'} />
                {words[each].option}
              </strong>
              <span className="choice-hint">{words[each].hint}</span>
            </span>
          </label>
        ))}
      </fieldset>
      {choice === null ? (
        <p className="small quiet">
          Nothing is chosen yet. An answer can’t be undone: you choose, then confirm. No answer in time counts
          as a rejection.
        </p>
      ) : (
        <Confirmation
          key={choice}
          approval={approval}
          me={me}
          vote={vote}
          choice={choice}
          onBack={() => onChoose(null)}
        />
      )}
    </Section>
  )
}

/** The second step, which says what the answer does before it is given. */
function Confirmation({
  approval,
  me,
  vote,
  choice,
  onBack,
}: {
  readonly approval: Approval
  readonly me: Person
  readonly vote: ReturnType<typeof useVote>
  readonly choice: VoteChoice
  readonly onBack: () => void
}) {
  const [comment, setComment] = useState('')
  const signing = useSigning(approval)
  const place = useRef<HTMLTextAreaElement>(null)
  useEffect(() => {
    // Whoever chose with an arrow key or a click stays at the choice; a shortcut has left nothing focused there.
    if (document.activeElement instanceof HTMLInputElement) return
    place.current?.focus()
  }, [])
  return (
    <div className="confirmation">
      <p className="consequence">{consequenceOf(approval, choice)}</p>
      <label className="comment">
        <span>
          Comment <span className="quiet">optional, recorded with your vote</span>
        </span>
        <textarea
          ref={place}
          rows={3}
          maxLength={commentLengthMax}
          value={comment}
          disabled={vote.isPending}
          onChange={(event) => setComment(event.target.value)}
        />
      </label>
      <SignedVoteNote signing={signing} />
      <div className="vote-buttons">
        <button
          type="button"
          className={`button button-${choice}`}
          disabled={vote.isPending || signing === 'impossible'}
          onClick={() => vote.mutate({ choice, comment })}
        >
          <Icon name={choice === 'reject' ? 'cross' : 'check'} />
          {vote.isPending ? sendingWords(signing) : words[choice].button}
        </button>
        <button type="button" className="button button-quiet" disabled={vote.isPending} onClick={onBack}>
          Back
        </button>
      </div>
      <p className="small quiet">
        Your vote is recorded as {visibleText(me.id)} and cannot be undone or changed, by you or by anyone.
      </p>
    </div>
  )
}

function consequenceOf(approval: Approval, choice: VoteChoice): string {
  if (choice === 'reject') return 'One rejection is enough: the call does not run, whatever others say.'
  const missing = approval.terms.quorum - yesCount(approval)
  const agent = visibleText(approval.agent)
  const run = `${agent} may run this call once, with exactly these parameters, before the deadline.`
  const asked = choice === 'acknowledge' ? 'said that they have looked at it' : 'agreed'
  if (missing > 1) return `Once ${missing} people, you among them, have ${asked}, ${run}`
  if (choice === 'acknowledge') return `You say that you have looked at this. Then ${run}`
  return `If you agree, ${run}`
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
  const missing = approval.terms.quorum - yesCount(approval)
  const stillMissing = choice !== 'reject' && approval.status === 'pending' && missing > 0
  return (
    <div ref={place} tabIndex={-1} className="vote-result">
      <Notice tone={choice === 'reject' ? 'bad' : 'good'} role="status">
        <strong>{saidBy('You', choice)}</strong>
        <p>
          {choice === 'reject'
            ? 'It will not run.'
            : stillMissing
              ? `Your vote is recorded. ${missing} more ${missing === 1 ? 'person has' : 'people have'} to ${choice} before the deadline.`
              : 'Your vote is recorded, and no more are needed.'}
        </p>
      </Notice>
    </div>
  )
}

/** Who said what about this call, as a sentence without its full stop. */
function saidBy(who: string, choice: VoteChoice): string {
  if (choice === 'acknowledge') return `${who} looked at this call`
  return `${who} ${choice === 'approve' ? 'approved' : 'rejected'} this call`
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
        <p>{saidBy('You', mine.vote)}. One person counts once; it waits for others now.</p>
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
