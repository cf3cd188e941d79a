import { useEffect, useRef } from 'react'
import type { ReactNode } from 'react'
import type { Session } from '../api.ts'
import { useLive } from '../live.ts'
import type { Liveness } from '../live.ts'
import { asProblem } from '../problem.ts'
import { usePendingApprovals, useSignOut } from '../queries.ts'
import { Link, navigate, useAddress } from '../router.tsx'
import type { Route } from '../router.tsx'
import { ApprovalNews } from './approval-news.tsx'
import { Mark } from './icons.tsx'
import { useRowKeys } from './row-keys.ts'

/** What surrounds every page for people who are signed in. */
export function Shell({
  session,
  route,
  children,
}: {
  readonly session: Session
  readonly route: Route
  readonly children: ReactNode
}) {
  const liveness = useLive()
  const main = useRef<HTMLElement>(null)
  useFocusOnArrival(main)
  useRowKeys()

  return (
    <>
      <a className="skip" href="#main">
        Skip to content
      </a>
      <header className="top">
        <div className="top-inner">
          <Link to="/" className="brand" aria-label="Bailiwick, decisions">
            <Mark />
            <span>Bailiwick</span>
          </Link>
          <Navigation route={route} />
          <div className="top-person">
            <LiveDot liveness={liveness} />
            <SignOut person={session.person.id} />
          </div>
        </div>
      </header>
      <main id="main" className="main" ref={main} tabIndex={-1}>
        {children}
      </main>
      <ApprovalNews />
    </>
  )
}

function Navigation({ route }: { readonly route: Route }) {
  const pending = usePendingApprovals()
  const waiting = pending.approvals?.length ?? 0
  const count = pending.hasMore ? `${waiting}+` : String(waiting)
  const inDecisions = route.kind === 'decisions' || route.kind === 'decision'
  const inApprovals = route.kind === 'approvals' || route.kind === 'approval'
  return (
    <nav className="nav" aria-label="Main">
      <Link to="/" aria-current={inDecisions ? 'page' : undefined}>
        Decisions
      </Link>
      <Link to="/approvals" aria-current={inApprovals ? 'page' : undefined}>
        Approvals
        {waiting > 0 && (
          <span className="count">
            {count}
            <span className="unseen"> waiting</span>
          </span>
        )}
      </Link>
    </nav>
  )
}

const livenessWords: Readonly<Record<Liveness, { word: string; title: string }>> = {
  connecting: { word: 'Connecting', title: 'Opening the stream of events' },
  live: { word: 'Live', title: 'The service tells this page of every change' },
  polling: { word: 'Polling', title: 'The stream of events is down; this page asks every 5 seconds' },
}

function LiveDot({ liveness }: { readonly liveness: Liveness }) {
  const { word, title } = livenessWords[liveness]
  return (
    <span className={`live live-${liveness}`} title={title}>
      {word}
    </span>
  )
}

function SignOut({ person }: { readonly person: string }) {
  // Leaving the page first, so that the next person does not come back to it.
  const signOut = useSignOut(() => navigate('/sign-in'))
  return (
    <div className="person">
      <span className="person-id" title={person}>
        {person}
      </span>
      <button
        type="button"
        className="button button-small button-quiet"
        disabled={signOut.isPending}
        onClick={() => signOut.mutate()}
      >
        Sign out
      </button>
      {signOut.isError && (
        <span className="unseen" role="alert">
          Signing out failed: {asProblem(signOut.error).message}
        </span>
      )}
    </div>
  )
}

/** Brings keyboards and screen readers to the new page, as a browser does when it loads one. */
function useFocusOnArrival(main: { readonly current: HTMLElement | null }): void {
  const { path } = useAddress()
  const shown = useRef(path)
  useEffect(() => {
    if (shown.current === path) return
    shown.current = path
    main.current?.focus({ preventScroll: true })
  }, [main, path])
}
