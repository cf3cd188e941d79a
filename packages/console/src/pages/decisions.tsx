import { useEffect, useMemo, useRef, useState } from 'react'
import type { ListedDecision } from '../decision-feed.ts'
import { useTitle } from '../clock.ts'
import { askedFilter, filterOf, searchOf } from '../decision-filter.ts'
import { useDecisionList } from '../decision-queries.ts'
import type { DecisionList } from '../decision-queries.ts'
import { asProblem } from '../problem.ts'
import { useApi, usePendingApprovals } from '../queries.ts'
import { Link, navigate, useAddress } from '../router.tsx'
import { DecisionFilters } from '../parts/decision-filters.tsx'
import { DecisionTable } from '../parts/decision-table.tsx'
import { Icon } from '../parts/icons.tsx'
import { EmptyPanel, ListSkeleton, OlderArchived, ProblemPanel, StaleNote } from '../parts/states.tsx'

/** Every decision, newest first, as it is recorded. */
export function DecisionsPage() {
  const { search } = useAddress()
  const filter = useMemo(() => filterOf(search), [search])
  const waiting = usePendingApprovals().approvals?.length ?? 0
  const [seen, setSeen] = useState<readonly ListedDecision[]>([])
  useTitle('Decisions', waiting)

  return (
    <>
      <div className="page-head">
        <h1>Decisions</h1>
        <p className="quiet">Every action an agent asked for, and what the policy said.</p>
      </div>
      <DecisionFilters
        filter={filter}
        seen={seen}
        onChange={(next) => navigate(`/decisions${searchOf(next)}`, { replace: true })}
      />
      <Decisions key={search} search={search} onSeen={setSeen} />
    </>
  )
}

/** The first rows that a reader has scrolled past do not count as reading further down. */
const rowsAtTop = 3
const restMs = 300

function Decisions({
  search,
  onSeen,
}: {
  readonly search: string
  readonly onSeen: (seen: readonly ListedDecision[]) => void
}) {
  const api = useApi()
  const { approvals: pending = [] } = usePendingApprovals()
  const place = useRef<HTMLDivElement>(null)
  const [filter] = useState(() => askedFilter(filterOf(search), api.serviceNow()))
  const [first, setFirst] = useState(0)
  const isDeep = first > rowsAtTop
  const [shown, setShown] = useState<number | null>(null)
  const list = useDecisionList(filter, isDeep, shown)
  const { rows } = list
  // In steps, so that scrolling by a row asks for nothing.
  const step = Math.floor(first / 25) * 25
  useEffect(() => {
    // Whoever scrolls on is not reading yet.
    const timer = window.setTimeout(() => {
      onSeen(rows?.slice(step, step + 50) ?? [])
      setShown(step === 0 ? null : (rows?.[step]?.record.index ?? null))
    }, restMs)
    return () => window.clearTimeout(timer)
  }, [rows, step, onSeen])

  if (rows === null) return <NotYet list={list} />
  if (rows.length === 0 && list.next === null)
    return <Nothing isFiltered={search !== ''} isArchived={list.archived} />
  return (
    <>
      {list.error !== null && <StaleNote problem={asProblem(list.error)} onRetry={list.refetch} />}
      {list.fresh > 0 && (
        <Fresh count={list.fresh} onShow={() => place.current?.focus({ preventScroll: true })} />
      )}
      <DecisionTable
        place={place}
        decisions={rows}
        pending={pending}
        hasMore={list.next !== null}
        onNearEnd={list.isLoadingOlder || list.error !== null ? nothing : list.loadOlder}
        onShown={setFirst}
      />
      <Foot list={list} />
    </>
  )
}

function nothing(): void {}

function NotYet({ list }: { readonly list: DecisionList }) {
  if (list.error === null) return <ListSkeleton rows={8} className="panel" />
  return <ProblemPanel problem={asProblem(list.error)} onRetry={list.refetch} />
}

function Nothing({ isFiltered, isArchived }: { readonly isFiltered: boolean; readonly isArchived: boolean }) {
  if (isFiltered) {
    return (
      <EmptyPanel title="No decision passes this filter">
        <p>Agents, actions and policies are matched by their whole name.</p>
        {isArchived && <OlderArchived />}
        <Link to="/decisions" className="button">
          Show all decisions
        </Link>
      </EmptyPanel>
    )
  }
  if (isArchived) {
    return (
      <EmptyPanel title="No decisions since the last ones were archived">
        <OlderArchived />
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

// The list takes them in once the page is at its top. Taken in before, they would move rows while the list still believes
// to be where it was, and it might scroll back there. The button then goes, and the list has its focus.
function Fresh({ count, onShow }: { readonly count: number; readonly onShow: () => void }) {
  return (
    <div className="fresh">
      <button
        type="button"
        className="button button-primary"
        onClick={() => {
          window.scrollTo({ top: 0 })
          onShow()
        }}
      >
        <Icon name="back" />
        {count === 1 ? '1 new decision' : `${count} new decisions`}
      </button>
    </div>
  )
}

function Foot({ list }: { readonly list: DecisionList }) {
  const count = list.rows?.length ?? 0
  return (
    <div className="list-foot">
      <span className="quiet">
        {list.next !== null
          ? 'Loading older ones…'
          : list.archived
            ? `${count === 1 ? 'The only decision' : `All ${count.toLocaleString('en')} decisions`} in the database.`
            : count === 1
              ? 'The only decision.'
              : `All ${count.toLocaleString('en')} decisions.`}
      </span>
      {list.next === null && list.archived && <OlderArchived />}
    </div>
  )
}
