import type { Problem } from '../problem.ts'
import { visibleText } from '../wording.ts'
import { Notice } from './notice.tsx'

/** Why somebody was not let in; nothing where nothing went wrong. */
export function SignInProblem({ problem }: { readonly problem: Problem | null }) {
  if (problem === null) return null
  return (
    <Notice tone="bad" role="alert">
      <strong>{visibleText(problem.detail ?? problem.message)}</strong>
      {problem.fix !== null && <p>{visibleText(problem.fix)}</p>}
    </Notice>
  )
}
