import { lazy, Suspense, useEffect } from 'react'
import type { Session } from './api.ts'
import { asProblem } from './problem.ts'
import { useSession } from './queries.ts'
import { rememberReturn } from './returning.ts'
import { routeOf } from './route.ts'
import type { Route } from './route.ts'
import { navigate, useAddress } from './router.tsx'
import { Selecting } from './selection.tsx'
import { Shell } from './parts/shell.tsx'
import { ProblemPanel } from './parts/states.tsx'
import { ApprovalPage } from './pages/approval.tsx'
import { ApprovalsPage } from './pages/approvals.tsx'
import { SignInPage } from './pages/sign-in.tsx'
import { UnknownPage } from './pages/unknown.tsx'
import { forgetUnfinishedOfOthers } from './unfinished.ts'
import { unreachable } from './unreachable.ts'

// The inbox comes with the first load: people wait for it. The rest comes when somebody goes there.
const TogetherPage = lazy(async () => ({ default: (await import('./pages/together.tsx')).TogetherPage }))
const DelegationsPage = lazy(async () => ({
  default: (await import('./pages/delegations.tsx')).DelegationsPage,
}))
const SecondFactorPage = lazy(async () => ({
  default: (await import('./pages/second-factor.tsx')).SecondFactorPage,
}))
const GrantsPage = lazy(async () => ({ default: (await import('./pages/grants.tsx')).GrantsPage }))
const DecisionsPage = lazy(async () => ({ default: (await import('./pages/decisions.tsx')).DecisionsPage }))
const DecisionPage = lazy(async () => ({ default: (await import('./pages/decision.tsx')).DecisionPage }))
const AgentsPage = lazy(async () => ({ default: (await import('./pages/agents.tsx')).AgentsPage }))
const PoliciesPage = lazy(async () => ({ default: (await import('./pages/policies.tsx')).PoliciesPage }))
const PolicyPage = lazy(async () => ({ default: (await import('./pages/policy.tsx')).PolicyPage }))
const PeoplePage = lazy(async () => ({ default: (await import('./pages/people.tsx')).PeoplePage }))
const AccountPage = lazy(async () => ({ default: (await import('./pages/account.tsx')).AccountPage }))

/** The console: the page that the address names, for people who are signed in. */
export function App() {
  const { path } = useAddress()
  const route = routeOf(path)
  const session = useSession()

  if (route.kind === 'sign-in') return <SignInPage signedIn={session.data ?? null} />
  if (session.data === null) return <ToSignIn />
  if (session.data?.session.isPartial === true) return <Partial session={session.data} />
  if (session.data !== undefined) return <SignedIn route={route} session={session.data} />
  if (session.isError) {
    return (
      <main className="lone">
        <ProblemPanel problem={asProblem(session.error)} onRetry={() => void session.refetch()} isPage />
      </main>
    )
  }
  return (
    <main className="lone" aria-busy="true">
      <h1 className="unseen">Loading</h1>
    </main>
  )
}

function ToSignIn() {
  useEffect(() => {
    rememberReturn(`${window.location.pathname}${window.location.search}`)
    navigate('/sign-in', { replace: true })
  }, [])
  return null
}

function Partial({ session }: { readonly session: Session }) {
  return (
    <Suspense fallback={null}>
      <SecondFactorPage me={session.person} />
    </Suspense>
  )
}

function SignedIn({ route, session }: { readonly route: Route; readonly session: Session }) {
  const { id } = session.person
  useEffect(() => forgetUnfinishedOfOthers(id), [id])
  return (
    <Selecting key={session.person.id}>
      <Shell session={session} route={route}>
        <Page route={route} me={session.person} />
      </Shell>
    </Selecting>
  )
}

function Page({ route, me }: { readonly route: Route; readonly me: Session['person'] }) {
  switch (route.kind) {
    case 'approvals':
      return <ApprovalsPage />
    case 'approval':
      return <ApprovalPage key={route.id} id={route.id} me={me} />
    case 'together':
      return <TogetherPage me={me} />
    case 'delegations':
      return <DelegationsPage me={me} />
    case 'grants':
      return <GrantsPage />
    case 'decisions':
      return <DecisionsPage />
    case 'decision':
      return <DecisionPage key={route.id} id={route.id} me={me} />
    case 'agents':
      return <AgentsPage me={me} />
    case 'policies':
      return <PoliciesPage />
    case 'policy':
      return <PolicyPage key={route.id} sha256={route.id} />
    case 'people':
      return <PeoplePage me={me} />
    case 'account':
      return <AccountPage me={me} />
    case 'sign-in':
    case 'unknown':
      return <UnknownPage />
    default:
      return unreachable(route)
  }
}
