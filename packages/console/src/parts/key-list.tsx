import { useState } from 'react'
import type { SubmitEvent } from 'react'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import type { ListedKey, NewKey } from '../access-api.ts'
import { useNow } from '../clock.ts'
import { asProblem } from '../problem.ts'
import { useApi } from '../queries.ts'
import { ShortTime } from './short-time.tsx'
import { shortTime, visibleText } from '../wording.ts'
import { ConfirmDialog } from './confirm.tsx'
import { Dialog, DialogButtons, DialogProblem } from './dialog.tsx'
import { LabelledInput } from './labelled-input.tsx'
import { SecretDialog } from './secret.tsx'
import { EmptyPanel, ListSkeleton, ProblemPanel } from './states.tsx'

type Doing = { readonly what: 'rotate' | 'revoke'; readonly key: ListedKey } | { readonly what: 'create' }

const overlapSeconds = 24 * 60 * 60

/** The keys that speak for agents. */
export function KeyList({ mayChange }: { readonly mayChange: boolean }) {
  const api = useApi()
  const found = useQuery({ queryKey: ['keys'], queryFn: ({ signal }) => api.access.keys(signal) })
  const [doing, setDoing] = useState<Doing | null>(null)
  const [made, setMade] = useState<NewKey | null>(null)
  if (found.data === undefined) {
    if (found.isError)
      return <ProblemPanel problem={asProblem(found.error)} onRetry={() => void found.refetch()} />
    return <ListSkeleton rows={4} className="panel" />
  }
  const done = (key: NewKey | null): void => {
    setDoing(null)
    setMade(key)
  }
  return (
    <>
      {mayChange && (
        <div className="list-actions">
          <button
            type="button"
            className="button button-primary"
            onClick={() => setDoing({ what: 'create' })}
          >
            Make a key
          </button>
        </div>
      )}
      {found.data.length === 0 ? (
        <EmptyPanel title="No agent has a key">
          <p>An agent needs one to have its calls decided.</p>
        </EmptyPanel>
      ) : (
        <ul className="rows panel list-panel">
          {found.data.toReversed().map((key) => (
            <KeyRow key={key.id} listed={key} onDo={mayChange ? (what) => setDoing({ what, key }) : null} />
          ))}
        </ul>
      )}
      {doing?.what === 'create' && <NewKeyDialog onMade={done} onClose={() => done(null)} />}
      {doing !== null && doing.what !== 'create' && (
        <ChangeKeyDialog listed={doing.key} what={doing.what} onDone={done} />
      )}
      {made !== null && (
        <SecretDialog
          title={`Key for ${visibleText(made.agent)}`}
          secret={made.key}
          advice="Give it to the agent as a secret. Only its hash is kept here, so it cannot be shown again."
          onClose={() => setMade(null)}
        />
      )}
    </>
  )
}

function KeyRow({
  listed,
  onDo,
}: {
  readonly listed: ListedKey
  readonly onDo: ((what: 'rotate' | 'revoke') => void) | null
}) {
  const now = useNow()
  const ended = endOf(listed, now)
  return (
    <li className="list-row">
      <div className="list-row-main">
        <strong className="break">{visibleText(listed.agent)}</strong>{' '}
        <code>{visibleText(listed.prefix)}…</code>
        {ended !== null && <span className="badge">{ended}</span>}
        <p className="quiet small">
          Made <ShortTime at={listed.createdAt} now={now} />
          {listed.lastUsedAt === null ? ', not used yet' : `, last used ${shortTime(listed.lastUsedAt, now)}`}
          {whenText(listed, now)}
        </p>
      </div>
      {onDo !== null && ended === null && (
        <div className="row-actions">
          <button
            type="button"
            className="button button-small"
            aria-label={`Rotate the key ${listed.prefix} of ${listed.agent}`}
            onClick={() => onDo('rotate')}
          >
            Rotate
          </button>
          <button
            type="button"
            className="button button-small button-danger"
            aria-label={`Revoke the key ${listed.prefix} of ${listed.agent}`}
            onClick={() => onDo('revoke')}
          >
            Revoke
          </button>
        </div>
      )}
    </li>
  )
}

// By the clock and not as it was listed: a key may end while the page is looked at.
function endOf({ revokedAt, expiresAt }: ListedKey, now: number): 'Revoked' | 'Ended' | null {
  if (revokedAt !== null) return 'Revoked'
  return expiresAt !== null && Date.parse(expiresAt) <= now ? 'Ended' : null
}

function whenText(listed: ListedKey, now: number): string {
  const { revokedAt, expiresAt } = listed
  const ended = endOf(listed, now)
  if (revokedAt !== null) return `, revoked ${shortTime(revokedAt, now)}`
  if (expiresAt === null) return ''
  return `, ${ended === null ? 'ends' : 'ended'} ${shortTime(expiresAt, now)}`
}

function NewKeyDialog({
  onMade,
  onClose,
}: {
  readonly onMade: (key: NewKey) => void
  readonly onClose: () => void
}) {
  const api = useApi()
  const client = useQueryClient()
  const [agent, setAgent] = useState('')
  const create = useMutation({
    mutationFn: () => api.access.createKey(agent.trim()),
    onSuccess: onMade,
    onSettled: () => void client.invalidateQueries({ queryKey: ['keys'] }),
  })
  const submit = (event: SubmitEvent): void => {
    event.preventDefault()
    create.mutate()
  }
  return (
    <Dialog title="Make a key" onClose={onClose}>
      <form onSubmit={submit}>
        {create.isError && <DialogProblem error={create.error} />}
        <LabelledInput label="Agent" note="as in its policy" isRequired value={agent} onChange={setAgent} />
        <DialogButtons button="Make the key" isPending={create.isPending} onClose={onClose} />
      </form>
    </Dialog>
  )
}

function ChangeKeyDialog({
  listed,
  what,
  onDone,
}: {
  readonly listed: ListedKey
  readonly what: 'rotate' | 'revoke'
  readonly onDone: (made: NewKey | null) => void
}) {
  const api = useApi()
  const client = useQueryClient()
  const change = useMutation({
    mutationFn: async () => {
      if (what === 'rotate') return await api.access.rotateKey(listed.id, overlapSeconds)
      await api.access.revokeKey(listed.id)
      return null
    },
    onSuccess: onDone,
    onSettled: () => void client.invalidateQueries({ queryKey: ['keys'] }),
  })
  const name = `${visibleText(listed.prefix)}… of ${visibleText(listed.agent)}`
  return (
    <ConfirmDialog
      title={what === 'rotate' ? `Rotate the key ${name}?` : `Revoke the key ${name}?`}
      button={what === 'rotate' ? 'Rotate' : 'Revoke'}
      isPending={change.isPending}
      error={change.error}
      onConfirm={() => change.mutate()}
      onClose={() => onDone(null)}
    >
      <p>
        {what === 'rotate'
          ? 'You get a new key, shown once. The old one stays good for a day, so that the agent can change over.'
          : 'From the next request on, nobody can speak for the agent with it. This cannot be undone.'}
      </p>
    </ConfirmDialog>
  )
}
