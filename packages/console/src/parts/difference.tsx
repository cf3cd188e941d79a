import type { Approval, ApprovalContext } from '../api.ts'
import { compareCalls, excerpts } from '../call-changes.ts'
import type { CallChange } from '../call-changes.ts'
import { useNow } from '../clock.ts'
import { Link } from '../router.tsx'
import { EffectBadge } from './badges.tsx'
import { LeafValue } from './leaf-value.tsx'
import { ShortTime } from './short-time.tsx'

/** What differs from the agent's last call of the same action. */
export function Difference({
  approval,
  similar,
}: {
  readonly approval: Approval
  readonly similar: ApprovalContext['similar']
}) {
  const now = useNow()
  if (similar === null) return <p className="quiet">This agent has not asked for this action before.</p>
  if (approval.params === null || similar.params === null) {
    return <p className="quiet">One of the two calls is not stored any more, so they can’t be compared.</p>
  }
  const { changes, same, hidden } = compareCalls(similar, approval)
  return (
    <div className="difference">
      <p className="difference-with">
        <Link to={`/decisions/${similar.id}`}>{similar.id}</Link>
        <EffectBadge effect={similar.effect} />
        <ShortTime at={similar.at} now={now} />
      </p>
      {changes.length === 0 ? (
        <p>
          {hidden === 0 ? 'The parameters are the same.' : 'What can be seen of the parameters is the same.'}
        </p>
      ) : (
        <table className="difference-table">
          <thead>
            <tr>
              <th scope="col">Parameter</th>
              <th scope="col">Then</th>
              <th scope="col">Now</th>
            </tr>
          </thead>
          <tbody>
            {changes.map((change) => (
              <ChangeRow key={change.pointer} change={change} />
            ))}
          </tbody>
        </table>
      )}
      <p className="small quiet">
        {same === 1 ? '1 parameter is' : `${same} parameters are`} the same
        {hidden > 0 && `; ${hidden} hidden, and not compared`}.
      </p>
    </div>
  )
}

function ChangeRow({ change: { label, before, now } }: { readonly change: CallChange }) {
  const [then, current] = excerpts(before?.value ?? '', now?.value ?? '')
  return (
    <tr>
      <th scope="row">{label}</th>
      <td className="difference-then">
        {before === null ? <em>not there</em> : <LeafValue leaf={before} text={then} />}
      </td>
      <td className="difference-now">
        {now === null ? <em>not there</em> : <LeafValue leaf={now} text={current} />}
      </td>
    </tr>
  )
}
