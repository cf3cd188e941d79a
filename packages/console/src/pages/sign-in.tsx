import { useEffect, useState } from 'react'
import type { SubmitEvent } from 'react'
import type { Session } from '../api.ts'
import { useTitle } from '../clock.ts'
import { Icon, Mark } from '../parts/icons.tsx'
import { asProblem } from '../problem.ts'
import type { Problem } from '../problem.ts'
import { useSignIn } from '../queries.ts'
import { takeReturn } from '../returning.ts'
import { navigate } from '../router.tsx'
import { visibleText } from '../wording.ts'

/** Signs a person in with the one-time token of the link they opened. */
export function SignInPage({ signedIn }: { readonly signedIn: Session | null }) {
  useTitle('Sign in', 0)
  const token = useFragmentToken()
  const isDone = signedIn !== null && token === null
  useEffect(() => {
    if (isDone) navigate(takeReturn(), { replace: true })
  }, [isDone])
  if (isDone) return null

  return (
    <main className="lone">
      <div className="sign-in panel">
        <div className="brand brand-large">
          <Mark />
          <span>Bailiwick</span>
        </div>
        {token === null ? <HowToGetALink /> : <SignInForm key={token} token={token} signedIn={signedIn} />}
      </div>
    </main>
  )
}

function SignInForm({ token, signedIn }: { readonly token: string; readonly signedIn: Session | null }) {
  const signIn = useSignIn()
  const submit = (event: SubmitEvent): void => {
    event.preventDefault()
    signIn.mutate(token, { onSuccess: () => navigate(takeReturn(), { replace: true }) })
  }
  if (signIn.isError) return <Refused problem={asProblem(signIn.error)} onRetry={() => signIn.reset()} />
  return (
    <form onSubmit={submit}>
      <h1>Sign in to the console</h1>
      <p className="quiet">
        Your link works once. It is used up when you press the button, not before.
        {signedIn !== null && ` You are signed in as ${signedIn.person.id}; this replaces that session.`}
      </p>
      <button type="submit" className="button button-primary button-wide" disabled={signIn.isPending}>
        {signIn.isPending ? 'Signing in…' : 'Sign in'}
      </button>
    </form>
  )
}

function Refused({ problem, onRetry }: { readonly problem: Problem; readonly onRetry: () => void }) {
  // Only a lost connection can be cured by the same link; one that was refused stays refused.
  const isLost = problem.status === null || problem.status >= 500
  return (
    <>
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

function HowToGetALink() {
  return (
    <>
      <h1>You need a sign-in link</h1>
      <p className="quiet">There is no password: everyone signs in with a link that works once.</p>
      <GetALink />
    </>
  )
}

function GetALink() {
  return (
    <ul className="ways">
      <li>
        <strong>First start?</strong> The terminal that runs the service has printed a link for the
        administrator.
      </li>
      <li>
        <strong>Otherwise</strong>, someone with access to that machine runs
        <code className="command">bailiwick people link EMAIL</code>
        with your e-mail address and gives you the link it prints.
      </li>
    </ul>
  )
}

/** The token after `#token=`. It leaves the address bar and the history at once, and lives in memory only. */
function useFragmentToken(): string | null {
  const [token, setToken] = useState(tokenInFragment)
  useEffect(() => {
    const take = (): void => {
      const found = tokenInFragment()
      if (window.location.hash !== '') window.history.replaceState(null, '', window.location.pathname)
      if (found !== null) setToken(found)
    }
    take()
    // Opening a second link in this tab changes nothing but the fragment, so the page is not loaded again.
    window.addEventListener('hashchange', take)
    return () => window.removeEventListener('hashchange', take)
  }, [])
  return token
}

function tokenInFragment(): string | null {
  const token = new URLSearchParams(window.location.hash.slice(1)).get('token')
  return token === null || token === '' ? null : token
}
