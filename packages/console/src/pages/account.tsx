import type { Session } from '../api.ts'
import { useTitle } from '../clock.ts'
import { Entry, Section } from '../parts/document.tsx'
import { NewsChoices } from '../parts/news-choices.tsx'
import { YourPasskeys } from '../parts/passkeys.tsx'
import { SessionList } from '../parts/session-list.tsx'
import { SignInMeans } from '../parts/sign-in-means.tsx'
import { changePreferences, usePreferences } from '../preferences.ts'
import { usePendingApprovals } from '../queries.ts'
import { Link } from '../router.tsx'
import { visibleText } from '../wording.ts'

/** Whoever is signed in: who they are to the service, where they are signed in, and what they chose on this device. */
export function AccountPage({ me }: { readonly me: Session['person'] }) {
  useTitle('Account', usePendingApprovals().approvals?.length ?? 0)
  const { keys } = usePreferences()
  return (
    <>
      <div className="page-head">
        <h1>Account</h1>
        <p className="quiet">Who you are to this service, and where you are signed in.</p>
      </div>
      <div className="document-columns">
        <div className="document-main">
          <Section title="Signing in" note="Beside one-time links">
            <SignInMeans />
          </Section>
          <YourPasskeys />
          <Section title="Sessions" note="Where you are signed in">
            <SessionList person={null} />
          </Section>
        </div>
        <aside className="document-side" aria-label="About you">
          <Section title="You">
            <dl className="entries">
              <Entry name="Address">
                <span className="break">{visibleText(me.id)}</span>
              </Entry>
              <Entry name="Roles">
                {me.roles.length === 0 ? 'none' : me.roles.map(visibleText).join(', ')}
              </Entry>
            </dl>
          </Section>
          <Section title="While you are away">
            <p className="small">
              Somebody else can vote in your stead for a time: see your{' '}
              <Link to="/delegations">delegations</Link>.
            </p>
          </Section>
          <Section title="On this device">
            <NewsChoices />
            <label className="switch">
              <input
                type="checkbox"
                checked={keys}
                onChange={(event) => changePreferences({ keys: event.target.checked })}
              />
              <span>Shortcuts of one letter</span>
            </label>
          </Section>
        </aside>
      </div>
    </>
  )
}
