import { useQuery } from '@tanstack/react-query'
import type { ListedPolicy, PolicySource } from '../api.ts'
import { useNow, useTitle } from '../clock.ts'
import { Back, Entry, Section } from '../parts/document.tsx'
import { PageSkeleton, ProblemPanel } from '../parts/states.tsx'
import { YamlFile } from '../parts/yaml.tsx'
import { asProblem } from '../problem.ts'
import { useApi, usePendingApprovals } from '../queries.ts'
import { Link } from '../router.tsx'
import { ShortTime } from '../parts/short-time.tsx'
import { visibleText } from '../wording.ts'

/** One policy as its author wrote it, with all that it extends. */
export function PolicyPage({ sha256 }: { readonly sha256: string }) {
  const api = useApi()
  const found = useQuery({
    queryKey: ['policy', sha256],
    queryFn: ({ signal }) => api.policy(sha256, signal),
    staleTime: Infinity,
  })
  const list = useQuery({ queryKey: ['policies'], queryFn: ({ signal }) => api.policies(signal) })
  const waiting = usePendingApprovals().approvals?.length ?? 0
  useTitle(found.data === undefined ? 'Policy' : found.data.policy.id, waiting)
  return (
    <>
      <Back to="/policies">Policies</Back>
      {found.data !== undefined ? (
        <PolicyDocument
          policy={found.data}
          listed={list.data?.find(({ policy }) => policy.id === found.data.policy.id)}
        />
      ) : found.isError ? (
        <PolicyProblem error={found.error} onRetry={() => void found.refetch()} />
      ) : (
        <PageSkeleton />
      )}
    </>
  )
}

function PolicyProblem({ error, onRetry }: { readonly error: unknown; readonly onRetry: () => void }) {
  const problem = asProblem(error)
  if (problem.status !== 404 && problem.status !== 400) {
    return <ProblemPanel problem={problem} onRetry={onRetry} isPage />
  }
  return (
    <div className="state">
      <h1>There is no such policy</h1>
      <p className="quiet">
        None with this hash is in force, and none was recorded. Look in the <Link to="/policies">list</Link>.
      </p>
    </div>
  )
}

function PolicyDocument({
  policy: { policy, inForce, source, parents },
  listed,
}: {
  readonly policy: PolicySource
  readonly listed: ListedPolicy | undefined
}) {
  return (
    <article className="document">
      <header className="document-head">
        <div className="document-kind">
          <span className={inForce ? 'badge badge-allow' : 'badge'}>
            {inForce ? 'In force' : 'No longer in force'}
          </span>
          {policy.version !== null && <span>version {policy.version}</span>}
        </div>
        <h1 className="action-name">{visibleText(policy.id)}</h1>
      </header>
      <div className="document-columns">
        <div className="document-main">
          <Section title="Source" note={inForce ? 'As it decides now' : 'As it decided then'}>
            <YamlFile text={source} label={`Source of ${visibleText(policy.id)}`} />
          </Section>
          {parents.map((parent) => (
            <Section key={parent.file} title={visibleText(parent.file)} note="Extended by it">
              <YamlFile text={parent.source} label={`Source of ${visibleText(parent.file)}`} />
            </Section>
          ))}
        </div>
        <aside className="document-side" aria-label="About this policy">
          <Section title="About">
            <dl className="entries">
              {listed !== undefined && <Binding listed={listed} />}
              <Entry name="Extends">
                {parents.length === 0 ? 'nothing' : parents.map(({ file }) => visibleText(file)).join(', ')}
              </Entry>
              <Entry name="SHA-256">
                <code className="break small">{policy.sha256}</code>
              </Entry>
            </dl>
          </Section>
          {listed !== undefined && <Versions listed={listed} shown={policy.sha256} />}
        </aside>
      </div>
    </article>
  )
}

function Binding({ listed }: { readonly listed: ListedPolicy }) {
  return (
    <>
      <Entry name="Agents">{listed.agents.map(visibleText).join(', ')}</Entry>
      <Entry name="Mode">
        {listed.mode === 'enforce' ? 'Enforced' : 'Shadow: it says what it would do, and stops nothing'}
      </Entry>
    </>
  )
}

function Versions({ listed, shown }: { readonly listed: ListedPolicy; readonly shown: string }) {
  const now = useNow()
  const versions = [...(listed.since === null ? [] : [listed.since]), ...listed.earlier]
  if (versions.length === 0) return null
  return (
    <Section title="In force" note="Newest first">
      <ol className="versions">
        {versions.map(({ policy, at, record }) => (
          <li key={record.index}>
            <Link
              to={`/policies/${policy.sha256}`}
              aria-current={policy.sha256 === shown ? 'true' : undefined}
            >
              <code>{policy.sha256.slice(0, 12)}…</code>
            </Link>
            <span className="quiet">
              since <ShortTime at={at} now={now} />
            </span>
          </li>
        ))}
      </ol>
    </Section>
  )
}
