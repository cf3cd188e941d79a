import type { Approval } from '../api.ts'
import { useWithdrawal } from '../voting-queries.ts'
import { visibleText } from '../wording.ts'
import { ReasonDialog } from './dialog.tsx'

/** What it takes to withdraw approvals, as endpoints name it. */
export const withdrawing = 'approvals:cancel'

/** Whether there is anything left of it to withdraw. */
export function canBeWithdrawn({ status }: Approval): boolean {
  return status === 'pending' || status === 'approved'
}

/** Asks for a reason before an approval is withdrawn. */
export function WithdrawDialog({
  approval,
  onDone,
  onClose,
}: {
  readonly approval: Approval
  readonly onDone: () => void
  readonly onClose: () => void
}) {
  const withdraw = useWithdrawal(approval, onDone)
  return (
    <ReasonDialog
      title={`Withdraw ${approval.id}?`}
      label="Why, told to the agent"
      button="Withdraw it"
      tone="reject"
      isPending={withdraw.isPending}
      error={withdraw.error}
      onSubmit={(reason) => withdraw.mutate(reason)}
      onClose={onClose}
    >
      <p>
        <strong>{visibleText(approval.agent)}</strong> asked for{' '}
        <code className="break">{visibleText(approval.action)}</code>. From now on the approval lets nothing
        through, whatever people have said or will say.
      </p>
      <p className="quiet">This can’t be undone: the agent has to make a new call.</p>
    </ReasonDialog>
  )
}
