import type { AddressInfo } from 'node:net'
import { SMTPServer } from 'smtp-server'

/** A message as the mail server got it. */
export interface ReceivedMail {
  readonly to: readonly string[]
  /** By name in lower case, unfolded. */
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
}

/** A mail server that takes messages over real SMTP. */
export class MailServer {
  readonly mails: ReceivedMail[] = []
  /** How it refuses the next messages, one after the other. */
  readonly trouble: { readonly code: number; readonly text: string }[] = []
  port = 0
  readonly #server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onData: (stream, session, done) => {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        const trouble = this.trouble.shift()
        if (trouble !== undefined) {
          done(Object.assign(new Error(trouble.text), { responseCode: trouble.code }))
          return
        }
        const to = session.envelope.rcptTo.map(({ address }) => address)
        this.mails.push({ to, ...parsed(Buffer.concat(chunks).toString('utf8')) })
        done()
      })
    },
  })

  async listen(): Promise<this> {
    await new Promise<void>((resolve) => {
      this.#server.listen(0, '127.0.0.1', () => resolve())
    })
    this.port = (this.#server.server.address() as AddressInfo).port
    return this
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve())
    })
  }

  /** The settings of a service that sends over this server. */
  get env(): Readonly<Record<string, string>> {
    return {
      BAILIWICK_SMTP_URL: `smtp://127.0.0.1:${this.port}`,
      BAILIWICK_MAIL_FROM: 'bailiwick@example.com',
    }
  }

  /** The newest message to somebody. */
  to(address: string): ReceivedMail {
    const mail = this.mails.findLast((each) => each.to.includes(address))
    if (mail === undefined) throw new Error(`no message to ${address}`)
    return mail
  }
}

/** The path of the link in a message. */
export function linkIn({ text }: ReceivedMail): string {
  const path = /\/v1\/channels\/email\/[A-Za-z0-9_-]{43}/.exec(text)?.[0]
  if (path === undefined) throw new Error(`no link in ${text}`)
  return path
}

function parsed(raw: string): Omit<ReceivedMail, 'to'> {
  const [head = '', ...rest] = raw.split('\r\n\r\n')
  const lines = head.replaceAll(/\r\n[ \t]+/g, ' ').split('\r\n')
  const headers = Object.fromEntries(
    lines.map((line) => [
      line.slice(0, line.indexOf(':')).toLowerCase(),
      line.slice(line.indexOf(':') + 1).trim(),
    ]),
  )
  const body = rest.join('\r\n\r\n')
  return {
    headers,
    text: headers['content-transfer-encoding'] === 'quoted-printable' ? unquoted(body) : body,
  }
}

function unquoted(text: string): string {
  const bytes = text
    .replaceAll('=\r\n', '')
    .replaceAll(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return Buffer.from(bytes, 'latin1').toString('utf8')
}
