import { listOf, number, object, orNull, text } from './shape.ts'
import type { Shaped } from './shape.ts'

const account = object({ passwordSetAt: orNull(text), totpSince: orNull(text), recoveryCodesLeft: number })
const totpOffer = object({ secret: text, address: text })
const recoveryCodes = object({ recoveryCodes: listOf(text) })

/** What a person has set up to sign in with. */
export type Account = Shaped<typeof account>
/** The secret of an authenticator app that a first code has still to confirm. */
export type TotpOffer = Shaped<typeof totpOffer>

/** Requests about one's own account. Each throws as those of `Api` do. */
export interface AccountApi {
  account(signal?: AbortSignal): Promise<Account>
  /** `current`: empty where there is none, or none is needed. */
  setPassword(password: string, current: string): Promise<void>
  offerTotp(): Promise<TotpOffer>
  /** The recovery codes, shown only now. */
  confirmTotp(code: string): Promise<readonly string[]>
  removeTotp(): Promise<void>
  renewRecoveryCodes(): Promise<readonly string[]>
}

/** Sends one request and returns the answer's body. */
type Send = (method: string, path: string, body?: unknown, signal?: AbortSignal) => Promise<unknown>

/** The requests, over `send`. */
export function createAccountApi(send: Send): AccountApi {
  const codes = (body: unknown): readonly string[] => recoveryCodes(body, '').recoveryCodes
  return {
    account: async (signal) => account(await send('GET', '/v1/account', undefined, signal), ''),
    setPassword: async (password, current) => {
      await send('POST', '/v1/account/password', { password, ...(current === '' ? {} : { current }) })
    },
    offerTotp: async () => totpOffer(await send('POST', '/v1/account/totp', {}), ''),
    confirmTotp: async (code) => codes(await send('POST', '/v1/account/totp/confirmation', { code })),
    removeTotp: async () => {
      await send('DELETE', '/v1/account/totp')
    },
    renewRecoveryCodes: async () => codes(await send('POST', '/v1/account/recovery-codes', {})),
  }
}
