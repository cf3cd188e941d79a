import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Provider } from 'oidc-provider'

/** What the provider knows of an account. */
export interface ProviderAccount {
  readonly email?: string
  readonly email_verified?: boolean
  readonly groups?: readonly string[]
}

export const clientId = 'bailiwick'
export const clientSecret = 'a-secret-of-the-test-for-the-provider'

/** A real OpenID provider on a port of this machine. */
export class TestProvider {
  readonly issuer: string
  /** By login name, which is also the subject. */
  readonly accounts = new Map<string, ProviderAccount>()
  readonly #server: Server

  private constructor(server: Server, issuer: string) {
    this.#server = server
    this.issuer = issuer
  }

  static async start(redirect: string): Promise<TestProvider> {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const made = new TestProvider(server, issuer)
    const provider = new Provider(issuer, {
      clients: [{ client_id: clientId, client_secret: clientSecret, redirect_uris: [redirect] }],
      claims: { openid: ['sub'], email: ['email', 'email_verified'], groups: ['groups'] },
      scopes: ['openid', 'email', 'groups'],
      cookies: { keys: ['a key of the test'] },
      pkce: { required: () => true },
      features: { devInteractions: { enabled: true } },
      findAccount: (_context: unknown, sub: string) => ({
        accountId: sub,
        claims: () => ({ sub, ...made.accounts.get(sub) }),
      }),
    })
    const answer = provider.callback()
    server.on('request', answer)
    return made
  }

  /** Signs in at the provider as a browser does. @returns the address that it is sent back to */
  async signIn(url: string, login: string): Promise<URL> {
    const cookies = new Map<string, string>()
    let next = new URL(url)
    let form: URLSearchParams | undefined
    for (let hop = 0; hop < 20; hop++) {
      if (next.origin !== this.issuer) return next
      const response = await fetch(next, {
        method: form === undefined ? 'GET' : 'POST',
        redirect: 'manual',
        headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
        ...(form === undefined ? {} : { body: form }),
      })
      for (const line of response.headers.getSetCookie()) {
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
        cookies.set(name, value)
      }
      const location = response.headers.get('location')
      if (location !== null) {
        next = new URL(location, next)
        form = undefined
        continue
      }
      const page = await response.text()
      const prompt = /name="prompt" value="([a-z]+)"/.exec(page)?.[1]
      if (prompt === undefined)
        throw new Error(`the provider answered ${response.status}: ${page.slice(0, 500)}`)
      form = new URLSearchParams({ prompt, ...(prompt === 'login' ? { login, password: 'any' } : {}) })
    }
    throw new Error('the provider sends the browser around in circles')
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}
