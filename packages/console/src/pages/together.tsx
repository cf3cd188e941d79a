import { useEffect, useState } from 'react'
import type { Approval, Cast, Session, VoteChoice } from '../api.ts'
import { compareAll } from '../call-changes.ts'
import type { Member } from '../call-changes.ts'
import { useNow, useTitle } from '../clock.ts'
import { yesOf } from '../consent.ts'
import { inInboxOrder } from '../inbox-order.ts'
import { useKeys } from '../keys.ts'
import { Back, Section } from '../parts/document.tsx'
import { LeafValue } from '../parts/leaf-value.tsx'
import { EmptyPanel, PageSkeleton } from '../parts/states.tsx'
import { TogetherForm } from '../parts/together-form.tsx'
import { TogetherResult } from '../parts/together-result.tsx'
import { TogetherTable } from '../parts/together-table.tsx'
import { asProblem } from '../problem.ts'
import { usePendingApprovals } from '../queries.ts'
import { navigate, useAddress } from '../router.tsx'
import { useSelection } from '../selection.tsx'
import { useVoteTogether } from '../voting-queries.ts'
import { visibleText } from '../wording.ts'

/** Calls that are answered together: what is the same in all, what differs, and one answer, which is a vote on each. */
export function TogetherPage({ me }: { readonly me: Session['person'] }) {
  const pending = usePendingApprovals().approvals
  useTitle('Several calls', pending?.length ?? 0)
  return (
    <>
      <Back to="/approvals">Approvals</Back>
      {pending === undefined ? <PageSkeleton /> : <Selected waiting={inInboxOrder(pending)} me={me} />}
    </>
  )
}

function Selected({
  waiting,
  me,
}: {
  readonly waiting: readonly Approval[]
  readonly me: Session['person']
}) {
  const { chosen, drop } = useSelection(waiting)
  // As they were when the page was opened: nothing changes under the reader, and a vote is for what was read.
  const [read, setRead] = useState(chosen)
  const open = new Set<string>(chosen.map(({ id }) => id))
  if (read.length === 0) {
    return (
      <EmptyPanel title="No call is selected" isPage>
        <p>
          Select some that are alike in the inbox, by their boxes or with the key x. A reload forgets them.
        </p>
      </EmptyPanel>
    )
  }
  return (
    <Together
      approvals={read}
      open={open}
      me={me}
      onLeaveOut={(id) => {
        setRead(read.filter((approval) => approval.id !== id))
        drop([id])
      }}
      onCast={drop}
    />
  )
}

function Together({
  approvals,
  open,
  me,
  onLeaveOut,
  onCast,
}: {
  readonly approvals: readonly Approval[]
  /** Those that still wait for the reader. */
  readonly open: ReadonlySet<string>
  readonly me: Session['person']
  readonly onLeaveOut: (id: string) => void
  readonly onCast: (ids: readonly string[]) => void
}) {
  const now = useNow()
  const vote = useVoteTogether()
  const answer = useAnswer(approvals)
  const [first] = approvals
  if (first === undefined) return null
  const ready = approvals.filter(({ id, deadline }) => open.has(id) && now < Date.parse(deadline))
  const { same, differing } = compareAll(approvals)
  const send = (choice: VoteChoice, comment: string): void =>
    vote.mutate(
      { approvals: ready, choice, comment },
      {
        onSuccess: (casts) =>
          onCast(ready.filter((_each, at) => casts[at]?.kind === 'recorded').map(({ id }) => id)),
      },
    )
  return (
    <article className="document">
      <Head approvals={approvals} />
      <div className="document-columns">
        <div className="document-main">
          <Section title="What differs" note="Beside what is the same in all">
            <TogetherTable
              approvals={approvals}
              members={differing}
              open={open}
              casts={castsOf(vote)}
              onLeaveOut={vote.isIdle && approvals.length > 1 ? onLeaveOut : null}
            />
          </Section>
          <SameInAll members={same} />
        </div>
        <aside className="document-side document-sticky" aria-label="Answer">
          {vote.isIdle || vote.isPending ? (
            <TogetherForm
              ready={ready}
              me={me}
              choice={answer.choice}
              isPending={vote.isPending}
              onChoose={answer.choose}
              onSend={send}
            />
          ) : (
            <TogetherResult
              approvals={vote.variables.approvals}
              choice={vote.variables.choice}
              casts={vote.data ?? null}
              error={vote.error}
            />
          )}
        </aside>
      </div>
    </article>
  )
}

function SameInAll({ members }: { readonly members: readonly Member[] }) {
  return (
    <Section title="The same in all">
      {members.length === 0 ? (
        <p className="quiet">Nothing.</p>
      ) : (
        <dl className="fields">
          {members.map(({ pointer, label, leaves: [leaf] }) => (
            <div key={pointer} className="field">
              <dt>{label}</dt>
              <dd>{leaf == null ? <em>not there</em> : <LeafValue leaf={leaf} />}</dd>
            </div>
          ))}
        </dl>
      )}
    </Section>
  )
}

function castsOf({
  variables,
  data,
  error,
  status,
}: ReturnType<typeof useVoteTogether>): ReadonlyMap<string, Cast> {
  if (variables === undefined || status === 'pending') return new Map()
  return new Map(variables.approvals.map(({ id }, at) => [id, data?.[at] ?? castByAll(error)]))
}

// What a request that was refused as a whole did of each of its votes; where no answer came, each may have been recorded.
function castByAll(error: unknown): Cast {
  const problem = asProblem(error)
  const isLost = problem.status === null || problem.status >= 500
  return isLost ? { kind: 'unknown' } : { kind: 'refused', problem }
}

function Head({ approvals }: { readonly approvals: readonly Approval[] }) {
  const [first] = approvals
  if (first === undefined) return null
  return (
    <header className="document-head">
      <h1 className="action-name">
        {approvals.length} × {visibleText(first.action)}
      </h1>
      <p className="quiet">
        <strong>{visibleText(first.agent)}</strong> asked for each. One answer here is a vote on each of them,
        bound to that call and recorded by itself.
      </p>
    </header>
  )
}

/** What the reader is about to answer. From the inbox, the address says which key they pressed there. */
function useAnswer(approvals: readonly Approval[]) {
  const { search } = useAddress()
  const asked = new URLSearchParams(search).get('answer')
  const [first] = approvals
  const yes = first === undefined ? 'approve' : yesOf(first)
  const [choice, choose] = useState<VoteChoice | null>(
    asked === 'reject' ? 'reject' : asked === 'yes' ? yes : null,
  )
  useEffect(() => {
    // So that neither a reload nor the way back chooses anything.
    if (asked !== null) navigate(window.location.pathname, { replace: true })
  }, [asked])
  const press = (next: VoteChoice) => (): void => {
    if (document.activeElement instanceof HTMLElement) document.activeElement.blur()
    choose(next)
  }
  useKeys({
    a: press(yes),
    r: press('reject'),
    Escape: () => {
      if (choice === null) navigate('/approvals')
      else choose(null)
    },
  })
  return { choice, choose }
}
