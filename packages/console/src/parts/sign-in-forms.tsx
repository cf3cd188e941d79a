import { useEffect, useRef, useState } from 'react'
import type { SubmitEvent } from 'react'
import type { Session } from '../api.ts'
import type { Problem } from '../problem.ts'
import type { SignInProof, SignInStep } from '../sign-in-api.ts'
import { hasPasskeys } from '../passkeys/credentials.ts'
import { visibleText } from '../wording.ts'
import { Icon } from './icons.tsx'
import { PasskeySignIn } from './passkey-sign-in.tsx'
import { SignInProblem } from './sign-in-problem.tsx'
import { GetALink } from './sign-in-ways.tsx'

/** What every form here has. */
interface FormParts {
  readonly prove: (proof: SignInProof) => void
  readonly problem: Problem | null
  readonly isPending: boolean
  readonly onRetry: () => void
}

/** Asks before the token of a link is used up. */
export function LinkForm({
  token,
  signedIn,
  ...form
}: FormParts & { readonly token: string; readonly signedIn: Session | null }) {
  const { problem } = form
  if (problem !== null) return <LinkRefused problem={problem} onRetry={form.onRetry} />
  const submit = (event: SubmitEvent): void => {
    event.preventDefault()
    form.prove({ kind: 'link', token })
  }
  return (
    <form onSubmit={submit}>
      <h1>Sign in to the console</h1>
      <p className="quiet">
        Your link works once. It is used up when you press the button, not before.
        {signedIn !== null && ` You are signed in as ${signedIn.person.id}; this replaces that session.`}
      </p>
      <SubmitButton isPending={form.isPending} />
    </form>
  )
}

function LinkRefused({ problem, onRetry }: { readonly problem: Problem; readonly onRetry: () => void }) {
  // Only a lost connection can be cured by the same link; one that was refused stays refused.
  const isLost = problem.status === null || problem.status >= 500
  return (
    <>
      <h1>Sign in to the console</h1>
      <div className="notice notice-bad" role="alert">
        <Icon name="warning" />
        <div>
          <strong>{isLost ? visibleText(problem.message) : 'This link can’t be used'}</strong>
          <p>{visibleText((isLost ? problem.fix : problem.detail) ?? problem.message)}</p>
        </div>
      </div>
      {isLost ? (
        <button type="button" className="button button-primary button-wide" onClick={onRetry}>
          Try again
        </button>
      ) : (
        <GetALink />
      )}
    </>
  )
}

/** Asks for address and password. */
export function PasswordForm(form: FormParts) {
  const [person, setPerson] = useState('')
  const [password, setPassword] = useState('')
  const submit = (event: SubmitEvent): void => {
    event.preventDefault()
    form.prove({ kind: 'password', person, password })
  }
  return (
    <form onSubmit={submit}>
      <h1>Sign in</h1>
      <SignInProblem problem={form.problem} />
      <label className="sign-in-field">
        E-mail address
        <input
          type="email"
          autoComplete="username"
          required
          value={person}
          onChange={(event) => setPerson(event.target.value)}
        />
      </label>
      <label className="sign-in-field">
        Password
        <input
          type="password"
          autoComplete="current-password"
          required
          value={password}
          onChange={(event) => setPassword(event.target.value)}
        />
      </label>
      <SubmitButton isPending={form.isPending} />
    </form>
  )
}

/** Asks for one of the factors that the person has set up: a passkey, the code of an app, or a recovery code. */
export function SecondFactorForm({ step, ...form }: FormParts & { readonly step: SignInStep }) {
  const hasPasskey = step.factors.includes('passkey')
  const hasCode = step.factors.includes('totp') || step.factors.includes('recovery')
  const place = useRef<HTMLDivElement>(null)
  // The form before has gone, and the focus with it.
  useEffect(() => place.current?.querySelector<HTMLElement>('input, button')?.focus(), [])
  return (
    <div ref={place}>
      <h1>One more proof</h1>
      <SignInProblem problem={form.problem} />
      {hasPasskey && (
        <div className="second-passkey">
          <PasskeySignIn step={step.step} />
          {!hasPasskeys() && (
            <p className={hasCode ? 'small quiet' : ''}>
              This browser offers no passkeys at this address. They need a recent browser, and an address with
              TLS or on localhost.
            </p>
          )}
        </div>
      )}
      {hasCode && <CodeForm {...form} step={step} isPrimary={!hasPasskey || !hasPasskeys()} />}
    </div>
  )
}

function CodeForm({
  step,
  isPrimary,
  ...form
}: FormParts & { readonly step: SignInStep; readonly isPrimary: boolean }) {
  const [isRecovery, setIsRecovery] = useState(!step.factors.includes('totp'))
  const [code, setCode] = useState('')
  const submit = (event: SubmitEvent): void => {
    event.preventDefault()
    const proof = isRecovery
      ? ({ kind: 'recoveryCode', step: step.step, recoveryCode: code } as const)
      : ({ kind: 'code', step: step.step, code } as const)
    form.prove(proof)
  }
  const [isChanged, setIsChanged] = useState(false)
  const change = (): void => {
    setIsRecovery(!isRecovery)
    setIsChanged(true)
    setCode('')
  }
  return (
    <form onSubmit={submit}>
      <label className="sign-in-field">
        {isRecovery ? 'Recovery code' : 'Code of your authenticator app'}
        <CodeField
          key={String(isRecovery)}
          isRecovery={isRecovery}
          takesFocus={isChanged}
          code={code}
          onChange={setCode}
        />
      </label>
      <SubmitButton isPending={form.isPending} isPrimary={isPrimary} />
      {step.factors.includes('recovery') && step.factors.includes('totp') && (
        <button type="button" className="button button-quiet button-wide" onClick={change}>
          {isRecovery ? 'Use the app instead' : 'Use a recovery code instead'}
        </button>
      )}
    </form>
  )
}

function CodeField({
  isRecovery,
  takesFocus,
  code,
  onChange,
}: {
  readonly isRecovery: boolean
  /** It has taken the place of another field, at a press. */
  readonly takesFocus: boolean
  readonly code: string
  readonly onChange: (code: string) => void
}) {
  const field = useRef<HTMLInputElement>(null)
  useEffect(() => {
    if (takesFocus) field.current?.focus()
  }, [takesFocus])
  return (
    <input
      ref={field}
      inputMode={isRecovery ? 'text' : 'numeric'}
      autoComplete="one-time-code"
      required
      value={code}
      onChange={(event) => onChange(event.target.value)}
    />
  )
}

function SubmitButton({
  isPending,
  isPrimary = true,
}: {
  readonly isPending: boolean
  readonly isPrimary?: boolean
}) {
  const look = isPrimary ? 'button button-primary button-wide' : 'button button-wide'
  return (
    <button type="submit" className={look} disabled={isPending}>
      {isPending ? 'Signing in…' : isPrimary ? 'Sign in' : 'Sign in with the code'}
    </button>
  )
}
