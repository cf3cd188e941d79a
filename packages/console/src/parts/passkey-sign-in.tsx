import { useMutation, useQueryClient } from '@tanstack/react-query'
import { hasPasskeys, signWith } from '../passkeys/credentials.ts'
import { asProblem, Problem } from '../problem.ts'
import { useApi } from '../queries.ts'
import { takeReturn } from '../returning.ts'
import { navigate } from '../router.tsx'
import { visibleText } from '../wording.ts'
import { Icon } from './icons.tsx'

/** A button that signs in with a passkey; nothing where the browser has none to offer. */
export function PasskeySignIn() {
  const signIn = usePasskeySignIn()
  if (!hasPasskeys()) return null
  const problem = signIn.isError ? asProblem(signIn.error) : null
  return (
    <div className="passkey-sign-in">
      <button
        type="button"
        className="button button-wide"
        disabled={signIn.isPending}
        onClick={() => signIn.mutate()}
      >
        {signIn.isPending ? 'Waiting for your device…' : 'Sign in with a passkey'}
      </button>
      {problem !== null && (
        <div className="notice notice-bad" role="alert">
          <Icon name="warning" />
          <div>
            <strong>{visibleText(problem.detail ?? problem.message)}</strong>
            {problem.fix !== null && <p>{visibleText(problem.fix)}</p>}
          </div>
        </div>
      )}
    </div>
  )
}

function usePasskeySignIn() {
  const api = useApi()
  const client = useQueryClient()
  return useMutation({
    // A passkey that is refused says nothing about a session that may exist already.
    mutationKey: ['sign-in'],
    mutationFn: async () => {
      const { rpId, challenge, origin } = await api.passkeys.beginSignIn()
      if (origin !== window.location.origin) throw elsewhere(origin)
      await api.passkeys.signIn(await signWith(rpId, challenge, []))
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
