import type { CallLeaf } from '@bailiwick/core/words'
import type { Approval, Cast } from '../api.ts'
import type { Member } from '../call-changes.ts'
import { Link } from '../router.tsx'
import { TimeLeft } from './countdown.tsx'
import { Icon } from './icons.tsx'
import { LeafValue } from './leaf-value.tsx'
import { problemText } from './vote-outcome.tsx'

/** Calls side by side: a row for each, a column for each of what differs. On a phone, one below the other. */
export function TogetherTable({
  approvals,
  members,
  open,
  casts,
  onLeaveOut,
}: {
  readonly approvals: readonly Approval[]
  readonly members: readonly Member[]
  /** Those that still wait for the reader. */
  readonly open: ReadonlySet<string>
  /** What became of the votes, by approval. */
  readonly casts: ReadonlyMap<string, Cast>
  /** Null: it is too late for that. */
  readonly onLeaveOut: ((id: string) => void) | null
}) {
  return (
    <div className="together-scroll" role="region" aria-label="What differs" tabIndex={0}>
      <table className="together">
        <thead>
          <tr>
            <th scope="col">Call</th>
            {members.map(({ pointer, label }) => (
              <th key={pointer} scope="col">
                {label}
              </th>
            ))}
            <th scope="col">Time left</th>
            <th scope="col">
              <span className="unseen">What becomes of it</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {approvals.map((approval, at) => (
            <tr key={approval.id}>
              <th scope="row">
                <Link to={`/approvals/${approval.id}`}>{approval.id}</Link>
              </th>
              {members.map((member) => (
                <td key={member.pointer} data-label={member.label}>
                  <Value leaf={member.leaves[at] ?? null} />
                </td>
              ))}
              <td data-label="Time left">
                <TimeLeft from={approval.openedAt} deadline={approval.deadline} />
              </td>
              <td className="together-end">
                <End
                  approval={approval}
                  isOpen={open.has(approval.id)}
                  cast={casts.get(approval.id)}
                  onLeaveOut={onLeaveOut}
                />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function Value({ leaf }: { readonly leaf: CallLeaf | null }) {
  return leaf === null ? <em className="quiet">not there</em> : <LeafValue leaf={leaf} />
}

function End({
  approval,
  isOpen,
  cast,
  onLeaveOut,
}: {
  readonly approval: Approval
  readonly isOpen: boolean
  readonly cast: Cast | undefined
  readonly onLeaveOut: ((id: string) => void) | null
}) {
  if (cast !== undefined) return <CastNote cast={cast} />
  if (!isOpen) return <span className="quiet">No longer waits for you</span>
  if (onLeaveOut === null) return null
  return (
    <button
      type="button"
      className="button button-small button-quiet"
      aria-label={`Leave out ${approval.id}`}
      onClick={() => onLeaveOut(approval.id)}
    >
      Leave out
    </button>
  )
}

function CastNote({ cast }: { readonly cast: Cast }) {
  if (cast.kind === 'recorded') {
    const rest = cast.status === 'pending' ? ', waits for others' : ''
    return (
      <span className="cast cast-good">
        <Icon name="check" />
        Recorded{rest}
      </span>
    )
  }
  return (
    <span className="cast cast-bad">
      <Icon name={cast.kind === 'unknown' ? 'unknown' : 'warning'} />
      <span>
        {cast.kind === 'unknown'
          ? 'Not known whether it arrived'
          : `Not counted: ${problemText(cast.problem)}`}
      </span>
    </span>
  )
}
