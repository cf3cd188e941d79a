import { useQuery, useQueryClient } from '@tanstack/react-query'
import type { Session } from '../api.ts'
import { useTitle } from '../clock.ts'
import { AuthenticatorApp } from '../parts/authenticator-app.tsx'
import { Section } from '../parts/document.tsx'
import { Mark } from '../parts/icons.tsx'
import { YourPasskeys } from '../parts/passkeys.tsx'
import { SignOutButton } from '../parts/sign-out-button.tsx'
import { ListSkeleton, ProblemPanel } from '../parts/states.tsx'
import { usePasskeys } from '../passkeys/queries.ts'
import { asProblem } from '../problem.ts'
import { useApi } from '../queries.ts'
import { visibleText } from '../wording.ts'

/**
 * For whoever has signed in with a password where that is not enough: sets up a second factor before anything else. The
 * person goes on by a button, so that recovery codes, which are shown once, stay until they have been kept.
 */
export function SecondFactorPage({ me }: { readonly me: Session['person'] }) {
  useTitle('Second factor', 0)
  const api = useApi()
  const client = useQueryClient()
  const account = useQuery({ queryKey: ['account'], queryFn: ({ signal }) => api.account.account(signal) })
  const passkeys = usePasskeys().data?.passkeys ?? []
  const isSetUp = passkeys.length > 0 || (account.data !== undefined && account.data.totpSince !== null)
  return (
    <main className="main set-up">
      <div className="set-up-head">
        <div className="brand brand-large">
          <Mark />
          <span>Bailiwick</span>
        </div>
        <SignOutButton />
      </div>
      <div className="page-head">
        <h1>A password alone is not enough here</h1>
        <p className="quiet">
          You are signed in as <span className="break">{visibleText(me.id)}</span>. Set up a passkey or an
          authenticator app; everything else waits until then.
        </p>
      </div>
      <YourPasskeys />
      <Section title="Or an app" note="With recovery codes">
        {account.data !== undefined ? (
          <AuthenticatorApp account={account.data} />
        ) : account.isError ? (
          <ProblemPanel problem={asProblem(account.error)} onRetry={() => void account.refetch()} />
        ) : (
          <ListSkeleton rows={1} className="" />
        )}
      </Section>
      {isSetUp && (
        <button
          type="button"
          className="button button-primary button-wide"
          onClick={() => void client.invalidateQueries({ queryKey: ['session'] })}
        >
          Go on
        </button>
      )}
    </main>
  )
}
