import { useState } from 'react'
import type { Grant } from '../api.ts'
import { useNow, useTitle } from '../clock.ts'
import { mayDifferText } from '../may-differ.ts'
import { Back } from '../parts/document.tsx'
import { TimeLeft } from '../parts/countdown.tsx'
import { RevokeDialog } from '../parts/revoke-dialog.tsx'
import { EmptyPanel, ListSkeleton, ProblemPanel, StaleNote } from '../parts/states.tsx'
import { asProblem } from '../problem.ts'
import { usePendingApprovals } from '../queries.ts'
import { Link } from '../router.tsx'
import { useGrantRevocation, useGrants } from '../voting-queries.ts'
import { ShortTime } from '../parts/short-time.tsx'
import { visibleText } from '../wording.ts'

/** Which calls are let through without asking people again, by whose word, how often and until when. */
export function GrantsPage() {
  const found = useGrants()
  useTitle('Standing grants', usePendingApprovals().approvals?.length ?? 0)
  const retry = (): void => void found.refetch()
  return (
    <>
      <Back to="/approvals">Approvals</Back>
      <div className="page-head">
        <h1>Standing grants</h1>
        <p className="quiet">Calls like one that was approved, let through without asking people again.</p>
      </div>
      {found.data === undefined ? (
        found.isError ? (
          <ProblemPanel problem={asProblem(found.error)} onRetry={retry} />
        ) : (
          <ListSkeleton rows={3} className="panel" />
        )
      ) : (
        <>
          {found.isError && <StaleNote problem={asProblem(found.error)} onRetry={retry} />}
          {found.data.length === 0 ? (
            <EmptyPanel title="No grant is live">
              <p>
                Where a policy allows it, whoever approves a call can say that so many more like it may run
                for a while.
              </p>
            </EmptyPanel>
          ) : (
            <ul className="rows panel list-panel">
              {found.data.map((grant) => (
                <GrantRow key={grant.id} grant={grant} />
              ))}
            </ul>
          )}
        </>
      )}
    </>
  )
}

function GrantRow({ grant }: { readonly grant: Grant }) {
  const now = useNow()
  const [isEnding, setEnding] = useState(false)
  const { id, approval, agent, action, uses, used, until, madeAt, by } = grant
  return (
    <li className="list-row">
      <div className="list-row-main">
        <strong className="action-name">{visibleText(action)}</strong>{' '}
        <span className="agent">{visibleText(agent)}</span>
        <p>
          <strong>{uses - used} left</strong> of {uses}, <TimeLeft from={madeAt} deadline={until} /> left,
          until <ShortTime at={until} now={now} />
        </p>
        <p className="small break">
          Equal to <Link to={`/approvals/${approval}`}>{approval}</Link> in everything but{' '}
          {mayDifferText(grant.mayDiffer, grant)}
        </p>
        <p className="quiet small break">
          {id} by {by.map(nameOf).join(' and ')}, <ShortTime at={madeAt} now={now} />
        </p>
      </div>
      {grant.mayRevoke && (
        <button
          type="button"
          className="button button-small button-danger"
          aria-label={`Revoke ${id}: ${action}`}
          onClick={() => setEnding(true)}
        >
          Revoke
        </button>
      )}
      {isEnding && <EndGrant grant={grant} onClose={() => setEnding(false)} />}
    </li>
  )
}

function nameOf({ person, for: principal }: Grant['by'][number]): string {
  return principal === null
    ? visibleText(person)
    : `${visibleText(person)} in the stead of ${visibleText(principal)}`
}

function EndGrant({
  grant: { id, agent, action },
  onClose,
}: {
  readonly grant: Grant
  readonly onClose: () => void
}) {
  return (
    <RevokeDialog id={id} revocation={useGrantRevocation(id, onClose)} onClose={onClose}>
      From the next call on, people are asked again when {visibleText(agent)} wants to{' '}
      <code>{visibleText(action)}</code>. What ran under it has run. This can’t be undone.
    </RevokeDialog>
  )
}
