import type { ReactNode } from 'react'
import { asProblem } from '../problem.ts'
import type { Problem } from '../problem.ts'
import { visibleText } from '../wording.ts'
import { Icon } from './icons.tsx'

/** Why there is nothing to show, what to do about it, and a way to try again. */
export function ProblemPanel({
  problem,
  onRetry,
  isPage = false,
}: {
  readonly problem: Problem
  readonly onRetry: (() => void) | null
  /** Nothing else is on the page. */
  readonly isPage?: boolean
}) {
  const Heading = isPage ? 'h1' : 'h2'
  return (
    <div className="state state-problem" role="alert">
      <Icon name="warning" />
      <Heading>{visibleText(problem.message)}</Heading>
      {problem.detail !== null && <p>{visibleText(problem.detail)}</p>}
      {problem.fix !== null && <p className="quiet">{visibleText(problem.fix)}</p>}
      {onRetry !== null && (
        <button type="button" className="button" onClick={onRetry}>
          Try again
        </button>
      )}
    </div>
  )
}

/** Why a page has nothing to show: it is not there, as the service says, or could not be asked for. */
export function PageProblem({
  missing,
  error,
  onRetry,
}: {
  /** What is said where there is no such thing. */
  readonly missing: string
  readonly error: unknown
  readonly onRetry: () => void
}) {
  const problem = asProblem(error)
  if (problem.status !== 404) return <ProblemPanel problem={problem} onRetry={onRetry} isPage />
  return (
    <div className="state">
      <h1>{missing}</h1>
      {problem.detail !== null && <p>{visibleText(problem.detail)}</p>}
      {problem.fix !== null && <p className="quiet">{visibleText(problem.fix)}</p>}
    </div>
  )
}

/** Says on one line that what is shown may be out of date. */
export function StaleNote({ problem, onRetry }: { readonly problem: Problem; readonly onRetry: () => void }) {
  return (
    <p className="stale" role="alert">
      <Icon name="warning" />
      <span>{visibleText(problem.message)}. What you see may be out of date.</span>
      <button type="button" className="button button-small" onClick={onRetry}>
        Try again
      </button>
    </p>
  )
}

/** Says that a list is empty, and what would fill it. */
export function EmptyPanel({
  title,
  isPage = false,
  children,
}: {
  readonly title: string
  /** Nothing else is on the page. */
  readonly isPage?: boolean
  readonly children: ReactNode
}) {
  const Heading = isPage ? 'h1' : 'h2'
  return (
    <div className="state">
      <Heading>{title}</Heading>
      <div className="quiet">{children}</div>
    </div>
  )
}

/** Says at the end of a list that it is not all there is, and where the rest is found. */
export function OlderArchived() {
  return (
    <p className="quiet">
      Older ones are archived and not listed here. <code>bailiwick log search</code> finds them.
    </p>
  )
}

/** The outline of a list that is loading. */
export function ListSkeleton({ rows, className }: { readonly rows: number; readonly className: string }) {
  return (
    <div className={`skeleton-list ${className}`} role="status">
      <span className="unseen">Loading</span>
      {Array.from({ length: rows }, (_, row) => (
        <div key={row} className="skeleton-row" aria-hidden="true">
          <span className="bone bone-short" />
          <span className="bone" />
          <span className="bone bone-pill" />
          <span className="bone bone-long" />
        </div>
      ))}
    </div>
  )
}

/** The outline of one page that is loading. */
export function PageSkeleton() {
  return (
    <div className="skeleton-page" role="status">
      <h1 className="unseen">Loading</h1>
      <span className="bone bone-pill" aria-hidden="true" />
      <span className="bone bone-title" aria-hidden="true" />
      <span className="bone bone-long" aria-hidden="true" />
      <div className="panel skeleton-panel" aria-hidden="true">
        <span className="bone bone-long" />
        <span className="bone" />
        <span className="bone bone-long" />
        <span className="bone bone-short" />
      </div>
    </div>
  )
}
