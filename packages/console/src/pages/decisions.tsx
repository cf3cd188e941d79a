import { useMemo } from 'react'
import type { Decision, DecisionFilter, Effect } from '../api.ts'
import { useTitle } from '../clock.ts'
import { asProblem } from '../problem.ts'
import { useDecisions, usePendingApprovals } from '../queries.ts'
import { Link, navigate, useAddress } from '../router.tsx'
import { DecisionFilters } from '../parts/decision-filters.tsx'
import { DecisionTable } from '../parts/decision-table.tsx'
import { Icon } from '../parts/icons.tsx'
import { EmptyPanel, ListSkeleton, ProblemPanel, StaleNote } from '../parts/states.tsx'

/** Every decision, newest first, as it is recorded. */
export function DecisionsPage() {
  const { search } = useAddress()
  const filter = useMemo(() => filterOf(search), [search])
  const pending = usePendingApprovals()
  const list = useDecisions(filter)
  const decisions = useMemo(() => list.data?.pages.flatMap((page) => page.decisions), [list.data])
  const waiting = pending.approvals ?? []
  useTitle('Decisions', waiting.length)

  return (
    <>
      <div className="page-head">
        <h1>Decisions</h1>
        <p className="quiet">Every action an agent asked for, and what the policy said.</p>
      </div>
      {waiting.length > 0 && <WaitingNote count={waiting.length} />}
      <DecisionFilters
        filter={filter}
        seen={decisions ?? []}
        onChange={(next) => navigate(`/${searchOf(next)}`, { replace: true })}
      />
      {list.isError && decisions !== undefined && (
        <StaleNote problem={asProblem(list.error)} onRetry={() => void list.refetch()} />
      )}
      {decisions === undefined ? (
        <NotYet list={list} />
      ) : decisions.length === 0 ? (
        <Nothing isFiltered={Object.keys(filter).length > 0} />
      ) : (
        <>
          <DecisionTable key={search} decisions={decisions} pending={waiting} />
          <Older list={list} decisions={decisions} />
        </>
      )}
    </>
  )
}

type List = ReturnType<typeof useDecisions>

function NotYet({ list }: { readonly list: List }) {
  if (!list.isError) return <ListSkeleton rows={8} className="panel" />
  return <ProblemPanel problem={asProblem(list.error)} onRetry={() => void list.refetch()} />
}

function Nothing({ isFiltered }: { readonly isFiltered: boolean }) {
  if (isFiltered) {
    return (
      <EmptyPanel title="No decision passes this filter">
        <p>Agents and actions are matched by their whole name.</p>
        <Link to="/" className="button">
          Show all decisions
        </Link>
      </EmptyPanel>
    )
  }
  return (
    <EmptyPanel title="No decisions yet">
      <p>They appear here as soon as an agent asks. Give an agent its key with</p>
      <code className="command">bailiwick keys create --agent ID</code>
    </EmptyPanel>
  )
}

function WaitingNote({ count }: { readonly count: number }) {
  return (
    <Link to="/approvals" className="waiting-note">
      <Icon name="escalate" />
      <span>{count === 1 ? '1 call waits for a person' : `${count} calls wait for a person`}</span>
      <span className="waiting-go">
        Review
        <Icon name="forward" />
      </span>
    </Link>
  )
}

function Older({ list, decisions }: { readonly list: List; readonly decisions: readonly Decision[] }) {
  return (
    <div className="list-foot">
      {list.hasNextPage ? (
        <button
          type="button"
          className="button"
          disabled={list.isFetchingNextPage}
          onClick={() => void list.fetchNextPage()}
        >
          {list.isFetchingNextPage ? 'Loading…' : 'Load older'}
        </button>
      ) : (
        <span className="quiet">
          {decisions.length === 1 ? 'The only decision.' : `All ${decisions.length} decisions.`}
        </span>
      )}
      <span className="quiet keys-hint">
        <kbd>j</kbd> <kbd>k</kbd> move, <kbd>Enter</kbd> opens
      </span>
    </div>
  )
}

function filterOf(search: string): DecisionFilter {
  const members = new URLSearchParams(search)
  const effect = (['allow', 'deny', 'escalate'] satisfies Effect[]).find(
    (word) => word === members.get('effect'),
  )
  const agent = members.get('agent')
  const action = members.get('action')
  return {
    ...(effect === undefined ? {} : { effect }),
    ...(agent === null || agent === '' ? {} : { agent }),
    ...(action === null || action === '' ? {} : { action }),
  }
}

function searchOf(filter: DecisionFilter): string {
  const members = new URLSearchParams({ ...filter })
  return members.size === 0 ? '' : `?${members}`
}
