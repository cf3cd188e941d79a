import { useEffect, useId, useRef, useState } from 'react'
import type { ReactNode, SubmitEvent } from 'react'
import { useNow } from '../clock.ts'
import type { Passkey } from '../passkeys/api.ts'
import { hasPasskeys } from '../passkeys/credentials.ts'
import { usePasskeys, useRegister, useRemove } from '../passkeys/queries.ts'
import { asProblem } from '../problem.ts'
import type { Problem } from '../problem.ts'
import { ShortTime } from './short-time.tsx'
import { shortTime, visibleText } from '../wording.ts'
import { Section } from './document.tsx'
import { Icon } from './icons.tsx'
import { ProblemPanel } from './states.tsx'

/** The passkeys of who is signed in: see them, add one, remove one. */
export function YourPasskeys() {
  const list = usePasskeys()
  const register = useRegister()
  const [removed, setRemoved] = useState<Passkey | null>(null)
  const tellRemoved = (passkey: Passkey): void => {
    register.reset()
    setRemoved(passkey)
  }
  return (
    <Section title="Your passkeys" note="They sign you in, also after a password, and sign your votes">
      {list.data !== undefined ? (
        <div className="passkeys">
          <Registered passkeys={list.data.passkeys} onRemoved={tellRemoved} />
          {removed !== null && <Removed key={removed.id} name={removed.name} />}
          <Add origin={list.data.party.origin} register={register} onBegun={() => setRemoved(null)} />
        </div>
      ) : list.isError ? (
        <ProblemPanel problem={asProblem(list.error)} onRetry={() => void list.refetch()} />
      ) : (
        <p className="quiet">Loading…</p>
      )}
    </Section>
  )
}

function Registered({
  passkeys,
  onRemoved,
}: {
  readonly passkeys: readonly Passkey[]
  readonly onRemoved: (passkey: Passkey) => void
}) {
  if (passkeys.length === 0) {
    return (
      <p className="quiet">
        You have none yet. A passkey’s key stays on your device; the log keeps what is needed to check what it
        signed.
      </p>
    )
  }
  return (
    <ul className="passkey-list">
      {passkeys.map((passkey) => (
        <PasskeyRow key={passkey.id} passkey={passkey} onRemoved={() => onRemoved(passkey)} />
      ))}
    </ul>
  )
}

function PasskeyRow({ passkey, onRemoved }: { readonly passkey: Passkey; readonly onRemoved: () => void }) {
  const [isAsking, setAsking] = useState(false)
  const remove = useRemove(onRemoved)
  const whatEnds = useId()
  const now = useNow()
  const { name, createdAt, usedAt, usable, record } = passkey
  const shown = visibleText(name)
  return (
    <li className="passkey">
      <div>
        <strong>{shown}</strong>
        <p className="small quiet">
          Added <ShortTime at={createdAt} now={now} /> as record {record.index}.{' '}
          {usedAt === null ? 'Not used yet.' : `Last used ${shortTime(usedAt, now)}.`}
          {!usable && ' It is bound to another address of this console, and signs nothing here.'}
        </p>
        {isAsking && (
          <p id={whatEnds}>
            All other sessions of yours end with it, and so do links that were mailed to you.
          </p>
        )}
        {remove.isError && <Trouble problem={asProblem(remove.error)} />}
      </div>
      {isAsking ? (
        <div className="passkey-answers">
          <button
            type="button"
            className="button button-small button-reject"
            aria-describedby={whatEnds}
            disabled={remove.isPending}
            onClick={() => remove.mutate(passkey.id)}
          >
            Remove {shown} for good
          </button>
          <button type="button" className="button button-small" onClick={() => setAsking(false)}>
            Keep
          </button>
        </div>
      ) : (
        <button
          type="button"
          className="button button-small"
          aria-label={`Remove ${shown}`}
          onClick={() => setAsking(true)}
        >
          Remove
        </button>
      )}
    </li>
  )
}

const nameLengthMax = 100

function Add({
  origin,
  register,
  onBegun,
}: {
  readonly origin: string
  readonly register: ReturnType<typeof useRegister>
  readonly onBegun: () => void
}) {
  const [name, setName] = useState('')
  const submit = (event: SubmitEvent): void => {
    event.preventDefault()
    onBegun()
    register.mutate(name.trim(), { onSuccess: () => setName('') })
  }
  if (origin !== window.location.origin) {
    return (
      <p>
        Passkeys of this console belong to <code>{origin}</code>, and this page is at another address.{' '}
        <a href={`${origin}/account`}>Open it there</a>, and sign in there first.
      </p>
    )
  }
  if (!hasPasskeys()) return <p>This browser offers no passkeys. Use a recent one.</p>
  return (
    <>
      <form className="passkey-form" onSubmit={submit}>
        <label>
          <span>
            Name <span className="quiet">so that you can tell it from others</span>
          </span>
          <input
            required
            maxLength={nameLengthMax}
            value={name}
            placeholder="Laptop"
            readOnly={register.isPending}
            onChange={(event) => setName(event.target.value)}
          />
        </label>
        <button type="submit" className="button" disabled={register.isPending || name.trim() === ''}>
          {register.isPending ? 'Waiting for your device…' : 'Add a passkey'}
        </button>
      </form>
      {register.isSuccess && <Done>The passkey is registered.</Done>}
      {register.isError && <Trouble problem={asProblem(register.error)} />}
    </>
  )
}

/** Takes the focus, which the row has taken with it. */
function Removed({ name }: { readonly name: string }) {
  const place = useRef<HTMLDivElement>(null)
  useEffect(() => place.current?.focus(), [])
  return (
    <div ref={place} tabIndex={-1}>
      <Done>
        The passkey {visibleText(name)} is removed. All other sessions of yours have ended, and so have links
        that were mailed to you.
      </Done>
    </div>
  )
}

function Done({ children }: { readonly children: ReactNode }) {
  return (
    <div className="notice notice-good" role="status">
      <Icon name="check" />
      <div>{children}</div>
    </div>
  )
}

function Trouble({ problem }: { readonly problem: Problem }) {
  return (
    <div className="notice notice-bad" role="alert">
      <Icon name="warning" />
      <div>
        <strong>{visibleText(problem.message)}</strong>
        {problem.detail !== null && <p>{visibleText(problem.detail)}</p>}
        {problem.fix !== null && <p>{visibleText(problem.fix)}</p>}
      </div>
    </div>
  )
}
