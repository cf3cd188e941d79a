import { useMutation, useQueryClient } from '@tanstack/react-query'
import { hasPasskeys, signWith } from '../passkeys/credentials.ts'
import { asProblem, Problem } from '../problem.ts'
import { useApi } from '../queries.ts'
import { takeReturn } from '../returning.ts'
import { navigate } from '../router.tsx'
import { SignInProblem } from './sign-in-problem.tsx'

/** A button that signs in with a passkey, or goes on so; nothing where the browser has none to offer. */
export function PasskeySignIn({ step = null }: { readonly step?: string | null }) {
  const signIn = usePasskeySignIn(step)
  if (!hasPasskeys()) return null
  return (
    <div className="passkey-sign-in">
      <button
        type="button"
        className={step === null ? 'button button-wide' : 'button button-primary button-wide'}
        disabled={signIn.isPending}
        onClick={() => signIn.mutate()}
      >
        {signIn.isPending
          ? 'Waiting for your device…'
          : step === null
            ? 'Sign in with a passkey'
            : 'Confirm with your passkey'}
      </button>
      <SignInProblem problem={signIn.isError ? asProblem(signIn.error) : null} />
    </div>
  )
}

function usePasskeySignIn(step: string | null) {
  const api = useApi()
  const client = useQueryClient()
  return useMutation({
    // A passkey that is refused says nothing about a session that may exist already.
    mutationKey: ['sign-in'],
    mutationFn: async () => {
      if (step === null) {
        const { rpId, challenge, origin } = await api.passkeys.beginSignIn()
        if (origin !== window.location.origin) throw elsewhere(origin)
        await api.passkeys.signIn(await signWith(rpId, challenge, []))
      } else {
        const { rpId, challenge, origin, allowCredentials } = await api.passkeys.beginProof(step)
        if (origin !== window.location.origin) throw elsewhere(origin)
        const own = allowCredentials.map(({ id }) => id)
        await api.passkeys.prove(step, await signWith(rpId, challenge, own))
      }
      return await api.session()
    },
    onSuccess: (session) => {
      client.clear()
      client.setQueryData(['session'], session)
      navigate(takeReturn(), { replace: true })
    },
  })
}

function elsewhere(origin: string): Problem {
  const title = 'Passkeys belong to another address of this console'
  return new Problem(403, title, null, `Open ${origin}/sign-in and sign in there.`)
}
