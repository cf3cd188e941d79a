import { useEffect, useId, useState } from 'react'
import type { Effect } from '../api.ts'
import type { AddressFilter, Recent } from '../decision-filter.ts'
import type { ListedDecision } from '../decision-feed.ts'
import { Icon } from './icons.tsx'

const effects: readonly { readonly effect: Effect | null; readonly label: string }[] = [
  { effect: null, label: 'All' },
  { effect: 'allow', label: 'Allowed' },
  { effect: 'escalate', label: 'Escalated' },
  { effect: 'deny', label: 'Denied' },
]

type Change = (filter: AddressFilter) => void

/** Narrows the list. What is chosen stands in the address. */
export function DecisionFilters({
  filter,
  seen,
  onChange,
}: {
  readonly filter: AddressFilter
  /** What is on screen: its names are suggested. */
  readonly seen: readonly ListedDecision[]
  readonly onChange: Change
}) {
  const change = (name: keyof AddressFilter, value: string | null): void => {
    const { [name]: _old, ...others } = filter
    onChange(value === null || value === '' ? others : { ...others, [name]: value })
  }
  const more = ['agent', 'action', 'policy', 'last', 'since', 'until'].filter((name) => name in filter).length
  const [isOpen, setOpen] = useState(more > 0)
  const panel = useId()
  return (
    <div className="filters" role="search" aria-label="Filter decisions">
      <div className="filters-main">
        <TextFilter
          label="Search"
          placeholder="Names, ids, reasons"
          value={filter.text ?? ''}
          suggestions={[]}
          onChange={(value) => change('text', value)}
        />
        <EffectFilter chosen={filter.effect ?? null} onChoose={(effect) => change('effect', effect)} />
        <button
          type="button"
          className="button button-small more-filters"
          aria-expanded={isOpen}
          aria-controls={panel}
          onClick={() => setOpen(!isOpen)}
        >
          More filters
          {more > 0 && <span className="count">{more}</span>}
        </button>
      </div>
      <div id={panel} className="filters-more" hidden={!isOpen}>
        <TextFilter
          label="Agent"
          value={filter.agent ?? ''}
          suggestions={seen.map(({ agent }) => agent)}
          onChange={(value) => change('agent', value)}
        />
        <TextFilter
          label="Action"
          value={filter.action ?? ''}
          suggestions={seen.map(({ action }) => action)}
          onChange={(value) => change('action', value)}
        />
        <TextFilter
          label="Policy"
          value={filter.policy ?? ''}
          suggestions={seen.flatMap(({ policy }) => policy?.id ?? [])}
          onChange={(value) => change('policy', value)}
        />
        <TimeFilter filter={filter} onChange={onChange} />
      </div>
    </div>
  )
}

function EffectFilter({
  chosen,
  onChoose,
}: {
  readonly chosen: Effect | null
  readonly onChoose: (effect: Effect | null) => void
}) {
  return (
    <div className="segments" role="group" aria-label="Effect">
      {effects.map(({ effect, label }) => (
        <button key={label} type="button" aria-pressed={chosen === effect} onClick={() => onChoose(effect)}>
          {effect !== null && <Icon name={effect} />}
          {label}
        </button>
      ))}
    </div>
  )
}

const spans: readonly { readonly value: Recent | 'any' | 'between'; readonly label: string }[] = [
  { value: 'any', label: 'Any time' },
  { value: '1h', label: 'Last hour' },
  { value: '24h', label: 'Last 24 hours' },
  { value: '7d', label: 'Last 7 days' },
  { value: '30d', label: 'Last 30 days' },
  { value: 'between', label: 'From … to …' },
]

function TimeFilter({ filter, onChange }: { readonly filter: AddressFilter; readonly onChange: Change }) {
  const { last, since, until, ...others } = filter
  const [isBetween, setBetween] = useState(since !== undefined || until !== undefined)
  const choose = (value: string): void => {
    setBetween(value === 'between')
    const recent = spans.find((span) => span.value === value)?.value
    if (recent === undefined || recent === 'any' || recent === 'between') return onChange(others)
    onChange({ ...others, last: recent })
  }
  const change = (name: 'since' | 'until', local: string): void => {
    const { [name]: _old, ...rest } = filter
    const at = Date.parse(local)
    onChange(Number.isNaN(at) ? rest : { ...rest, [name]: new Date(at).toISOString() })
  }
  return (
    <>
      <label className="name-filter">
        <span>Time</span>
        <select
          value={last ?? (isBetween ? 'between' : 'any')}
          onChange={(event) => choose(event.target.value)}
        >
          {spans.map(({ value, label }) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </select>
      </label>
      {isBetween && last === undefined && (
        <>
          <TimeField label="From" value={since} onChange={(at) => change('since', at)} />
          <TimeField label="To" value={until} onChange={(at) => change('until', at)} />
        </>
      )}
    </>
  )
}

function TimeField({
  label,
  value,
  onChange,
}: {
  readonly label: string
  readonly value: string | undefined
  readonly onChange: (local: string) => void
}) {
  return (
    <label className="name-filter">
      <span>{label}</span>
      <input
        type="datetime-local"
        value={value === undefined ? '' : localText(value)}
        onChange={(event) => onChange(event.target.value)}
      />
    </label>
  )
}

/** The time in the reader's zone, as the field takes it. */
function localText(at: string): string {
  const date = new Date(at)
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16)
}

const typingPauseMs = 350

function TextFilter({
  label,
  placeholder = 'Any',
  value,
  suggestions,
  onChange,
}: {
  readonly label: string
  readonly placeholder?: string
  readonly value: string
  readonly suggestions: readonly string[]
  readonly onChange: (value: string) => void
}) {
  const [draft, setDraft] = useState(value)
  const [shown, setShown] = useState(value)
  const list = useId()
  // The address may change by itself, as with the browser's back button.
  if (shown !== value) {
    setShown(value)
    setDraft(value)
  }
  useEffect(() => {
    const next = draft.trim()
    if (next === value) return undefined
    const timer = window.setTimeout(() => onChange(next), typingPauseMs)
    return () => window.clearTimeout(timer)
  }, [draft, value, onChange])

  return (
    <label className="name-filter">
      <span>{label}</span>
      <input
        type="search"
        list={list}
        placeholder={placeholder}
        value={draft}
        maxLength={200}
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        onChange={(event) => setDraft(event.target.value)}
      />
      <datalist id={list}>
        {[...new Set(suggestions)].toSorted().map((name) => (
          <option key={name} value={name} />
        ))}
      </datalist>
    </label>
  )
}
