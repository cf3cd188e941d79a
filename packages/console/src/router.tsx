import { useSyncExternalStore } from 'react'
import type { AnchorHTMLAttributes, MouseEvent, ReactNode } from 'react'

/** A place in the console. */
export type Route =
  | { readonly kind: Place }
  | { readonly kind: 'decision' | 'approval' | 'policy'; readonly id: string }
  | { readonly kind: 'together' }
  | { readonly kind: 'sign-in' }
  | { readonly kind: 'unknown' }

type Place =
  'approvals' | 'delegations' | 'grants' | 'decisions' | 'agents' | 'policies' | 'people' | 'account'

const places: ReadonlyMap<string, Place> = new Map(
  (
    ['approvals', 'delegations', 'grants', 'decisions', 'agents', 'policies', 'people', 'account'] as const
  ).map((place) => [place, place]),
)
const documents: ReadonlyMap<string, 'decision' | 'approval' | 'policy'> = new Map([
  ['decisions', 'decision'],
  ['approvals', 'approval'],
  ['policies', 'policy'],
])

/** The place that a path names. */
export function routeOf(path: string): Route {
  const [first, second, ...more] = path.split('/').filter((part) => part !== '')
  if (more.length > 0) return { kind: 'unknown' }
  if (first === undefined) return { kind: 'approvals' }
  if (second === undefined) {
    if (first === 'sign-in') return { kind: 'sign-in' }
    return { kind: places.get(first) ?? 'unknown' }
  }
  if (first === 'approvals' && second === 'together') return { kind: 'together' }
  const id = decoded(second)
  const kind = documents.get(first)
  return id === undefined || kind === undefined ? { kind: 'unknown' } : { kind, id }
}

/** Goes to a path of this console without loading the page anew. */
export function navigate(to: string, options: { replace?: boolean } = {}): void {
  if (options.replace === true) window.history.replaceState(null, '', to)
  else window.history.pushState(null, '', to)
  window.dispatchEvent(new Event(moved))
}

/** The current path and search; the component renders again when they change. */
export function useAddress(): { readonly path: string; readonly search: string } {
  const path = useSyncExternalStore(subscribe, () => window.location.pathname)
  const search = useSyncExternalStore(subscribe, () => window.location.search)
  return { path, search }
}

/** A link inside the console; with a modifier key, the browser's own behaviour stays. */
export function Link({
  to,
  children,
  ...rest
}: { readonly to: string; readonly children: ReactNode } & AnchorHTMLAttributes<HTMLAnchorElement>) {
  const follow = (event: MouseEvent<HTMLAnchorElement>): void => {
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
    event.preventDefault()
    navigate(to)
    window.scrollTo(0, 0)
  }
  return (
    <a {...rest} href={to} onClick={follow}>
      {children}
    </a>
  )
}

const moved = 'bailiwick:moved'

function subscribe(changed: () => void): () => void {
  window.addEventListener('popstate', changed)
  window.addEventListener(moved, changed)
  return () => {
    window.removeEventListener('popstate', changed)
    window.removeEventListener(moved, changed)
  }
}

function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part)
  } catch {
    // A path with a broken escape names nothing.
    return undefined
  }
}
