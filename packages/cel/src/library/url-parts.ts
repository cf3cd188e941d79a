import { normalHost } from './host.ts'

/** A URL, taken apart. */
export interface UrlParts {
  /** In lower case. */
  readonly scheme: string
  /** As `normalHost` gives it. */
  readonly host: string
  /** As written; undefined where none is. */
  readonly port: number | undefined
  /** As written, beginning with `/`. */
  readonly path: string
  /** As written, without `?`; empty where there is none. */
  readonly query: string
}

/** The longest URL that is read, in UTF-16 code units. */
const urlUnitsMax = 8192

/** Scheme, host and port, then path, query and fragment. Nothing here can be read in two ways. */
const shape =
  /^([a-z][a-z0-9+.-]*):\/\/(\[[\d:.a-f]+\]|[a-z0-9._-]+)(?::(0|[1-9]\d{0,4}))?(\/[^?#]*)?(?:\?([^#]*))?(?:#.*)?$/i
/** What browsers drop or turn round: white space, control characters, backslashes. Half of a pair is no text at all. */
const ambiguous = /[\s\p{Cc}\p{Cf}\p{Surrogate}\\]/u
/** The printable characters of ASCII without the backslash: most URLs have no others. */
const unambiguous = /^[!-[\]-~]*$/
const badEscape = /%(?![\dA-Fa-f]{2})/

/**
 * Reads `scheme://host`, with port, path, query and fragment. Undefined for everything that browsers and libraries
 * would repair, each in its own way, so that a host could hide: user names (`https://good.com@evil.com`), backslashes,
 * white space, missing or surplus slashes, hosts with escapes or letters beyond ASCII, numbers as hosts, leading zeros.
 */
export function parseUrl(text: string): UrlParts | undefined {
  if (text.length > urlUnitsMax || badEscape.test(text)) return undefined
  if (!unambiguous.test(text) && ambiguous.test(text)) return undefined
  const [whole, scheme = '', written = '', digits, path = '/', query = ''] = shape.exec(text) ?? []
  if (whole === undefined) return undefined
  const host = normalHost(written)
  const port = digits === undefined ? undefined : Number(digits)
  if (host === undefined || (port !== undefined && port > 65_535)) return undefined
  return { scheme: scheme.toLowerCase(), host, port, path, query }
}

/**
 * The path with escapes as RFC 3986 would have them: none of letters, digits, `-`, `.`, `_` and `~`, and upper case in
 * the others. Undefined for escaped control characters, at which some readers end a path.
 */
export function normalPath(path: string): string | undefined {
  if (/%(?:[01][\dA-Fa-f]|7[Ff])/.test(path)) return undefined
  return path.replaceAll(/%([\dA-Fa-f]{2})/g, (escape, digits: string) => {
    const character = String.fromCodePoint(Number.parseInt(digits, 16))
    return /[\w.~-]/.test(character) ? character : escape.toUpperCase()
  })
}

/** How often a path may be escaped over and over. */
const escapeRoundsMax = 3

/**
 * Whether some reader of the path would go up a directory: `..` or `.` as a segment, also with escapes, escaped escapes,
 * backslashes or parameters (`..;x`).
 */
export function climbs(path: string): boolean {
  let plain = path
  for (let round = 0; round <= escapeRoundsMax; round += 1) {
    if (/(?:^|[/\\])\.{1,2}(?:[/\\;]|$)/.test(plain)) return true
    const next = plain.replaceAll(/%([2-7][\dA-Fa-f])/g, (_, digits: string) =>
      String.fromCodePoint(Number.parseInt(digits, 16)),
    )
    if (next === plain) return false
    plain = next
  }
  return true
}

/** The values of a query's parameter, decoded; undefined where a name or a value is not UTF-8. */
export function queryValues(query: string, name: string): readonly string[] | undefined {
  const values: string[] = []
  for (const pair of query.split('&')) {
    const [key, value] = [decodedPart(pair.replace(/=.*$/s, '')), decodedPart(pair.replace(/^[^=]*=?/, ''))]
    if (key === undefined || value === undefined) return undefined
    if (key === name) values.push(value)
  }
  return values
}

function decodedPart(part: string): string | undefined {
  try {
    return decodeURIComponent(part.replaceAll('+', ' '))
  } catch (error) {
    if (error instanceof URIError) return undefined
    throw error
  }
}
