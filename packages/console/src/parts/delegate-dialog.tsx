import { useState } from 'react'
import type { SubmitEvent } from 'react'
import type { Session } from '../api.ts'
import { useDelegate } from '../voting-queries.ts'
import { Dialog, DialogButtons, DialogProblem } from './dialog.tsx'
import { LabelledInput } from './labelled-input.tsx'
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
          <LabelledInput
            type="email"
            label="Whose votes"
            note="empty: your own"
            value={from}
            onChange={setFrom}
          />
        )}
        <LabelledInput
          type="email"
          label="Who casts them"
          note="an e-mail address"
          isRequired
          value={to}
          onChange={setTo}
        />
        <TimeFields {...{ starts, ends, onStarts: setStarts, onEnds: setEnds }} />
        <ReasonField value={reason} onChange={setReason} />
        <p className="small quiet">
          They vote by what the person whose votes they are may do, and the record names both. It does not
          pass on, and either of the two can revoke it.
        </p>
        <DialogButtons button="Let them vote" isPending={delegate.isPending} onClose={onClose} />
      </form>
    </Dialog>
  )
}

function TimeFields({
  starts,
  ends,
  onStarts,
  onEnds,
}: {
  readonly starts: string
  readonly ends: string
  readonly onStarts: (value: string) => void
  readonly onEnds: (value: string) => void
}) {
  return (
    <>
      <div className="two-fields">
        <LabelledInput
          type="datetime-local"
          label="From"
          note="empty: now"
          value={starts}
          onChange={onStarts}
        />
        <LabelledInput
          type="datetime-local"
          label="Until"
          note="at most 366 days"
          isRequired
          value={ends}
          onChange={onEnds}
        />
      </div>
      <p className="small quiet">Times are those of {timeZone()}.</p>
    </>
  )
}

function timeZone(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone
}

function ReasonField({
  value,
  onChange,
}: {
  readonly value: string
  readonly onChange: (value: string) => void
}) {
  return (
    <label className="comment">
      <span>
        Why <span className="quiet">recorded with it</span>
      </span>
      <textarea
        rows={2}
        required
        maxLength={commentLengthMax}
        value={value}
        onChange={(event) => onChange(event.target.value)}
      />
    </label>
  )
}
