import type { ReactNode } from 'react'
import { ReasonDialog } from './dialog.tsx'

/** What ends it, as a mutation that takes the reason. */
interface Revocation {
  readonly isPending: boolean
  readonly error: unknown
  readonly mutate: (reason: string) => void
}

/** Asks for a reason before something is ended that somebody has given: a delegation, a standing grant. */
export function RevokeDialog({
  id,
  revocation,
  onClose,
  children,
}: {
  readonly id: string
  readonly revocation: Revocation
  readonly onClose: () => void
  /** What follows. */
  readonly children: ReactNode
}) {
  return (
    <ReasonDialog
      title={`Revoke ${id}?`}
      label="Why, recorded with it"
      button="Revoke it"
      tone="reject"
      isPending={revocation.isPending}
      error={revocation.error}
      onSubmit={(reason) => revocation.mutate(reason)}
      onClose={onClose}
    >
      <p className="break">{children}</p>
    </ReasonDialog>
  )
}
