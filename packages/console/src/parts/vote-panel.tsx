import type { Approval, Session } from '../api.ts'
import { useNow } from '../clock.ts'
import { hasVoted, isAskedHere, isVoid, mayAnswer, wasLetThrough } from '../consent.ts'
import { asProblem } from '../problem.ts'
import { useVote } from '../voting-queries.ts'
import { approversText, channelText, visibleText } from '../wording.ts'
import { BreakGlass } from './break-glass.tsx'
import { ClosedReport, VoidedText } from './closed-report.tsx'
import { Section } from './document.tsx'
import { Notice } from './notice.tsx'
import { NextCall } from './queue.tsx'
import { VoteForm } from './vote-form.tsx'
import type { AnswerInMaking } from './vote-form.tsx'
import { NotGiven, Written } from './not-given.tsx'
import { saidBy, VoteProblem, VoteResult } from './vote-outcome.tsx'

type Person = Session['person']

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
  const cast = vote.isSuccess ? vote.variables : null
  // What was sent before the deadline may count: the form stays until the service has said so.
  const isOver = now >= Date.parse(approval.deadline) && !vote.isPending
  const isOpen = approval.status === 'pending' && !isOver && cast === null
  const isOffered = isOpen && !isVoid(approval) && mayAnswer(approval)
  const isTooLate =
    vote.isIdle && (approval.status === 'expired' || (approval.status === 'pending' && isOver))
  // A reply may be lost after the vote was recorded.
  const isRecorded = approval.votes.some(
    ({ person, comment }) => person === me.id && comment === answer.comment.trim(),
  )
  // Of a vote that was sent, its own outcome tells.
  const isTakenAway = !isOffered && vote.isIdle && answer.choice !== null

  return (
    <>
      {vote.isError && <VoteProblem problem={asProblem(vote.error)} />}
      {vote.isError && !isOffered && !isRecorded && <Written comment={answer.comment} />}
      {cast !== null && <VoteResult approval={approval} ballot={cast} />}
      {isTakenAway && (
        <NotGiven
          approval={approval}
          me={me}
          isTooLate={isTooLate && !wasLetThrough(approval)}
          comment={answer.comment}
        />
      )}
      {(cast !== null || isTooLate || isTakenAway || hasVoted(approval, me.id)) && (
        <NextCall after={approval.id} />
      )}
      {approval.status !== 'pending' ? (
        <ClosedReport approval={approval} />
      ) : isOver ? (
        <Section title="Time is up">
          <p>
            The deadline has passed, so the call is denied: it does not run. This page shows it as soon as it
            is recorded.
          </p>
        </Section>
      ) : isVoid(approval) ? (
        <Voided approval={approval} />
      ) : isOffered ? (
        <VoteForm approval={approval} me={me} vote={vote} answer={answer} />
      ) : (
        cast === null && <WhyNot approval={approval} me={me} />
      )}
      {isOpen && !isVoid(approval) && isAskedHere(approval) && approval.mayBreakGlass === true && (
        <BreakGlass approval={approval} vote={vote} />
      )}
    </>
  )
}

function Voided({ approval }: { readonly approval: Approval }) {
  return (
    <Section title="Nothing to answer">
      <Notice tone="bad" role="status">
        <VoidedText approval={approval} />
      </Notice>
    </Section>
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
  if (approval.sealed === true) {
    return (
      <Section title="Nothing to answer yet">
        <p>
          What this call was to do is sealed, and the service cannot open it: it lacks the payload key, or a
          stored key was changed. Ask whoever runs the service.
        </p>
      </Section>
    )
  }
  const mine = approval.votes.find(({ person }) => person === me.id)
  if (mine !== undefined) {
    const said = mine.breakGlass === true ? 'You broke the glass for this call' : saidBy('You', mine.vote)
    const stead = mine.for === null ? '' : `, in the stead of ${visibleText(mine.for)}`
    return (
      <Section title="You have voted">
        <p>
          {said}
          {stead}. One person counts once; it waits for others now.
        </p>
      </Section>
    )
  }
  const inMyStead = approval.votes.find((vote) => vote.for === me.id)
  if (inMyStead !== undefined) {
    return (
      <Section title="Your vote is given">
        <p>{saidBy(visibleText(inMyStead.person), inMyStead.vote)} in your stead. It waits for others now.</p>
      </Section>
    )
  }
  if (!isAskedHere(approval)) {
    return (
      <Section title="Not answered here">
        <p>The policy takes no answer to this call in the console: {elsewhereText(approval)}.</p>
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

function elsewhereText({ terms }: Approval): string {
  const named = (terms.channels ?? []).map(channelText)
  return named.length === 0 ? 'it takes none at all' : `answer it ${named.join(' or ')}`
}
