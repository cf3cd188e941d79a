import { useState } from 'react'
import type { SubmitEvent } from 'react'
import type { Session } from '../api.ts'
import { useDelegate } from '../voting-queries.ts'
import { Dialog, DialogProblem } from './dialog.tsx'
import { commentLengthMax } from './vote-form.tsx'

/** Lets somebody vote in one's stead for a time; administrators say so for others, too. */
export function DelegateDialog({
  me,
  onClose,
}: {
  readonly me: Session['person']
  readonly onClose: () => void
}) {
  const delegate = useDelegate(onClose)
  const [from, setFrom] = useState('')
  const [to, setTo] = useState('')
  const [starts, setStarts] = useState('')
  const [ends, setEnds] = useState('')
  const [reason, setReason] = useState('')
  const submit = (event: SubmitEvent): void => {
    event.preventDefault()
    delegate.mutate({
      to: to.trim(),
      from: from.trim() === '' ? null : from.trim(),
      starts: starts === '' ? null : new Date(starts).toISOString(),
      ends: new Date(ends).toISOString(),
      reason: reason.trim(),
    })
  }
  return (
    <Dialog title="Let somebody vote in your stead" onClose={onClose}>
      <form onSubmit={submit}>
        {delegate.isError && <DialogProblem error={delegate.error} />}
        {me.roles.includes('administrator') && (
          <PersonField label="Whose votes" note="empty: your own" value={from} onChange={setFrom} />
        )}
        <PersonField label="Who casts them" note="an e-mail address" isRequired value={to} onChange={setTo} />
        <div className="two-fields">
          <TimeField label="From" note="empty: now" value={starts} onChange={setStarts} />
          <TimeField label="Until" note="at most 366 days" isRequired value={ends} onChange={setEnds} />
        </div>
        <p className="small quiet">Times are those of {timeZone()}.</p>
        <label className="comment">
          <span>
            Why <span className="quiet">recorded with it</span>
          </span>
          <textarea
            rows={2}
            required
            maxLength={commentLengthMax}
            value={reason}
            onChange={(event) => setReason(event.target.value)}
          />
        </label>
        <p className="small quiet">
          They vote by what the person whose votes they are may do, and the record names both. It does not
          pass on, and either of the two can revoke it.
        </p>
        <div className="dialog-buttons">
          <button type="submit" className="button button-primary" disabled={delegate.isPending}>
            {delegate.isPending ? 'Sending…' : 'Let them vote'}
          </button>
          <button type="button" className="button" onClick={onClose}>
            Cancel
          </button>
        </div>
      </form>
    </Dialog>
  )
}

interface FieldParts {
  readonly label: string
  readonly note: string
  readonly isRequired?: boolean
  readonly value: string
  readonly onChange: (value: string) => void
}

function timeZone(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone
}

function PersonField({ label, note, isRequired = false, value, onChange }: FieldParts) {
  return (
    <label className="comment">
      <span>
        {label} <span className="quiet">{note}</span>
      </span>
      <input
        type="email"
        required={isRequired}
        maxLength={200}
        value={value}
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        onChange={(event) => onChange(event.target.value)}
      />
    </label>
  )
}

function TimeField({ label, note, isRequired = false, value, onChange }: FieldParts) {
  return (
    <label className="comment">
      <span>
        {label} <span className="quiet">{note}</span>
      </span>
      <input
        type="datetime-local"
        required={isRequired}
        value={value}
        onChange={(event) => onChange(event.target.value)}
      />
    </label>
  )
}
