import { createHmac } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

// oxlint-disable-next-line typescript/no-explicit-any -- tests look into what was sent
type Sent = any

/** A message as Slack holds it. */
export interface SlackPost {
  readonly ts: string
  body: Sent
}

/** What a press says otherwise than one of the message where it was posted. */
export interface PressedElsewhere {
  readonly value?: string
  /** Null: Slack names none, as where an app is installed for a whole organisation. */
  readonly team?: string | null
  readonly accountTeam?: string
  readonly app?: string
  readonly channel?: string
  readonly responseUrl?: string
}

/** Slack at the edge of the machine: its Web API over real HTTP, and its signatures on what it sends to us. */
export class FakeSlack {
  readonly token = 'xoxb-test-token'
  readonly signingSecret = '8f742231b10e8888abcd99yyyzzz85a5'
  readonly channel = 'C0APPROVALS'
  /** By the time of the message, which is its name in Slack. */
  readonly posts: SlackPost[] = []
  readonly ephemerals: Sent[] = []
  /** What came to the addresses that go with presses. */
  readonly responses: Sent[] = []
  /** The calls that came, by method. */
  readonly calls: string[] = []
  /** What Slack answers instead of doing what it is asked, call after call. */
  readonly trouble: { readonly status: number; readonly body: object }[] = []
  #origin = ''
  readonly #server = createServer((request, response) => {
    let text = ''
    request.on('data', (chunk: Buffer) => {
      text += chunk.toString()
    })
    request.on('end', () => {
      const method = (request.url ?? '').replace(/^\/api\//, '')
      this.calls.push(method)
      const trouble = this.trouble.shift()
      const answer =
        trouble?.body ??
        (method.startsWith('/actions/')
          ? this.#respond(JSON.parse(text))
          : this.#answer(method, request.headers.authorization, JSON.parse(text)))
      response.writeHead(trouble?.status ?? 200, { 'content-type': 'application/json' })
      response.end(JSON.stringify(answer))
    })
  })

  async listen(): Promise<this> {
    await new Promise<void>((resolve) => {
      this.#server.listen(0, '127.0.0.1', resolve)
    })
    this.#origin = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
    return this
  }

  close(): Promise<unknown> {
    return new Promise((resolve) => {
      this.#server.close(resolve)
      this.#server.closeAllConnections()
    })
  }

  /** The settings of a service that works with this Slack. */
  get env(): Readonly<Record<string, string>> {
    return {
      BAILIWICK_SLACK_BOT_TOKEN: this.token,
      BAILIWICK_SLACK_SIGNING_SECRET: this.signingSecret,
      BAILIWICK_SLACK_CHANNEL: this.channel,
      BAILIWICK_SLACK_API_URL: `${this.#origin}/api`,
      BAILIWICK_ALLOW_PRIVATE_WEBHOOKS: '1',
    }
  }

  #answer(method: string, authorization: string | undefined, body: Sent): object {
    if (authorization !== `Bearer ${this.token}`) return { ok: false, error: 'invalid_auth' }
    if (method === 'auth.test') return { ok: true, team_id: 'T0TEAM', user_id: 'U0BOT' }
    if (body.channel !== this.channel) return { ok: false, error: 'channel_not_found' }
    switch (method) {
      case 'chat.postMessage': {
        const ts = `1700000000.00000${this.posts.length}`
        this.posts.push({ ts, body })
        return { ok: true, channel: body.channel, ts, message: body }
      }
      case 'chat.update': {
        const post = this.posts.find(({ ts }) => ts === body.ts)
        if (post === undefined) return { ok: false, error: 'message_not_found' }
        post.body = body
        return { ok: true, channel: body.channel, ts: post.ts }
      }
      case 'chat.postEphemeral':
        this.ephemerals.push(body)
        return { ok: true, message_ts: '1700000001.000000' }
      default:
        return { ok: false, error: 'unknown_method' }
    }
  }

  #respond(body: Sent): object {
    this.responses.push(body)
    return {}
  }

  /** The request that Slack sends when somebody presses a button of a message. */
  press(post: SlackPost, account: string, choice: string, over: PressedElsewhere = {}): string {
    const { channel = this.channel, team = 'T0TEAM', accountTeam = team ?? 'T0TEAM', app = 'A0APP' } = over
    const button = buttonsOf(post.body).find((each) => each.action_id === `bailiwick.${choice}`)
    const payload = {
      type: 'block_actions',
      user: { id: account, username: 'somebody', team_id: accountTeam },
      api_app_id: app,
      team: team === null ? null : { id: team, domain: 'example' },
      container: { type: 'message', message_ts: post.ts, channel_id: channel },
      channel: { id: channel, name: 'approvals' },
      response_url: over.responseUrl ?? `${this.#origin}/actions/T0TEAM/1/x`,
      actions: [
        {
          type: 'button',
          action_id: `bailiwick.${choice}`,
          value: over.value ?? button?.value,
          action_ts: String(Math.random()),
        },
      ],
    }
    return new URLSearchParams({ payload: JSON.stringify(payload) }).toString()
  }

  /** The headers by which Slack signs a request, as its documentation says. */
  sign(body: string, atMs: number, secret = this.signingSecret): Record<string, string> {
    const timestamp = String(Math.floor(atMs / 1000))
    const digest = createHmac('sha256', secret).update(`v0:${timestamp}:${body}`).digest('hex')
    return {
      'content-type': 'application/x-www-form-urlencoded',
      'x-slack-request-timestamp': timestamp,
      'x-slack-signature': `v0=${digest}`,
    }
  }
}

/** The buttons of a message. */
export function buttonsOf(body: Sent): readonly Sent[] {
  return body.blocks.flatMap((block: Sent) => (block.type === 'actions' ? block.elements : []))
}

/** Everything that a message says. */
export function textOf(body: Sent): string {
  return [body.text, ...body.blocks.map((block: Sent) => block.text?.text ?? '')].join('\n')
}
