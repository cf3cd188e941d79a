import type { Session } from '../api.ts'
import { useTitle } from '../clock.ts'
import { KeyList } from '../parts/key-list.tsx'
import { PeopleList } from '../parts/people-list.tsx'
import { SessionList } from '../parts/session-list.tsx'
import { EmptyPanel } from '../parts/states.tsx'
import { usePendingApprovals } from '../queries.ts'
import { Link, useAddress } from '../router.tsx'

const tabs = [
  { tab: 'people', label: 'People' },
  { tab: 'keys', label: 'Keys of agents' },
  { tab: 'sessions', label: 'Sessions' },
] as const

/** Who may use the service: people, agents by their keys, and who is signed in now. For administrators. */
export function PeoplePage({ me }: { readonly me: Session['person'] }) {
  const { search } = useAddress()
  const asked = new URLSearchParams(search).get('show')
  const tab = tabs.find((each) => each.tab === asked)?.tab ?? 'people'
  useTitle('People', usePendingApprovals().approvals?.length ?? 0)
  const isAdministrator = me.roles.includes('administrator')
  if (!isAdministrator && !me.roles.includes('auditor')) {
    return (
      <EmptyPanel title="This page is for administrators" isPage>
        <p>Who may use the service is theirs to say. Ask one of them.</p>
      </EmptyPanel>
    )
  }
  return (
    <>
      <div className="page-head">
        <h1>People and keys</h1>
        <p className="quiet">Who may use this service. Every change is written into the log.</p>
      </div>
      <nav className="tabs" aria-label="Kinds of access">
        {tabs.map((each) => (
          <Link
            key={each.tab}
            to={each.tab === 'people' ? '/people' : `/people?show=${each.tab}`}
            aria-current={each.tab === tab ? 'page' : undefined}
          >
            {each.label}
          </Link>
        ))}
      </nav>
      {tab === 'people' && <PeopleList me={me.id} mayChange={isAdministrator} />}
      {tab === 'keys' && <KeyList mayChange={isAdministrator} />}
      {tab === 'sessions' && (
        <div className="panel list-panel">
          <SessionList person="*" />
        </div>
      )}
    </>
  )
}
