import { useEffect, useRef } from 'react'
import type { Approval, Cast, VoteChoice } from '../api.ts'
import { asProblem } from '../problem.ts'
import { Link } from '../router.tsx'
import { Section } from './document.tsx'
import { Notice } from './notice.tsx'
import { problemText } from './vote-outcome.tsx'

/** What became of votes that were sent together: of all, and that it was not of all. The table says it of each. */
export function TogetherResult({
  approvals,
  choice,
  casts,
  error,
}: {
  readonly approvals: readonly Approval[]
  readonly choice: VoteChoice
  /** In the order of the approvals; null: no answer came. */
  readonly casts: readonly Cast[] | null
  readonly error: unknown
}) {
  const place = useRef<HTMLDivElement>(null)
  useEffect(() => place.current?.focus(), [])
  const recorded = (casts ?? []).filter(({ kind }) => kind === 'recorded').length
  const isAll = casts !== null && recorded === approvals.length
  return (
    <div ref={place} tabIndex={-1} className="vote-result">
      <Section title={isAll ? 'Done' : 'Look at each'}>
        {casts === null ? (
          <NoAnswer error={error} />
        ) : (
          <Notice tone={isAll && choice !== 'reject' ? 'good' : 'bad'} role={isAll ? 'status' : 'alert'}>
            <strong>{summary(recorded, approvals.length)}</strong>
            {isAll && choice === 'reject' && <p>None of these calls will run.</p>}
            {!isAll && <p>The list says why of each. What still waits is in the inbox.</p>}
          </Notice>
        )}
        <p className="together-back">
          <Link to="/approvals" className="button button-primary">
            Back to the inbox
          </Link>
        </p>
      </Section>
    </div>
  )
}

function summary(recorded: number, all: number): string {
  const votes = all === 1 ? 'vote' : 'votes'
  if (recorded === all) return all === 1 ? 'Your vote is recorded' : `All ${all} votes are recorded`
  if (recorded === 0) return all === 1 ? 'Your vote is not recorded' : `None of ${all} votes is confirmed`
  return `${recorded} of ${all} ${votes} ${recorded === 1 ? 'is' : 'are'} recorded, ${all - recorded} not`
}

// A refusal of the whole request cast none of them; anything else may have.
function NoAnswer({ error }: { readonly error: unknown }) {
  const problem = asProblem(error)
  const isLost = problem.status === null || problem.status >= 500
  return (
    <Notice tone="bad" role="alert">
      <strong>{isLost ? 'It is not known whether your votes arrived' : 'No vote was counted'}</strong>
      <p>
        {isLost
          ? 'The service did not confirm them. Look at each in the inbox before you try again; nobody can vote twice.'
          : problemText(problem)}
      </p>
    </Notice>
  )
}
