import { useState } from 'react'
import type { Approval, Decision, Obligation } from '../api.ts'
import { useNow } from '../clock.ts'
import { Link } from '../router.tsx'
import { clockTime, dayName, exactTime, visibleText } from '../wording.ts'
import { EffectBadge, OutcomeNote, ShadowBadge } from './badges.tsx'
import { TimeLeft } from './countdown.tsx'
import { Icon } from './icons.tsx'

/**
 * Decisions by day. The roles are spelled out because on narrow screens the rows are laid out as a grid,
 * and browsers then forget that a table is one.
 */
export function DecisionTable({
  decisions,
  pending,
}: {
  readonly decisions: readonly Decision[]
  readonly pending: readonly Approval[]
}) {
  // What was there when the list appeared is not news; what comes later is shown as such.
  const [newestAtFirst] = useState(() => decisions[0]?.record.index ?? -1)
  const now = useNow()
  const days = byDay(decisions, now)

  return (
    <div className="panel table-panel">
      <table className="decisions" role="table" aria-label="Decisions, newest first">
        <thead role="rowgroup">
          <tr role="row">
            <th role="columnheader" scope="col" className="cell-index">
              Record
            </th>
            <th role="columnheader" scope="col">
              Time
            </th>
            <th role="columnheader" scope="col">
              Effect
            </th>
            <th role="columnheader" scope="col">
              Action
            </th>
            <th role="columnheader" scope="col">
              Reason
            </th>
            <th role="columnheader" scope="col">
              Outcome
            </th>
          </tr>
        </thead>
        {days.map(([day, ofDay]) => (
          <tbody key={day} role="rowgroup">
            <tr role="row" className="day">
              <th role="rowheader" scope="rowgroup" colSpan={6}>
                {day}
              </th>
            </tr>
            {ofDay.map((decision) => (
              <Row
                key={decision.id}
                decision={decision}
                waits={pending.find(({ id }) => id === decision.approval?.id)}
                isFresh={decision.record.index > newestAtFirst}
              />
            ))}
          </tbody>
        ))}
      </table>
    </div>
  )
}

function byDay(
  decisions: readonly Decision[],
  now: number,
): readonly (readonly [string, readonly Decision[]])[] {
  const days = new Map<string, Decision[]>()
  for (const decision of decisions) {
    const day = dayName(decision.at, now)
    const ofDay = days.get(day)
    if (ofDay === undefined) days.set(day, [decision])
    else ofDay.push(decision)
  }
  return [...days]
}

function Row({
  decision,
  waits,
  isFresh,
}: {
  readonly decision: Decision
  readonly waits: Approval | undefined
  readonly isFresh: boolean
}) {
  return (
    <tr
      role="row"
      className={isFresh ? `row row-${decision.effect} row-fresh` : `row row-${decision.effect}`}
    >
      <td role="cell" className="cell-index">
        {decision.record.index}
      </td>
      <td role="cell" className="cell-time">
        <time dateTime={decision.at} title={exactTime(decision.at)}>
          {clockTime(decision.at)}
        </time>
      </td>
      <td role="cell" className="cell-effect">
        <EffectBadge effect={decision.effect} />
        {decision.shadow !== null && <ShadowBadge effect={decision.shadow.effect} />}
      </td>
      <td role="cell" className="cell-action">
        <Link to={`/decisions/${decision.id}`} className="row-link" data-row="">
          {visibleText(decision.action)}
        </Link>
        <span className="agent">{visibleText(decision.agent)}</span>
      </td>
      <td role="cell" className="cell-reason">
        {visibleText(decision.reasons[0] ?? '')}
        {decision.obligations !== null && (
          <span className="row-obligations">
            <Icon name="todo" /> {obligationsText(decision.obligations)}
          </span>
        )}
      </td>
      <td role="cell" className="cell-outcome">
        {waits === undefined ? (
          <OutcomeNote decision={decision} />
        ) : (
          <span className="outcome outcome-waits">
            Waits <TimeLeft from={waits.openedAt} deadline={waits.deadline} />
          </span>
        )}
      </td>
    </tr>
  )
}

function obligationsText(obligations: readonly Obligation[]): string {
  return obligations
    .map(({ kind, path, channel }) => `${kind} ${visibleText(path ?? channel ?? '')}`)
    .join(', ')
}
