import { useEffect, useState } from 'react'
import type { Session } from '../api.ts'
import { useTitle } from '../clock.ts'
import { Mark } from '../parts/icons.tsx'
import { NotGivenBefore } from '../parts/interrupted.tsx'
import { LinkForm, PasswordForm, SecondFactorForm } from '../parts/sign-in-forms.tsx'
import { OtherWays, SaidBefore } from '../parts/sign-in-ways.tsx'
import { asProblem } from '../problem.ts'
import { useSignIn } from '../queries.ts'
import { takeReturn } from '../returning.ts'
import { navigate } from '../router.tsx'
import type { SignInProof, SignInStep } from '../sign-in-api.ts'
import { unfinishedAnswer } from '../unfinished.ts'

/** Signs a person in: with the one-time token of a link, a password, or the identity provider; then a second factor. */
export function SignInPage({ signedIn }: { readonly signedIn: Session | null }) {
  useTitle('Sign in', 0)
  const said = useFragment()
  const [unfinished] = useState(unfinishedAnswer)
  const [step, setStep] = useState<SignInStep | null>(null)
  const asked = step ?? said.step
  const isDone = signedIn !== null && said.token === null && asked === null
  useEffect(() => {
    if (isDone) navigate(takeReturn(), { replace: true })
  }, [isDone])
  const signIn = useSignIn()
  if (isDone) return null

  const prove = (proof: SignInProof): void =>
    signIn.mutate(proof, {
      onSuccess: ({ step: next }) =>
        next === null ? navigate(takeReturn(), { replace: true }) : setStep(next),
    })
  const problem = signIn.isError ? asProblem(signIn.error) : null
  const form = { prove, problem, isPending: signIn.isPending, onRetry: () => signIn.reset() }

  return (
    <main className="lone">
      <div className="sign-in panel">
        <div className="brand brand-large">
          <Mark />
          <span>Bailiwick</span>
        </div>
        {unfinished !== null && <NotGivenBefore unfinished={unfinished} />}
        {asked !== null ? (
          <SecondFactorForm key={asked.step} {...form} step={asked} />
        ) : said.token !== null ? (
          <LinkForm key={said.token} {...form} token={said.token} signedIn={signedIn} />
        ) : (
          <>
            {said.refused !== null && <SaidBefore refused={said.refused} />}
            <PasswordForm {...form} />
            <OtherWays />
          </>
        )}
      </div>
    </main>
  )
}

interface Said {
  readonly token: string | null
  readonly step: SignInStep | null
  readonly refused: string | null
}

/** What stands after `#`. It leaves the address bar and the history at once, and lives in memory only. */
function useFragment(): Said {
  const [said, setSaid] = useState(fragment)
  useEffect(() => {
    const take = (): void => {
      const found = fragment()
      if (window.location.hash === '') return
      window.history.replaceState(null, '', window.location.pathname)
      setSaid(found)
    }
    take()
    // Opening a second link in this tab changes nothing but the fragment, so the page is not loaded again.
    window.addEventListener('hashchange', take)
    return () => window.removeEventListener('hashchange', take)
  }, [])
  return said
}

function fragment(): Said {
  const members = new URLSearchParams(window.location.hash.slice(1))
  const member = (name: string): string | null => members.get(name) || null
  const step = member('step')
  return {
    token: member('token'),
    step: step === null ? null : { step, factors: (member('factors') ?? '').split(' ') },
    refused: member('refused'),
  }
}
