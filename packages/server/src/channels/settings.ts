import { Fault, personIdOf } from '@bailiwick/core'
import { deliveryUrl } from '../delivery/http-post.ts'
import { webhookKey } from '../delivery/standard-webhooks.ts'

/** How approvals reach people, and agents hear of them. Absent: not over this channel. */
export interface ChannelSettings {
  readonly slack?: SlackSettings | undefined
  readonly mail?: MailSettings | undefined
  readonly webhook?: ApprovalWebhookSettings | undefined
  readonly callbacks?: CallbackSettings | undefined
}

/** A Slack app of the operator's own. */
export interface SlackSettings {
  /** `xoxb-…`. */
  readonly token: string
  /** With which Slack signs what it sends to us. */
  readonly signingSecret: string
  /** The id of the channel that is asked. */
  readonly channel: string
  /** The id of the workspace whose answers count; absent: the one that the token is of. */
  readonly team?: string | undefined
  /** The id of the app; absent: whichever knows the signing secret. */
  readonly app?: string | undefined
  /** Where Slack's Web API is, ending in a slash. */
  readonly api: URL
  readonly allowPrivate: boolean
  /** Persons by the Slack ids of their accounts. */
  readonly people: ReadonlyMap<string, string>
}

/** A mail server. */
export interface MailSettings {
  readonly host: string
  readonly port: number
  /** `implicit`: TLS from the start. `required`: STARTTLS, or nothing is sent. `none`: on this machine only. */
  readonly tls: 'implicit' | 'required' | 'none'
  readonly user?: string | undefined
  readonly password?: string | undefined
  /** The address that messages come from. */
  readonly from: string
  /** Whether a link is enough to vote, or its page wants the person's session, too. */
  readonly votes: 'link' | 'session'
}

/** A receiver of Standard Webhooks for everything about approvals, with masked parameters. */
export interface ApprovalWebhookSettings {
  readonly url: URL
  readonly secret: string
  readonly allowPrivate: boolean
}

/** Where agents may have themselves told. */
export interface CallbackSettings {
  /** Hosts with their ports where those are not the usual ones, such as `hooks.example.com:8443`. */
  readonly hosts: ReadonlySet<string>
  readonly secret: string
  readonly allowPrivate: boolean
}

type Environment = Readonly<Record<string, string | undefined>>

/**
 * The channels that the environment names. Unset and empty mean the same.
 *
 * @throws Fault `bad_input` for what cannot be meant, without repeating a secret
 */
export function channelSettings(env: Environment): ChannelSettings {
  const allowPrivate = text(env, 'BAILIWICK_ALLOW_PRIVATE_WEBHOOKS') === '1'
  return {
    slack: slackSettings(env, allowPrivate),
    mail: mailSettings(env),
    webhook: webhookSettings(env, allowPrivate),
    callbacks: callbackSettings(env, allowPrivate),
  }
}

function slackSettings(env: Environment, allowPrivate: boolean): SlackSettings | undefined {
  const names = [
    'BAILIWICK_SLACK_BOT_TOKEN',
    'BAILIWICK_SLACK_SIGNING_SECRET',
    'BAILIWICK_SLACK_CHANNEL',
  ] as const
  const [token, signingSecret, channel] = allOrNone(env, names, 'docs/SLACK.md says where to find them.')
  if (token === undefined || signingSecret === undefined || channel === undefined) return undefined
  if (!/^[A-Z0-9]{2,30}$/.test(channel)) {
    throw new Fault('bad_input', '`BAILIWICK_SLACK_CHANNEL` is no id of a channel', {
      fix: 'Use the id, such as C0123456789, which Slack shows at the end of the channel’s details; not its name.',
    })
  }
  const team = slackId(env, 'BAILIWICK_SLACK_TEAM', 'T')
  const app = slackId(env, 'BAILIWICK_SLACK_APP', 'A')
  const address = text(env, 'BAILIWICK_SLACK_API_URL') ?? 'https://slack.com/api/'
  const api = deliveryUrl(`${address.replace(/\/+$/, '')}/`, {
    name: 'BAILIWICK_SLACK_API_URL',
    allowPrivate,
  })
  return { token, signingSecret, channel, team, app, api, allowPrivate, people: slackPeople(env) }
}

function slackId(env: Environment, name: string, letter: string): string | undefined {
  const id = text(env, name)
  if (id === undefined || (/^[A-Z0-9]{2,30}$/.test(id) && id.startsWith(letter))) return id
  throw new Fault('bad_input', `\`${name}\` is \`${id}\`, which is no id of Slack’s`, {
    fix: `Use an id such as ${letter}0123456789; docs/SLACK.md says where to find it.`,
  })
}

/** `U0123=ann@example.com, U0456=bob@example.com`. */
function slackPeople(env: Environment): ReadonlyMap<string, string> {
  const entries = (text(env, 'BAILIWICK_SLACK_PEOPLE') ?? '')
    .split(',')
    .filter((entry) => entry.trim() !== '')
  return new Map(
    entries.map((entry) => {
      const [, account, address = ''] = /^\s*([A-Z0-9]{2,30})\s*=\s*([^\s=]+)\s*$/.exec(entry) ?? []
      const person = personIdOf(address)
      if (account === undefined || person === undefined) {
        throw new Fault('bad_input', `\`BAILIWICK_SLACK_PEOPLE\` has the entry \`${entry.trim()}\``, {
          fix: 'Write SLACKID=EMAIL, separated by commas, such as U0123456789=ann@example.com.',
        })
      }
      return [account, person]
    }),
  )
}

function mailSettings(env: Environment): MailSettings | undefined {
  const [address, from] = allOrNone(
    env,
    ['BAILIWICK_SMTP_URL', 'BAILIWICK_MAIL_FROM'] as const,
    'Name the mail server, such as smtps://user:password@mail.example.com, and the address that messages come from.',
  )
  if (address === undefined || from === undefined) return undefined
  if (!/^[^\s\p{C}<>@]+@[^\s\p{C}<>@]+$/u.test(from)) {
    throw new Fault('bad_input', '`BAILIWICK_MAIL_FROM` is no e-mail address', {
      fix: 'Give the bare address, such as bailiwick@example.com.',
    })
  }
  const votes = text(env, 'BAILIWICK_MAIL_VOTES') ?? 'link'
  if (votes !== 'link' && votes !== 'session') {
    throw new Fault('bad_input', `\`BAILIWICK_MAIL_VOTES\` is \`${votes}\``, {
      fix: 'Set it to link, where the link in a message is enough to vote, or to session.',
    })
  }
  return { ...mailServer(address), from, votes }
}

function mailServer(address: string): Pick<MailSettings, 'host' | 'port' | 'tls' | 'user' | 'password'> {
  const url = URL.canParse(address) ? new URL(address) : undefined
  const isPlain = url?.protocol === 'smtp:'
  if (url === undefined || url.hostname === '' || (!isPlain && url.protocol !== 'smtps:')) {
    throw new Fault('bad_input', '`BAILIWICK_SMTP_URL` is no address of a mail server', {
      fix: 'Use smtps://HOST for TLS from the start, or smtp://HOST:587 for STARTTLS, with USER:PASSWORD@ before the host where it asks for them.',
    })
  }
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  const isHere = ['localhost', '127.0.0.1', '::1'].includes(host)
  return {
    host,
    port: url.port === '' ? (isPlain ? 587 : 465) : Number(url.port),
    tls: isPlain ? (isHere ? 'none' : 'required') : 'implicit',
    ...(url.username === '' ? {} : { user: decodeURIComponent(url.username) }),
    ...(url.password === '' ? {} : { password: decodeURIComponent(url.password) }),
  }
}

function webhookSettings(env: Environment, allowPrivate: boolean): ApprovalWebhookSettings | undefined {
  const names = ['BAILIWICK_APPROVAL_WEBHOOK_URL', 'BAILIWICK_APPROVAL_WEBHOOK_SECRET'] as const
  const [address, secret] = allOrNone(env, names, secretFix)
  if (address === undefined || secret === undefined) return undefined
  webhookKey(secret, `\`${names[1]}\``)
  return { url: deliveryUrl(address, { name: names[0], allowPrivate }), secret, allowPrivate }
}

function callbackSettings(env: Environment, allowPrivate: boolean): CallbackSettings | undefined {
  const names = ['BAILIWICK_CALLBACK_HOSTS', 'BAILIWICK_CALLBACK_SECRET'] as const
  const [listed, secret] = allOrNone(env, names, secretFix)
  if (listed === undefined || secret === undefined) return undefined
  webhookKey(secret, `\`${names[1]}\``)
  const hosts = listed
    .split(',')
    .flatMap((entry) => (entry.trim() === '' ? [] : [entry.trim().toLowerCase()]))
  for (const host of hosts) {
    if (/^(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(:\d{1,5})?$/.test(host) && URL.canParse(`https://${host}/`)) continue
    throw new Fault('bad_input', `\`BAILIWICK_CALLBACK_HOSTS\` has the entry \`${host}\``, {
      fix: 'List host names, with ports where those are not the usual ones: hooks.example.com, agents.example.com:8443.',
    })
  }
  return { hosts: new Set(hosts), secret, allowPrivate }
}

const secretFix = 'Make a secret with: echo "whsec_$(openssl rand -base64 32)"'

/** Settings that mean something only together. */
function allOrNone<const Names extends readonly string[]>(
  env: Environment,
  names: Names,
  fix: string,
): { readonly [Place in keyof Names]: string | undefined } {
  const values = names.map((name) => text(env, name))
  const missing = names.find((_, at) => values[at] === undefined)
  const given = names.find((_, at) => values[at] !== undefined)
  if (missing !== undefined && given !== undefined) {
    throw new Fault('bad_input', `\`${given}\` is set, but \`${missing}\` is not`, {
      fix: `Set all of ${names.join(', ')}, or none. ${fix}`,
    })
  }
  return values as { readonly [Place in keyof Names]: string | undefined }
}

function text(env: Environment, name: string): string | undefined {
  const value = env[name]?.trim()
  return value === '' ? undefined : value
}
