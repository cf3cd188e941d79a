import { SoftAuthenticator } from '../../../core/test/approval/authenticator.ts'
import type { Answer, Caller } from './http-service.ts'

/** The cookie that binds a challenge to a browser, as that sends it back. */
export function challengeCookie({ headers }: Answer): string {
  return /bailiwick_challenge=[^;]+/.exec(headers.get('set-cookie') ?? '')?.[0] ?? ''
}

/** A request with that cookie beside the caller's own. */
export function withCookie(
  caller: Caller,
  cookie: string,
): { readonly headers: { readonly cookie: string } } {
  return {
    headers: { cookie: caller.secret === '' ? cookie : `bailiwick_session=${caller.secret}; ${cookie}` },
  }
}

/** Has an authenticator make a passkey for a signed-in person, as a browser does; `send` registers it. */
export async function makePasskey(person: Caller, name = 'Laptop') {
  const begun = await person.post('/v1/passkeys/options', {})
  const party = { rpId: begun.body.rp.id as string, origin: 'http://localhost' }
  const authenticator = new SoftAuthenticator(name, 'ES256', party)
  const made = {
    name,
    transports: ['internal'],
    ...authenticator.register({ challenge: begun.body.challenge }),
  }
  const send = (more: object = {}) =>
    person.post('/v1/passkeys', { ...made, ...more }, withCookie(person, challengeCookie(begun)))
  return { begun, authenticator, send, userHandle: begun.body.user.id as string }
}
