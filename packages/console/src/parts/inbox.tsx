import { useEffect, useRef, useState } from 'react'
import type { Approval } from '../api.ts'
import { inInboxOrder } from '../inbox-order.ts'
import { useKeys } from '../keys.ts'
import { asProblem } from '../problem.ts'
import { useApprovals, useMay } from '../queries.ts'
import { navigate } from '../router.tsx'
import { useSelection } from '../selection.tsx'
import { ApprovalCard } from './approval-rows.tsx'
import { Notice } from './notice.tsx'
import { SelectionBar } from './selection-bar.tsx'
import { EmptyPanel, ListSkeleton, ProblemPanel, StaleNote } from './states.tsx'
import { WithdrawDialog, withdrawing } from './withdraw.tsx'

/** What waits for people, the most urgent first. */
export function Inbox() {
  const list = useApprovals('pending')
  const retry = (): void => void list.refetch()
  if (list.data === undefined) {
    if (list.isError) return <ProblemPanel problem={asProblem(list.error)} onRetry={retry} />
    return <ListSkeleton rows={3} className="skeleton-cards" />
  }
  const waiting = inInboxOrder(list.data.pages.flatMap((page) => page.approvals))
  return (
    <>
      {list.isError && <StaleNote problem={asProblem(list.error)} onRetry={retry} />}
      <Waiting waiting={waiting} hasMore={list.hasNextPage} />
    </>
  )
}

function Waiting({ waiting, hasMore }: { readonly waiting: readonly Approval[]; readonly hasMore: boolean }) {
  const selection = useSelection(waiting)
  const [refusal, setRefusal] = useState<string | null>(null)
  const [leaving, setLeaving] = useState<Approval | null>(null)
  const [withdrawn, setWithdrawn] = useState<string | null>(null)
  const mayWithdraw = useMay(withdrawing)
  const answerTogether = (answer: 'yes' | 'reject'): boolean => {
    if (selection.chosen.length === 0) return false
    navigate(`/approvals/together?answer=${answer}`)
    window.scrollTo(0, 0)
    return true
  }
  const select = (approval: Approval): void => {
    const why = selection.isChosen(approval.id) ? null : selection.refusal(approval)
    setRefusal(why)
    if (why === null) selection.toggle(approval.id)
  }
  useKeys({
    x: () => {
      const address = document.activeElement?.getAttribute('href')
      const focused = waiting.find(({ id }) => address === `/approvals/${id}`)
      if (focused === undefined) return false
      select(focused)
      return true
    },
    a: () => answerTogether('yes'),
    r: () => answerTogether('reject'),
  })
  return (
    <>
      {withdrawn !== null && <Withdrawn key={withdrawn} id={withdrawn} />}
      {waiting.length === 0 ? (
        <EmptyPanel title="Nothing waits for a person">
          <p>This page shows a call the moment a policy asks for a person.</p>
        </EmptyPanel>
      ) : (
        <Cards
          waiting={waiting}
          hasMore={hasMore}
          selection={selection}
          onSelect={select}
          onWithdraw={mayWithdraw ? setLeaving : null}
        />
      )}
      <SelectionBar chosen={selection.chosen} refusal={refusal} onClear={selection.clear} />
      {leaving !== null && (
        <WithdrawDialog
          approval={leaving}
          onDone={() => {
            setWithdrawn(leaving.id)
            setLeaving(null)
          }}
          onClose={() => setLeaving(null)}
        />
      )}
    </>
  )
}

/** Takes the focus, which the row has taken with it. */
function Withdrawn({ id }: { readonly id: string }) {
  const place = useRef<HTMLDivElement>(null)
  useEffect(() => place.current?.focus(), [])
  return (
    <div ref={place} tabIndex={-1} className="vote-result inbox-notice">
      <Notice tone="good" role="status">
        {id} is withdrawn. Its call does not run.
      </Notice>
    </div>
  )
}

const shownAtOnce = 50

function Cards({
  waiting,
  hasMore,
  selection,
  onSelect,
  onWithdraw,
}: {
  readonly waiting: readonly Approval[]
  readonly hasMore: boolean
  readonly selection: ReturnType<typeof useSelection>
  readonly onSelect: (approval: Approval) => void
  readonly onWithdraw: ((approval: Approval) => void) | null
}) {
  const [shown, setShown] = useState(shownAtOnce)
  return (
    <>
      <ul className="cards">
        {waiting.slice(0, shown).map((approval) => (
          <ApprovalCard
            key={approval.id}
            approval={approval}
            selecting={{
              isChosen: selection.isChosen(approval.id),
              isOffered: selection.isChosen(approval.id) || selection.refusal(approval) === null,
              onSelect: () => onSelect(approval),
            }}
            onWithdraw={onWithdraw && (() => onWithdraw(approval))}
          />
        ))}
      </ul>
      {shown < waiting.length && (
        <MoreCards
          key={shown}
          shown={shown}
          of={waiting.length}
          onMore={() => setShown(shown + shownAtOnce)}
        />
      )}
      {hasMore && shown >= waiting.length && (
        <p className="list-foot quiet" role="status">
          More calls wait than these {waiting.length}. They move up as these are answered.
        </p>
      )}
    </>
  )
}

/** Shows the next cards when the end of those that are shown comes near, or at a press. */
function MoreCards({
  shown,
  of,
  onMore,
}: {
  readonly shown: number
  readonly of: number
  readonly onMore: () => void
}) {
  const place = useRef<HTMLDivElement>(null)
  const more = useRef(onMore)
  useEffect(() => {
    more.current = onMore
  })
  useEffect(() => {
    const observer = new IntersectionObserver(
      (entries) => {
        if (entries.some(({ isIntersecting }) => isIntersecting)) more.current()
      },
      { rootMargin: '400px' },
    )
    if (place.current !== null) observer.observe(place.current)
    return () => observer.disconnect()
  }, [])
  return (
    <div className="list-foot" ref={place}>
      <button type="button" className="button" onClick={onMore}>
        Show more: {shown} of {of}
      </button>
    </div>
  )
}
