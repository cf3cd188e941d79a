import { useState } from 'react'
import type { Approval, Standing } from '../api.ts'
import { mayDifferText } from '../may-differ.ts'
import { useApi } from '../queries.ts'
import { durationText, shortMinute, visibleText } from '../wording.ts'

const minuteMs = 60_000
const spansMs = [15, 60, 4 * 60, 8 * 60, 24 * 60].map((minutes) => minutes * minuteMs)

/** How much a person is about to grant beside the one call, as they have typed it. */
export interface MoreInMaking {
  readonly uses: string
  readonly until: string
}

/** What is granted: null for this call alone, undefined where it has not been said yet how much. */
export function standingOf(approval: Approval, more: MoreInMaking | null): Standing | null | undefined {
  if (more === null) return null
  const uses = Number(more.uses)
  const most = approval.terms.standing?.uses ?? 0
  const isGiven = Number.isInteger(uses) && uses >= 1 && uses <= most && more.until !== ''
  return isGiven ? { uses, until: more.until } : undefined
}

/** What has not been said yet of how much is granted. */
export function missingText(approval: Approval, { uses, until }: MoreInMaking): string {
  const most = approval.terms.standing?.uses ?? 0
  const isCounted = standingOf(approval, { uses, until: 'any' }) !== undefined
  if (isCounted) return 'Say until when more calls may run.'
  if (uses !== '') return `Say how many more calls may run: a whole number, at most ${most}.`
  return until === ''
    ? 'Say how many more calls may run, and until when.'
    : 'Say how many more calls may run.'
}

/**
 * Asks whether a yes is also for calls like this one, where the policy lets people say so. Nothing of it is chosen
 * beforehand: without a word the answer is for this call alone.
 */
export function MoreLikeIt({
  approval,
  more,
  isDisabled,
  onChange,
}: {
  readonly approval: Approval
  readonly more: MoreInMaking | null
  readonly isDisabled: boolean
  readonly onChange: (more: MoreInMaking | null) => void
}) {
  const { terms, standingUntil } = approval
  if (terms.standing === null || standingUntil === null) return null
  const { uses: most, lastsMs, mayDiffer } = terms.standing
  return (
    <fieldset className="more-like-it" disabled={isDisabled}>
      <legend className="unseen">Calls like this one</legend>
      <label className="switch">
        <input
          type="checkbox"
          checked={more !== null}
          onChange={(event) => onChange(event.target.checked ? { uses: '', until: '' } : null)}
        />
        <span>Also let more calls like it run, without asking people</span>
      </label>
      {more !== null && (
        <div className="more-fields">
          <label className="comment">
            <span>
              How many <span className="unseen">more, at most {most}</span>
            </span>
            <input
              type="number"
              inputMode="numeric"
              min={1}
              max={most}
              required
              placeholder={`1 to ${most}`}
              value={more.uses}
              onChange={(event) => onChange({ ...more, uses: event.target.value })}
            />
          </label>
          <UntilField
            latest={standingUntil}
            lastsMs={lastsMs}
            value={more.until}
            onChange={(until) => onChange({ ...more, until })}
          />
          <p className="small">
            “Like it” means: by {visibleText(approval.agent)}, under this policy, and equal in everything but{' '}
            <strong>{mayDifferText(mayDiffer, approval)}</strong>.
            {terms.quorum > 1 && ' It holds only if everybody who agrees says so; the least counts.'} It can
            be revoked under <em>Standing grants</em>.
          </p>
        </div>
      )}
    </fieldset>
  )
}

function UntilField({
  latest,
  lastsMs,
  value,
  onChange,
}: {
  /** The latest that a vote may name now. */
  readonly latest: string
  readonly lastsMs: number
  readonly value: string
  readonly onChange: (value: string) => void
}) {
  const api = useApi()
  // Of the moment when the choice is offered: an end that moves while one reads is none.
  const [opened] = useState(() => ({ at: api.serviceNow(), latest }))
  const ends = spansMs
    .filter((span) => span < lastsMs)
    .map((span) => ({ span, at: new Date(opened.at + span).toISOString() }))
    .filter(({ at }) => at < opened.latest)
  return (
    <label className="comment">
      <span>Until</span>
      <select required value={value} onChange={(event) => onChange(event.target.value)}>
        <option value="">Choose</option>
        {ends.map(({ span, at }) => (
          <option key={at} value={at}>
            {shortMinute(at, opened.at)}, in {durationText(span)}
          </option>
        ))}
        <option value={opened.latest}>{shortMinute(opened.latest, opened.at)}, the latest</option>
      </select>
    </label>
  )
}
