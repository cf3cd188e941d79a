import { useEffect, useRef, useState } from 'react'
import type { RefObject } from 'react'
import type { Approval, ApprovalContext, Session, VoteChoice } from '../api.ts'
import { useNow, useTitle } from '../clock.ts'
import { glassCount, isVoid, mayAnswer, progressText, yesOf } from '../consent.ts'
import { whyMissing } from '../missing.ts'
import { useKeptAnswer, useLeftAnswer } from '../kept-answer.ts'
import { useKeys } from '../keys.ts'
import { GlassBadge, StatusBadge, VoidBadge } from '../parts/badges.tsx'
import { Countdown } from '../parts/countdown.tsx'
import { Difference } from '../parts/difference.tsx'
import { Back, Section } from '../parts/document.tsx'
import { Fields } from '../parts/fields.tsx'
import { HistorySummary } from '../parts/history.tsx'
import { Icon } from '../parts/icons.tsx'
import { Queue, useQueue } from '../parts/queue.tsx'
import { RevealingFor } from '../parts/reveal.tsx'
import { PasskeyNeeded } from '../parts/signed-vote-note.tsx'
import { PageProblem, PageSkeleton, StaleNote } from '../parts/states.tsx'
import { Terms } from '../parts/terms.tsx'
import { VotePanel } from '../parts/vote-panel.tsx'
import { Voters } from '../parts/voters.tsx'
import { Votes } from '../parts/votes.tsx'
import { canBeWithdrawn, WithdrawDialog, withdrawing } from '../parts/withdraw.tsx'
import { Reasons, Rules } from '../parts/why.tsx'
import { asProblem } from '../problem.ts'
import { useApproval, useApprovalContext, useMay, usePendingApprovals } from '../queries.ts'
import { rememberLooked } from '../returning.ts'
import { navigate, useAddress } from '../router.tsx'
import { ShortTime } from '../parts/short-time.tsx'
import { visibleText } from '../wording.ts'

type Person = Session['person']

/** One call that waits, or waited, for people: everything they need to answer it, and the answer. */
export function ApprovalPage({ id, me }: { readonly id: string; readonly me: Person }) {
  const found = useApproval(id)
  const waiting = usePendingApprovals().approvals?.length ?? 0
  useTitle(found.data === undefined ? 'Approval' : `${found.data.action} ${found.data.id}`, waiting)
  const queue = useQueue(id, me.id)
  useKeys({
    j: () => queue.next !== null && navigate(`/approvals/${queue.next}`),
    k: () => queue.previous !== null && navigate(`/approvals/${queue.previous}`),
  })
  useEffect(() => rememberLooked(`/approvals/${id}`), [id])
  const retry = (): void => void found.refetch()
  return (
    <>
      <div className="document-top">
        <Back to="/approvals">Approvals</Back>
        <Queue queue={queue} />
      </div>
      {found.data !== undefined ? (
        <>
          {found.isError && <StaleNote problem={asProblem(found.error)} onRetry={retry} />}
          <ApprovalDocument approval={found.data} me={me} />
        </>
      ) : found.isError ? (
        <PageProblem
          missing={`There is no approval ${visibleText(id)} to show`}
          error={found.error}
          onRetry={retry}
        />
      ) : (
        <PageSkeleton />
      )}
    </>
  )
}

/** What a person is about to answer. From the inbox, the address says what they pressed there. */
function useAnswer(approval: Approval, me: Person, place: RefObject<HTMLElement | null>) {
  const { search } = useAddress()
  const asked = new URLSearchParams(search).get('answer')
  const yes = yesOf(approval)
  const left = useLeftAnswer([approval], me)
  const [choice, setChoice] = useState<VoteChoice | null>(
    asked === 'reject' || left?.choice === 'reject'
      ? 'reject'
      : asked === 'yes' || left !== null
        ? yes
        : null,
  )
  const [comment, setComment] = useState(left?.comment ?? '')
  useKeptAnswer([approval], me, { choice, comment })
  const isAnswerable = approval.status === 'pending' && mayAnswer(approval)
  useEffect(() => {
    // So that neither a reload nor the way back chooses anything.
    if (asked !== null) navigate(window.location.pathname, { replace: true })
  }, [asked])
  // What was written for one answer is not sent with another.
  const choose = (next: VoteChoice | null): void => {
    if (next !== choice) setComment('')
    setChoice(next)
  }
  /** Opens the panel with this choice. It takes another step to vote. */
  const open = (next: VoteChoice): boolean => {
    if (!isAnswerable) return false
    // The panel then moves the focus to where the person goes on.
    if (document.activeElement instanceof HTMLElement) document.activeElement.blur()
    choose(next)
    place.current?.scrollIntoView({ block: 'nearest' })
    return true
  }
  const wasInterrupted = left !== null && choice !== null
  return { choice, onChoose: choose, comment, onComment: setComment, wasInterrupted, open, isAnswerable, yes }
}

function ApprovalDocument({ approval, me }: { readonly approval: Approval; readonly me: Person }) {
  const context = useApprovalContext(approval.id).data
  const place = useRef<HTMLElement>(null)
  const answer = useAnswer(approval, me, place)
  useKeys({
    a: () => answer.open(answer.yes),
    r: () => answer.open('reject'),
    Escape: () => {
      if (answer.choice === null) navigate('/approvals')
      else answer.onChoose(null)
    },
  })
  return (
    <article className="document">
      <ApprovalHead approval={approval} />
      {answer.isAnswerable && <PasskeyNeeded approval={approval} />}
      <div className="document-columns">
        <div className="document-main">
          <Call approval={approval} context={context} />
        </div>
        <aside className="document-side document-sticky" aria-label="Answer" ref={place}>
          <VotePanel key={approval.id} approval={approval} me={me} answer={answer} />
          <Section title="Votes" note={progressText(approval)}>
            <Votes approval={approval} />
            {context !== undefined && <Voters approval={approval} voters={context.voters} me={me.id} />}
          </Section>
          <Withdrawing approval={approval} />
        </aside>
        <div className="document-more">
          <Section title="This agent and this action" note="Before this call">
            {context === undefined ? (
              <p className="quiet">Loading…</p>
            ) : (
              <HistorySummary
                history={context.history}
                none="This agent has not asked for this action before."
              />
            )}
          </Section>
          <Section title="Terms">
            <Terms approval={approval} />
          </Section>
        </div>
      </div>
      {answer.isAnswerable && answer.choice === null && <AnswerBar yes={answer.yes} onOpen={answer.open} />}
    </article>
  )
}

/** For those who operate the service: the way to take the question back. */
function Withdrawing({ approval }: { readonly approval: Approval }) {
  const [isAsking, setAsking] = useState(false)
  const close = (): void => setAsking(false)
  if (!useMay(withdrawing) || !canBeWithdrawn(approval)) return null
  return (
    <Section title="Withdraw" note="For operators">
      <p className="small">Takes the question back. The call does not run, whatever people have said.</p>
      <button type="button" className="button button-small button-danger" onClick={() => setAsking(true)}>
        Withdraw…
      </button>
      {isAsking && <WithdrawDialog approval={approval} onDone={close} onClose={close} />}
    </Section>
  )
}

/** What the call is, why it was held, and how it differs from what was usual. */
function Call({
  approval,
  context,
}: {
  readonly approval: Approval
  readonly context: ApprovalContext | undefined
}) {
  const written = context && new Map(context.rules.map(({ id, text }) => [id, text]))
  const missing = whyMissing(approval)
  return (
    <RevealingFor decision={approval.decision} isAllowed={context?.mayReveal === true}>
      <Section title="Parameters" note="Chosen by the agent">
        <Fields root="params" data={approval.params} presentation={approval} missing={missing} isLarge />
      </Section>
      <Section title="Why it was held">
        <Reasons reasons={approval.reasons} />
        <div className="held-rules">
          <Rules rules={approval.rules} written={written} />
        </div>
      </Section>
      {context !== undefined && (
        <Section title="Beside the last such call" note="Same agent, same action">
          <Difference approval={approval} similar={context.similar} />
        </Section>
      )}
      <Section title="Context" note="Given by the host that runs the agent">
        <Fields root="context" data={approval.context} presentation={approval} missing={missing} />
      </Section>
    </RevealingFor>
  )
}

/** On a phone: the way to the answer, always in reach of a thumb. It only opens the panel. */
function AnswerBar({
  yes,
  onOpen,
}: {
  readonly yes: Exclude<VoteChoice, 'reject'>
  readonly onOpen: (choice: VoteChoice) => boolean
}) {
  return (
    <div className="answer-bar">
      <button type="button" className="button button-reject" onClick={() => onOpen('reject')}>
        <Icon name="cross" />
        Reject…
      </button>
      <button type="button" className="button button-approve" onClick={() => onOpen(yes)}>
        <Icon name="check" />
        {yes === 'approve' ? 'Approve…' : 'Acknowledge…'}
      </button>
    </div>
  )
}

function ApprovalHead({ approval }: { readonly approval: Approval }) {
  const now = useNow()
  return (
    <header className="document-head document-head-split">
      <div>
        <div className="document-kind">
          <StatusBadge status={approval.status} />
          {isVoid(approval) && <VoidBadge />}
          {glassCount(approval) > 0 && <GlassBadge />}
          <code>{approval.id}</code>
        </div>
        <h1 className="action-name">{visibleText(approval.action)}</h1>
        <p className="quiet">
          <strong>{visibleText(approval.agent)}</strong> asked{' '}
          <ShortTime at={approval.openedAt} now={now} lead="at " />
        </p>
      </div>
      {approval.status === 'pending' && !isVoid(approval) && (
        <Countdown from={approval.openedAt} deadline={approval.deadline} />
      )}
    </header>
  )
}
