import type { ReactNode } from 'react'
import { Dialog, DialogButtons, DialogProblem } from './dialog.tsx'

/** Asks once more before something that can't be taken back. */
export function ConfirmDialog({
  title,
  button,
  isPending,
  error,
  onConfirm,
  onClose,
  children,
}: {
  readonly title: string
  readonly button: string
  readonly isPending: boolean
  readonly error: unknown
  readonly onConfirm: () => void
  readonly onClose: () => void
  readonly children: ReactNode
}) {
  return (
    <Dialog title={title} onClose={onClose}>
      <div className="dialog-text">{children}</div>
      {error !== null && <DialogProblem error={error} />}
      <DialogButtons tone="reject" {...{ button, isPending, onConfirm, onClose }} />
    </Dialog>
  )
}
