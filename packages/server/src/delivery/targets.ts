import { Fault } from '@bailiwick/core'
import { deliveryUrl } from './http-post.ts'
import { webhookKey } from './standard-webhooks.ts'

/** Who is told. */
export type Target = WebhookTarget | SlackTarget

/** A receiver of Standard Webhooks. */
export interface WebhookTarget {
  readonly kind: 'webhook'
  readonly url: URL
  /** `whsec_` and base64. */
  readonly secret: string
  readonly allowPrivate: boolean
}

/** A Slack incoming webhook, or something that takes the same format. Its URL is a secret. */
export interface SlackTarget {
  readonly kind: 'slack'
  readonly url: URL
  readonly allowPrivate: boolean
}

/**
 * The targets that the environment names, by the name under which their messages wait. Unset and empty
 * mean the same. Throws a `Fault` for what cannot be meant, without repeating a secret.
 */
export function targetsFromEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
): ReadonlyMap<string, Target> {
  const allowPrivate = flag(environment, 'BAILIWICK_ALLOW_PRIVATE_WEBHOOKS')
  const webhookUrl = value(environment, 'BAILIWICK_WEBHOOK_URL')
  const secret = value(environment, 'BAILIWICK_WEBHOOK_SECRET')
  const slackUrl = value(environment, 'BAILIWICK_SLACK_WEBHOOK_URL')

  const targets = new Map<string, Target>()
  if (webhookUrl !== undefined) {
    if (secret === undefined) throw secretMissing()
    webhookKey(secret, '`BAILIWICK_WEBHOOK_SECRET`')
    const url = deliveryUrl(webhookUrl, { name: 'BAILIWICK_WEBHOOK_URL', allowPrivate })
    targets.set('webhook', { kind: 'webhook', url, secret, allowPrivate })
  } else if (secret !== undefined) {
    throw new Fault('bad_input', '`BAILIWICK_WEBHOOK_SECRET` is set, but no webhook', {
      fix: 'Set BAILIWICK_WEBHOOK_URL too, or remove the secret.',
    })
  }
  if (slackUrl !== undefined) {
    const url = deliveryUrl(slackUrl, { name: 'BAILIWICK_SLACK_WEBHOOK_URL', allowPrivate })
    targets.set('slack', { kind: 'slack', url, allowPrivate })
  }
  return targets
}

function value(environment: Readonly<Record<string, string | undefined>>, name: string): string | undefined {
  const text = environment[name]?.trim()
  return text === '' ? undefined : text
}

/** Only 1 and 0: a misspelt `true` must not quietly mean either. */
function flag(environment: Readonly<Record<string, string | undefined>>, name: string): boolean {
  const text = value(environment, name)
  if (text === undefined || text === '0') return false
  if (text === '1') return true
  throw new Fault('bad_input', `\`${name}\` is \`${text}\``, { fix: 'Set it to 1 or 0, or remove it.' })
}

function secretMissing(): Fault {
  return new Fault('bad_input', '`BAILIWICK_WEBHOOK_URL` is set, but no secret to sign what is sent there', {
    fix: 'Set BAILIWICK_WEBHOOK_SECRET; make one with: echo "whsec_$(openssl rand -base64 32)"',
  })
}
