import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import type { ListedSession } from '../access-api.ts'
import { useNow } from '../clock.ts'
import { asProblem } from '../problem.ts'
import { useApi } from '../queries.ts'
import { ShortTime } from './short-time.tsx'
import { shortTime, visibleText } from '../wording.ts'
import { DialogProblem } from './dialog.tsx'
import { ListSkeleton, ProblemPanel } from './states.tsx'

/** Where people are signed in, and the way to end that. `person`: null for one's own, `*` for everybody's. */
export function SessionList({ person }: { readonly person: '*' | null }) {
  const api = useApi()
  const client = useQueryClient()
  const found = useQuery({
    queryKey: ['sessions', person],
    queryFn: ({ signal }) => api.access.sessions(person, signal),
  })
  const end = useMutation({
    mutationFn: (id: string) => api.access.endSession(id),
    onSettled: () => void client.invalidateQueries({ queryKey: ['sessions'] }),
  })
  if (found.data === undefined) {
    if (found.isError)
      return <ProblemPanel problem={asProblem(found.error)} onRetry={() => void found.refetch()} />
    return <ListSkeleton rows={2} className="" />
  }
  return (
    <>
      {end.isError && <DialogProblem error={end.error} />}
      <ul className="rows">
        {found.data.map((session) => (
          <SessionRow
            key={session.id}
            session={session}
            showPerson={person !== null}
            isEnding={end.isPending && end.variables === session.id}
            onEnd={() => end.mutate(session.id)}
          />
        ))}
      </ul>
    </>
  )
}

function SessionRow({
  session,
  showPerson,
  isEnding,
  onEnd,
}: {
  readonly session: ListedSession
  readonly showPerson: boolean
  readonly isEnding: boolean
  readonly onEnd: () => void
}) {
  const now = useNow()
  const name = showPerson ? session.person : browserName(session.client)
  return (
    <li className="list-row">
      <div className="list-row-main">
        <strong className="break">{visibleText(name)}</strong>
        {session.isThis && <span className="badge badge-allow">This one</span>}
        <p className="quiet small">
          {showPerson && `${visibleText(browserName(session.client))}, `}
          signed in by {methodText(session.method)} <ShortTime at={session.createdAt} now={now} />, last seen{' '}
          <ShortTime at={session.seenAt} now={now} />
        </p>
      </div>
      {!session.isThis && (
        <button
          type="button"
          className="button button-small"
          disabled={isEnding}
          aria-label={`End the session of ${name}, signed in ${shortTime(session.createdAt, now)}`}
          onClick={onEnd}
        >
          {isEnding ? 'Ending…' : 'End'}
        </button>
      )}
    </li>
  )
}

const factors: Readonly<Record<string, string>> = {
  link: 'a link',
  password: 'password',
  totp: 'authenticator app',
  recovery: 'recovery code',
  passkey: 'passkey',
  provider: 'the identity provider',
}

/** What the person proved: `password+totp` is `password and authenticator app`. */
function methodText(method: string): string {
  return method
    .split('+')
    .map((factor) => factors[factor] ?? visibleText(factor))
    .join(' and ')
}

/** The browser and system that a `User-Agent` names, as far as people care. */
function browserName(client: string): string {
  const browser = /(Firefox|Edg|OPR|Chrome|Safari)\//.exec(client)?.[1]
  const system = /(Android|iPhone|iPad|Windows|Mac OS X|Linux)/.exec(client)?.[1]
  if (browser === undefined && system === undefined) return client === '' ? 'Unknown client' : client
  const known = { Edg: 'Edge', OPR: 'Opera' } as const
  const shown = browser === 'Edg' || browser === 'OPR' ? known[browser] : (browser ?? 'Browser')
  return system === undefined ? shown : `${shown} on ${system.replace('Mac OS X', 'macOS')}`
}
