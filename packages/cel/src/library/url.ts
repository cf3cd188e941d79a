import { CelFailure } from '../value.ts'
import type { CelValue } from '../value.ts'
import type { LibraryFunction, LibraryType } from './entry.ts'
import { free } from './forms.ts'
import { normalHost } from './host.ts'
import { walkingSteps } from './limits.ts'
import { climbs, normalPath, parseUrl, queryValues } from './url-parts.ts'
import type { UrlParts } from './url-parts.ts'

const defaultPorts: ReadonlyMap<string, bigint> = new Map([
  ['http', 80n],
  ['https', 443n],
  ['ws', 80n],
  ['wss', 443n],
  ['ftp', 21n],
])

/** A name, or all names below one. */
interface HostPattern {
  readonly name: string
  readonly below: boolean
}

const details = {
  cost: (...sizes: readonly number[]) => walkingSteps(sizes.reduce((sum, each) => sum + each, 0)),
  resultSize: (text = 0) => text + 8,
}

/** A function of a URL's parts, which fails for what is no strict URL. */
function ofUrl(
  name: string,
  result: LibraryType,
  read: (url: UrlParts) => string | bigint | CelFailure,
): LibraryFunction {
  const call = (text: string): string | bigint | CelFailure => {
    const url = parseUrl(text)
    return url === undefined ? notAUrl() : read(url)
  }
  return free(name, ['string'], result, call, details)
}

function notAUrl(): CelFailure {
  return new CelFailure(
    'needs a plain URL such as https://example.com/path, without a user name or anything to repair',
  )
}

function portOf({ port, scheme }: UrlParts): bigint | CelFailure {
  if (port !== undefined) return BigInt(port)
  return defaultPorts.get(scheme) ?? new CelFailure('has no port, and its scheme has none by default')
}

function pathOf({ path }: UrlParts): string | CelFailure {
  if (climbs(path)) return new CelFailure('has a path with . or .. in it')
  return normalPath(path) ?? new CelFailure('has a path with control characters in it')
}

function urlQuery(text: string, name: string): string | CelFailure {
  const url = parseUrl(text)
  if (url === undefined) return notAUrl()
  const values = queryValues(url.query, name)
  if (values === undefined) return new CelFailure('has a query that is not UTF-8')
  const [value] = values
  if (value === undefined) return new CelFailure('has no such parameter in its query')
  return values.length === 1 ? value : new CelFailure('has the parameter more than once in its query')
}

function urlHasQuery(text: string, name: string): boolean | CelFailure {
  const url = parseUrl(text)
  if (url === undefined) return notAUrl()
  const values = queryValues(url.query, name)
  return values === undefined ? new CelFailure('has a query that is not UTF-8') : values.length > 0
}

function hostMatches(text: string, pattern: HostPattern): boolean | CelFailure {
  const host = normalHost(text)
  if (host === undefined) return new CelFailure('needs the name or the address of a host')
  return pattern.below ? host.endsWith(`.${pattern.name}`) : host === pattern.name
}

function preparePattern(text: CelValue): HostPattern | CelFailure {
  const below = typeof text === 'string' && text.startsWith('*.')
  const name = typeof text === 'string' ? normalHost(below ? text.slice(2) : text) : undefined
  // There is nothing below an address.
  if (name === undefined || (below && /^[\d.]+$|:/.test(name)))
    return new CelFailure('is not a host such as example.com or *.example.com')
  return { name, below }
}

/**
 * URLs in texts. All fail for a text that is no URL in its plain form; `isURL` tells it. Hosts are in lower case and
 * without a dot at the end. `*.example.com` matches all names below `example.com`, at any depth, and not that name.
 */
export const urlFunctions: readonly LibraryFunction[] = [
  free('isURL', ['string'], 'bool', (text: string) => parseUrl(text) !== undefined, {
    ...details,
    resultSize: () => 1,
  }),
  ofUrl('urlScheme', 'string', ({ scheme }) => scheme),
  ofUrl('urlHost', 'string', ({ host }) => host),
  ofUrl('urlPort', 'int', portOf),
  ofUrl('urlPath', 'string', pathOf),
  free('urlQuery', ['string', 'string'], 'string', urlQuery, details),
  free('urlHasQuery', ['string', 'string'], 'bool', urlHasQuery, { ...details, resultSize: () => 1 }),
  free('hostMatches', ['string', 'string'], 'bool', hostMatches, {
    ...details,
    literal: { arg: 1, use: 'checked' },
    prepare: preparePattern,
    resultSize: () => 1,
  }),
]
