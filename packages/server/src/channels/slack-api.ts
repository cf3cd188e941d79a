import { Fault, type JsonObject } from '@bailiwick/core'
import { postPlain } from '../delivery/http-post.ts'
import type { SlackSettings } from './settings.ts'

const answerBytesMax = 256 * 1024

/** What Slack answered: what was asked for, or its word for why not. */
export type SlackAnswer =
  { readonly kind: 'ok'; readonly answer: JsonObject } | { readonly kind: 'refused'; readonly error: string }

/** Slack's Web API, as far as approvals need it. */
export interface SlackApi {
  /**
   * Calls a method.
   *
   * @throws Fault where no answer came that could be read
   */
  call(method: SlackMethod, body: JsonObject): Promise<SlackAnswer>
  /**
   * Posts to the address that came with a press, for whoever pressed.
   *
   * @throws Fault where Slack does not take it, or the address is none of Slack's
   */
  respond(address: string, body: JsonObject): Promise<void>
}

/** The methods that are called. `auth.test` needs no scope, all others `chat:write`. */
export type SlackMethod = 'auth.test' | 'chat.postMessage' | 'chat.update' | 'chat.postEphemeral'

/** The Web API over the guarded HTTP client: no private addresses unless allowed, no redirects, bounded answers. */
export function createSlackApi(
  { api, token, allowPrivate }: SlackSettings,
  post: typeof postPlain = postPlain,
): SlackApi {
  const json = { 'content-type': 'application/json; charset=utf-8' }
  return {
    async respond(address, body) {
      const url = URL.canParse(address) ? new URL(address) : undefined
      // It came signed; all the same, nothing but Slack is called.
      const isOfSlack = url?.protocol === api.protocol && [api.host, `hooks.${api.host}`].includes(url.host)
      if (!isOfSlack) throw unexpected(api, 'gave an address for answers that is not its own')
      const { status } = await post({ url, headers: json, body: JSON.stringify(body), allowPrivate })
      if (status !== 200) throw unexpected(url, `answered ${status} to an answer`)
    },
    async call(method, body) {
      const url = new URL(method, api)
      const { status, body: bytes } = await post({
        url,
        headers: { authorization: `Bearer ${token}`, ...json },
        body: JSON.stringify(body),
        allowPrivate,
        responseBytesMax: answerBytesMax,
      })
      if (status !== 200) throw unexpected(url, `answered ${status} to ${method}`)
      const answer = parsed(bytes)
      if (answer === undefined) throw unexpected(url, `gave an answer to ${method} that cannot be read`)
      if (answer['ok'] === true) return { kind: 'ok', answer }
      const { error } = answer
      return { kind: 'refused', error: typeof error === 'string' ? error.slice(0, 100) : 'unknown_error' }
    },
  }
}

function parsed(bytes: Buffer | undefined): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(bytes?.toString('utf8') ?? '')
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as JsonObject)
      : undefined
  } catch {
    return undefined
  }
}

function unexpected(url: URL, what: string): Fault {
  return new Fault('service_unreachable', `\`${url.origin}\` ${what}`, {
    fix: 'It is tried again; look at the status of Slack if it stays.',
  })
}
