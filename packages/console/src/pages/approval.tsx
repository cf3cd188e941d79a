import type { Approval, Session } from '../api.ts'
import { useNow, useTitle } from '../clock.ts'
import { StatusBadge } from '../parts/badges.tsx'
import { Countdown } from '../parts/countdown.tsx'
import { Back, Entry, Section } from '../parts/document.tsx'
import { Fields } from '../parts/fields.tsx'
import { PageSkeleton, ProblemPanel, StaleNote } from '../parts/states.tsx'
import { VotePanel } from '../parts/vote-panel.tsx'
import { Votes } from '../parts/votes.tsx'
import { Policy, Reasons, Rules } from '../parts/why.tsx'
import { asProblem } from '../problem.ts'
import { useApproval, usePendingApprovals } from '../queries.ts'
import { Link } from '../router.tsx'
import { approversText, durationText, exactTime, shortTime, visibleText } from '../wording.ts'

/** One call that waits, or waited, for people: everything they need to answer it, and the answer. */
export function ApprovalPage({ id, me }: { readonly id: string; readonly me: Session['person'] }) {
  const found = useApproval(id)
  const waiting = usePendingApprovals().approvals?.length ?? 0
  useTitle(found.data === undefined ? 'Approval' : `${found.data.action} ${found.data.id}`, waiting)
  const retry = (): void => void found.refetch()
  return (
    <>
      <Back to="/approvals">Approvals</Back>
      {found.data !== undefined ? (
        <>
          {found.isError && <StaleNote problem={asProblem(found.error)} onRetry={retry} />}
          <ApprovalDocument approval={found.data} me={me} />
        </>
      ) : found.isError ? (
        <ApprovalProblem id={id} error={found.error} onRetry={retry} />
      ) : (
        <PageSkeleton />
      )}
    </>
  )
}

function ApprovalProblem({
  id,
  error,
  onRetry,
}: {
  readonly id: string
  readonly error: unknown
  readonly onRetry: () => void
}) {
  const problem = asProblem(error)
  if (problem.status !== 404) return <ProblemPanel problem={problem} onRetry={onRetry} />
  return (
    <div className="state">
      <h1>There is no approval {visibleText(id)}</h1>
      <p className="quiet">Check the link you were sent: part of it may be missing.</p>
    </div>
  )
}

function ApprovalDocument({ approval, me }: { readonly approval: Approval; readonly me: Session['person'] }) {
  return (
    <article className="document">
      <ApprovalHead approval={approval} />
      <div className="document-columns">
        <div className="document-main">
          <Section title="Parameters" note="Chosen by the agent">
            <Fields data={approval.params} isErased={approval.erased === true} what="parameters" isLarge />
          </Section>
          <Section title="Why it was held">
            <Reasons reasons={approval.reasons} />
          </Section>
        </div>
        <aside className="document-side document-sticky" aria-label="Answer">
          <VotePanel key={approval.id} approval={approval} me={me} />
          <Section title="Votes" note={quorumText(approval)}>
            <Votes votes={approval.votes} isOpen={approval.status === 'pending'} />
          </Section>
        </aside>
        <div className="document-more">
          <Section title="Rules that matched">
            <Rules rules={approval.rules} />
          </Section>
          <Section title="Context" note="Given by the host that runs the agent">
            <Fields data={approval.context} isErased={approval.erased === true} what="context" />
          </Section>
          <Section title="Terms">
            <Terms approval={approval} />
          </Section>
        </div>
      </div>
    </article>
  )
}

function ApprovalHead({ approval }: { readonly approval: Approval }) {
  const now = useNow()
  return (
    <header className="document-head document-head-split">
      <div>
        <div className="document-kind">
          <StatusBadge status={approval.status} />
          <code>{approval.id}</code>
        </div>
        <h1 className="action-name">{visibleText(approval.action)}</h1>
        <p className="quiet">
          <strong>{visibleText(approval.agent)}</strong> asked{' '}
          <time dateTime={approval.openedAt} title={exactTime(approval.openedAt)}>
            at {shortTime(approval.openedAt, now)}
          </time>
        </p>
      </div>
      {approval.status === 'pending' && <Countdown from={approval.openedAt} deadline={approval.deadline} />}
    </header>
  )
}

function quorumText({ votes, terms }: Approval): string {
  const approved = votes.filter(({ vote }) => vote === 'approve').length
  return `${approved} of ${terms.quorum} approved`
}

function Terms({ approval }: { readonly approval: Approval }) {
  const { terms } = approval
  return (
    <dl className="entries">
      <Entry name="Asked for by">
        {terms.routes.map((route) => (
          <code key={route} className="break">
            {visibleText(route)}
          </code>
        ))}
      </Entry>
      <Entry name="Who may answer">{approversText(terms.approvers)}</Entry>
      <Entry name="Approvals needed">{terms.quorum}</Entry>
      <Entry name="Time to answer">{durationText(terms.deadlineMs)}</Entry>
      <Entry name="Deadline">
        <time dateTime={approval.deadline}>{exactTime(approval.deadline)}</time>
      </Entry>
      <Entry name="Policy">
        <Policy policy={approval.policy} />
      </Entry>
      <Entry name="Decision">
        <Link to={`/decisions/${approval.decision}`}>{approval.decision}</Link>
      </Entry>
    </dl>
  )
}
