import { Component } from 'react'
import type { ReactNode } from 'react'
import { asProblem } from '../problem.ts'
import { ProblemPanel } from './states.tsx'

interface State {
  readonly thrown: { readonly value: unknown } | null
}

/** Shows what went wrong in place of a blank page. */
export class ErrorBoundary extends Component<{ readonly children: ReactNode }, State> {
  override state: State = { thrown: null }

  static getDerivedStateFromError(value: unknown): State {
    return { thrown: { value } }
  }

  override render(): ReactNode {
    if (this.state.thrown === null) return this.props.children
    return (
      <main className="lone">
        <ProblemPanel
          problem={asProblem(this.state.thrown.value)}
          onRetry={() => window.location.reload()}
          isPage
        />
      </main>
    )
  }
}
