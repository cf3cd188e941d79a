import { useEffect } from 'react'
import type { Session } from './api.ts'
import { asProblem } from './problem.ts'
import { useSession } from './queries.ts'
import { rememberReturn } from './returning.ts'
import { navigate, routeOf, useAddress } from './router.tsx'
import type { Route } from './router.tsx'
import { Shell } from './parts/shell.tsx'
import { ProblemPanel } from './parts/states.tsx'
import { ApprovalPage } from './pages/approval.tsx'
import { ApprovalsPage } from './pages/approvals.tsx'
import { DecisionPage } from './pages/decision.tsx'
import { DecisionsPage } from './pages/decisions.tsx'
import { SignInPage } from './pages/sign-in.tsx'
import { UnknownPage } from './pages/unknown.tsx'
import { unreachable } from './unreachable.ts'

/** The console: the page that the address names, for people who are signed in. */
export function App() {
  const { path } = useAddress()
  const route = routeOf(path)
  const session = useSession()

  if (route.kind === 'sign-in') return <SignInPage signedIn={session.data ?? null} />
  if (session.data === null) return <ToSignIn />
  if (session.data !== undefined) return <SignedIn route={route} session={session.data} />
  if (session.isError) {
    return (
      <main className="lone">
        <ProblemPanel problem={asProblem(session.error)} onRetry={() => void session.refetch()} />
      </main>
    )
  }
  return <div className="lone" aria-busy="true" aria-label="Loading" />
}

function ToSignIn() {
  useEffect(() => {
    rememberReturn(`${window.location.pathname}${window.location.search}`)
    navigate('/sign-in', { replace: true })
  }, [])
  return null
}

function SignedIn({ route, session }: { readonly route: Route; readonly session: Session }) {
  return (
    <Shell session={session} route={route}>
      <Page route={route} session={session} />
    </Shell>
  )
}

function Page({ route, session }: { readonly route: Route; readonly session: Session }) {
  switch (route.kind) {
    case 'decisions':
      return <DecisionsPage />
    case 'decision':
      return <DecisionPage key={route.id} id={route.id} />
    case 'approvals':
      return <ApprovalsPage />
    case 'approval':
      return <ApprovalPage key={route.id} id={route.id} me={session.person} />
    case 'sign-in':
    case 'unknown':
      return <UnknownPage />
    default:
      return unreachable(route)
  }
}
