import { useEffect, useRef, useState } from 'react'
import type { Approval, Session, Standing, VoteChoice } from '../api.ts'
import { useNow } from '../clock.ts'
import { yesCount, yesOf } from '../consent.ts'
import type { useVote } from '../voting-queries.ts'
import { shortMinute, visibleText } from '../wording.ts'
import { TimeToAnswer } from './countdown.tsx'
import { Section } from './document.tsx'
import { Icon } from './icons.tsx'
import { CallInShort } from './in-short.tsx'
import { InWhoseName, namesFor } from './in-whose-name.tsx'
import { Interrupted } from './interrupted.tsx'
import { MoreLikeIt, missingText, standingOf } from './more-like-it.tsx'
import type { MoreInMaking } from './more-like-it.tsx'
import { sendingWords, SignedVoteNote, useSigning } from './signed-vote-note.tsx'

/** What a person is about to answer; nothing is chosen until they choose. */
export interface AnswerInMaking {
  readonly choice: VoteChoice | null
  readonly onChoose: (choice: VoteChoice | null) => void
  /** What is written beside it; it outlives the form, which others may take away. */
  readonly comment: string
  readonly onComment: (comment: string) => void
  /** Whether they were about to give it before, when their session ended. */
  readonly wasInterrupted: boolean
}

interface FormParts {
  readonly approval: Approval
  readonly me: Session['person']
  readonly vote: ReturnType<typeof useVote>
}

/** No comment is longer. */
export const commentLengthMax = 2000

const words: Readonly<Record<VoteChoice, { option: string; hint: string; button: string }>> = {
  approve: { option: 'Approve', hint: 'I agree that it runs', button: 'I agree to this' },
  acknowledge: { option: 'Acknowledge', hint: 'I have looked at it', button: 'I have looked at this' },
  reject: { option: 'Reject', hint: 'It must not run', button: 'Reject this call' },
}

/** The form of an answer: what it is, and then, in a second step, what it does. */
export function VoteForm({ answer, ...parts }: FormParts & { readonly answer: AnswerInMaking }) {
  const { choice, onChoose, comment, onComment } = answer
  const { approval, vote } = parts
  return (
    <Section title="Your answer">
      {answer.wasInterrupted && <Interrupted />}
      <Choices yes={yesOf(approval)} choice={choice} isDisabled={vote.isPending} onChoose={onChoose} />
      {choice === null ? (
        <p className="small quiet">
          Nothing is chosen yet. An answer can’t be undone: you choose, then confirm. No answer in time counts
          as a rejection.
        </p>
      ) : (
        <Confirmation
          key={choice}
          {...parts}
          choice={choice}
          comment={comment}
          onComment={onComment}
          onBack={() => onChoose(null)}
        />
      )}
    </Section>
  )
}

/** Yes or no, neither of them chosen beforehand. */
export function Choices({
  yes,
  choice,
  isDisabled,
  onChoose,
}: {
  readonly yes: Exclude<VoteChoice, 'reject'>
  readonly choice: VoteChoice | null
  readonly isDisabled: boolean
  readonly onChoose: (choice: VoteChoice) => void
}) {
  return (
    <fieldset className="choices" disabled={isDisabled}>
      <legend className="unseen">Your answer</legend>
      {(['reject', yes] as const).map((each) => (
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
  )
}

/** The second step, which says what the answer does before it is given. */
function Confirmation({
  approval,
  me,
  vote,
  choice,
  comment,
  onComment,
  onBack,
}: FormParts &
  Pick<AnswerInMaking, 'comment' | 'onComment'> & {
    readonly choice: VoteChoice
    readonly onBack: () => void
  }) {
  const now = useNow()
  const names = namesFor(approval, me.id)
  const [chosen, setChosen] = useState<string | null>(null)
  const [opened] = useState(names)
  // Where it was clear from the first, it is not asked; a vote never changes its name under the reader.
  const isClear = names.length === 1 && opened.length === 1 && opened[0] === names[0]
  const [only = null] = names
  const name = isClear ? only : chosen !== null && names.includes(chosen) ? chosen : null
  const [more, setMore] = useState<MoreInMaking | null>(null)
  const standing = standingOf(approval, more)
  const signing = useSigning(approval)
  const isSending = vote.isPending
  const send = (): void => {
    if (name === null || standing === undefined) return
    vote.mutate({ choice, comment, inSteadOf: name === me.id ? null : name, breakGlass: false, standing })
  }
  return (
    <div className="confirmation" tabIndex={-1}>
      <CallInShort approval={approval} />
      <p className="consequence">{consequenceOf(approval, choice, moreText(standing, now))}</p>
      <InWhoseName
        names={names}
        me={me.id}
        name={name}
        isClear={isClear}
        isDisabled={isSending}
        onChoose={setChosen}
      />
      {choice === 'approve' && (
        <MoreLikeIt approval={approval} more={more} isDisabled={isSending} onChange={setMore} />
      )}
      <Comment value={comment} isDisabled={isSending} onChange={onComment} />
      <SignedVoteNote signing={signing} />
      <TimeToAnswer from={approval.openedAt} deadline={approval.deadline} />
      {more !== null && standing === undefined && (
        <p id="missing" className="vote-missing">
          {missingText(approval, more)}
        </p>
      )}
      <div className="vote-buttons">
        <button
          type="button"
          className={`button button-${choice}`}
          aria-describedby={standing === undefined ? 'missing' : undefined}
          disabled={isSending || signing === 'impossible' || name === null || standing === undefined}
          onClick={send}
        >
          <Icon name={choice === 'reject' ? 'cross' : 'check'} />
          {isSending ? sendingWords(signing) : words[choice].button}
        </button>
        <button type="button" className="button button-quiet" disabled={isSending} onClick={onBack}>
          Back
        </button>
      </div>
      <WhatIsRecorded me={me.id} name={name} />
    </div>
  )
}

/** In whose name the answer will stand, for good. */
function WhatIsRecorded({ me, name }: { readonly me: string; readonly name: string | null }) {
  return (
    <p className="small quiet">
      {name === null ? (
        'Choose first in whose name it is.'
      ) : (
        <>
          Your vote is recorded as {visibleText(me)}
          {name !== me && `, in the stead of ${visibleText(name)},`} and cannot be undone or changed, by you
          or by anyone.
        </>
      )}
    </p>
  )
}

/**
 * What a person writes beside their vote. It takes the focus where a shortcut has left it nowhere; on a touch screen the step that
 * it is part of does, for a keyboard on the screen would cover what is agreed to.
 */
export function Comment({
  value,
  isDisabled,
  onChange,
}: {
  readonly value: string
  readonly isDisabled: boolean
  readonly onChange: (value: string) => void
}) {
  const place = useRef<HTMLTextAreaElement>(null)
  useEffect(() => {
    // Whoever chose with an arrow key or a click stays at the choice; a shortcut has left nothing focused there.
    if (document.activeElement instanceof HTMLInputElement) return
    const step = place.current?.closest<HTMLElement>('.confirmation')
    if (window.matchMedia('(pointer: coarse)').matches) step?.focus()
    else place.current?.focus()
  }, [])
  return (
    <label className="comment">
      <span>
        Comment <span className="quiet">optional, recorded with your vote</span>
      </span>
      <textarea
        ref={place}
        rows={3}
        maxLength={commentLengthMax}
        value={value}
        disabled={isDisabled}
        onChange={(event) => onChange(event.target.value)}
      />
    </label>
  )
}

/** @param more what it grants beside, in words; empty where nothing */
function consequenceOf(approval: Approval, choice: VoteChoice, more: string): string {
  if (choice === 'reject') return 'One rejection is enough: the call does not run, whatever others say.'
  const missing = approval.terms.quorum - yesCount(approval)
  const agent = visibleText(approval.agent)
  const once = `${agent} may run this call once, with exactly these parameters, before the deadline`
  const run = `${once}${more}.`
  const asked = choice === 'acknowledge' ? 'said that they have looked at it' : 'agreed'
  if (missing > 1) return `Once ${missing} people, you among them, have ${asked}, ${run}`
  if (choice === 'acknowledge') return `You say that you have looked at this. Then ${run}`
  return `If you agree, ${run}`
}

function moreText(standing: Standing | null | undefined, now: number): string {
  if (standing == null) return ''
  return `, and ${standing.uses} more like it until ${shortMinute(standing.until, now)} without asking anybody`
}
