import { useState } from 'react'
import type { ReactNode, SubmitEvent } from 'react'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import type { ListedPerson } from '../access-api.ts'
import { asProblem } from '../problem.ts'
import { useApi } from '../queries.ts'
import { visibleText } from '../wording.ts'
import { ConfirmDialog } from './confirm.tsx'
import { Dialog, DialogButtons, DialogProblem } from './dialog.tsx'
import { LabelledInput } from './labelled-input.tsx'
import { SecretDialog } from './secret.tsx'
import { ListSkeleton, ProblemPanel } from './states.tsx'

const roles: readonly { readonly role: string; readonly may: string }[] = [
  { role: 'viewer', may: 'sees decisions and approvals' },
  { role: 'approver', may: 'answers approvals' },
  { role: 'policy-author', may: 'works on policies' },
  { role: 'operator', may: 'suspends and resumes agents' },
  { role: 'auditor', may: 'sees who has access, and what is masked, for a reason' },
  { role: 'administrator', may: 'changes who has access' },
]

/** What is being done about a person. */
type Doing =
  | { readonly what: 'roles' | 'link' | 'sign-out' | 'remove'; readonly person: ListedPerson }
  | { readonly what: 'add' }

/** The people who may sign in. */
export function PeopleList({ me, mayChange }: { readonly me: string; readonly mayChange: boolean }) {
  const api = useApi()
  const found = useQuery({ queryKey: ['people'], queryFn: ({ signal }) => api.access.people(signal) })
  const [doing, setDoing] = useState<Doing | null>(null)
  const close = (): void => setDoing(null)
  if (found.data === undefined) {
    if (found.isError)
      return <ProblemPanel problem={asProblem(found.error)} onRetry={() => void found.refetch()} />
    return <ListSkeleton rows={4} className="panel" />
  }
  return (
    <>
      {mayChange && (
        <div className="list-actions">
          <button type="button" className="button button-primary" onClick={() => setDoing({ what: 'add' })}>
            Add a person
          </button>
        </div>
      )}
      <ul className="rows panel list-panel">
        {found.data.map((person) => (
          <PersonRow
            key={person.id}
            person={person}
            isMe={person.id === me}
            onDo={mayChange ? (what) => setDoing({ what, person }) : null}
          />
        ))}
      </ul>
      {doing !== null && <DoingDialog doing={doing} onClose={close} />}
    </>
  )
}

function PersonRow({
  person,
  isMe,
  onDo,
}: {
  readonly person: ListedPerson
  readonly isMe: boolean
  readonly onDo: ((what: 'roles' | 'link' | 'sign-out' | 'remove') => void) | null
}) {
  const name = visibleText(person.id)
  const action = (what: 'roles' | 'link' | 'sign-out' | 'remove', label: string): ReactNode => (
    <button
      type="button"
      className={what === 'remove' ? 'button button-small button-danger' : 'button button-small'}
      aria-label={`${label}: ${name}`}
      onClick={() => onDo?.(what)}
    >
      {label}
    </button>
  )
  return (
    <li className="list-row">
      <div className="list-row-main">
        <strong className="break">{name}</strong>
        {isMe && <span className="quiet small"> (you)</span>}
        <ul className="tags">
          {person.roles.map((role) => (
            <li key={role} className="tag">
              {visibleText(role)}
            </li>
          ))}
          {person.roles.length === 0 && <li className="quiet">no role</li>}
        </ul>
        <p className="quiet small">
          {person.sessions === 1 ? '1 session' : `${person.sessions} sessions`}
          {person.hasPassword && ', password'}
          {person.hasTotp && ', authenticator app'}
          {person.rolesFrom === 'provider' && ', roles from the identity provider'}
        </p>
      </div>
      {onDo !== null && (
        <div className="row-actions">
          {action('roles', 'Roles')}
          {action('link', 'Sign-in link')}
          {person.sessions > 0 && action('sign-out', 'Sign out')}
          {!isMe && action('remove', 'Remove')}
        </div>
      )}
    </li>
  )
}

function DoingDialog({ doing, onClose }: { readonly doing: Doing; readonly onClose: () => void }) {
  if (doing.what === 'add') return <RolesDialog person={null} onClose={onClose} />
  const { person } = doing
  if (doing.what === 'roles') return <RolesDialog person={person} onClose={onClose} />
  if (doing.what === 'link') return <LinkDialog person={person} onClose={onClose} />
  return <EndDialog person={person} isRemoval={doing.what === 'remove'} onClose={onClose} />
}

function RolesDialog({
  person,
  onClose,
}: {
  readonly person: ListedPerson | null
  readonly onClose: () => void
}) {
  const api = useApi()
  const client = useQueryClient()
  const [id, setId] = useState(person?.id ?? '')
  const [chosen, setChosen] = useState<readonly string[]>(person?.roles ?? [])
  const [own, setOwn] = useState('')
  const set = useMutation({
    mutationFn: () =>
      api.access.setPerson(id, [...chosen, ...own.split(/[\s,]+/).filter((role) => role !== '')]),
    onSuccess: onClose,
    onSettled: () => void client.invalidateQueries({ queryKey: ['people'] }),
  })
  const submit = (event: SubmitEvent): void => {
    event.preventDefault()
    set.mutate()
  }
  return (
    <Dialog title={person === null ? 'Add a person' : `Roles of ${visibleText(person.id)}`} onClose={onClose}>
      <form onSubmit={submit}>
        {set.isError && <DialogProblem error={set.error} />}
        {person === null && (
          <LabelledInput label="E-mail address" type="email" isRequired value={id} onChange={setId} />
        )}
        <RoleChoices chosen={chosen} onChange={setChosen} />
        <LabelledInput
          label="Other roles"
          note="that policies name, such as cfo"
          lengthMax={2000}
          value={own}
          onChange={setOwn}
        />
        {person !== null && (
          <p className="small quiet">Whoever’s roles change is signed out everywhere, and signs in anew.</p>
        )}
        <DialogButtons
          button={person === null ? 'Add' : 'Change'}
          isPending={set.isPending}
          onClose={onClose}
        />
      </form>
    </Dialog>
  )
}

function RoleChoices({
  chosen,
  onChange,
}: {
  readonly chosen: readonly string[]
  readonly onChange: (chosen: readonly string[]) => void
}) {
  // Roles that only policies name stay with whoever has them.
  const [others] = useState(() => chosen.filter((role) => !roles.some((known) => known.role === role)))
  return (
    <fieldset className="role-choices">
      <legend>Roles</legend>
      {[...roles, ...others.map((role) => ({ role, may: 'named by a policy' }))].map(({ role, may }) => (
        <label key={role} className="switch">
          <input
            type="checkbox"
            checked={chosen.includes(role)}
            onChange={(event) =>
              onChange(event.target.checked ? [...chosen, role] : chosen.filter((other) => other !== role))
            }
          />
          <span>
            <strong>{visibleText(role)}</strong> <span className="quiet">{may}</span>
          </span>
        </label>
      ))}
    </fieldset>
  )
}

function LinkDialog({ person, onClose }: { readonly person: ListedPerson; readonly onClose: () => void }) {
  const api = useApi()
  const link = useMutation({ mutationFn: () => api.access.signInLink(person.id) })
  const name = visibleText(person.id)
  if (link.data !== undefined) {
    return (
      <SecretDialog
        title={`Sign-in link for ${name}`}
        secret={link.data}
        advice="It signs this person in, once, within a day. Whoever has it first can use it: send it over a channel that only they read."
        onClose={onClose}
      />
    )
  }
  return (
    <ConfirmDialog
      title={`Make a sign-in link for ${name}?`}
      button="Make the link"
      isPending={link.isPending}
      error={link.error}
      onConfirm={() => link.mutate()}
      onClose={onClose}
    >
      <p>It signs this person in, once, within a day. That you made it is written into the log.</p>
    </ConfirmDialog>
  )
}

function EndDialog({
  person,
  isRemoval,
  onClose,
}: {
  readonly person: ListedPerson
  readonly isRemoval: boolean
  readonly onClose: () => void
}) {
  const api = useApi()
  const client = useQueryClient()
  const end = useMutation({
    mutationFn: () => (isRemoval ? api.access.removePerson(person.id) : api.access.endSessionsOf(person.id)),
    onSuccess: onClose,
    onSettled: () => void client.invalidateQueries({ queryKey: ['people'] }),
  })
  const name = visibleText(person.id)
  return (
    <ConfirmDialog
      title={isRemoval ? `Remove ${name}?` : `Sign ${name} out everywhere?`}
      button={isRemoval ? 'Remove' : 'Sign out'}
      isPending={end.isPending}
      error={end.error}
      onConfirm={() => end.mutate()}
      onClose={onClose}
    >
      <p>
        {isRemoval
          ? 'Sessions and sign-in links end at once. Approvals that this person voted on and that nobody has used are withdrawn; delegations and standing grants end. What this person did stays in the log.'
          : 'Every session ends with the next request, and so does every sign-in link that is not used.'}
      </p>
    </ConfirmDialog>
  )
}
