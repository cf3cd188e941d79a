import { useState } from 'react'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import type { Agent, Session } from '../api.ts'
import { useNow, useTitle } from '../clock.ts'
import { EffectBadge } from '../parts/badges.tsx'
import { ReasonDialog } from '../parts/dialog.tsx'
import { EffectBar } from '../parts/history.tsx'
import { Icon } from '../parts/icons.tsx'
import { EmptyPanel, ListSkeleton, ProblemPanel, StaleNote } from '../parts/states.tsx'
import { asProblem } from '../problem.ts'
import { useApi, usePendingApprovals } from '../queries.ts'
import { Link } from '../router.tsx'
import { ShortTime } from '../parts/short-time.tsx'
import { visibleText } from '../wording.ts'

/** Stands for every agent, as in the log. */
const everyAgent = '*'
const operatingRoles = ['operator', 'administrator']

/** Every agent, what it may, what it did lately, and the way to stop it. */
export function AgentsPage({ me }: { readonly me: Session['person'] }) {
  const api = useApi()
  const found = useQuery({ queryKey: ['agents'], queryFn: ({ signal }) => api.agents(signal) })
  useTitle('Agents', usePendingApprovals().approvals?.length ?? 0)
  const retry = (): void => void found.refetch()
  const mayOperate = me.roles.some((role) => operatingRoles.includes(role))
  const everyone = found.data?.find(({ agent }) => agent === everyAgent)
  const agents = found.data?.filter(({ agent }) => agent !== everyAgent) ?? []
  return (
    <>
      <div className="page-head page-head-split">
        <div>
          <h1>Agents</h1>
          <p className="quiet">Who acts, by which policy, and how it went lately.</p>
        </div>
        {mayOperate && found.data !== undefined && everyone === undefined && (
          <SuspensionButton agent={everyAgent} isSuspended={false} />
        )}
      </div>
      {everyone !== undefined && <AllSuspended everyone={everyone} mayOperate={mayOperate} />}
      {found.data === undefined ? (
        found.isError ? (
          <ProblemPanel problem={asProblem(found.error)} onRetry={retry} />
        ) : (
          <ListSkeleton rows={4} className="skeleton-cards" />
        )
      ) : (
        <>
          {found.isError && <StaleNote problem={asProblem(found.error)} onRetry={retry} />}
          {agents.length === 0 ? (
            <EmptyPanel title="No agents yet">
              <p>An agent appears here as soon as a policy names it, or a key speaks for it.</p>
            </EmptyPanel>
          ) : (
            <ul className="agents">
              {agents.map((agent) => (
                <AgentCard
                  key={agent.agent}
                  agent={agent}
                  areAllSuspended={everyone !== undefined}
                  mayOperate={mayOperate}
                />
              ))}
            </ul>
          )}
        </>
      )}
    </>
  )
}

function AllSuspended({ everyone, mayOperate }: { readonly everyone: Agent; readonly mayOperate: boolean }) {
  return (
    <div className="notice notice-bad all-suspended">
      <Icon name="pause" />
      <div>
        <strong>All agents are suspended</strong>
        <SuspensionText agent={everyone} />
      </div>
      {mayOperate && <SuspensionButton agent={everyAgent} isSuspended />}
    </div>
  )
}

function AgentCard({
  agent,
  areAllSuspended,
  mayOperate,
}: {
  readonly agent: Agent
  readonly areAllSuspended: boolean
  readonly mayOperate: boolean
}) {
  const isSuspended = agent.suspension !== null
  const isStopped = isSuspended || areAllSuspended
  return (
    <li className={isStopped ? 'panel agent-card agent-suspended' : 'panel agent-card'}>
      <div className="agent-head">
        <div>
          <h2 className="action-name">
            <Link to={`/decisions?agent=${encodeURIComponent(agent.agent)}`} data-row="">
              {visibleText(agent.agent)}
            </Link>
          </h2>
          <p className="quiet small">
            {agent.policy === null ? (
              'No policy: everything it asks for is denied'
            ) : (
              <>
                Policy <Link to={`/policies/${agent.policy.sha256}`}>{visibleText(agent.policy.id)}</Link>
                {agent.policy.version !== null && ` version ${agent.policy.version}`}
              </>
            )}
            {', '}
            {agent.keys === 1 ? '1 key' : `${agent.keys} keys`}
          </p>
        </div>
        {isStopped ? (
          <span className="badge badge-deny">
            <Icon name="pause" />
            {isSuspended ? 'Suspended' : 'Suspended with all'}
          </span>
        ) : (
          <span className="badge badge-allow">
            <Icon name="check" />
            Active
          </span>
        )}
      </div>
      {isSuspended && <SuspensionText agent={agent} />}
      <Lately agent={agent.agent} />
      {mayOperate && (
        <div className="agent-foot">
          <SuspensionButton agent={agent.agent} isSuspended={isSuspended} />
        </div>
      )}
    </li>
  )
}

function SuspensionText({ agent: { suspension } }: { readonly agent: Agent }) {
  const now = useNow()
  if (suspension === null) return null
  return (
    <p className="suspension">
      <bdi>{visibleText(suspension.reason)}</bdi>
      <span className="quiet">
        {' '}
        by {visibleText(suspension.by)}, <ShortTime at={suspension.since} now={now} />
      </span>
    </p>
  )
}

function Lately({ agent }: { readonly agent: string }) {
  const api = useApi()
  const now = useNow()
  const { data: activity, isError } = useQuery({
    queryKey: ['activity', agent],
    queryFn: ({ signal }) => api.activity(agent, signal),
  })
  if (activity === undefined) {
    return <p className="quiet">{isError ? 'What it did lately can’t be told now.' : 'Loading…'}</p>
  }
  const [last] = activity.recent
  if (last === undefined) return <p className="quiet">It has not asked for anything yet.</p>
  return (
    <div className="lately">
      <EffectBar history={activity} />
      <p className="lately-last">
        <span className="quiet">Last:</span>
        <Link to={`/decisions/${last.id}`}>
          <code>{visibleText(last.action)}</code>
        </Link>
        <EffectBadge effect={last.effect} />
        <ShortTime at={last.at} now={now} className="quiet" />
      </p>
    </div>
  )
}

function SuspensionButton({ agent, isSuspended }: { readonly agent: string; readonly isSuspended: boolean }) {
  const [isAsking, setAsking] = useState(false)
  const isAll = agent === everyAgent
  const whom = isAll ? 'all agents' : visibleText(agent)
  const verb = isSuspended ? 'Resume' : 'Suspend'
  return (
    <>
      <button
        type="button"
        className={isSuspended ? 'button button-small' : 'button button-small button-danger'}
        aria-label={`${verb} ${whom}`}
        onClick={() => setAsking(true)}
      >
        <Icon name={isSuspended ? 'check' : 'pause'} />
        {isAll ? `${verb} all agents` : verb}
      </button>
      {isAsking && (
        <SuspensionDialog
          agent={agent}
          title={`${verb} ${whom}?`}
          isSuspended={isSuspended}
          onClose={() => setAsking(false)}
        />
      )}
    </>
  )
}

function SuspensionDialog({
  agent,
  title,
  isSuspended,
  onClose,
}: {
  readonly agent: string
  readonly title: string
  readonly isSuspended: boolean
  readonly onClose: () => void
}) {
  const api = useApi()
  const client = useQueryClient()
  const change = useMutation({
    mutationFn: (reason: string) => api.changeSuspension(agent, isSuspended ? 'active' : 'suspended', reason),
    onSuccess: onClose,
    onSettled: () => void client.invalidateQueries({ queryKey: ['agents'] }),
  })
  const whose = agent === everyAgent ? 'every agent' : 'this agent'
  return (
    <ReasonDialog
      title={title}
      label={isSuspended ? 'Why it may act again' : 'Why, told to the agent with every denial'}
      button={isSuspended ? 'Resume' : 'Suspend'}
      tone={isSuspended ? 'approve' : 'reject'}
      isPending={change.isPending}
      error={change.error}
      onSubmit={(reason) => change.mutate(reason)}
      onClose={onClose}
    >
      <p>
        {isSuspended
          ? `From its next call on, ${whose} is judged by its policy again. What it was denied stays denied.`
          : `From its next call on, everything that ${whose} asks for is denied, on every service. What it has been allowed already may still be running.`}
      </p>
    </ReasonDialog>
  )
}
