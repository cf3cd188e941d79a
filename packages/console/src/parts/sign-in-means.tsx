import { useQuery } from '@tanstack/react-query'
import { asProblem } from '../problem.ts'
import { useApi } from '../queries.ts'
import { AuthenticatorApp } from './authenticator-app.tsx'
import { OwnPassword } from './own-password.tsx'
import { ListSkeleton, ProblemPanel } from './states.tsx'

/** What one signs in with beside links, and the ways to change it. */
export function SignInMeans() {
  const api = useApi()
  const found = useQuery({ queryKey: ['account'], queryFn: ({ signal }) => api.account.account(signal) })
  if (found.data === undefined) {
    if (found.isError)
      return <ProblemPanel problem={asProblem(found.error)} onRetry={() => void found.refetch()} />
    return <ListSkeleton rows={2} className="" />
  }
  return (
    <>
      <OwnPassword isSet={found.data.passwordSetAt !== null} />
      <AuthenticatorApp account={found.data} />
    </>
  )
}
