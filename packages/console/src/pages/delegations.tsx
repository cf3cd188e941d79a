import { useState } from 'react'
import type { ReactNode } from 'react'
import type { Delegation, Session } from '../api.ts'
import { useNow, useTitle } from '../clock.ts'
import { DelegateDialog } from '../parts/delegate-dialog.tsx'
import { Back, Section } from '../parts/document.tsx'
import { RevokeDialog } from '../parts/revoke-dialog.tsx'
import { ListSkeleton, ProblemPanel, StaleNote } from '../parts/states.tsx'
import { asProblem } from '../problem.ts'
import { usePendingApprovals } from '../queries.ts'
import { ShortTime } from '../parts/short-time.tsx'
import { visibleText } from '../wording.ts'
import { useDelegations, useRevocation } from '../voting-queries.ts'

type Person = Session['person']

/** Who votes in whose stead: what others let the reader do, and what the reader lets others do. */
export function DelegationsPage({ me }: { readonly me: Person }) {
  const [isGiving, setGiving] = useState(false)
  useTitle('Delegations', usePendingApprovals().approvals?.length ?? 0)
  return (
    <>
      <Back to="/approvals">Approvals</Back>
      <div className="page-head page-head-split">
        <div>
          <h1>Delegations</h1>
          <p className="quiet">Who votes in whose stead, and for how long. Every change is recorded.</p>
        </div>
        <button type="button" className="button button-primary" onClick={() => setGiving(true)}>
          Let somebody vote
        </button>
      </div>
      <Listed me={me} />
      {isGiving && <DelegateDialog me={me} onClose={() => setGiving(false)} />}
    </>
  )
}

function Listed({ me }: { readonly me: Person }) {
  const found = useDelegations()
  const retry = (): void => void found.refetch()
  if (found.data === undefined) {
    if (found.isError) return <ProblemPanel problem={asProblem(found.error)} onRetry={retry} />
    return <ListSkeleton rows={3} className="panel" />
  }
  const seesAll = me.roles.some((role) => role === 'administrator' || role === 'auditor')
  const mayRevokeAll = me.roles.includes('administrator')
  const toMe = found.data.filter(({ to }) => to === me.id)
  const fromMe = found.data.filter(({ from }) => from === me.id)
  const others = found.data.filter(({ from, to }) => from !== me.id && to !== me.id)
  return (
    <div className="delegations">
      {found.isError && <StaleNote problem={asProblem(found.error)} onRetry={retry} />}
      <Group title="You vote in their stead" delegations={toMe} mayRevoke nameOf={({ from }) => from}>
        Nobody has asked you to vote in their stead.
      </Group>
      <Group title="They vote in your stead" delegations={fromMe} mayRevoke nameOf={({ to }) => to}>
        Nobody votes in your stead.
      </Group>
      {seesAll && (
        <Group title="Of others" delegations={others} mayRevoke={mayRevokeAll} nameOf={bothNames}>
          Nobody else lets anybody vote.
        </Group>
      )}
    </div>
  )
}

function bothNames({ from, to }: Delegation): string {
  return `${to} for ${from}`
}

function Group({
  title,
  delegations,
  mayRevoke,
  nameOf,
  children,
}: {
  readonly title: string
  readonly delegations: readonly Delegation[]
  readonly mayRevoke: boolean
  readonly nameOf: (delegation: Delegation) => string
  /** What is said where there are none. */
  readonly children: ReactNode
}) {
  return (
    <Section title={title}>
      {delegations.length === 0 ? (
        <p className="quiet">{children}</p>
      ) : (
        <ul className="rows">
          {delegations.map((delegation) => (
            <DelegationRow
              key={delegation.id}
              delegation={delegation}
              name={visibleText(nameOf(delegation))}
              mayRevoke={mayRevoke}
            />
          ))}
        </ul>
      )}
    </Section>
  )
}

function DelegationRow({
  delegation,
  name,
  mayRevoke,
}: {
  readonly delegation: Delegation
  readonly name: string
  readonly mayRevoke: boolean
}) {
  const now = useNow()
  const [isEnding, setEnding] = useState(false)
  const { id, starts, ends } = delegation
  const hasBegun = Date.parse(starts) <= now
  return (
    <li className="list-row">
      <div className="list-row-main">
        <strong className="break">{name}</strong>
        <span className={hasBegun ? 'badge badge-allow' : 'badge'}>{hasBegun ? 'In force' : 'To come'}</span>
        <p className="quiet small">
          {id}, from <ShortTime at={starts} now={now} /> until <ShortTime at={ends} now={now} />
        </p>
      </div>
      {mayRevoke && (
        <button
          type="button"
          className="button button-small button-danger"
          aria-label={`Revoke ${id}: ${name}`}
          onClick={() => setEnding(true)}
        >
          Revoke
        </button>
      )}
      {isEnding && <EndDelegation delegation={delegation} onClose={() => setEnding(false)} />}
    </li>
  )
}

function EndDelegation({
  delegation: { id, from, to },
  onClose,
}: {
  readonly delegation: Delegation
  readonly onClose: () => void
}) {
  return (
    <RevokeDialog id={id} revocation={useRevocation(id, onClose)} onClose={onClose}>
      From now on {visibleText(to)} votes no more in the stead of {visibleText(from)}. Votes that were cast
      stay as they are.
    </RevokeDialog>
  )
}
