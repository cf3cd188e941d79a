const places = [
  'approvals',
  'delegations',
  'grants',
  'decisions',
  'agents',
  'policies',
  'people',
  'account',
] as const
/** What has a page for each of its kind, by where its list is. */
const documents = { decisions: 'decision', approvals: 'approval', policies: 'policy' } as const

type Place = (typeof places)[number]
type Document = (typeof documents)[keyof typeof documents]

/** A place in the console. */
export type Route =
  | { readonly kind: Place }
  | { readonly kind: Document; readonly id: string }
  | { readonly kind: 'together' | 'sign-in' | 'unknown' }

/** Every kind of place that there is, so that tests can go to each of them. */
export const routeKinds: readonly Route['kind'][] = [
  ...places,
  ...Object.values(documents),
  'together',
  'sign-in',
  'unknown',
]

const placeNames: ReadonlyMap<string, Place> = new Map(places.map((place) => [place, place]))
const documentKinds: ReadonlyMap<string, Document> = new Map(Object.entries(documents))

/** The place that a path names. */
export function routeOf(path: string): Route {
  const [first, second, ...more] = path.split('/').filter((part) => part !== '')
  if (more.length > 0) return { kind: 'unknown' }
  if (first === undefined) return { kind: 'approvals' }
  if (second === undefined) {
    if (first === 'sign-in') return { kind: 'sign-in' }
    return { kind: placeNames.get(first) ?? 'unknown' }
  }
  if (first === 'approvals' && second === 'together') return { kind: 'together' }
  const id = decoded(second)
  const kind = documentKinds.get(first)
  return id === undefined || kind === undefined ? { kind: 'unknown' } : { kind, id }
}

function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part)
  } catch {
    // A path with a broken escape names nothing.
    return undefined
  }
}
