import { asProblem } from '../problem.ts'
import { useProvider, useSignInWays } from '../queries.ts'
import { visibleText } from '../wording.ts'
import { Icon } from './icons.tsx'
import { PasskeySignIn } from './passkey-sign-in.tsx'

const refusals: Readonly<Record<string, string>> = {
  not_authenticated: 'The sign-in at the identity provider was not completed here. Begin anew.',
  not_permitted:
    'The identity provider knows you, but you may not sign in here: your address has to be verified there, and one of your groups needs a role here. Ask an administrator.',
}

/** What came of an attempt that left this page and came back. Only words of our own: the address may be anybody's. */
export function SaidBefore({ refused }: { readonly refused: string }) {
  return (
    <div className="notice notice-bad" role="alert">
      <Icon name="warning" />
      <div>
        <strong>You were not signed in</strong>
        <p>
          {refusals[refused] ?? 'The identity provider does not answer. Try again, or sign in another way.'}
        </p>
      </div>
    </div>
  )
}

/** The ways beside a password: a passkey, the identity provider, where one is configured, and links. */
export function OtherWays() {
  const { data } = useSignInWays()
  const provider = useProvider()
  return (
    <>
      <PasskeySignIn />
      {data?.provider != null && (
        <button
          type="button"
          className="button button-wide"
          disabled={provider.isPending}
          onClick={() => provider.mutate()}
        >
          Sign in with {visibleText(data.provider.name)}
        </button>
      )}
      {provider.isError && (
        <p className="quiet" role="alert">
          {visibleText(asProblem(provider.error).detail ?? asProblem(provider.error).message)}
        </p>
      )}
      <h2>No password yet? You need a sign-in link</h2>
      <GetALink />
    </>
  )
}

/** How to get a sign-in link. */
export function GetALink() {
  return (
    <ul className="ways">
      <li>
        <strong>First start?</strong> The terminal that runs the service has printed a link for the
        administrator.
      </li>
      <li>
        <strong>Otherwise</strong>, an administrator makes one for you, or someone with access to that machine
        runs
        <code className="command">bailiwick people link EMAIL</code>
        with your e-mail address and gives you the link it prints.
      </li>
    </ul>
  )
}
