import { useEffect } from 'react'
import type { Approval, ApprovalStatus } from '../api.ts'
import { useTitle } from '../clock.ts'
import { inInboxOrder } from '../inbox-order.ts'
import { useKeys } from '../keys.ts'
import { ApprovalCard, ClosedApproval } from '../parts/approval-rows.tsx'
import { Inbox } from '../parts/inbox.tsx'
import { NewsChoices } from '../parts/news-choices.tsx'
import { EmptyPanel, ListSkeleton, OlderArchived, ProblemPanel, StaleNote } from '../parts/states.tsx'
import { asProblem } from '../problem.ts'
import { useApprovals, usePendingApprovals } from '../queries.ts'
import { lastLooked } from '../returning.ts'
import { Link, navigate, useAddress } from '../router.tsx'

type Tab = ApprovalStatus | 'all'

const tabs: readonly { readonly tab: Tab; readonly label: string; readonly empty: string }[] = [
  { tab: 'pending', label: 'Waiting', empty: 'Nothing waits for a person' },
  { tab: 'approved', label: 'Approved', empty: 'No approval is waiting to be used' },
  { tab: 'consumed', label: 'Used', empty: 'No approval has been used yet' },
  { tab: 'rejected', label: 'Rejected', empty: 'Nothing has been rejected' },
  { tab: 'expired', label: 'Expired', empty: 'Nothing has expired' },
  { tab: 'cancelled', label: 'Cancelled', empty: 'Nothing has been cancelled' },
  { tab: 'all', label: 'All', empty: 'No call has needed a person yet' },
]

/** The inbox: what waits for people, the most urgent first, and what became of the rest. */
export function ApprovalsPage() {
  const { search } = useAddress()
  const asked = new URLSearchParams(search).get('status')
  const { tab, empty } = tabs.find((each) => each.tab === asked) ?? {
    tab: 'pending' as const,
    empty: tabs[0]?.empty,
  }
  const { approvals: waiting, hasMore } = usePendingApprovals()
  useTitle('Approvals', waiting?.length ?? 0)
  useKeys({ a: () => openAnswer('yes'), r: () => openAnswer('reject') })
  useFocusWhereLeft(waiting !== undefined)

  return (
    <>
      <div className="page-head page-head-split">
        <div>
          <h1>Approvals</h1>
          <p className="quiet">
            Calls beyond an agent’s authority. Without an answer in time, they are denied.
          </p>
        </div>
        <div className="page-links">
          <Link to="/delegations" className="button button-small">
            Delegations
          </Link>
          <Link to="/grants" className="button button-small">
            Standing grants
          </Link>
          <NewsChoices />
        </div>
      </div>
      <nav className="tabs" aria-label="Approvals by status">
        {tabs.map((each) => (
          <Link
            key={each.tab}
            to={each.tab === 'pending' ? '/approvals' : `/approvals?status=${each.tab}`}
            aria-current={each.tab === tab ? 'page' : undefined}
          >
            {each.label}
            {each.tab === 'pending' && waiting !== undefined && waiting.length > 0 && (
              <span className="count">{hasMore ? `${waiting.length}+` : waiting.length}</span>
            )}
          </Link>
        ))}
      </nav>
      {tab === 'pending' ? <Inbox /> : <Listed key={tab} tab={tab} empty={empty ?? ''} />}
      {tab === 'pending' && <RecentlyClosed />}
    </>
  )
}

/** Opens the call that has the focus, with the answer chosen; confirming it is another step. */
function openAnswer(answer: 'yes' | 'reject'): boolean {
  const focused = document.activeElement
  const address = focused?.matches('[data-answerable]') === true ? focused.getAttribute('href') : null
  if (address === null) return false
  navigate(`${address}?answer=${answer}`)
  window.scrollTo(0, 0)
  return true
}

/** Whoever comes back from a call goes on from its row. */
function useFocusWhereLeft(isThere: boolean): void {
  useEffect(() => {
    const address = isThere ? lastLooked() : null
    if (address === null) return
    const row = [...document.querySelectorAll<HTMLElement>('[data-row]')].find(
      (each) => each.getAttribute('href') === address,
    )
    row?.focus()
    row?.scrollIntoView({ block: 'nearest' })
  }, [isThere])
}

function Listed({ tab, empty }: { readonly tab: Exclude<Tab, 'pending'>; readonly empty: string }) {
  const list = useApprovals(tab === 'all' ? null : tab)
  const approvals = list.data?.pages.flatMap((page) => page.approvals)
  const isArchived = list.data?.pages.at(-1)?.archived === true
  const retry = (): void => void list.refetch()

  if (approvals === undefined) {
    if (list.isError) return <ProblemPanel problem={asProblem(list.error)} onRetry={retry} />
    return <ListSkeleton rows={3} className="skeleton-cards" />
  }
  return (
    <>
      {list.isError && <StaleNote problem={asProblem(list.error)} onRetry={retry} />}
      {approvals.length === 0 ? (
        <EmptyPanel title={empty}>{isArchived && <OlderArchived />}</EmptyPanel>
      ) : (
        <Approvals approvals={approvals} />
      )}
      {isArchived && approvals.length > 0 && (
        <div className="list-foot">
          <OlderArchived />
        </div>
      )}
      {list.hasNextPage && (
        <div className="list-foot">
          <button
            type="button"
            className="button"
            disabled={list.isFetchingNextPage}
            onClick={() => void list.fetchNextPage()}
          >
            {list.isFetchingNextPage ? 'Loading…' : 'Load older'}
          </button>
        </div>
      )}
    </>
  )
}

/** Waiting ones as cards, in the order of the inbox; closed ones below, newest first. */
function Approvals({ approvals }: { readonly approvals: readonly Approval[] }) {
  const waiting = inInboxOrder(approvals)
  const closed = approvals.filter(({ status }) => status !== 'pending')
  return (
    <>
      {waiting.length > 0 && (
        <ul className="cards">
          {waiting.map((approval) => (
            <ApprovalCard key={approval.id} approval={approval} />
          ))}
        </ul>
      )}
      {closed.length > 0 && <Closed approvals={closed} />}
    </>
  )
}

function Closed({ approvals }: { readonly approvals: readonly Approval[] }) {
  return (
    <ul className="closed panel">
      {approvals.map((approval) => (
        <ClosedApproval key={approval.id} approval={approval} />
      ))}
    </ul>
  )
}

const recentMax = 6

function RecentlyClosed() {
  const list = useApprovals(null)
  const closed = (list.data?.pages[0]?.approvals ?? []).filter(({ status }) => status !== 'pending')
  if (closed.length === 0) return null
  return (
    <section className="recent">
      <h2 className="list-title">Recently closed</h2>
      <Closed approvals={closed.slice(0, recentMax)} />
    </section>
  )
}
