import { Fault, roleOrGroup } from '@bailiwick/core'
import { sessionLifetimesDefault, type SessionLifetimes } from '@bailiwick/store'
import { roles as ownRoles } from '../http/permissions.ts'
import { strictJson } from '../json/strict-json.ts'
import type { Target } from '../lookup/target.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** How agents' tokens are checked. */
export interface AgentTokenSettings {
  readonly issuer: string
  readonly audience: string
  readonly keys:
    { readonly kind: 'file'; readonly path: string } | { readonly kind: 'url'; readonly target: Target }
  /** The claim that names the agent. */
  readonly claim: string
  readonly algorithms: readonly string[]
  readonly toleranceSeconds: number
}

/** How people sign in by an identity provider. */
export interface ProviderSettings {
  readonly issuer: URL
  readonly clientId: string
  readonly clientSecret: string
  /** What the button calls it. */
  readonly name: string
  readonly scope: string
  readonly groupsClaim: string
  /** Which roles the members of a group have. */
  readonly rolesOf: ReadonlyMap<string, readonly string[]>
  /** Whether it may be asked without TLS; for tests and private networks. */
  readonly allowPrivate: boolean
}

// None of them with a shared secret: the public keys of an issuer are everybody's.
const algorithmsKnown = [
  'EdDSA',
  'Ed25519',
  'ES256',
  'ES384',
  'ES512',
  'PS256',
  'PS384',
  'PS512',
  'RS256',
  'RS384',
  'RS512',
]
const algorithmsDefault = ['EdDSA', 'Ed25519', 'ES256', 'PS256', 'RS256']
const toleranceDefault = 30
const toleranceMax = 300

/**
 * Whose tokens agents may use: `BAILIWICK_JWT_ISSUER`, `_AUDIENCE`, `_JWKS_URL` or `_JWKS_FILE`, `_AGENT_CLAIM`, `_ALGORITHMS`,
 * `_CLOCK_TOLERANCE`, `_ALLOW_PRIVATE`. Undefined where there is no issuer.
 *
 * @throws Fault `bad_input` for what cannot be meant
 */
export function agentTokenSettings(env: Environment): AgentTokenSettings | undefined {
  const read = (name: string) => env[`BAILIWICK_JWT_${name}`]?.trim() || undefined
  const issuer = read('ISSUER')
  if (issuer === undefined) {
    const set = ['AUDIENCE', 'JWKS_URL', 'JWKS_FILE'].find((name) => read(name) !== undefined)
    if (set === undefined) return undefined
    throw new Fault('bad_input', `\`BAILIWICK_JWT_${set}\` is set, and \`BAILIWICK_JWT_ISSUER\` is not`, {
      fix: 'Name the issuer, or leave both out.',
    })
  }
  const audience = read('AUDIENCE')
  if (audience === undefined) {
    throw new Fault('bad_input', '`BAILIWICK_JWT_AUDIENCE` is missing', {
      fix: 'Say for whom tokens have to be made: without that, a token for another service would do.',
    })
  }
  return {
    issuer,
    audience,
    keys: keysOf(read('JWKS_URL'), read('JWKS_FILE'), read('ALLOW_PRIVATE') === '1'),
    claim: read('AGENT_CLAIM') ?? 'sub',
    algorithms: algorithmsOf(read('ALGORITHMS')),
    toleranceSeconds: toleranceOf(read('CLOCK_TOLERANCE')),
  }
}

function keysOf(
  url: string | undefined,
  path: string | undefined,
  allowPrivate: boolean,
): AgentTokenSettings['keys'] {
  if ((url === undefined) === (path === undefined)) {
    throw new Fault(
      'bad_input',
      'one of `BAILIWICK_JWT_JWKS_URL` and `BAILIWICK_JWT_JWKS_FILE` has to be set',
      {
        fix: 'Say where the keys of the issuer are: at an address, or in a file.',
      },
    )
  }
  if (path !== undefined) return { kind: 'file', path }
  const parsed = url !== undefined && URL.canParse(url) ? new URL(url) : undefined
  if (
    parsed === undefined ||
    !(parsed.protocol === 'https:' || (parsed.protocol === 'http:' && allowPrivate))
  ) {
    throw new Fault('bad_input', '`BAILIWICK_JWT_JWKS_URL` is no https address', {
      fix: 'Give one; plain http only within a private network, with BAILIWICK_JWT_ALLOW_PRIVATE=1.',
    })
  }
  return {
    kind: 'url',
    target: { kind: 'target', url: parsed, source: { name: parsed.host, headers: {}, allowPrivate } },
  }
}

function algorithmsOf(text: string | undefined): readonly string[] {
  const algorithms = text?.split(/[\s,]+/) ?? algorithmsDefault
  const wrong = algorithms.find((name) => !algorithmsKnown.includes(name))
  if (wrong === undefined) return algorithms
  throw new Fault('bad_input', `\`BAILIWICK_JWT_ALGORITHMS\` names \`${wrong}\``, {
    fix: `Use some of ${algorithmsKnown.join(', ')}.`,
  })
}

function toleranceOf(text: string | undefined): number {
  if (text === undefined) return toleranceDefault
  const seconds = /^[0-9]{1,3}$/.test(text) ? Number(text) : Number.NaN
  if (seconds <= toleranceMax) return seconds
  throw new Fault('bad_input', '`BAILIWICK_JWT_CLOCK_TOLERANCE` is no number of seconds', {
    fix: `Give one from 0 to ${toleranceMax}.`,
  })
}

/**
 * Which provider people sign in by: `BAILIWICK_OIDC_ISSUER`, `_CLIENT_ID`, `_CLIENT_SECRET`, `_NAME`, `_SCOPE`,
 * `_GROUPS_CLAIM`, `_ROLES`, `_ALLOW_PRIVATE`. Undefined where there is no issuer.
 *
 * @throws Fault `bad_input` for what cannot be meant
 */
export function providerSettings(env: Environment): ProviderSettings | undefined {
  const read = (name: string) => env[`BAILIWICK_OIDC_${name}`]?.trim() || undefined
  const text = read('ISSUER')
  if (text === undefined) return undefined
  const allowPrivate = read('ALLOW_PRIVATE') === '1'
  const issuer = URL.canParse(text) ? new URL(text) : undefined
  if (
    issuer === undefined ||
    !(issuer.protocol === 'https:' || (issuer.protocol === 'http:' && allowPrivate))
  ) {
    throw new Fault('bad_input', '`BAILIWICK_OIDC_ISSUER` is no https address', {
      fix: 'Give one; plain http only within a private network, with BAILIWICK_OIDC_ALLOW_PRIVATE=1.',
    })
  }
  const [clientId, clientSecret] = [read('CLIENT_ID'), read('CLIENT_SECRET')]
  if (clientId === undefined || clientSecret === undefined) {
    throw new Fault(
      'bad_input',
      '`BAILIWICK_OIDC_CLIENT_ID` and `BAILIWICK_OIDC_CLIENT_SECRET` have to be set',
      {
        fix: 'Register the service at the provider, and give what it says.',
      },
    )
  }
  return {
    issuer,
    clientId,
    clientSecret,
    name: read('NAME') ?? issuer.hostname,
    scope: read('SCOPE') ?? 'openid email profile groups',
    groupsClaim: read('GROUPS_CLAIM') ?? 'groups',
    rolesOf: rolesOf(read('ROLES')),
    allowPrivate,
  }
}

function rolesOf(text: string | undefined): ReadonlyMap<string, readonly string[]> {
  const read = text === undefined ? undefined : strictJson(text)
  const value = read?.kind === 'read' ? read.value : undefined
  const entries =
    typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : []
  const isRoles = (roles: unknown): roles is string[] =>
    Array.isArray(roles) && roles.every((role) => typeof role === 'string')
  if (entries.length > 0 && entries.every(([, roles]) => isRoles(roles))) {
    const given = new Map(entries as [string, string[]][])
    for (const [group, roles] of given) {
      const wrong = roles.find((role) => !roleOrGroup.test(role))
      if (wrong !== undefined) throw noRole(group, wrong)
    }
    return given
  }
  throw new Fault('bad_input', '`BAILIWICK_OIDC_ROLES` does not say which group has which roles', {
    fix: `Write it as BAILIWICK_OIDC_ROLES='{"refunds-team": ["approver"], "it-admins": ["administrator"]}'.`,
  })
}

function noRole(group: string, role: string): Fault {
  return new Fault('bad_input', `\`BAILIWICK_OIDC_ROLES\` gives \`${group}\` \`${role}\`, which is no role`, {
    fix: `Roles are ${ownRoles.join(', ')}, and those that policies name: lower-case letters, digits and hyphens, or group:NAME.`,
  })
}

/**
 * How long sessions last: `BAILIWICK_SESSION_HOURS` from signing in, `BAILIWICK_SESSION_IDLE_MINUTES` without a request.
 *
 * @throws Fault `bad_input` for what is no such time
 */
export function sessionSettings(env: Environment): SessionLifetimes {
  const hours = wholeNumber(env, 'BAILIWICK_SESSION_HOURS', 720)
  const minutes = wholeNumber(env, 'BAILIWICK_SESSION_IDLE_MINUTES', 43_200)
  return {
    absoluteMs: hours === undefined ? sessionLifetimesDefault.absoluteMs : hours * 60 * 60 * 1000,
    idleMs: minutes === undefined ? sessionLifetimesDefault.idleMs : minutes * 60 * 1000,
  }
}

/**
 * Whether a password alone is not enough: `BAILIWICK_SECOND_FACTOR`, `required` or `offered`, which is the default.
 *
 * @throws Fault `bad_input`
 */
export function secondFactorSetting(env: Environment): boolean {
  const text = env['BAILIWICK_SECOND_FACTOR']?.trim() ?? ''
  if (text === '' || text === 'offered') return false
  if (text === 'required') return true
  throw new Fault('bad_input', '`BAILIWICK_SECOND_FACTOR` is neither `offered` nor `required`', {
    fix: 'Correct it, or leave it out.',
  })
}

/** How many proxies add to `X-Forwarded-For`: `BAILIWICK_PROXIES`, none unless given. @throws Fault `bad_input` */
export function proxiesSetting(env: Environment): number {
  return wholeNumber(env, 'BAILIWICK_PROXIES', 10) ?? 0
}

function wholeNumber(env: Environment, name: string, max: number): number | undefined {
  const text = env[name]?.trim() ?? ''
  if (text === '') return undefined
  const value = /^[0-9]{1,6}$/.test(text) ? Number(text) : Number.NaN
  if (value >= 1 && value <= max) return value
  throw new Fault('bad_input', `\`${name}\` is no whole number from 1 to ${max}`, {
    fix: 'Correct it, or leave it out.',
  })
}
