import { isIP } from 'node:net'
import { Fault } from '@bailiwick/core'

/** What passkeys are bound to: the host and the origin of the console. */
export interface RelyingParty {
  readonly rpId: string
  readonly origin: string
}

/**
 * The relying party of a console at this address. A loopback address stands for `localhost`, which reaches the same
 * service: an address is no name that a passkey could be bound to.
 *
 * @throws Fault `conflict` where browsers offer no passkeys: at an IP address, and without TLS anywhere but on localhost
 */
export function relyingPartyOf(consoleUrl: string): RelyingParty {
  const party = partyIfAny(consoleUrl)
  if (party !== undefined) return party
  throw new Fault('conflict', `there are no passkeys for a console at \`${consoleUrl}\``, {
    fix: 'Give the service an address with a host name and TLS in BAILIWICK_URL; localhost needs no TLS.',
  })
}

/** The same; undefined where browsers offer no passkeys. */
export function partyIfAny(consoleUrl: string): RelyingParty | undefined {
  const { protocol, hostname, port } = new URL(consoleUrl)
  const host = isLoopback(hostname) ? 'localhost' : hostname
  const isLocal = host === 'localhost' || host.endsWith('.localhost')
  if (isIP(host.replaceAll(/[[\]]/g, '')) !== 0 || (protocol !== 'https:' && !isLocal)) return undefined
  return { rpId: host, origin: `${protocol}//${host}${port === '' ? '' : `:${port}`}` }
}

function isLoopback(hostname: string): boolean {
  return hostname === '[::1]' || (isIP(hostname) === 4 && hostname.startsWith('127.'))
}
