const lengthMax = 4096

/** What a browser has to have said of the page that asked. */
export interface ExpectedClient {
  readonly type: 'webauthn.create' | 'webauthn.get'
  /** base64url. */
  readonly challenge: string
  readonly origin: string
}

/** What is wrong with the client data of an authenticator's answer; undefined where nothing is. */
export function clientProblem(bytes: Buffer, expected: ExpectedClient): string | undefined {
  const client = bytes.length > lengthMax ? undefined : parsedObject(bytes)
  if (client === undefined) return 'its client data is not JSON'
  if (client['type'] !== expected.type) return 'it was made for something else'
  if (client['challenge'] !== expected.challenge) return 'it answers another challenge'
  if (client['origin'] !== expected.origin) return 'it was made on a page of another origin'
  const isFramed =
    (client['crossOrigin'] !== undefined && client['crossOrigin'] !== false) ||
    client['topOrigin'] !== undefined
  return isFramed ? 'it was made inside a page of another site' : undefined
}

function parsedObject(bytes: Buffer): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}
