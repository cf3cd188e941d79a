import { useEffect, useState } from 'react'
import type { Decision, DecisionFilter, Effect } from '../api.ts'
import { Icon } from './icons.tsx'

const effects: readonly { readonly effect: Effect | null; readonly label: string }[] = [
  { effect: null, label: 'All' },
  { effect: 'allow', label: 'Allowed' },
  { effect: 'escalate', label: 'Escalated' },
  { effect: 'deny', label: 'Denied' },
]

/** Narrows the list by effect, agent and action. */
export function DecisionFilters({
  filter,
  seen,
  onChange,
}: {
  readonly filter: DecisionFilter
  /** What is on screen: its names are suggested. */
  readonly seen: readonly Decision[]
  readonly onChange: (filter: DecisionFilter) => void
}) {
  const { effect: chosen, ...names } = filter
  const { agent, action } = filter
  const without = (name: 'agent' | 'action'): DecisionFilter =>
    Object.fromEntries(Object.entries(filter).filter(([key]) => key !== name))

  return (
    <div className="filters" role="search" aria-label="Filter decisions">
      <div className="segments" role="group" aria-label="Effect">
        {effects.map(({ effect, label }) => (
          <button
            key={label}
            type="button"
            aria-pressed={(chosen ?? null) === effect}
            onClick={() => onChange(effect === null ? names : { ...names, effect })}
          >
            {effect !== null && <Icon name={effect} />}
            {label}
          </button>
        ))}
      </div>
      <NameFilter
        label="Agent"
        value={agent ?? ''}
        suggestions={seen.map((decision) => decision.agent)}
        onChange={(value) => onChange(value === '' ? without('agent') : { ...filter, agent: value })}
      />
      <NameFilter
        label="Action"
        value={action ?? ''}
        suggestions={seen.map((decision) => decision.action)}
        onChange={(value) => onChange(value === '' ? without('action') : { ...filter, action: value })}
      />
    </div>
  )
}

const typingPauseMs = 350

function NameFilter({
  label,
  value,
  suggestions,
  onChange,
}: {
  readonly label: string
  readonly value: string
  readonly suggestions: readonly string[]
  readonly onChange: (value: string) => void
}) {
  const [draft, setDraft] = useState(value)
  const [shown, setShown] = useState(value)
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

  const list = `seen-${label.toLowerCase()}`
  return (
    <label className="name-filter">
      <span>{label}</span>
      <input
        type="search"
        list={list}
        placeholder="Any"
        value={draft}
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
