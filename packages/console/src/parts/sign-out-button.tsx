import { asProblem } from '../problem.ts'
import { useSignOut } from '../queries.ts'
import { navigate } from '../router.tsx'

/** Ends the session, and leaves the page first, so that the next person does not come back to it. */
export function SignOutButton() {
  const signOut = useSignOut(() => navigate('/sign-in'))
  return (
    <>
      <button
        type="button"
        className="button button-small button-quiet"
        disabled={signOut.isPending}
        onClick={() => signOut.mutate()}
      >
        Sign out
      </button>
      {signOut.isError && (
        <span className="unseen" role="alert">
          Signing out failed: {asProblem(signOut.error).message}
        </span>
      )}
    </>
  )
}
