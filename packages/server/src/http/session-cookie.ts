/** The cookie that carries a session. */
export interface SessionCookie {
  readonly name: string
  /** Whether people reach the service over TLS, which a proxy in front may have ended. */
  readonly isSecure: boolean
}

/**
 * The cookie of a ledger's service. Browsers send a cookie to every port of a host name, so that of a service names the
 * ledger and the port, and two services on one host do not sign each other's people out. Over TLS its name begins with
 * `__Host-`: a browser takes it from this host alone, only over TLS, and for all of its paths.
 *
 * @param publicUrl the address that people use
 */
export function sessionCookieOf(ledger: string, publicUrl: string | undefined): SessionCookie {
  if (publicUrl === undefined || !URL.canParse(publicUrl))
    return { name: 'bailiwick_session', isSecure: false }
  const { protocol, port } = new URL(publicUrl)
  const isSecure = protocol === 'https:'
  const where = `${ledger.replaceAll(/[^A-Za-z0-9-]/g, '-')}_${port || (isSecure ? '443' : '80')}`
  return { name: `${isSecure ? '__Host-' : ''}bailiwick_session_${where}`, isSecure }
}
