import type { Approval } from '../api.ts'
import { Link } from '../router.tsx'

/** How many calls are selected, and the way to answer them together. */
export function SelectionBar({
  chosen,
  refusal,
  onClear,
}: {
  readonly chosen: readonly Approval[]
  /** Why the last one could not be selected. */
  readonly refusal: string | null
  readonly onClear: () => void
}) {
  const count = chosen.length
  return (
    <div className={count === 0 && refusal === null ? 'unseen' : 'selection-bar'}>
      <p role="status">
        {count > 0 && <strong>{count === 1 ? '1 call selected' : `${count} calls selected`}</strong>}
        {refusal !== null && <span className="selection-refusal">{refusal}</span>}
      </p>
      {count > 0 && (
        <div className="selection-buttons">
          <button type="button" className="button button-quiet" onClick={onClear}>
            Clear
          </button>
          <Link to="/approvals/together" className="button button-primary">
            Review together
          </Link>
        </div>
      )}
    </div>
  )
}
