import { lazy, Suspense, useEffect, useRef, useState } from 'react'
import type { SubmitEvent } from 'react'
import { useAccountChange } from '../account-change.ts'
import type { Account, TotpOffer } from '../account-api.ts'
import { useApi } from '../queries.ts'
import { visibleText } from '../wording.ts'
import { DialogProblem } from './dialog.tsx'

// What draws it comes when somebody sets up an app, and not before.
const QrCode = lazy(async () => ({ default: (await import('./qr-code.tsx')).QrCode }))

/** Sets up an authenticator app as the second factor, or removes it. */
export function AuthenticatorApp({ account }: { readonly account: Account }) {
  const api = useApi()
  const [codes, setCodes] = useState<readonly string[] | null>(null)
  const offer = useAccountChange(() => api.account.offerTotp())
  const remove = useAccountChange(() => api.account.removeTotp())
  const renew = useAccountChange(() => api.account.renewRecoveryCodes())
  const forget = (): void => {
    setCodes(null)
    offer.reset()
  }
  const error = offer.error ?? remove.error ?? renew.error
  return (
    <div className="means">
      <h3>Authenticator app</h3>
      <p className="quiet small">
        {account.totpSince === null
          ? 'None. With one, its code is asked for whenever you sign in.'
          : `In use. ${account.recoveryCodesLeft} recovery codes are left.`}
      </p>
      {error !== null && <DialogProblem error={error} />}
      {codes !== null && <RecoveryCodes codes={codes} />}
      {account.totpSince !== null ? (
        <p className="means-choices">
          <button
            type="button"
            className="button"
            disabled={renew.isPending}
            onClick={() => renew.mutate(undefined, { onSuccess: setCodes })}
          >
            New recovery codes
          </button>
          <button
            type="button"
            className="button"
            disabled={remove.isPending}
            onClick={() => remove.mutate(undefined, { onSuccess: forget })}
          >
            Remove the app
          </button>
        </p>
      ) : offer.data === undefined || offer.isPending ? (
        <button
          type="button"
          className="button"
          disabled={offer.isPending}
          onClick={() => offer.mutate(undefined)}
        >
          Set up an app
        </button>
      ) : (
        <Confirmation offer={offer.data} onConfirmed={setCodes} />
      )}
    </div>
  )
}

function Confirmation({
  offer,
  onConfirmed,
}: {
  readonly offer: TotpOffer
  readonly onConfirmed: (codes: readonly string[]) => void
}) {
  const api = useApi()
  const [code, setCode] = useState('')
  const place = useFocusOnAppearing<HTMLFormElement>()
  // Shown before anything is asked for anew: then this form is gone, and with it what would have shown them.
  const confirm = useAccountChange(async () => onConfirmed(await api.account.confirmTotp(code)))
  const submit = (event: SubmitEvent): void => {
    event.preventDefault()
    confirm.mutate(undefined)
  }
  return (
    <form ref={place} tabIndex={-1} className="means-step" onSubmit={submit} aria-label="Authenticator app">
      <p>
        Add this to the app: scan the picture, open the link, or type the key. Then type the code that the app
        shows.
      </p>
      <div className="app-offer">
        <Suspense fallback={<span className="qr-code" />}>
          <QrCode
            text={offer.address}
            label="QR code for an authenticator app: the key beside it says the same"
          />
        </Suspense>
        <p>
          <code className="command">{offer.secret.replaceAll(/(.{4})(?=.)/g, '$1 ')}</code>
          <a href={offer.address}>Open in an app on this device</a>
        </p>
      </div>
      {confirm.isError && <DialogProblem error={confirm.error} />}
      <label className="sign-in-field">
        Code
        <input
          inputMode="numeric"
          autoComplete="one-time-code"
          required
          value={code}
          onChange={(event) => setCode(event.target.value)}
        />
      </label>
      <button type="submit" className="button" disabled={confirm.isPending}>
        Use this app
      </button>
    </form>
  )
}

function RecoveryCodes({ codes }: { readonly codes: readonly string[] }) {
  const place = useFocusOnAppearing<HTMLDivElement>()
  return (
    <div ref={place} tabIndex={-1} className="means-step" role="status">
      <p>
        <strong>Keep these codes.</strong> Each lets you in once in the place of the app, and they are shown
        only now.
      </p>
      <ul className="recovery-codes">
        {codes.map((code) => (
          <li key={code}>
            <code>{visibleText(code)}</code>
          </li>
        ))}
      </ul>
    </div>
  )
}

/** For what takes the place of the button that was pressed: the focus goes on from there. */
function useFocusOnAppearing<Place extends HTMLElement>() {
  const place = useRef<Place>(null)
  useEffect(() => place.current?.focus(), [])
  return place
}
