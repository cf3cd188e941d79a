import { connect } from 'node:net'

/** An answer as it came over the wire. */
export interface RawAnswer {
  readonly status: number
  /** By name in lower case, without `date`. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** Sends these bytes on a connection of their own, and reads until the service ends it. Empty where no answer came. */
export function rawRequest(port: number, pieces: readonly (string | Uint8Array)[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    const chunks: Buffer[] = []
    socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    socket.once('error', reject)
    socket.once('close', () => resolve(Buffer.concat(chunks).toString('utf8')))
    for (const piece of pieces) socket.write(piece)
  })
}

/** Sends one request with these lines for a head, and reads its answer. */
export async function rawAnswer(
  port: number,
  lines: readonly string[],
  body: string | Uint8Array = '',
): Promise<RawAnswer> {
  const head = [...lines, 'Connection: close', '', ''].join('\r\n')
  const text = await rawRequest(port, [head, body])
  const [status = '', ...named] = text.slice(0, text.indexOf('\r\n\r\n')).split('\r\n')
  const headers = Object.fromEntries(
    named.map((line) => {
      const colon = line.indexOf(':')
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
    }),
  )
  delete headers['date']
  return { status: Number(status.split(' ')[1]), headers, body: text.slice(text.indexOf('\r\n\r\n') + 4) }
}
