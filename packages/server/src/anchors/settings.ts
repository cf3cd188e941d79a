import { Fault, parseWitnessKey, type WitnessKey } from '@bailiwick/core'
import { deliveryUrl } from '../delivery/http-post.ts'
import { webhookKey } from '../delivery/standard-webhooks.ts'

type Env = Readonly<Record<string, string | undefined>>

/** A witness: it cosigns checkpoints that continue those it saw before. */
export interface Witness {
  readonly key: WitnessKey
  /** Where its `add-checkpoint` is. */
  readonly url: URL
}

/** Where checkpoints go beside the data directory. Everything is optional. */
export interface AnchorSettings {
  /** A directory, best on another machine: the newest checkpoint and one for each round. */
  readonly directory: string | undefined
  readonly webhook: { readonly url: URL; readonly secret: string } | undefined
  readonly witnesses: readonly Witness[]
  /** How many of the witnesses have to cosign; below, the service's log says so. */
  readonly quorum: number
  /** An RFC 3161 time-stamping authority. */
  readonly timeStamps: URL | undefined
  /** How long a round lasts. */
  readonly everyMs: number
  /** Whether receivers in private networks are allowed. */
  readonly allowPrivate: boolean
}

const everySecondsDefault = 60
const everySecondsMax = 24 * 60 * 60
const witnessesMax = 20

/**
 * Reads `BAILIWICK_CHECKPOINT_DIR`, `BAILIWICK_CHECKPOINT_WEBHOOK_URL` and `…_SECRET`, `BAILIWICK_WITNESSES` (a JSON list of
 * `{"url", "key"}`), `BAILIWICK_WITNESS_QUORUM`, `BAILIWICK_TSA_URL` and `BAILIWICK_ANCHOR_SECONDS`.
 *
 * @throws Fault `bad_input` for what cannot be meant, without repeating a secret
 */
export function anchorSettings(env: Env): AnchorSettings {
  const value = (name: string): string | undefined => env[name]?.trim() || undefined
  const allowPrivate = value('BAILIWICK_ALLOW_PRIVATE_WEBHOOKS') === '1'
  const urlOf = (name: string): URL | undefined => {
    const text = value(name)
    return text === undefined ? undefined : deliveryUrl(text, { name, allowPrivate })
  }
  const witnesses = witnessesOf(value('BAILIWICK_WITNESSES'), allowPrivate)
  return {
    directory: checkpointCopies(env),
    webhook: webhookOf(
      urlOf('BAILIWICK_CHECKPOINT_WEBHOOK_URL'),
      value('BAILIWICK_CHECKPOINT_WEBHOOK_SECRET'),
    ),
    witnesses,
    quorum: numberOf(
      'BAILIWICK_WITNESS_QUORUM',
      value('BAILIWICK_WITNESS_QUORUM'),
      witnesses.length,
      witnesses.length,
    ),
    timeStamps: urlOf('BAILIWICK_TSA_URL'),
    everyMs:
      1000 *
      numberOf(
        'BAILIWICK_ANCHOR_SECONDS',
        value('BAILIWICK_ANCHOR_SECONDS'),
        everySecondsDefault,
        everySecondsMax,
      ),
    allowPrivate,
  }
}

/** Where copies of checkpoints are kept; undefined where none are. */
export function checkpointCopies(env: Env): string | undefined {
  return env['BAILIWICK_CHECKPOINT_DIR']?.trim() || undefined
}

function webhookOf(url: URL | undefined, secret: string | undefined): AnchorSettings['webhook'] {
  if (url === undefined) return undefined
  if (secret === undefined) {
    throw new Fault(
      'bad_input',
      '`BAILIWICK_CHECKPOINT_WEBHOOK_URL` is set, but no secret to sign what is sent there',
      {
        fix: 'Set BAILIWICK_CHECKPOINT_WEBHOOK_SECRET; make one with: echo "whsec_$(openssl rand -base64 32)"',
      },
    )
  }
  webhookKey(secret, '`BAILIWICK_CHECKPOINT_WEBHOOK_SECRET`')
  return { url, secret }
}

function witnessesOf(text: string | undefined, allowPrivate: boolean): Witness[] {
  if (text === undefined) return []
  const list = jsonOf(text)
  const wrong = new Fault('bad_input', '`BAILIWICK_WITNESSES` is not a list of witnesses', {
    fix: `Give a JSON list of at most ${witnessesMax} objects, each {"url": "https://…", "key": "name+id+base64"}.`,
  })
  if (!Array.isArray(list) || list.length > witnessesMax) throw wrong
  const witnesses = list.map((entry: unknown): Witness => {
    const { url, key } = (entry ?? {}) as { readonly url?: unknown; readonly key?: unknown }
    if (typeof url !== 'string' || typeof key !== 'string') throw wrong
    const prefix = deliveryUrl(url, { name: 'BAILIWICK_WITNESSES', allowPrivate })
    return { key: parseWitnessKey(key), url: new URL(`${prefix.href.replace(/\/+$/, '')}/add-checkpoint`) }
  })
  const names = new Set(witnesses.map(({ key }) => key.keyId.toString('hex')))
  if (names.size === witnesses.length) return witnesses
  throw new Fault('bad_input', '`BAILIWICK_WITNESSES` names a witness twice', { fix: 'Name each once.' })
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function numberOf(name: string, text: string | undefined, otherwise: number, max: number): number {
  if (text === undefined) return otherwise
  const number = /^[0-9]{1,6}$/.test(text) ? Number(text) : 0
  if (number >= 1 && number <= max) return number
  throw new Fault('bad_input', `\`${name}\` is \`${text}\``, {
    fix: `Set it to a whole number from 1 to ${max}.`,
  })
}
