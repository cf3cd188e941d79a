import type { Approval, ApprovalContext } from '../api.ts'
import { isVoid, yesCount } from '../consent.ts'
import { approversText, visibleText } from '../wording.ts'

const namesMax = 8

/** Who may still answer, by name. */
export function Voters({
  approval,
  voters,
  me,
}: {
  readonly approval: Approval
  readonly voters: ApprovalContext['voters']
  readonly me: string
}) {
  if (approval.status !== 'pending' || isVoid(approval)) return null
  const others = voters.filter(({ voted }) => !voted)
  const lacking = approval.terms.quorum - yesCount(approval)
  const shown = others.slice(0, namesMax)
  return (
    <div className="voters">
      <h3>Who may answer</h3>
      {others.length === 0 ? (
        <p className="quiet">Nobody is left: it asks for {approversText(approval.terms.approvers)}.</p>
      ) : (
        <ul className="tags">
          {shown.map(({ person, deputies }) => (
            <li key={person} className="tag break">
              {visibleText(person)}
              {person === me && ' (you)'}
              {deputies.length > 0 && `, or in their stead ${deputies.map(visibleText).join(', ')}`}
            </li>
          ))}
          {others.length > shown.length && <li className="quiet">and {others.length - shown.length} more</li>}
        </ul>
      )}
      {others.length > 0 && others.length < lacking && (
        <p className="quiet">{`It takes ${lacking} more, and only ${others.length} may answer.`}</p>
      )}
    </div>
  )
}
