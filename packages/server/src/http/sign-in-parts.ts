import { Fault } from '@bailiwick/core'
import type { IdentityProvider } from '../identity/identity-provider.ts'
import type { LocalAccounts } from '../identity/local-accounts.ts'

/** What people sign in by. */
export interface SignInParts {
  /** Absent where people sign in by links alone. */
  readonly accounts?: LocalAccounts | undefined
  /** Absent where none is configured. */
  readonly provider?: IdentityProvider | undefined
  /** How many proxies in front of the service add to `X-Forwarded-For`. */
  readonly proxies: number
}

/** @throws Fault `not_found` where there are no local accounts */
export function accountsOf({ accounts }: SignInParts): LocalAccounts {
  if (accounts !== undefined) return accounts
  throw new Fault('not_found', 'there are no local accounts here', { fix: 'Sign in by a link.' })
}
