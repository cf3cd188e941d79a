import { useCallback, useEffect, useRef, useState } from 'react'
import type { RefObject } from 'react'
import { defaultRangeExtractor, useWindowVirtualizer } from '@tanstack/react-virtual'
import type { Range } from '@tanstack/react-virtual'
import { reasonText } from '@bailiwick/core/words'
import type { Approval, Obligation } from '../api.ts'
import { useNow } from '../clock.ts'
import type { ListedDecision } from '../decision-feed.ts'
import { Link } from '../router.tsx'
import { clockTime, dayName, exactTime, visibleText } from '../wording.ts'
import { isVoid } from '../consent.ts'
import { EffectBadge, OutcomeNote, ShadowBadge } from './badges.tsx'
import { TimeLeft } from './countdown.tsx'
import { Icon } from './icons.tsx'

const narrow = window.matchMedia('(width < 60rem)')
const rowHeight = { narrow: 128, wide: 58 } as const
/** How near to its end the list is when it asks for more. */
const rowsAhead = 60

/**
 * Decisions by day. However many there are, only those near the screen are in the page; the roles and positions tell
 * screen readers of the others.
 */
export function DecisionTable({
  place,
  decisions,
  pending,
  hasMore,
  onNearEnd,
  onShown,
}: {
  readonly place: RefObject<HTMLDivElement | null>
  readonly decisions: readonly ListedDecision[]
  readonly pending: readonly Approval[]
  readonly hasMore: boolean
  readonly onNearEnd: () => void
  /** Told where on the list the screen is. */
  readonly onShown: (first: number) => void
}) {
  return (
    <div
      ref={place}
      tabIndex={-1}
      className="panel decisions"
      role="table"
      aria-label="Decisions, newest first"
      aria-rowcount={hasMore ? -1 : decisions.length + 1}
    >
      <div role="rowgroup" className="decisions-head">
        <div role="row" aria-rowindex={1} className="decision-grid">
          {['Record', 'Time', 'Effect', 'Action', 'Reason', 'Outcome'].map((name) => (
            <span key={name} role="columnheader">
              {name}
            </span>
          ))}
        </div>
      </div>
      <Rows
        decisions={decisions}
        pending={pending}
        onNearEnd={hasMore ? onNearEnd : undefined}
        onShown={onShown}
      />
    </div>
  )
}

function Rows({
  decisions,
  pending,
  onNearEnd,
  onShown,
}: {
  readonly decisions: readonly ListedDecision[]
  readonly pending: readonly Approval[]
  readonly onNearEnd: (() => void) | undefined
  readonly onShown: (first: number) => void
}) {
  // What was there when the list appeared is not news; what comes later is shown as such.
  const [newestAtFirst] = useState(() => decisions[0]?.record.index ?? -1)
  const now = useNow()
  const { place, top, focused, virtualizer } = useRowsNearScreen(decisions, onNearEnd, onShown)
  const items = virtualizer.getVirtualItems()
  const dayAt = (index: number): string | null => {
    const decision = decisions[index]
    return decision === undefined ? null : dayName(decision.at, now)
  }

  return (
    <div
      ref={place}
      role="rowgroup"
      className="decisions-body"
      style={{ height: virtualizer.getTotalSize() }}
      onFocus={focused.onFocus}
      onBlur={focused.onBlur}
    >
      {items.map(({ key, index, start }) => {
        const decision = decisions[index]
        if (decision === undefined) return null
        const day = dayAt(index)
        return (
          <div
            key={key}
            role="row"
            aria-rowindex={index + 2}
            ref={virtualizer.measureElement}
            data-index={index}
            className="decision-item"
            style={{ transform: `translateY(${start - top}px)` }}
          >
            {dayAt(index - 1) !== day && (
              <span role="rowheader" className="day">
                {day}
              </span>
            )}
            <Cells
              decision={decision}
              waits={pending.find(({ id }) => id === decision.approval?.id)}
              isFresh={decision.record.index > newestAtFirst}
            />
          </div>
        )
      })}
    </div>
  )
}

/** Which rows are near the screen, and where they lie. */
function useRowsNearScreen(
  decisions: readonly ListedDecision[],
  onNearEnd: (() => void) | undefined,
  onShown: (first: number) => void,
) {
  const place = useRef<HTMLDivElement>(null)
  const [top, setTop] = useState(0)
  useEffect(() => setTop(place.current?.offsetTop ?? 0), [])
  const focused = useFocusedRow(decisions)
  // Asked of the browser once for all rows; and the same keys as before are no reason to lay out all of them anew.
  const height = narrow.matches ? rowHeight.narrow : rowHeight.wide
  const keyOf = useCallback((at: number) => decisions[at]?.id ?? at, [decisions])
  // oxlint-disable-next-line react/incompatible-library -- nothing here is memoized by a compiler
  const virtualizer = useWindowVirtualizer({
    count: decisions.length,
    estimateSize: () => height,
    getItemKey: keyOf,
    overscan: 10,
    scrollMargin: top,
    rangeExtractor: focused.withFocused,
  })
  const items = virtualizer.getVirtualItems()
  const first = virtualizer.range?.startIndex ?? 0
  const last = items.at(-1)?.index ?? 0
  useEffect(() => onShown(first), [first, onShown])
  useEffect(() => {
    if (last >= decisions.length - rowsAhead) onNearEnd?.()
  }, [last, decisions.length, onNearEnd])
  return { place, top, focused, virtualizer }
}

/** A row that has the focus stays in the page, wherever it is scrolled to: else the focus would be lost. */
function useFocusedRow(decisions: readonly ListedDecision[]) {
  const [id, setId] = useState<string | null>(null)
  const at = id === null ? -1 : decisions.findIndex((decision) => decision.id === id)
  const withFocused = useCallback(
    (range: Range) => {
      const shown = defaultRangeExtractor(range)
      if (at === -1 || shown.includes(at)) return shown
      return [...shown, at].sort((one, other) => one - other)
    },
    [at],
  )
  return {
    withFocused,
    onFocus: ({ target }: { readonly target: EventTarget }) => {
      const row = target instanceof HTMLElement ? target.closest<HTMLElement>('[data-index]') : null
      setId(decisions[Number(row?.dataset['index'] ?? -1)]?.id ?? null)
    },
    onBlur: () => setId(null),
  }
}

function Cells({
  decision,
  waits,
  isFresh,
}: {
  readonly decision: ListedDecision
  readonly waits: Approval | undefined
  readonly isFresh: boolean
}) {
  return (
    <div role="none" className={isFresh ? 'row decision-grid row-fresh' : 'row decision-grid'}>
      <span role="cell" className="cell-index">
        {decision.record.index}
      </span>
      <span role="cell" className="cell-time">
        <time dateTime={decision.at} title={exactTime(decision.at)}>
          {clockTime(decision.at)}
        </time>
      </span>
      <span role="cell" className="cell-effect">
        <EffectBadge effect={decision.effect} />
        {decision.shadow !== null && <ShadowBadge effect={decision.shadow.effect} />}
      </span>
      <span role="cell" className="cell-action">
        <Link to={`/decisions/${decision.id}`} className="row-link" data-row="">
          {visibleText(decision.action)}
        </Link>
        <span className="agent">{visibleText(decision.agent)}</span>
      </span>
      <span role="cell" className="cell-reason">
        {reasonText(decision.reasons[0] ?? '')}
        {decision.obligations !== null && (
          <span className="row-obligations">
            <Icon name="todo" /> {obligationsText(decision.obligations)}
          </span>
        )}
      </span>
      <span role="cell" className="cell-outcome">
        {waits === undefined ? (
          <OutcomeNote decision={decision} />
        ) : (
          <span className="outcome outcome-waits">
            {isVoid(waits) ? (
              'Void: policy changed'
            ) : (
              <>
                Waits <TimeLeft from={waits.openedAt} deadline={waits.deadline} />
              </>
            )}
          </span>
        )}
      </span>
    </div>
  )
}

function obligationsText(obligations: readonly Obligation[]): string {
  return obligations
    .map(({ kind, path, channel }) => `${kind} ${visibleText(path ?? channel ?? '')}`)
    .join(', ')
}
