import type { ReactNode } from 'react'
import type { Decision, Session } from '../api.ts'
import { useNow, useTitle } from '../clock.ts'
import { whyMissing } from '../missing.ts'
import { isVoid } from '../consent.ts'
import { EffectBadge, OutcomeNote, ShadowBadge, StatusBadge, VoidBadge } from '../parts/badges.tsx'
import { Back, Entry, PageParts, Section } from '../parts/document.tsx'
import { Explained } from '../parts/explanation.tsx'
import { Fields } from '../parts/fields.tsx'
import { Obligations } from '../parts/obligations.tsx'
import { ProofSections } from '../parts/proof.tsx'
import { RevealingFor } from '../parts/reveal.tsx'
import { PageProblem, PageSkeleton } from '../parts/states.tsx'
import { Votes } from '../parts/votes.tsx'
import { Policy, Reasons } from '../parts/why.tsx'
import { useApproval, useDecision, usePendingApprovals } from '../queries.ts'
import { Link } from '../router.tsx'
import { ShortTime } from '../parts/short-time.tsx'
import { exactTime, visibleText } from '../wording.ts'

type Person = Session['person']

/** Everything that is recorded of one decision. */
export function DecisionPage({ id, me }: { readonly id: string; readonly me: Person }) {
  const found = useDecision(id)
  const waiting = usePendingApprovals().approvals?.length ?? 0
  useTitle(found.data === undefined ? 'Decision' : `${found.data.action} ${found.data.id}`, waiting)
  return (
    <>
      <Back to="/decisions">Decisions</Back>
      {found.data !== undefined ? (
        <DecisionDocument decision={found.data} me={me} />
      ) : found.isError ? (
        <PageProblem
          missing={`There is no decision ${visibleText(id)}`}
          error={found.error}
          onRetry={() => void found.refetch()}
        />
      ) : (
        <PageSkeleton />
      )}
    </>
  )
}

function DecisionDocument({ decision, me }: { readonly decision: Decision; readonly me: Person }) {
  const approval = useApproval(decision.approval?.id ?? null).data
  const missing = whyMissing(decision)
  return (
    <article className="document">
      <DecisionHead decision={decision} />
      <PageParts parts={partsOf(decision)} />
      <div className="document-columns">
        <div className="document-main">
          <RevealingFor decision={decision.id} isAllowed={mayRevealAny(me) || approval?.mayVote === true}>
            <Section title={decision.reasons.length > 1 ? 'Reasons' : 'Reason'}>
              <Reasons reasons={decision.reasons} />
              {decision.shadow !== null && (
                <p className="quiet shadow-note">
                  The policy is in shadow mode: it says what it would have done, and stops nothing.
                </p>
              )}
            </Section>
            <Section title="Parameters" note="Chosen by the agent">
              <Fields root="params" data={decision.params} presentation={decision} missing={missing} />
            </Section>
            <div id="explanation" className="document-part">
              <Explained decision={decision} />
            </div>
            <Section title="Context" note="Given by the host that runs the agent">
              <Fields root="context" data={decision.context} presentation={decision} missing={missing} />
            </Section>
          </RevealingFor>
          <ProofSections decision={decision} />
        </div>
        <aside className="document-side" aria-label="Record">
          <Section id="outcome" title="What happened">
            <Happened decision={decision} />
          </Section>
          {decision.obligations !== null && (
            <Section title="Beside running it">
              <Obligations obligations={decision.obligations} />
            </Section>
          )}
          {approval !== undefined && (
            <Section id="approval" title="Votes">
              <Votes approval={approval} />
            </Section>
          )}
          <Section title="Record">
            <RecordEntries decision={decision} />
          </Section>
        </aside>
      </div>
    </article>
  )
}

/** The roles that see what is masked whether or not they are asked; the service has the last word. */
function mayRevealAny({ roles }: Person): boolean {
  return roles.includes('auditor') || roles.includes('administrator')
}

function partsOf({ approval }: Decision): readonly (readonly [string, string])[] {
  return [
    ['explanation', 'Explanation'],
    ...(approval === null ? [] : [['approval', 'Approval'] as const]),
    ['outcome', 'Outcome'],
    ['proof', 'Proof'],
    ['record', 'Raw record'],
  ]
}

function RecordEntries({ decision }: { readonly decision: Decision }) {
  return (
    <dl className="entries">
      <Entry name="Log index">
        <span className="number">{decision.record.index}</span>
      </Entry>
      <Entry name="Recorded">{decision.at}</Entry>
      <Entry name="Call id">
        {decision.callId === null ? (
          <span className="quiet">none given</span>
        ) : (
          <code className="break">{visibleText(decision.callId)}</code>
        )}
      </Entry>
      {decision.session !== null && (
        <Entry name="Session">
          <code className="break">{visibleText(decision.session)}</code>
        </Entry>
      )}
      {decision.standing !== null && (
        <Entry name="Standing grant">
          <Link to="/grants">{visibleText(decision.standing.grant)}</Link>, use {decision.standing.use} of{' '}
          {decision.standing.uses}
        </Entry>
      )}
      <Entry name="Policy">
        <Policy policy={decision.policy} />
      </Entry>
    </dl>
  )
}

function DecisionHead({ decision }: { readonly decision: Decision }) {
  return (
    <header className="document-head">
      <div className="document-kind">
        <EffectBadge effect={decision.effect} />
        {decision.shadow !== null && <ShadowBadge effect={decision.shadow.effect} />}
        <code>{decision.id}</code>
      </div>
      <h1 className="action-name">{visibleText(decision.action)}</h1>
      <p className="quiet">
        asked for by <strong>{visibleText(decision.agent)}</strong> on{' '}
        <time dateTime={decision.at} title={decision.at}>
          {exactTime(decision.at)}
        </time>
      </p>
    </header>
  )
}

function Happened({ decision }: { readonly decision: Decision }) {
  const now = useNow()
  if (decision.effect === 'escalate') return <Escalated decision={decision} />
  if (decision.effect === 'deny') return <p>The call was denied, and did not run by this decision.</p>
  const { outcome } = decision
  if (outcome === null) {
    return (
      <Result head={<OutcomeNote decision={decision} />}>
        The call was allowed. The agent has not reported how it went; it may still be running.
      </Result>
    )
  }
  return (
    <Result head={<OutcomeNote decision={decision} />}>
      <ShortTime at={outcome.at} now={now} lead="Reported " />
      {outcome.detail !== null && <span className="result-detail">{visibleText(outcome.detail)}</span>}
      {outcome.status === 'unknown' && (
        <span className="result-detail">It may have run, so it must not be repeated blindly.</span>
      )}
    </Result>
  )
}

function Escalated({ decision }: { readonly decision: Decision }) {
  const approval = useApproval(decision.approval?.id ?? null)
  const consumedBy = approval.data?.consumedBy ?? null
  const run = useDecision(consumedBy)
  if (decision.approval === null) return <p>The call was held, and did not run.</p>
  return (
    <Result
      head={
        approval.data === undefined ? null : (
          <>
            <StatusBadge status={approval.data.status} />
            {isVoid(approval.data) && <VoidBadge />}
          </>
        )
      }
    >
      The policy asks for the agreement of people, so the call did not run by this decision.
      <Link to={`/approvals/${decision.approval.id}`} className="button button-wide result-go">
        Open the approval
      </Link>
      {consumedBy !== null && (
        <span className="result-detail">
          It was allowed by <Link to={`/decisions/${consumedBy}`}>{consumedBy}</Link>.
        </span>
      )}
      {run.data !== undefined && (
        <span className="result-detail">
          <OutcomeNote decision={run.data} />
        </span>
      )}
    </Result>
  )
}

function Result({ head, children }: { readonly head: ReactNode; readonly children: ReactNode }) {
  return (
    <div className="result">
      {head}
      <div className="quiet">{children}</div>
    </div>
  )
}
