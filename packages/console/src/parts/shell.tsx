import { Suspense, useEffect, useRef, useState } from 'react'
import type { ReactNode } from 'react'
import type { Session } from '../api.ts'
import { focusRow, useKeys } from '../keys.ts'
import { useLive } from '../live.ts'
import type { Liveness } from '../live.ts'
import { mayAnswer } from '../consent.ts'
import { usePendingApprovals } from '../queries.ts'
import { useLoadingPending } from '../voting-queries.ts'
import type { Route } from '../route.ts'
import { Link, useAddress } from '../router.tsx'
import { ApprovalNews } from './approval-news.tsx'
import { Icon, Mark } from './icons.tsx'
import type { IconName } from './icons.tsx'
import { KeysDialog } from './keys-dialog.tsx'
import { SignOutButton } from './sign-out-button.tsx'
import { PageSkeleton } from './states.tsx'

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
  useLoadingPending()
  const main = useRef<HTMLElement>(null)
  const [isHelping, setHelping] = useState(false)
  useFocusOnArrival(main)
  useKeys({ j: () => focusRow(1), k: () => focusRow(-1), '?': () => setHelping(true) })

  return (
    <>
      <a className="skip" href="#main">
        Skip to content
      </a>
      <header className="top">
        <div className="top-inner">
          <Link to="/" className="brand" aria-label="Bailiwick, approvals">
            <Mark />
            <span>Bailiwick</span>
          </Link>
          <Navigation route={route} person={session.person} />
          <div className="top-person">
            <LiveDot liveness={liveness} />
            <button
              type="button"
              className="button button-small button-quiet keys-button"
              aria-label="Keys"
              onClick={() => setHelping(true)}
            >
              <Icon name="keys" />
            </button>
            <PersonMenu person={session.person.id} isHere={route.kind === 'account'} />
          </div>
        </div>
      </header>
      <main id="main" className="main" ref={main} tabIndex={-1}>
        <Suspense fallback={<PageSkeleton />}>{children}</Suspense>
      </main>
      <ApprovalNews />
      {isHelping && <KeysDialog onClose={() => setHelping(false)} />}
    </>
  )
}

interface Destination {
  readonly to: string
  readonly name: string
  readonly icon: IconName
  readonly kinds: readonly Route['kind'][]
  /** The role it takes; absent: none. */
  readonly role?: string
}

const destinations: readonly Destination[] = [
  {
    to: '/approvals',
    name: 'Approvals',
    icon: 'inbox',
    kinds: ['approvals', 'approval', 'together', 'delegations', 'grants'],
  },
  { to: '/decisions', name: 'Decisions', icon: 'list', kinds: ['decisions', 'decision'] },
  { to: '/agents', name: 'Agents', icon: 'agent', kinds: ['agents'] },
  { to: '/policies', name: 'Policies', icon: 'policy', kinds: ['policies', 'policy'] },
  { to: '/people', name: 'People', icon: 'people', kinds: ['people'], role: 'administrator' },
]

function Navigation({ route, person }: { readonly route: Route; readonly person: Session['person'] }) {
  const pending = usePendingApprovals()
  // What others have to answer would teach people to overlook the number.
  const waiting = pending.approvals?.filter(mayAnswer).length ?? 0
  const count = pending.hasMore ? `${waiting}+` : String(waiting)
  return (
    <nav className="nav" aria-label="Main">
      {destinations
        .filter(({ role }) => role === undefined || person.roles.includes(role))
        .map(({ to, name, icon, kinds }) => (
          <Link key={to} to={to} aria-current={kinds.includes(route.kind) ? 'page' : undefined}>
            <Icon name={icon} />
            <span className="nav-name">{name}</span>
            {to === '/approvals' && waiting > 0 && (
              <span className="count">
                {count}
                <span className="unseen"> waiting for you</span>
              </span>
            )}
          </Link>
        ))}
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

function PersonMenu({ person, isHere }: { readonly person: string; readonly isHere: boolean }) {
  return (
    <div className="person">
      <Link to="/account" className="person-id" title={person} aria-current={isHere ? 'page' : undefined}>
        {person}
      </Link>
      <SignOutButton />
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
    // A page that has a better place, such as the row that somebody comes back to, has taken it already.
    if (main.current?.contains(document.activeElement) === true) return
    main.current?.focus({ preventScroll: true })
  }, [main, path])
}
