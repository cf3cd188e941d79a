import { isIP } from 'node:net'
import { Fault } from '@bailiwick/core'
import pg from 'pg'
import { z } from 'zod'
import { createAddressClassifier } from '../delivery/address-class.ts'
import { strictJson } from '../json/strict-json.ts'

/** Whom lookups may ask. */
export interface LookupSettings {
  /** By origin, as `URL` writes it. */
  readonly origins: ReadonlyMap<string, HttpSource>
  /** By the ending of the environment variable: see `sourceKey`. */
  readonly databases: ReadonlyMap<string, SqlSource>
}

/** An origin that may be asked. */
export interface HttpSource {
  /** Host and port, for sentences. */
  readonly name: string
  /** Sent with every request; may hold secrets. */
  readonly headers: Readonly<Record<string, string>>
  /** Whether the operator said that this origin lies in a private network, or on this machine. */
  readonly allowPrivate: boolean
}

/** A database that may be asked. */
export interface SqlSource {
  /** A secret. */
  readonly connectionString: string
}

type Environment = Readonly<Record<string, string | undefined>>

const hostsVariable = 'BAILIWICK_LOOKUP_HOSTS'
const databasePrefix = 'BAILIWICK_SOURCE_'
const hostsExample = `${hostsVariable}='https://crm.example.com https://risk.example.com'`
const hostsJsonExample = `${hostsVariable}='{"https://crm.internal": {"private": true, "headers": {"authorization": "CRM_AUTHORIZATION"}}}'`

const hostsShape = z.record(
  z.string(),
  z.strictObject({
    private: z.boolean().optional(),
    headers: z.record(z.string(), z.string()).optional(),
  }),
)

/**
 * Whom lookups may ask, as the environment says: nobody unless it says so. Unset and empty mean the same.
 *
 * @throws Fault `bad_input` for what cannot be meant, without repeating a secret
 */
export function lookupSettings(env: Environment): LookupSettings {
  return { origins: originsOf(env), databases: databasesOf(env) }
}

/** Under which name of `databases` a policy's `source` is found; undefined for one that no variable can name. */
export function sourceKey(source: string): string | undefined {
  return /^[A-Za-z0-9._-]+$/.test(source) ? source.toUpperCase().replace(/[^A-Z0-9]/g, '_') : undefined
}

function databasesOf(env: Environment): ReadonlyMap<string, SqlSource> {
  const databases = new Map<string, SqlSource>()
  for (const [variable, text] of Object.entries(env)) {
    if (!variable.startsWith(databasePrefix) || text === undefined || text.trim() === '') continue
    const key = variable.slice(databasePrefix.length)
    if (!/^[A-Z0-9_]+$/.test(key)) {
      throw new Fault('bad_input', `\`${variable}\` has no name of a source`, {
        fix: 'Write it in capitals, as BAILIWICK_SOURCE_ORDERS for `source: orders`.',
      })
    }
    databases.set(key, { connectionString: databaseUrl(variable, text.trim()) })
  }
  return databases
}

function databaseUrl(variable: string, text: string): string {
  try {
    // The driver takes other text for the name of a database on a host that nobody named.
    if (/^postgres(?:ql)?:\/\//i.test(text) && new pg.Client({ connectionString: text })) return text
  } catch {
    // Told below, without the cause: an error about a URL carries the URL, and with it the password.
  }
  throw new Fault('bad_input', `\`${variable}\` is no PostgreSQL URL`, {
    fix: 'Write it as postgresql://user:password@host:5432/database, with special characters percent-encoded.',
  })
}

function originsOf(env: Environment): ReadonlyMap<string, HttpSource> {
  const text = env[hostsVariable]?.trim() ?? ''
  const origins = new Map<string, HttpSource>()
  const written = text.startsWith('{') ? hostsJson(text) : hostsList(text)
  for (const [name, { private: allowPrivate = false, headers = {} }] of written) {
    const url = originUrl(name, allowPrivate)
    if (origins.has(url.origin)) {
      throw new Fault('bad_input', `\`${hostsVariable}\` names \`${url.origin}\` twice`, {
        fix: 'Name each origin once.',
      })
    }
    origins.set(url.origin, { name: url.host, headers: headersOf(headers, url.origin, env), allowPrivate })
  }
  return origins
}

type WrittenHosts = readonly (readonly [string, z.infer<typeof hostsShape>[string]])[]

function hostsList(text: string): WrittenHosts {
  return text
    .split(/[\s,]+/)
    .filter((name) => name !== '')
    .map((name) => [name, {}])
}

function hostsJson(text: string): WrittenHosts {
  const read = strictJson(text)
  const parsed = read.kind === 'read' ? hostsShape.safeParse(read.value) : undefined
  if (parsed?.success === true) return Object.entries(parsed.data)
  // What is written there is not repeated: somebody may have put a secret where its variable's name belongs.
  throw new Fault('bad_input', `\`${hostsVariable}\` is not a JSON object of origins`, {
    fix: `Write it as ${hostsJsonExample}.`,
  })
}

function originUrl(text: string, allowPrivate: boolean): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const isOrigin =
    url !== undefined &&
    /^https?:$/.test(url.protocol) &&
    url.href === `${url.origin}/` &&
    // No wildcards: whoever is asked is written out.
    /^(?:[a-z0-9._-]+|\[.*\])$/.test(url.hostname)
  if (!isOrigin) {
    throw new Fault('bad_input', `\`${hostsVariable}\` names something that is no origin`, {
      fix: `Write scheme, host and port and nothing more: ${hostsExample}.`,
    })
  }
  if (url.protocol === 'http:' && !allowPrivate) {
    throw new Fault('bad_input', `\`${url.origin}\` in \`${hostsVariable}\` is not encrypted`, {
      fix: `Use https; plain http is only for private networks, and says so: ${hostsVariable}='{"${url.origin}": {"private": true}}'.`,
    })
  }
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  const family = isIP(host)
  if (family === 0) return url
  const where = createAddressClassifier()(host, family === 6 ? 6 : 4)
  if (where === 'never' || (where === 'private' && !allowPrivate)) {
    throw new Fault(
      'bad_input',
      `\`${url.origin}\` in \`${hostsVariable}\` is an address that is not asked`,
      {
        fix: `Link-local and metadata addresses never are; a private one is with "private": true.`,
      },
    )
  }
  if (where === 'public' && url.protocol === 'http:') {
    throw new Fault('bad_input', `\`${url.origin}\` in \`${hostsVariable}\` is not encrypted`, {
      fix: 'Use https; plain http is only for private networks.',
    })
  }
  return url
}

// Those that say how the message is carried are ours to set.
const ourHeaders =
  /^(?:host|connection|content-.*|transfer-encoding|te|trailer|upgrade|expect|accept|accept-encoding|keep-alive|proxy-.*)$/

function headersOf(
  written: Readonly<Record<string, string>>,
  origin: string,
  env: Environment,
): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {}
  for (const [writtenName, variable] of Object.entries(written)) {
    const name = writtenName.toLowerCase()
    if (!/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name) || ourHeaders.test(name) || Object.hasOwn(headers, name)) {
      throw new Fault('bad_input', `a header of \`${origin}\` in \`${hostsVariable}\` cannot be set`, {
        fix: 'Name headers such as authorization or x-api-key, each once.',
      })
    }
    // A header's value as it stands would be a secret in the list of hosts, so it is taken for a name only.
    const value = Object.hasOwn(env, variable) ? env[variable]?.trim() : undefined
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(variable) || value === undefined || value === '') {
      throw new Fault(
        'bad_input',
        `the header \`${name}\` of \`${origin}\` names no environment variable that is set`,
        {
          fix: `Put the header's value into a variable of its own, and write that variable's name: ${hostsJsonExample}.`,
        },
      )
    }
    headers[name] = headerValue(value, variable)
  }
  return headers
}

function headerValue(value: string, variable: string): string {
  if (/^[\x20-\x7e]+$/.test(value)) return value
  throw new Fault('bad_input', `\`${variable}\` holds characters that no header may have`, {
    fix: 'Use printable ASCII on one line.',
  })
}
