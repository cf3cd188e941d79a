import { useQuery } from '@tanstack/react-query'
import type { ListedPolicy } from '../api.ts'
import { useNow, useTitle } from '../clock.ts'
import { Icon } from '../parts/icons.tsx'
import { EmptyPanel, ListSkeleton, ProblemPanel } from '../parts/states.tsx'
import { asProblem } from '../problem.ts'
import { useApi, usePendingApprovals } from '../queries.ts'
import { Link } from '../router.tsx'
import { ShortTime } from '../parts/short-time.tsx'
import { visibleText } from '../wording.ts'

/** The policies that decide, and what decided before them. */
export function PoliciesPage() {
  const api = useApi()
  const found = useQuery({ queryKey: ['policies'], queryFn: ({ signal }) => api.policies(signal) })
  useTitle('Policies', usePendingApprovals().approvals?.length ?? 0)
  return (
    <>
      <div className="page-head">
        <h1>Policies</h1>
        <p className="quiet">What decides now. Policies are read from files when the service starts.</p>
      </div>
      {found.data === undefined ? (
        found.isError ? (
          <ProblemPanel problem={asProblem(found.error)} onRetry={() => void found.refetch()} />
        ) : (
          <ListSkeleton rows={3} className="skeleton-cards" />
        )
      ) : found.data.length === 0 ? (
        <EmptyPanel title="No policy is in force">
          <p>Everything is denied until the service is started with one.</p>
        </EmptyPanel>
      ) : (
        <ul className="policies">
          {found.data.map((policy) => (
            <PolicyCard key={policy.policy.sha256} policy={policy} />
          ))}
        </ul>
      )}
    </>
  )
}

function PolicyCard({
  policy: { policy, agents, domain, mode, since, earlier, ...more },
}: {
  readonly policy: ListedPolicy
}) {
  const now = useNow()
  return (
    <li className="panel policy-card">
      <div className="policy-head">
        <h2 className="action-name">
          <Link to={`/policies/${policy.sha256}`} className="row-link" data-row="">
            {visibleText(policy.id)}
          </Link>
        </h2>
        <span className="policy-marks">
          {policy.version !== null && <span className="badge">version {policy.version}</span>}
          {mode === 'shadow' && (
            <span className="badge badge-shadow">
              <Icon name="shadow" />
              Shadow mode
            </span>
          )}
        </span>
      </div>
      <dl className="entries entries-row">
        <div className="entry">
          <dt>In force since</dt>
          <dd>{since === null ? 'longer than the database tells' : <ShortTime at={since.at} now={now} />}</dd>
        </div>
        <div className="entry">
          <dt>Agents</dt>
          <dd>{agents.map(visibleText).join(', ')}</dd>
        </div>
        {domain !== null && (
          <div className="entry">
            <dt>Domain</dt>
            <dd>{visibleText(domain)}</dd>
          </div>
        )}
        {more.extends.length > 0 && (
          <div className="entry">
            <dt>Extends</dt>
            <dd>{more.extends.map(visibleText).join(', ')}</dd>
          </div>
        )}
        <div className="entry">
          <dt>SHA-256</dt>
          <dd>
            <code title={policy.sha256}>{policy.sha256.slice(0, 16)}…</code>
          </dd>
        </div>
        {earlier.length > 0 && (
          <div className="entry">
            <dt>Before</dt>
            <dd>{earlier.length === 1 ? '1 earlier one' : `${earlier.length} earlier ones`}</dd>
          </div>
        )}
      </dl>
    </li>
  )
}
