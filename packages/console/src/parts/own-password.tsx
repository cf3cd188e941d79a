import { useState } from 'react'
import type { SubmitEvent } from 'react'
import { useAccountChange } from '../account-change.ts'
import { useApi } from '../queries.ts'
import { DialogProblem } from './dialog.tsx'

/** Sets one's own password. */
export function OwnPassword({ isSet }: { readonly isSet: boolean }) {
  const api = useApi()
  const [password, setPassword] = useState('')
  const [current, setCurrent] = useState('')
  const change = useAccountChange(() => api.account.setPassword(password, current))
  const submit = (event: SubmitEvent): void => {
    event.preventDefault()
    change.mutate(undefined, {
      onSuccess: () => {
        setPassword('')
        setCurrent('')
      },
    })
  }
  return (
    <form onSubmit={submit} className="means" aria-label="Password">
      <h3>Password</h3>
      <p className="quiet small">
        {isSet ? 'You have one.' : 'You have none.'} Setting one signs you out everywhere else.
      </p>
      {change.isError && <DialogProblem error={change.error} />}
      {change.isSuccess && <p role="status">Your password is set.</p>}
      {isSet && (
        <label className="sign-in-field">
          Current password
          <input
            type="password"
            autoComplete="current-password"
            value={current}
            onChange={(event) => setCurrent(event.target.value)}
          />
        </label>
      )}
      <label className="sign-in-field">
        New password, 12 characters at least
        <input
          type="password"
          autoComplete="new-password"
          required
          minLength={12}
          value={password}
          onChange={(event) => setPassword(event.target.value)}
        />
      </label>
      <button type="submit" className="button" disabled={change.isPending}>
        Set password
      </button>
    </form>
  )
}
