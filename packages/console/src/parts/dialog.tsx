import { useEffect, useId, useRef } from 'react'
import type { ReactNode, SubmitEvent } from 'react'
import { asProblem } from '../problem.ts'
import { visibleText } from '../wording.ts'
import { Icon } from './icons.tsx'

/** A dialog over the page, which gives the focus back where it came from. Escape and the last button close it. */
export function Dialog({
  title,
  onClose,
  children,
}: {
  readonly title: string
  readonly onClose: () => void
  readonly children: ReactNode
}) {
  const place = useRef<HTMLDialogElement>(null)
  const heading = useId()
  useEffect(() => {
    const dialog = place.current
    const before = document.activeElement
    dialog?.showModal()
    return () => {
      dialog?.close()
      if (before instanceof HTMLElement && before.isConnected) before.focus()
    }
  }, [])
  return (
    <dialog
      ref={place}
      className="dialog"
      aria-labelledby={heading}
      onCancel={(event) => {
        event.preventDefault()
        onClose()
      }}
      onClick={(event) => {
        // Outside of what is in it there is only its backdrop.
        if (event.target === place.current) onClose()
      }}
    >
      <div className="dialog-body">
        <h2 id={heading}>{title}</h2>
        {children}
      </div>
    </dialog>
  )
}

const reasonLengthMax = 2000

/** Asks for a reason before something is done that is recorded with it. */
export function ReasonDialog({
  title,
  label,
  button,
  tone = 'primary',
  isPending,
  isImpossible = false,
  error,
  onSubmit,
  onClose,
  children,
}: {
  readonly title: string
  /** What the reason is for, as the name of its field. */
  readonly label: string
  readonly button: string
  readonly tone?: 'primary' | 'reject' | 'approve'
  readonly isPending: boolean
  /** It cannot be done now; what is in the dialog says why. */
  readonly isImpossible?: boolean
  readonly error: unknown
  readonly onSubmit: (reason: string) => void
  readonly onClose: () => void
  readonly children: ReactNode
}) {
  const field = useRef<HTMLTextAreaElement>(null)
  useEffect(() => field.current?.focus(), [])
  const submit = (event: SubmitEvent): void => {
    event.preventDefault()
    const reason = field.current?.value.trim() ?? ''
    if (reason !== '') onSubmit(reason)
  }
  return (
    <Dialog title={title} onClose={onClose}>
      <form onSubmit={submit}>
        {children}
        {error !== null && <DialogProblem error={error} />}
        <label className="comment">
          <span>{label}</span>
          <textarea ref={field} rows={3} required maxLength={reasonLengthMax} disabled={isPending} />
        </label>
        <DialogButtons {...{ button, tone, isPending, isImpossible, onClose }} />
      </form>
    </Dialog>
  )
}

/** The end of a dialog: what it does, and the way out of it. */
export function DialogButtons({
  button,
  tone = 'primary',
  isPending,
  isImpossible = false,
  onConfirm,
  onClose,
}: {
  readonly button: string
  readonly tone?: 'primary' | 'reject' | 'approve'
  readonly isPending: boolean
  readonly isImpossible?: boolean
  /** Where it is no form that is sent. */
  readonly onConfirm?: () => void
  readonly onClose: () => void
}) {
  return (
    <div className="dialog-buttons">
      <button
        type={onConfirm === undefined ? 'submit' : 'button'}
        className={`button button-${tone}`}
        disabled={isPending || isImpossible}
        onClick={onConfirm}
      >
        {isPending ? 'Sending…' : button}
      </button>
      <button type="button" className="button" onClick={onClose}>
        Cancel
      </button>
    </div>
  )
}

/** Why what a dialog was to do was not done. */
export function DialogProblem({ error }: { readonly error: unknown }) {
  const { message, detail, fix } = asProblem(error)
  return (
    <div className="notice notice-bad" role="alert">
      <Icon name="warning" />
      <div>
        <strong>{visibleText(message)}</strong>
        {[detail, fix].map((text) => text !== null && <p key={text}>{visibleText(text)}</p>)}
      </div>
    </div>
  )
}
